/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders rows by time. */
#ifndef PT_TRACE_SORT_H
#define PT_TRACE_SORT_H

#include "base/types.h"

#define PT_SORT_RUNS 1024

/* Scratch space, kept between calls. Zero it first. */
struct pt_sorter {
	size_t runs;
	uint32_t begin[PT_SORT_RUNS + 1]; /* of each run, and the end */
	uint64_t *keys[2];
	uint32_t *order[2];
	size_t cap;
};

/*
 * Sets *order so that keys[(*order)[i]] ascends, equal keys in their old order; NULL if they ascend
 * already. *order is valid until the next call. 0 or -ENOMEM.
 */
int pt_sort(struct pt_sorter *sorter, const uint64_t *keys, size_t n, const uint32_t **order);

void pt_sorter_free(struct pt_sorter *sorter);

#endif
