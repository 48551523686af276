/* SPDX-License-Identifier: BSD-2-Clause */
/* MODEL/all: every kind of workload that a model has, one after the other. */
#ifndef PT_WORKLOAD_SUITE_H
#define PT_WORKLOAD_SUITE_H

#include <stdbool.h>

/* Is it MODEL/all? */
bool workload_suite_is(const char *name);

/* The word of these arguments that is MODEL/all, or NULL. */
char **workload_suite_find(char **arguments);

/* Runs them with these arguments; `which` is what workload_suite_find() gave. Returns the exit status: that
 * of the first that failed, or 0. */
int workload_suite_run(const char *runtime, char **arguments, char **which);

#endif
