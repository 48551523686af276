/* SPDX-License-Identifier: BSD-2-Clause */
/* The snapshot of one process, in two steps: its figures at one instant, then a walk through its
 * pages. */
#ifndef PT_CAPTURE_MEMORY_SNAPSHOT_H
#define PT_CAPTURE_MEMORY_SNAPSHOT_H

#include <sys/types.h>

#include "base/types.h"
#include "bpf/records.h"
#include "capture/memory.h"
#include "capture/memory_frames.h"
#include "capture/memory_maps.h"
#include "capture/memory_pace.h"
#include "capture/memory_pages.h"

/* What all snapshots use. */
struct pt_mem_tools {
	struct pt_pages *pages;
	struct pt_backings *backings;
	struct pt_mappings mappings; /* of the process under way */
	struct pt_pace pace;
	uint64_t kernel_stack; /* bytes of one */
	pt_memory_emit_fn emit;
	void *ctx;
};

struct pt_mem_snapshot {
	pid_t pid;
	uint64_t start; /* cut to clock ticks; 0: not known yet */
	bool alive;	/* false: gone, or not to be looked at */
	bool done;	/* its memory record is out */
	uint64_t begun; /* CLOCK_MONOTONIC ns */
	uint64_t known; /* resident bytes by the kernel's counters */
	uint64_t seen;	/* resident bytes that the walk has read, hugetlb not counted */
	struct pt_memory row;
	struct pt_frames frames;
};

/* The cheap figures, which come from counters: into row, whose pid and time are set. */
int pt_mem_pulse_read(pid_t pid, uint64_t start, struct pt_memory_pulse *row);

/*
 * Reads the figures of the process. Where the walk is not needed for them the memory record is
 * emitted. -ESRCH if it is gone, is another process by now, or has no memory.
 */
int pt_mem_snapshot_begin(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap, uint32_t flags);

/*
 * Reads one in 2^shift pieces of its pages, into snap->frames too if wanted, and emits what hangs
 * on that: the memory record if it is not out yet, classes and threads. -ECANCELED: no time left.
 */
int pt_mem_snapshot_walk(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap,
			 unsigned int shift, bool frames);

/* Emits what there is of a snapshot that was not walked to its end. */
int pt_mem_snapshot_cut(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap);

/* Frees what it holds. */
void pt_mem_snapshot_clear(struct pt_mem_snapshot *snap);

#endif
