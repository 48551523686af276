/* SPDX-License-Identifier: BSD-2-Clause */
#include "workload.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/libexec.h"

/* Looked for beforehand: whoever records the command cannot tell why its exec failed. */
static int find_node(char *path, size_t size, struct pt_error *err)
{
	const char *folder = getenv("PATH");

	while (folder && *folder) {
		size_t length = strcspn(folder, ":");
		int n = snprintf(path, size, "%.*s/node", (int)length, folder);

		if (length && n > 0 && (size_t)n < size && access(path, X_OK) == 0)
			return 0;
		folder += length + (folder[length] == ':');
	}
	return pt_error_set(err, -ENOENT,
			    "Node.js is not installed: there is no 'node' in PATH. "
			    "The native workloads are still there: --runtime native");
}

/* The program and, in Node, its script: paths[1] is empty where there is none. */
static int find_program(const char *runtime, char paths[2][PATH_MAX], struct pt_error *err)
{
	int status;

	paths[0][0] = paths[1][0] = '\0';
	if (!strcmp(runtime, "native"))
		return pt_libexec_find("partrace-workload", paths[0], PATH_MAX, err);
	if (strcmp(runtime, "node") != 0)
		return pt_error_set(err, -EINVAL, "'%s' is no runtime: native or node", runtime);
	status = find_node(paths[0], PATH_MAX, err);
	return status ? status : pt_libexec_find("node/main.js", paths[1], PATH_MAX, err);
}

int workload_command(const char *runtime, char *const *arguments, char ***command,
		     struct pt_error *err)
{
	char paths[2][PATH_MAX];
	size_t count = 0, used = 0, i;
	char **argv;
	int status = find_program(runtime, paths, err);

	if (status)
		return status;
	while (arguments[count])
		count++;
	argv = calloc(count + 3, sizeof(*argv));
	if (!argv)
		goto no_memory;
	for (i = 0; i < 2 && paths[i][0]; i++) {
		argv[used] = strdup(paths[i]);
		if (!argv[used++])
			goto no_memory;
	}
	for (i = 0; i < count; i++) {
		argv[used] = strdup(arguments[i]);
		if (!argv[used++])
			goto no_memory;
	}
	*command = argv;
	return 0;

no_memory:
	workload_command_free(argv);
	return pt_error_set(err, -ENOMEM, "out of memory");
}

void workload_command_free(char **command)
{
	char **argument;

	for (argument = command; argument && *argument; argument++)
		free(*argument);
	free(command);
}
