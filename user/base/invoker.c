/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/invoker.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/parse.h"

static bool parse_id(const char *text, unsigned int *id)
{
	uint64_t value;

	if (!text || !pt_parse_number(&text, 10, &value) || *text || value >= UINT_MAX)
		return false;
	*id = (unsigned int)value;
	return true;
}

void pt_invoker_find(struct pt_invoker *invoker)
{
	*invoker = (struct pt_invoker){.uid = (uid_t)-1, .gid = (gid_t)-1};
	if (geteuid() || !parse_id(getenv("SUDO_UID"), &invoker->uid) ||
	    !parse_id(getenv("SUDO_GID"), &invoker->gid)) {
		invoker->uid = (uid_t)-1;
		invoker->gid = (gid_t)-1;
		return;
	}
	invoker->known = invoker->uid != 0;
}

int pt_invoker_become(const struct pt_invoker *invoker)
{
	const struct passwd *user;

	if (!invoker->known)
		return 0;
	user = getpwuid(invoker->uid);
	if (user ? initgroups(user->pw_name, invoker->gid) : setgroups(1, &invoker->gid))
		return -errno;
	if (setgid(invoker->gid) || setuid(invoker->uid))
		return -errno;
	if (!user)
		return 0;
	if (setenv("HOME", user->pw_dir, 1) || setenv("USER", user->pw_name, 1) ||
	    setenv("LOGNAME", user->pw_name, 1))
		return -errno;
	return 0;
}
