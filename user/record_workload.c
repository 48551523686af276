/* SPDX-License-Identifier: BSD-2-Clause */
#include "record_workload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd.h"
#include "workload.h"
#include "workload_suite.h"

#define EXIT_OURS      125 /* our failure, not the command's */
#define EXIT_NOT_THERE 127

/* What a workload prints beyond this is shown, but not kept. */
#define KEPT_LIMIT (16 << 20)

static const char *const models[] = {"thread", "process", "cluster"};

/* The workloads to record in turn, of which each file is named after one. */
struct plan {
	const struct record_workload *workload;
	struct pt_recording_options *recording;
	int (*record)(void *context);
	void *context;
	const char *base; /* of the names of files */
	bool each_model;
	const char *kind; /* with its slash, or "" */
	size_t model_count;
};

/* "all" alone means every kind, too: only all kinds together answer what people argue about. */
static int make_plan(struct plan *plan, const struct record_workload *workload)
{
	const char *slash = strchr(workload->name, '/');
	size_t length = slash ? (size_t)(slash - workload->name) : strlen(workload->name);

	bool known;
	size_t i;

	plan->workload = workload;
	plan->each_model = length == 3 && !strncmp(workload->name, "all", length);
	known = plan->each_model;
	plan->kind = slash ? slash : plan->each_model ? "/all" : "";
	plan->model_count = plan->each_model ? PT_ARRAY_SIZE(models) : 1;
	for (i = 0; !known && i < PT_ARRAY_SIZE(models); i++)
		known = length == strlen(models[i]) && !strncmp(workload->name, models[i], length);
	if (!known)
		fprintf(stderr, "partrace: there is no such workload: thread, process, cluster or "
				"all, and perhaps a kind, as in thread/cpu\n");
	else if (slash && !workload_suite_knows(slash + 1))
		fprintf(stderr, "partrace: there is no such kind of workload, see 'partrace "
				"workload --help'\n");
	else
		return 0;
	return -EINVAL;
}

static int add_piece(int fd, off_t at, struct pt_workload *row,
		     int (*add)(void *writer, const struct pt_record *record), void *writer)
{
	char text[PT_TEXT_MAX];
	ssize_t n = pread(fd, text, sizeof(text), at);
	struct pt_record record = {.kind = PT_KIND_workload, .row = row, .text = text};

	if (n <= 0)
		return n ? -errno : 0;
	record.text_len = row->text = (uint32_t)n;
	n = add(writer, &record);
	return n ? (int)n : (int)record.text_len;
}

/* Keeps what the workload printed into the file *context. */
static int keep_output(void *context, int (*add)(void *writer, const struct pt_record *record),
		       void *writer, struct pt_error *err)
{
	int fd = *(int *)context, n = 1;
	struct pt_workload row = {0};
	struct stat output;
	off_t at = 0;

	row.time = pt_clock_read(CLOCK_MONOTONIC);
	if (!fstat(fd, &output) && output.st_size > KEPT_LIMIT) {
		fprintf(stderr, "partrace: the workload printed too much to be kept: what it "
				"knows of itself is not in the recording\n");
		return 0;
	}
	for (; n > 0; at += n, row.time++, row.part++)
		n = add_piece(fd, at, &row, add, writer);
	return n < 0 ? pt_error_errno(err, n, "cannot keep what the workload printed") : 0;
}

static void show_output(int fd)
{
	char text[PT_TEXT_MAX];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, text, sizeof(text), at)) > 0) {
		if (fwrite(text, 1, (size_t)n, stdout) != (size_t)n)
			return;
		at += n;
	}
}

