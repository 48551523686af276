/* SPDX-License-Identifier: BSD-2-Clause */
/* What a trace says about itself: at its start, and (if the recorder lived) at its end. */
#ifndef PT_TRACE_META_H
#define PT_TRACE_META_H

#include "base/types.h"

#define PT_FORMAT_VERSION 2

/* Known when recording starts. Strings are owned by the struct's owner; NULL reads as "". */
struct pt_meta {
	char *version;	     /* of the partrace that wrote it */
	char *host;	     /* uname -n */
	char *kernel;	     /* uname -r */
	char *arch;	     /* uname -m */
	uint32_t cpus;	     /* possible CPUs */
	uint64_t start_mono; /* CLOCK_MONOTONIC ns that a record's time 0 stands for */
	uint64_t start_wall; /* CLOCK_REALTIME ns at the same moment */
	uint64_t start_boot; /* CLOCK_BOOTTIME ns at the same moment: task start times count on that
				clock */
	uint64_t stall_ns;   /* threshold of a stall */
	uint32_t recorder_pid;
	char *target;	/* what was asked for, for people: "pid 4711", "all", "command" */
	char **command; /* NULL-terminated; NULL if none was run */
};

/* Known when it ends. */
struct pt_end {
	uint64_t duration_ns;	  /* length of the recording */
	uint64_t recorder_cpu_ns; /* user and system time of the recorder */
	uint64_t recorder_rss;	  /* its peak, bytes */
	uint64_t bpf_ns;    /* run time of all probes as the kernel counted it, 0: not counted */
	char *ended_by;	    /* "exit", "signal", "duration", "target-gone", "error: ..." */
	int command_status; /* as wait(2) gives it; -1: no command, or it still runs */
};

/* Frees what the struct points to, not the struct. NULL is accepted. */
void pt_meta_clear(struct pt_meta *meta);
void pt_end_clear(struct pt_end *end);

#endif
