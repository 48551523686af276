/* SPDX-License-Identifier: BSD-2-Clause */
/* What would one more worker cost? The means of those that there are, by model and name. */
#ifndef PT_ANALYSIS_MARGIN_H
#define PT_ANALYSIS_MARGIN_H

#include "analysis/footprint.h"

#define PT_MARGINS_MAX 64

/* Threads of one sort that were made while recorded, and what they brought: pages that they were the first to touch. */
struct pt_margin_threads {
	uint64_t count;
	uint64_t brought; /* bytes, the mean */
};

/* Means over those workers whose figures are known. */
struct pt_margin {
	enum pt_task_model model;
	const char *comm;		     /* the leader's; of threads their process's */
	uint64_t workers;		     /* of threads: whose stacks could be told */
	uint64_t rss, pss, uss, page_tables; /* of processes */
	uint64_t kernel_stacks;
	uint64_t stack;	 /* of threads: resident */
	uint64_t comers; /* threads by which processes grew between two snapshots */
	uint64_t growth; /* of uss for each of them, heap and all; 0 if nobody came */
	struct pt_margin_threads loopers, others; /* threads that wait in a loop, and the rest */
	uint64_t looping; /* of threads: processes whose leader waits in one */
};

/* In order of first mention; of very many sorts only the first. */
struct pt_margins {
	struct pt_margin list[PT_MARGINS_MAX];
	size_t count;
};

/*
 * A process without a full snapshot adds nothing. `time` is when most of them were there: what a
 * process shares with others, it no longer does when they are gone; 0: at the end.
 */
void pt_margins_add(struct pt_margins *margins, const struct pt_footprint_process *process,
		    uint64_t time);

/* A thread that was made while recorded, or the leader, of a process that was added. */
void pt_margins_add_task(struct pt_margins *margins, const struct pt_model_task *task,
			 bool has_loop, uint64_t brought);

/* Sums become means. */
void pt_margins_finish(struct pt_margins *margins);

#endif
