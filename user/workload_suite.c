/* SPDX-License-Identifier: BSD-2-Clause */
#include "workload_suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/types.h"
#include "workload.h"

#define EXIT_CANNOT_RUN 126
#define ALL		"/all"

struct part {
	const char *kind, *mode;
	const char *via;     /* NULL: as usual */
	const char *model;   /* the only one that has it; NULL: each has */
	const char *runtime; /* likewise */
};

/* What it takes to answer the questions of docs/choosing.md. */
static const struct part parts[] = {
	{"cpu", "main", NULL, NULL, NULL},
	{"cpu", "workers", NULL, NULL, NULL},
	{"message", "burst", NULL, NULL, NULL},
	{"message", "ping-pong", NULL, NULL, NULL},
	{"message", "burst", "shared", "thread", NULL},
	{"message", "burst", "shared", "process", "native"},
	{"message", "burst", "shared", "cluster", "native"},
	{"http", "offload", NULL, "thread", NULL},
	{"http", "offload", NULL, "process", NULL},
	{"http", "handed", NULL, "cluster", NULL},
	{"http", "shared", NULL, "cluster", NULL},
	{"io", "mixed", NULL, NULL, NULL},
	{"memory", "own", NULL, NULL, NULL},
	{"memory", "shared", NULL, "thread", NULL},
	{"memory", "shared", NULL, "process", "native"},
	{"memory", "shared", NULL, "cluster", "native"},
	{"crash", "abort", NULL, NULL, NULL},
	{"crash", "exception", NULL, NULL, NULL},
};

bool workload_suite_is(const char *name)
{
	const char *slash = strchr(name, '/');

	return *name != '-' && slash && !strcmp(slash, ALL);
}

bool workload_suite_knows(const char *kind)
{
	size_t i;

	for (i = 0; i < PT_ARRAY_SIZE(parts); i++) {
		if (!strcmp(parts[i].kind, kind))
			return true;
	}
	return !strcmp(kind, ALL + 1);
}

char **workload_suite_find(char **arguments)
{
	for (; *arguments; arguments++) {
		if (workload_suite_is(*arguments))
			return arguments;
	}
	return NULL;
}

static void become(const char *runtime, char **arguments)
{
	struct pt_error err = {0};
	char **command = NULL;

	if (!workload_command(runtime, NULL, arguments, &command, &err)) {
		execv(command[0], command);
		pt_error_errno(&err, -errno, "cannot run %s", command[0]);
	}
	workload_command_free(command);
	fprintf(stderr, "partrace: %s\n", err.text);
	_exit(EXIT_CANNOT_RUN);
}

/* Ends with us, however we end. */
static int run(const char *runtime, char **arguments)
{
	pid_t parent = getpid(), pid;
	int status;

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			become(runtime, arguments);
		_exit(EXIT_CANNOT_RUN);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("partrace: cannot run the workload");
		return EXIT_CANNOT_RUN;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_part(const char *runtime, const struct part *part, char **arguments, char **which,
		    const char *model)
{
	size_t count = 0, at = (size_t)(which - arguments);
	char word[64], mode[64], via[64];
	char **argv;
	int status;

	while (arguments[count])
		count++;
	argv = calloc(count + 3, sizeof(*argv));
	if (!argv) {
		perror("partrace");
		return EXIT_CANNOT_RUN;
	}
	memcpy(argv, arguments, count * sizeof(*argv));
	snprintf(word, sizeof(word), "%s/%s", model, part->kind);
	snprintf(mode, sizeof(mode), "--mode=%s", part->mode);
	argv[at] = word;
	argv[count] = mode;
	if (part->via) {
		snprintf(via, sizeof(via), "--via=%s", part->via);
		argv[count + 1] = via;
	}
	status = run(runtime, argv);
	free(argv);
	return status;
}

int workload_suite_run(const char *runtime, char **arguments, char **which)
{
	char *model = strdup(*which);
	int status = 0;
	size_t i;

	if (!model) {
		perror("partrace");
		return EXIT_CANNOT_RUN;
	}
	model[strcspn(model, "/")] = '\0';
	for (i = 0; !status && i < PT_ARRAY_SIZE(parts); i++) {
		const struct part *part = &parts[i];

		if ((part->model && strcmp(part->model, model) != 0) ||
		    (part->runtime && strcmp(part->runtime, runtime) != 0))
			continue;
		status = run_part(runtime, part, arguments, which, model);
	}
	free(model);
	return status;
}
