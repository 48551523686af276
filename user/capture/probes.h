/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side, seen from here: loads the probes, marks the targets, drains the rings.
 * Order of calls: open, mark, [expect_child,] begun, drain..., snapshot, drain, free.
 */
#ifndef PT_CAPTURE_PROBES_H
#define PT_CAPTURE_PROBES_H

#include <sys/types.h>

#include "base/error.h"
#include "base/record.h"

struct pt_probes;

struct pt_probes_options {
	bool all;	   /* every task of the machine */
	const pid_t *pids; /* these processes, their threads and descendants */
	size_t pid_count;
	const pid_t *tids; /* these threads and what they make */
	size_t tid_count;
	uint64_t stall_ns; /* turns of this length are taken apart */
	bool every_turn;   /* a record for each turn, none is only added up */
	size_t buffer_bytes; /* of one CPU's slots; a power of two, at least 64 KiB; 0: by the number of CPUs */
};

/* Called for each record in a ring, in order of time within a CPU. row and text are valid during
 * the call. Not 0 stops the drain. */
typedef int (*pt_probes_sink)(void *context, const struct pt_record *record);

/* Loads and attaches. Nothing is recorded yet, since nobody is a target. -EPERM, -ENOTSUP (no BTF)
 * or what the kernel says. */
int pt_probes_open(struct pt_probes **out, const struct pt_probes_options *options,
		   struct pt_error *err);

/* Marks what exists of the targets; each leaves a `task` record. -ESRCH if none was found. */
int pt_probes_mark(struct pt_probes *probes, struct pt_error *err);

/*
 * Marks these tasks by themselves, without the children that they have: with those the caller lists what it wants.
 * *found: how many of them were no targets before. At most PT_PROBES_TASKS at once.
 */
#define PT_PROBES_TASKS 32768
int pt_probes_mark_tasks(struct pt_probes *probes, const uint32_t *tids, uint32_t count,
			 uint32_t *found, struct pt_error *err);

/* Recording has begun: who is marked from now on was no target until then. */
void pt_probes_begun(struct pt_probes *probes);

/* The next task that the calling thread makes is a target. */
void pt_probes_expect_child(struct pt_probes *probes);

/* Targets that have not exited. */
unsigned int pt_probes_live(const struct pt_probes *probes);

/* A descriptor that polls readable when a ring has filled up to a quarter. Owned by the probes. */
int pt_probes_ready_fd(const struct pt_probes *probes);

/* Hands out all that lies in the rings. The first non-zero result of the sink, or 0. */
int pt_probes_drain(struct pt_probes *probes, pt_probes_sink sink, void *context);

/* Hands out what the probes have added up since the last time. The first non-zero result of the sink, or 0. */
int pt_probes_collect(struct pt_probes *probes, pt_probes_sink sink, void *context);

/* Whether a target has returned from a wait call since recording began. */
bool pt_probes_has_loops(const struct pt_probes *probes);

/* Does the kernel tell what io_uring moves? */
bool pt_probes_sees_io_uring(const struct pt_probes *probes);

/* Grows while loops compute for longer than half a stall in one turn. */
uint64_t pt_probes_long_turns(const struct pt_probes *probes);

/* From now on the system calls of loops are timed, or not any more: that costs every process of the machine 25 ns a call. */
int pt_probes_time_calls(struct pt_probes *probes, bool on);

/* The last `task` record of each target that lives, and what lies in its sockets. No more calls are recorded from now on. */
int pt_probes_snapshot(struct pt_probes *probes, struct pt_error *err);

/* A socket at the other side of one that a target uses. */
void pt_probes_add_opposite(struct pt_probes *probes, uint64_t end);

/* What lies in those, after the snapshot; in the rings as ever. 0 or a negative errno. */
int pt_probes_look_opposite(struct pt_probes *probes);

/* Adds up what was lost so far, by kind; lost[0] are runs that the kernel skipped because another
 * probe was at work. */
void pt_probes_lost(const struct pt_probes *probes, uint64_t lost[PT_KIND_LIMIT]);

/* NULL is accepted. */
void pt_probes_free(struct pt_probes *probes);

#endif
