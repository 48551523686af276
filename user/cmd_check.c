/* SPDX-License-Identifier: BSD-2-Clause */
/* partrace check: attaches every probe, makes a child that each of them must see, and says which did. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/clock.h"
#include "capture/probes.h"
#include "cmd.h"

#define STALL_NS   5000000
#define BUSY_NS	   (4 * STALL_NS)
#define LAST_WORDS 100 /* drains, of a millisecond each, after the child has gone */

/* What each kind of record is good for, and whether there is a recording without it. */
static const struct {
	uint32_t kind;
	bool needed;
	const char *what;
} expected[] = {
	{PT_KIND_switch, true, "context switches"},
	{PT_KIND_wakeup, true, "wake-ups"},
	{PT_KIND_fork, true, "new tasks"},
	{PT_KIND_exec, true, "programs that are run"},
	{PT_KIND_rename, true, "names of tasks"},
	{PT_KIND_exit, true, "ends of tasks"},
	{PT_KIND_turn, true, "turns of event loops"},
	{PT_KIND_call, false, "system calls of stalls"},
	{PT_KIND_sample, false, "samples of stalls (perf software events)"},
};

/* A loop with a stall in it, and then another program. */
static void be_seen(void)
{
	struct epoll_event event;
	int loop = epoll_create1(EPOLL_CLOEXEC);

	prctl(PR_SET_NAME, "check");
	for (int i = 0; i < 3; i++) {
		uint64_t start = pt_clock_read(CLOCK_MONOTONIC);

		while (i == 1 && pt_clock_read(CLOCK_MONOTONIC) - start < BUSY_NS)
			getppid();
		epoll_wait(loop, &event, 1, 1);
	}
	execl("/bin/sh", "sh", "-c", ":", (char *)NULL);
	_exit(127);
}

static int count(void *context, const struct pt_record *record)
{
	uint64_t *seen = context;

	seen[record->kind]++;
	if (record->kind == PT_KIND_switch &&
	    ((const struct pt_switch *)record->row)->flags & PT_SWITCH_WOKEN)
		seen[PT_KIND_wakeup]++;
	return 0;
}

static int watch_child(struct pt_probes *probes, uint64_t *seen, struct pt_error *err)
{
	struct timespec pause = {.tv_nsec = 1000000};
	pid_t pid;
	int r;

	r = pt_probes_time_calls(probes, true);
	if (r)
		return pt_error_errno(err, r, "cannot attach to the beginning of system calls");
	pt_probes_expect_child(probes);
	pid = fork();
	if (!pid)
		be_seen();
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		return pt_error_set(err, -ECHILD, "cannot make a process");
	for (int i = 0; !r && i < LAST_WORDS && pt_probes_live(probes); i++) {
		nanosleep(&pause, NULL);
		r = pt_probes_drain(probes, count, seen);
	}
	return r ? r : pt_probes_drain(probes, count, seen);
}

static bool print_seen(const uint64_t *seen)
{
	bool possible = true;

	for (size_t i = 0; i < PT_ARRAY_SIZE(expected); i++) {
		bool ok = seen[expected[i].kind];

		printf("%-8s %s\n",
		       ok		    ? "ok"
		       : expected[i].needed ? "MISSING"
					    : "without",
		       expected[i].what);
		possible = possible && (ok || !expected[i].needed);
	}
	return possible;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	if (key == ARGP_KEY_ARG)
		argp_usage(state);
	return ARGP_ERR_UNKNOWN;
}

int cmd_check(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.doc = "Says what can be recorded on this machine: 0 if recording is possible.",
	};
	struct pt_probes_options options = {.stall_ns = STALL_NS};
	uint64_t seen[PT_KIND_LIMIT] = {0};
	struct pt_probes *probes = NULL;
	struct pt_error err = {0};
	struct utsname host;
	bool possible = false;
	int r;

	argp_err_exit_status = PT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	libbpf_set_print(NULL);
	uname(&host);
	printf("Linux %s, %s\n", host.release, host.machine);
	fflush(stdout);
	r = pt_probes_open(&probes, &options, &err);
	if (!r)
		r = watch_child(probes, seen, &err);
	if (r)
		fprintf(stderr, "partrace: %s\n", err.text);
	else
		possible = print_seen(seen);
	pt_probes_free(probes);
	if (possible)
		printf("recording is possible\n");
	return possible ? PT_EXIT_OK : PT_EXIT_FAILURE;
}
