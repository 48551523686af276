/* SPDX-License-Identifier: BSD-2-Clause */
/* Who had the CPU that a task waited for? */
#ifndef PT_ANALYSIS_CHARGES_H
#define PT_ANALYSIS_CHARGES_H

#include "analysis/analysis.h"

/* So many occupants are kept by name for each task; the smallest of more are summed as `others_ns`.
 */
#define PT_CHARGES_KEPT 32

struct pt_charge {
	const struct pt_model_task *task; /* may be pt_model_idle() or pt_model_nobody() */
	uint64_t ns;
};

/* The charges and the others sum to the task's runnable time. */
struct pt_charges_of {
	struct pt_charge *charges; /* the greatest first, once the model is finished */
	uint32_t count, room;
	uint64_t others_ns;
};

/* Never NULL. */
const struct pt_charges_of *pt_charges_get(const struct pt_charges *charges,
					   const struct pt_model_task *task);

#endif
