/* SPDX-License-Identifier: BSD-2-Clause */
/* partrace workload: becomes the bundled program that does the work. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "workload.h"
#include "workload_suite.h"

#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_THERE	127

/* Takes "--runtime X" and "--runtime=X" out of argv; the workload checks all the rest. */
static int take_runtime(char **argv, const char **runtime)
{
	static const char name[] = "--runtime";
	const size_t length = sizeof(name) - 1;
	char **from, **to = argv;

	for (from = argv; *from; from++) {
		if (strncmp(*from, name, length) != 0 ||
		    ((*from)[length] && (*from)[length] != '=')) {
			*to++ = *from;
		} else if ((*from)[length] == '=') {
			*runtime = *from + length + 1;
		} else if (from[1]) {
			*runtime = *++from;
		} else {
			return -EINVAL;
		}
	}
	*to = NULL;
	return 0;
}

static int exit_status(int error)
{
	switch (error) {
	case -EINVAL:
		return PT_EXIT_USAGE;
	case -ENOENT:
		return EXIT_NOT_THERE;
	default:
		return EXIT_CANNOT_RUN;
	}
}

int cmd_workload(int argc, char **argv)
{
	const char *runtime = "native";
	struct pt_error err = {0};
	char **command = NULL, **all;
	int status;

	(void)argc;
	status = take_runtime(argv + 1, &runtime);
	all = status ? NULL : workload_suite_find(argv + 1);
	if (status)
		pt_error_set(&err, status, "--runtime needs native or node");
	else
		status = workload_command(runtime, NULL, argv + 1, &command, &err);
	if (!status && all) {
		workload_command_free(command);
		return workload_suite_run(runtime, argv + 1, all);
	}
	if (!status) {
		execv(command[0], command);
		status = -errno;
		pt_error_errno(&err, status, "cannot run %s", command[0]);
	}
	workload_command_free(command);
	fprintf(stderr, "partrace: %s\n", err.text);
	return exit_status(status);
}
