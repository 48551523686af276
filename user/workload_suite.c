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
	const char *model; /* the only one that has it; NULL: each has */
	bool native;	   /* not in Node */
};

/* What it takes to answer the questions of docs/choosing.md. */
static const struct part parts[] = {
	{"cpu", "main", NULL, false},	      {"cpu", "workers", NULL, false},
	{"message", "burst", NULL, false},    {"message", "ping-pong", NULL, false},
	{"http", "offload", "thread", false}, {"http", "offload", "process", false},
	{"http", "handed", "cluster", false}, {"http", "shared", "cluster", false},
	{"io", "mixed", NULL, false},	      {"memory", "own", NULL, false},
	{"memory", "shared", NULL, true},     {"crash", "abort", NULL, false},
};

bool workload_suite_is(const char *name)
{
	const char *slash = strchr(name, '/');

	return *name != '-' && slash && !strcmp(slash, ALL);
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
	char word[64], mode[64];
	char **argv;
	int status;

	while (arguments[count])
		count++;
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv) {
		perror("partrace");
		return EXIT_CANNOT_RUN;
	}
	memcpy(argv, arguments, count * sizeof(*argv));
	snprintf(word, sizeof(word), "%s/%s", model, part->kind);
	snprintf(mode, sizeof(mode), "--mode=%s", part->mode);
	argv[at] = word;
	argv[count] = mode;
	status = run(runtime, argv);
	free(argv);
	return status;
}

int workload_suite_run(const char *runtime, char **arguments, char **which)
{
	bool node = !strcmp(runtime, "node");
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

		if ((part->model && strcmp(part->model, model) != 0) || (part->native && node))
			continue;
		status = run_part(runtime, part, arguments, which, model);
	}
	free(model);
	return status;
}
