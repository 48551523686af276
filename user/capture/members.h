/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes targets of the tasks in given cgroups and below, and of those that are moved there later. */
#ifndef PT_CAPTURE_MEMBERS_H
#define PT_CAPTURE_MEMBERS_H

#include "capture/probes.h"

struct pt_members;

/*
 * Each name is the folder of a cgroup, of version 1 or 2, or a path below the mount of version 2. -ENOENT if there is
 * no such cgroup, -ENOTDIR if it is something else, -ENOTSUP without a cgroup file system.
 */
int pt_members_open(struct pt_members **out, const char *const *names, size_t count,
		    struct pt_error *err);

/* Marks who is there and no target yet, if it is time to look again. That nobody is there is no error. */
int pt_members_look(struct pt_members *members, struct pt_probes *probes, struct pt_error *err);

/* When last looked at there was none of the cgroups any more. */
bool pt_members_gone(const struct pt_members *members);

/* NULL is accepted. */
void pt_members_free(struct pt_members *members);

#endif
