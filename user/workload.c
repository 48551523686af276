/* SPDX-License-Identifier: BSD-2-Clause */
#include "workload.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/libexec.h"
#include "workload_suite.h"

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

/* argv with the words of `first` and of `rest`. */
static char **join(char *const *first, char *const *rest)
{
	char *const *const lists[] = {first, rest};
	size_t room = 1, used = 0, i;
	char *const *word;
	char **argv;

	for (i = 0; i < 2; i++) {
		for (word = lists[i]; word && *word; word++)
			room++;
	}
	argv = calloc(room, sizeof(*argv));
	for (i = 0; argv && i < 2; i++) {
		for (word = lists[i]; word && *word; word++) {
			argv[used] = strdup(*word);
			if (!argv[used++]) {
				workload_command_free(argv);
				return NULL;
			}
		}
	}
	return argv;
}

/* Several workloads in turn are run by this program itself. */
static int find_self(char *path, size_t size, struct pt_error *err)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);

	if (length < 0)
		return pt_error_errno(err, -errno, "cannot find the program itself");
	path[length] = '\0';
	return 0;
}

int workload_command(const char *runtime, const char *name, char *const *arguments, char ***command,
		     struct pt_error *err)
{
	static char verb[] = "workload", option[] = "--runtime";
	char paths[2][PATH_MAX], self[PATH_MAX];
	char *one[] = {paths[0], NULL, NULL, NULL};
	char *several[] = {self, verb, option, (char *)runtime, (char *)name, NULL};
	bool all = name && workload_suite_is(name);
	int status = find_program(runtime, paths, err);

	if (!status && all)
		status = find_self(self, sizeof(self), err);
	if (status)
		return status;
	one[1] = paths[1][0] ? paths[1] : (char *)name;
	one[2] = paths[1][0] ? (char *)name : NULL;
	*command = join(all ? several : one, arguments);
	return *command ? 0 : pt_error_set(err, -ENOMEM, "out of memory");
}

void workload_command_free(char **command)
{
	char **argument;

	for (argument = command; argument && *argument; argument++)
		free(*argument);
	free(command);
}
