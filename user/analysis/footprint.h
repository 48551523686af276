/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What does each process cost in memory, what do they share, what did fork cost, and what would one
 * more worker cost? Sizes in bytes. What no record tells is not made up: it is said to be unknown.
 */
#ifndef PT_ANALYSIS_FOOTPRINT_H
#define PT_ANALYSIS_FOOTPRINT_H

#include "analysis/analysis.h"

struct pt_footprint_process {
	uint32_t pid;
	const struct pt_model_task *leader;
	struct pt_memory *points; /* snapshots by time, thinned out if very many */
	size_t point_count, point_room;
	struct pt_memory_pulse *pulses; /* the kernel's counters, by time, where they changed */
	size_t pulse_count, pulse_room;
	struct pt_memory_exit exit; /* time 0: it has not exited */
	uint64_t cow_faults;	    /* of its tasks that have had any, while recorded */
	uint64_t peak;		    /* the highest rss that is known of */
	struct pt_memory_class classes[PT_MAPPING_COUNT]; /* of the last walk; no mappings: none */
	uint64_t classes_time;
	struct pt_memory_thread *threads; /* stacks that could be told at the last walk */
	size_t thread_count, thread_room;
};

struct pt_footprint_fork {
	struct pt_memory_fork fork;
	struct pt_memory_parted parted; /* time 0: they still shared when the recording ended */
	const struct pt_model_task *parent, *child;
};

/* A task that has written to write-protected pages. */
struct pt_footprint_faults {
	const struct pt_model_task *task;
	uint64_t cow_faults; /* while recorded */
};

/* The matrix with most processes, of equals the last; one that was cut short only if no other is. */
struct pt_footprint_matrix {
	struct pt_memory_group group; /* time 0: none */
	struct pt_memory_share *shares;
	size_t share_count, share_room;
	struct pt_memory_common *commons;
	size_t common_count, common_room;
};

/* What workers of one model cost: means over those whose figures are known. */
struct pt_footprint_margin {
	uint64_t workers;		     /* of threads: whose stacks could be told */
	uint64_t rss, pss, uss, page_tables; /* of processes */
	uint64_t kernel_stacks;
	uint64_t stack;	 /* of threads: resident */
	uint64_t comers; /* threads by which processes grew between two snapshots */
	uint64_t growth; /* of uss for each of them, heap and all; 0 if nobody came */
};

/* In order of first mention. */
size_t pt_footprint_processes(const struct pt_footprint *footprint);
const struct pt_footprint_process *pt_footprint_process(const struct pt_footprint *footprint,
							size_t i);

/* Forks that copied an address space, by time. */
size_t pt_footprint_forks(const struct pt_footprint *footprint);
const struct pt_footprint_fork *pt_footprint_fork(const struct pt_footprint *footprint, size_t i);

/* In order of their end. */
size_t pt_footprint_faulters(const struct pt_footprint *footprint);
const struct pt_footprint_faults *pt_footprint_faults(const struct pt_footprint *footprint,
						      size_t i);

const struct pt_footprint_matrix *pt_footprint_matrix(const struct pt_footprint *footprint);

const struct pt_footprint_margin *pt_footprint_margin(const struct pt_footprint *footprint,
						      enum pt_task_model model);

/* Resident bytes by the kernel's counters at a pulse. */
uint64_t pt_footprint_rss(const struct pt_memory_pulse *pulse);

/* Copy-on-write faults of both sides of a fork since then; false: not known. */
bool pt_footprint_cow_faults(const struct pt_footprint_fork *fork, uint64_t *child,
			     uint64_t *parent);

#endif
