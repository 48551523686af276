/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes snapshots of the memory of target processes, and of what they share, in a thread of its
 * own: when they have come (a second after the last newcomer, so that a group that is just being
 * built is seen once, whole), on an interval, and at the end. It works in pieces of a fraction of a
 * millisecond, rests between them, and stays within its share of one CPU; what it must leave out
 * for that, it estimates or says.
 */
#ifndef PT_CAPTURE_MEMORY_H
#define PT_CAPTURE_MEMORY_H

#include <sys/types.h>

#include "base/error.h"
#include "base/types.h"

struct pt_memory_scanner;

/*
 * Takes one record: `row` is the struct of `kind`, valid during the call as its text is, if it has
 * one, its time CLOCK_MONOTONIC ns. Called from the scanner's thread only,
 * without any lock of the scanner held: the recorder protects its writer by a lock of its own. A
 * negative return ends the round that is under way.
 */
typedef int (*pt_memory_emit_fn)(void *ctx, uint32_t kind, const void *row, const char *text,
				 size_t text_len);

struct pt_memory_options {
	double interval; /* seconds between snapshots; 0: only when targets come, and at the end */
	double budget_percent; /* of one CPU; 0: 1 % */
	pt_memory_emit_fn emit;
	void *ctx;
};

struct pt_memory_stats {
	uint64_t cpu_ns; /* of the scanner's thread */
	uint64_t rounds;
	uint64_t longest_piece_ns; /* longest time on a CPU between two rests */
	bool frames_hidden;	   /* page frames cannot be seen: CAP_SYS_ADMIN is missing */
};

int pt_memory_start(struct pt_memory_scanner **out, const struct pt_memory_options *options,
		    struct pt_error *err);

/*
 * Names a target process, once or more often. `start` is its start time (CLOCK_BOOTTIME ns, as in
 * fork and task records), which guards against a reused pid; 0: whoever has the pid now. Never
 * blocks for long; any thread may call it. -ENOMEM or 0. A process that is gone is forgotten by
 * itself.
 */
int pt_memory_add(struct pt_memory_scanner *scanner, pid_t pid, uint64_t start);

/*
 * Takes the snapshots of the end, for at most patience_ns, and ends the thread. Processes that do
 * not fit are left out; if the page frames of all do not fit, the last matrix stands. Only free and
 * stats may follow.
 */
void pt_memory_stop(struct pt_memory_scanner *scanner, uint64_t patience_ns);

void pt_memory_stats(struct pt_memory_scanner *scanner, struct pt_memory_stats *stats);

/* NULL is accepted. Stops without a last snapshot if it still runs. */
void pt_memory_free(struct pt_memory_scanner *scanner);

#endif
