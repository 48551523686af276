/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What does each process cost in memory, what do they share, what did fork cost, and what would one
 * more worker cost? Sizes in bytes. What no record tells is not made up: it is said to be unknown.
 */
#ifndef PT_ANALYSIS_FOOTPRINT_H
#define PT_ANALYSIS_FOOTPRINT_H

#include "analysis/analysis.h"
#include "analysis/footprint_matrix.h"
#include "analysis/levels.h"

struct pt_margins;

struct pt_footprint_process {
	uint32_t pid;
	const struct pt_model_task *leader;
	struct pt_memory *points; /* snapshots by time, thinned out if very many */
	size_t point_count, point_room;
	struct pt_memory_pulse *pulses; /* the kernel's counters, by time, where they changed */
	size_t pulse_count, pulse_room;
	uint64_t told;		   /* resident by the last RSS event */
	struct pt_levels levels;   /* from pulses and from the kernel's RSS events */
	struct pt_change *changes; /* of the levels, by time */
	size_t change_count;
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

/* The memory of the machine, by time, thinned out if very many. */
size_t pt_footprint_hosts(const struct pt_footprint *footprint);
const struct pt_memory_host *pt_footprint_host(const struct pt_footprint *footprint, size_t i);

const struct pt_margins *pt_footprint_margins(const struct pt_footprint *footprint);

/* Resident bytes by the kernel's counters at a pulse. */
uint64_t pt_footprint_rss(const struct pt_memory_pulse *pulse);

/* Faults of both sides of a fork from there until they parted; those that are no copy-on-write count as minor too. */
struct pt_fork_faults {
	uint64_t child_cow, parent_cow, child_minor, parent_minor;
};

/* False: not known. */
bool pt_footprint_fork_faults(const struct pt_footprint_fork *fork, struct pt_fork_faults *faults);

/*
 * Anonymous bytes that the two still shared when they parted, at most about: each copy-on-write
 * fault has ended the sharing of a page. What one side had unmapped by then is not known.
 */
uint64_t pt_footprint_still_shared(const struct pt_footprint_fork *fork,
				   const struct pt_fork_faults *faults);

#endif
