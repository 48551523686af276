/* SPDX-License-Identifier: BSD-2-Clause */
/* How busy is a loop, how long are its turns, and what does an event wait that arrives at any moment? */
#ifndef PT_ANALYSIS_LOOPS_H
#define PT_ANALYSIS_LOOPS_H

#include "analysis/analysis.h"
#include "base/histogram.h"
#include "model/loop.h"

struct pt_loops_of {
	uint64_t turns;
	uint64_t wall_ns, busy_ns, idle_ns; /* wall = busy + idle: since its first wait */
	struct pt_histogram turn_ns;
	uint64_t stalls, stall_ns; /* turns at least as long as the threshold */
	uint64_t returns;	   /* turns that ended in another wait */
	bool worth;		   /* a loop that a reader cares for: it waits again and again */
};

/* Never NULL. */
const struct pt_loops_of *pt_loops_get(const struct pt_loops *loops, const struct pt_loop *loop);

/*
 * What the given share of events would wait at most, if they arrived at instants evenly spread: during an idle moment
 * nothing, during a turn its rest. ns.
 */
uint64_t pt_loops_delay(const struct pt_loops_of *of, double share);

#endif
