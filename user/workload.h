/* SPDX-License-Identifier: BSD-2-Clause */
/* The bundled workloads, as commands that can be executed or recorded. */
#ifndef PT_WORKLOAD_H
#define PT_WORKLOAD_H

#include "base/error.h"

/*
 * Makes the command line that runs the workload `name`, as in "thread/cpu" (NULL: it is among the
 * arguments), with these arguments (NULL-terminated, or NULL), in the runtime "native" or "node".
 * -EINVAL: there is no such runtime; -ENOENT: it, or the workload, is not installed. To be freed by
 * workload_command_free().
 */
int workload_command(const char *runtime, const char *name, char *const *arguments, char ***command,
		     struct pt_error *err);
void workload_command_free(char **command);

#endif
