/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did work wait because every worker of a pool was busy?
 *
 * A pool is a set of sibling threads, made in one go, that sleep on locks and run no loop. That work waits cannot be
 * seen, but its end can: a worker that wakes a loop has finished something; if it then goes on without a sleep, more was
 * waiting, and had been since at most the moment when the last idle worker was woken.
 */
#ifndef PT_ANALYSIS_POOLS_H
#define PT_ANALYSIS_POOLS_H

#include "analysis/states.h"

struct pt_pool_of {
	const struct pt_model_task **workers;
	size_t worker_count;
	uint64_t episodes;     /* at least as long as the threshold of a stall */
	uint64_t saturated_ns; /* of them together */
	uint64_t longest_ns, longest_from;
	uint64_t taken;		   /* how often in them a worker went on to work that had waited */
	struct pt_states_of doing; /* what all workers did in them, since each was last idle */
};

/* Pools that had an episode, the worst first. */
size_t pt_pools_count(const struct pt_pools *pools);
const struct pt_pool_of *pt_pools_get(const struct pt_pools *pools, size_t index);

#endif
