/* SPDX-License-Identifier: BSD-2-Clause */
/* One recording, from the first probe to the finished file: wires capture to trace. */
#ifndef PT_RECORDING_H
#define PT_RECORDING_H

#include "base/error.h"
#include "capture/child.h"
#include "capture/memory.h"
#include "capture/probes.h"
#include "trace/writer.h"

struct pt_recording_options {
	struct pt_probes_options targets;
	const char *const *cgroups; /* the tasks in these and below, see capture/members.h */
	size_t cgroup_count;
	char **command;		 /* NULL: none */
	bool command_bound;	 /* it dies with the recorder, however that ends */
	const char *target_text; /* what was asked for, for people */
	const char *output;
	uint64_t duration_ns;	/* 0: until the targets are gone, or a signal comes */
	double memory_interval; /* seconds between snapshots; 0: only at the start and the end */
	double memory_percent;	/* of one CPU, for that; 0: 1 % */
	/* Called when it is over, to add records of its own with `add`, CLOCK_MONOTONIC; NULL: nothing to add. */
	int (*closing)(void *context, int (*add)(void *writer, const struct pt_record *record),
		       void *writer, struct pt_error *err);
	void *closing_context;
};

struct pt_recording_result {
	struct pt_writer_stats written;
	uint64_t lost[PT_KIND_LIMIT];
	uint64_t duration_ns;
	bool saved;	/* the file has its name */
	bool timed_out; /* duration_ns were over */
	struct pt_child child;
};

/* SIGINT, SIGTERM and SIGHUP end the recording; a second one ends the program. Negative errno if nothing usable was recorded. */
int pt_recording_run(const struct pt_recording_options *options, struct pt_recording_result *result,
		     struct pt_error *err);

#endif
