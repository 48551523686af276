/* SPDX-License-Identifier: BSD-2-Clause */
/* `partrace record --workload`: which recordings that means, and what is kept of each. */
#ifndef PT_RECORD_WORKLOAD_H
#define PT_RECORD_WORKLOAD_H

#include <stdbool.h>

#include "recording.h"

#define PT_REPEAT_MAX 1000

struct record_workload {
	const char *name;    /* MODEL, MODEL/KIND, "all" or "all/KIND"; NULL: none */
	const char *runtime; /* "native" or "node" */
	char **arguments;    /* for the workload itself; NULL: none */
	unsigned int repeat; /* so many times each */
	bool quiet;	     /* the workload's output is kept, not shown */
};

/*
 * Calls record(context) for one recording after the other, with the command, the name of the output and the
 * rest put into *recording, whose output is the base of all names. Returns the exit status of the program:
 * that of the first recording that failed, or 0. What goes wrong before is said on stderr.
 */
int record_workloads(const struct record_workload *workload, struct pt_recording_options *recording,
		     int (*record)(void *context), void *context);

#endif
