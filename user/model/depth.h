/* SPDX-License-Identifier: BSD-2-Clause */
/* How much lay in a queue over time, in a bounded number of steps of equal width, which grows with the time told of. */
#ifndef PT_MODEL_DEPTH_H
#define PT_MODEL_DEPTH_H

#include "base/types.h"

#define PT_DEPTH_STEPS	  64
#define PT_DEPTH_WIDTH_NS 1000000 /* of a step, at first */

struct pt_depth {
	uint64_t start; /* ns; of the first step */
	uint64_t width; /* ns, of each */
	uint32_t count;
	struct pt_depth_step {
		uint64_t max; /* bytes */
		double area;  /* bytes x ns */
	} steps[PT_DEPTH_STEPS];
};

/* A series that begins at `start`; NULL without memory. Freed with free(). */
struct pt_depth *pt_depth_new(uint64_t start);

/* So many bytes lay there from `from` to `to`; calls are in order of time. */
void pt_depth_add(struct pt_depth *depth, uint64_t from, uint64_t to, uint64_t bytes);

#endif
