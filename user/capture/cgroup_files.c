/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/cgroup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define NS_PER_US 1000

/* Whether a list of words, parted by commas and ended by `end`, has this one. */
static bool lists(const char *list, const char *word, char end)
{
	size_t length = strlen(word);
	const char *at = list;

	for (;;) {
		if (!strncmp(at, word, length) && (at[length] == ',' || at[length] == end))
			return true;
		while (*at && *at != ',' && *at != end)
			at++;
		if (*at != ',')
			return false;
		at++;
	}
}

/* A word of mountinfo; one with escaped characters is left empty, and so not found. */
static void copy_word(char *to, const char *from)
{
	size_t length = strcspn(from, " \n");

	to[0] = '\0';
	if (length < PT_CGROUP_PATH_MAX && !memchr(from, '\\', length)) {
		memcpy(to, from, length);
		to[length] = '\0';
	}
}

void pt_cgroup_find(struct pt_cgroup_files *files, const char *mountinfo)
{
	const char *line, *next;

	*files = (struct pt_cgroup_files){0};
	for (line = mountinfo; *line; line = next) {
		const char *root = line, *mount = line, *type = strstr(line, " - "),
			   *options = type;
		bool unified;

		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (!type || type >= next || !pt_parse_skip(&root, 3) ||
		    !pt_parse_skip(&mount, 4) || !pt_parse_skip(&options, 3))
			continue;
		type += strlen(" - ");
		unified = pt_parse_literal(&type, "cgroup2 ");
		if (!unified &&
		    (!pt_parse_literal(&type, "cgroup ") || !lists(options, "cpu", '\n')))
			continue;
		if (unified && files->mount[0])
			continue;
		copy_word(files->root, root);
		copy_word(files->mount, mount);
		files->unified = unified;
		if (!unified && files->mount[0])
			return;
	}
}

bool pt_cgroup_path(const char *text, char path[PT_CGROUP_PATH_MAX])
{
	const char *line, *found = NULL, *controllers, *at;
	size_t length;

	for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		controllers = strchr(line, ':');
		at = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!at)
			break;
		if (lists(controllers + 1, "cpu", ':')) {
			found = at + 1;
			break;
		}
		if (at == controllers + 1)
			found = at + 1;
	}
	length = found ? strcspn(found, "\n") : 0;
	if (!length || length >= PT_CGROUP_PATH_MAX)
		return false;
	memcpy(path, found, length);
	path[length] = '\0';
	return true;
}

int pt_cgroup_open(const struct pt_cgroup_files *files, const char *path)
{
	size_t length = strlen(files->root);
	char folder[2 * PT_CGROUP_PATH_MAX];
	int fd;

	if (!files->mount[0])
		return -ENOENT;
	if (!strcmp(files->root, "/"))
		length = 0;
	if (strncmp(path, files->root, length) || (path[length] != '/' && path[length]))
		return -ENOENT;
	snprintf(folder, sizeof(folder), "%s%s", files->mount, path + length);
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The text of a small file, ended by zero; the number of bytes, or a negative errno. */
static ssize_t read_at(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n;
}

static ssize_t read_file(int folder, const char *name, char *text, size_t size)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_at(fd, text, size);
	close(fd);
	return n;
}

bool pt_cgroup_parse_max(const char *text, struct pt_cgroup_limit *limit)
{
	uint64_t quota = 0, period;
	bool limited = !pt_parse_literal(&text, "max ");

	if (limited && (!pt_parse_number(&text, 10, &quota) || !pt_parse_literal(&text, " ")))
		return false;
	if (!pt_parse_number(&text, 10, &period))
		return false;
	*limit = (struct pt_cgroup_limit){quota * NS_PER_US, limited ? period * NS_PER_US : 0};
	return true;
}

static int read_old_limit(int folder, struct pt_cgroup_limit *limit)
{
	char quota[32], period[32];
	ssize_t n = read_file(folder, "cpu.cfs_quota_us", quota, sizeof(quota));

	*limit = (struct pt_cgroup_limit){0};
	if (n < 0)
		return (int)n;
	n = read_file(folder, "cpu.cfs_period_us", period, sizeof(period));
	if (n < 0)
		return (int)n;
	if (quota[0] != '-')
		*limit = (struct pt_cgroup_limit){strtoull(quota, NULL, 10) * NS_PER_US,
						  strtoull(period, NULL, 10) * NS_PER_US};
	return 0;
}

int pt_cgroup_read_limit(const struct pt_cgroup_files *files, int folder,
			 struct pt_cgroup_limit *limit)
{
	char text[64];
	ssize_t n;

	if (!files->unified)
		return read_old_limit(folder, limit);
	n = read_file(folder, "cpu.max", text, sizeof(text));
	if (n < 0)
		return (int)n;
	return pt_cgroup_parse_max(text, limit) ? 0 : -EBADMSG;
}

void pt_cgroup_parse_stat(const char *text, struct pt_cgroup_counts *counts)
{
	const char *line = text, *at;
	uint64_t number;

	*counts = (struct pt_cgroup_counts){0};
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		at = line;
		if (!pt_parse_skip(&at, 1) || !pt_parse_number(&at, 10, &number))
			continue;
		if (pt_parse_literal(&line, "nr_periods "))
			counts->periods = number;
		else if (pt_parse_literal(&line, "nr_throttled "))
			counts->throttled = number;
		else if (pt_parse_literal(&line, "throttled_time "))
			counts->throttled_ns = number;
		else if (pt_parse_literal(&line, "throttled_usec "))
			counts->throttled_ns = number * NS_PER_US;
	}
}

int pt_cgroup_read_counts(int stat, struct pt_cgroup_counts *counts)
{
	char text[1024];
	ssize_t n = read_at(stat, text, sizeof(text));

	if (n < 0)
		return (int)n;
	pt_cgroup_parse_stat(text, counts);
	return 0;
}
