/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps a thread within its share of a CPU: work in pieces, rest in between, and notice when to
 * give up. */
#ifndef PT_CAPTURE_MEMORY_PACE_H
#define PT_CAPTURE_MEMORY_PACE_H

#include <pthread.h>

#include "base/types.h"

struct pt_pace {
	pthread_mutex_t lock; /* guards `stop`; others may use it with `wake` */
	pthread_cond_t wake;
	bool stop;	   /* rests end early and the work under way is given up */
	bool hurry;	   /* no rests: only the deadline counts */
	double share;	   /* of one CPU, 0..1 */
	uint64_t deadline; /* CLOCK_MONOTONIC ns; 0: none */
	int64_t credit;	   /* CPU ns that may be used without falling behind `share` */
	int64_t credit_max;
	uint64_t cpu_mark;  /* thread CPU time up to which credit is settled */
	uint64_t time_mark; /* CLOCK_MONOTONIC up to which credit is settled */
	uint64_t piece;	    /* CPU ns since the last rest */
	uint64_t longest_piece;
};

/* burst_ns: CPU time that may be saved up, and is there at the beginning. 0 or a negative errno. */
int pt_pace_init(struct pt_pace *pace, double share, uint64_t burst_ns);

/* To be called by the thread that is paced, before its first piece. */
void pt_pace_begin(struct pt_pace *pace);

/* Ends a piece of work: rests if it is time to. -ECANCELED: give up, by pt_pace_cancel() or the
 * deadline. */
int pt_pace_piece(struct pt_pace *pace);

/* Sleeps until `until` (CLOCK_MONOTONIC ns) with pace->lock held, or until woken. */
void pt_pace_sleep_locked(struct pt_pace *pace, uint64_t until);

void pt_pace_cancel(struct pt_pace *pace);

bool pt_pace_stopped(struct pt_pace *pace);

void pt_pace_clear(struct pt_pace *pace);

#endif
