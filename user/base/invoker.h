/* SPDX-License-Identifier: BSD-2-Clause */
/* The person behind sudo: runs the recorded command and owns what is written. */
#ifndef PT_BASE_INVOKER_H
#define PT_BASE_INVOKER_H

#include <stdbool.h>
#include <sys/types.h>

struct pt_invoker {
	bool known; /* this is root, called through sudo by somebody else */
	uid_t uid;  /* (uid_t)-1 if not known */
	gid_t gid;
};

/* Reads SUDO_UID and SUDO_GID; whatever is not two plain numbers counts as not known. */
void pt_invoker_find(struct pt_invoker *invoker);

/* Becomes that user for good, with their groups, HOME, USER and LOGNAME; 0 if not known. For a child before exec. */
int pt_invoker_become(const struct pt_invoker *invoker);

#endif