/* Records with stdout being a file in memory: what is in it afterwards goes into the recording, and to the real one. */
static int record_output(struct plan *plan)
{
	int output = memfd_create("output", MFD_CLOEXEC);
	int real = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	int status = EXIT_OURS;

	fflush(stdout);
	if (output < 0 || real < 0 || dup2(output, STDOUT_FILENO) < 0) {
		perror("partrace: cannot keep what the workload prints");
	} else {
		plan->recording->closing = keep_output;
		plan->recording->closing_context = &output;
		status = plan->record(plan->context);
		dup2(real, STDOUT_FILENO);
		if (!plan->workload->quiet)
			show_output(output);
	}
	close(output);
	close(real);
	return status;
}

/* One recording, named by where it stands in the plan. */
static int record_one(struct plan *plan, size_t model, unsigned int round)
{
	char name[PATH_MAX], word[PATH_MAX], number[16] = "";
	struct pt_error err;
	int status;

	snprintf(word, sizeof(word), "%s%s",
		 plan->each_model ? models[model] : plan->workload->name,
		 plan->each_model ? plan->kind : "");
	if (plan->workload->repeat > 1)
		snprintf(number, sizeof(number), ".%u", round + 1);
	snprintf(name, sizeof(name), "%s%s%s%s", plan->base, plan->each_model ? "." : "",
		 plan->each_model ? models[model] : "", number);
	status = workload_command(plan->workload->runtime, word, plan->workload->arguments,
				  &plan->recording->command, &err);
	if (status) {
		fprintf(stderr, "partrace: %s\n", err.text);
		return status == -EINVAL   ? PT_EXIT_USAGE
		       : status == -ENOENT ? EXIT_NOT_THERE
					   : EXIT_OURS;
	}
	plan->recording->output = name;
	plan->recording->command_bound = true;
	status = record_output(plan);
	workload_command_free(plan->recording->command);
	return status;
}

/*
 * Waits for the recorder and passes on what was sent to us alone: the keyboard's signals reach it as well. True if any
 * signal came, so that there shall be no further recording.
 */
static bool attend(pid_t pid, const sigset_t *signals, int *status)
{
	bool stopped = false;
	siginfo_t info;
	pid_t gone = 0;

	while (!gone) {
		int signal = sigwaitinfo(signals, &info);

		if (signal == SIGCHLD) {
			gone = waitpid(pid, status, WNOHANG);
		} else if (signal > 0) {
			stopped = true;
			if (info.si_code <= 0)
				kill(pid, signal);
		}
	}
	return stopped;
}

/* Ends as on Ctrl-C when the series ends, however that may: its file is finished. */
static void record_bound(struct plan *plan, size_t model, unsigned int round, pid_t series)
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != series)
		_exit(EXIT_OURS);
	status = record_one(plan, model, round);
	_exit(fflush(stdout) ? EXIT_OURS : status);
}

/* A recorder is good for one recording, and each shall start from the same state: so each has a process. */
static int record_apart(struct plan *plan, size_t model, unsigned int round, bool *stopped)
{
	sigset_t signals, old;
	pid_t pid, self = getpid();
	int status = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &old);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		record_bound(plan, model, round, self);
	}
	if (pid > 0)
		*stopped = attend(pid, &signals, &status);
	else
		perror("partrace: cannot start recording");
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return EXIT_OURS;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int record_workloads(const struct record_workload *workload, struct pt_recording_options *recording,
		     int (*record)(void *context), void *context)
{
	struct plan plan = {
		.recording = recording,
		.record = record,
		.context = context,
		.base = recording->output,
	};
	bool stopped = false;
	unsigned int round;
	int status = 0;
	size_t model;

	if (make_plan(&plan, workload))
		return PT_EXIT_USAGE;
	if (plan.model_count == 1 && workload->repeat == 1)
		return record_one(&plan, 0, 0);
	/* The models in turn within each round, so that what changes on the machine meanwhile meets all of them. */
	for (round = 0; !status && !stopped && round < workload->repeat; round++) {
		for (model = 0; !status && !stopped && model < plan.model_count; model++)
			status = record_apart(&plan, model, round, &stopped);
	}
	return status;
}
