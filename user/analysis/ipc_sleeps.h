/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tasks slept on in calls that had to do with channels. A sleep is known before the record of its call is; calls
 * that are told in sums have no record of their own, and those that the recording's end cuts have none at all.
 */
#ifndef PT_ANALYSIS_IPC_SLEEPS_H
#define PT_ANALYSIS_IPC_SLEEPS_H

#include "analysis/analysis.h"
#include "model/channels.h"

#define PT_SLEEP_CALLS 8 /* different calls whose sleeps a task may owe to channels */

/* Sleeps of a task in one system call, for one reason, that no channel has been charged with yet. */
struct pt_ipc_sleep {
	uint64_t ns, longest;	 /* ns 0: none */
	uint64_t from, until;	 /* from when the first began to when the last ended */
	uint64_t touched;	 /* when this was last used, for whoever looks for room */
	struct pt_traffic *last; /* what the task last used by this call; NULL: nothing */
	int16_t syscall;
	uint8_t reason; /* enum pt_reason */
};

/* Of one task. All zero is empty. */
struct pt_ipc_sleeps {
	struct pt_ipc_sleep list[PT_SLEEP_CALLS];
};

void pt_ipc_sleeps_add(struct pt_ipc_sleeps *sleeps, const struct pt_span *span);

/* A call of the task has moved something, at `time`. Returns when it began to sleep, 0: it did not. */
uint64_t pt_ipc_sleeps_moved(struct pt_ipc_sleeps *sleeps, struct pt_traffic *traffic, uint8_t kind,
			     const struct pt_model_task *task, int16_t syscall, uint64_t time);

/* Several calls have, or have not: as many as have not been told, by the call that was last used there. */
void pt_ipc_sleeps_summed(struct pt_ipc_sleeps *sleeps, struct pt_traffic *traffic,
			  const struct pt_model_task *task);

/* The recording is over: who still sleeps does so where it last used that call. */
void pt_ipc_sleeps_finish(struct pt_ipc_sleeps *sleeps, const struct pt_model_task *task);

#endif
