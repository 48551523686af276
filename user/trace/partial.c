/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/partial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_partial_of(const char *entry, const char *name)
{
	static const char suffix[] = ".partial";
	size_t len = strlen(name);

	if (strncmp(entry, name, len) != 0 || strncmp(entry + len, suffix, strlen(suffix)) != 0)
		return false;
	return !entry[len + strlen(suffix)] || entry[len + strlen(suffix)] == '.';
}

static bool is_younger(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* Name of the youngest partial file in the folder, to be freed. NULL: none, or no memory. */
static char *youngest(DIR *dir, const char *name)
{
	struct stat st, best = {0};
	struct dirent *entry;
	char *found = NULL;

	while ((entry = readdir(dir))) {
		if (!is_partial_of(entry->d_name, name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (found && !is_younger(&st, &best))
			continue;
		free(found);
		found = strdup(entry->d_name);
		if (!found)
			break;
		best = st;
	}
	return found;
}

int pt_partial_find(const char *path, char **found)
{
	const char *slash = strrchr(path, '/');
	int folder_len = slash ? (int)(slash + 1 - path) : 0;
	char *folder = slash ? strndup(path, (size_t)folder_len) : strdup(".");
	DIR *dir = folder ? opendir(folder) : NULL;
	int err = -errno;
	char *name;

	*found = NULL;
	free(folder);
	if (!dir)
		return err;
	name = youngest(dir, slash ? slash + 1 : path);
	closedir(dir);
	if (!name)
		return -ENOENT;
	err = asprintf(found, "%.*s%s", folder_len, path, name) < 0 ? -ENOMEM : 0;
	if (err)
		*found = NULL;
	free(name);
	return err;
}
