/* SPDX-License-Identifier: BSD-2-Clause */
/* One round of snapshots over all targets, and the matrix of what they share. */
#ifndef PT_CAPTURE_MEMORY_ROUND_H
#define PT_CAPTURE_MEMORY_ROUND_H

#include "capture/memory_snapshot.h"

struct pt_mem_round {
	struct pt_mem_snapshot *snaps; /* pid and start set by the caller, the rest 0 */
	size_t count;
	uint64_t budget_ns; /* CPU time that the walk should not exceed: decides what is sampled */
	double page_ns;	    /* CPU time that a page costs; brought up to date */
	uint32_t flags;	    /* PT_MEMORY_LAST */
};

/*
 * Runs the round; snapshots of processes that are gone are not alive afterwards. 0; -ECANCELED if
 * it was not finished; another negative errno if it cannot go on (emit failed, no memory).
 */
int pt_mem_round_run(struct pt_mem_tools *tools, struct pt_mem_round *round);

#endif
