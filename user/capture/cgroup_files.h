/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the kernel tells of the cgroup that limits a process's CPU time: in the hierarchy of the old sort that has the
 * cpu controller, if there is one, else in the one hierarchy of version 2.
 */
#ifndef PT_CAPTURE_CGROUP_FILES_H
#define PT_CAPTURE_CGROUP_FILES_H

#include "base/types.h"

#define PT_CGROUP_PATH_MAX 1024

/* All zero: no such hierarchy is mounted. */
struct pt_cgroup_files {
	char mount[PT_CGROUP_PATH_MAX]; /* its folder */
	char root[PT_CGROUP_PATH_MAX];	/* what of the hierarchy is mounted there */
	bool unified;			/* version 2 */
};

struct pt_cgroup_limit {
	uint64_t quota, period; /* ns; 0: none */
};

/* nr_periods and nr_throttled, and ns. */
struct pt_cgroup_counts {
	uint64_t periods, throttled, throttled_ns;
};

/* From the text of /proc/self/mountinfo. */
void pt_cgroup_find(struct pt_cgroup_files *files, const char *mountinfo);

/* From the text of /proc/PID/cgroup. False if it names none. */
bool pt_cgroup_path(const char *text, char path[PT_CGROUP_PATH_MAX]);

/* The folder of a path, open; a negative errno if it cannot be reached. */
int pt_cgroup_open(const struct pt_cgroup_files *files, const char *path);

/* What its files say. 0 or a negative errno: -ENOENT for the root of version 2, or without the controller. */
int pt_cgroup_read_limit(const struct pt_cgroup_files *files, int folder,
			 struct pt_cgroup_limit *limit);
/* `stat` is a descriptor of cpu.stat. */
int pt_cgroup_read_counts(int stat, struct pt_cgroup_counts *counts);

/* From the texts of these files: cpu.max, and cpu.stat of either version. */
bool pt_cgroup_parse_max(const char *text, struct pt_cgroup_limit *limit);
void pt_cgroup_parse_stat(const char *text, struct pt_cgroup_counts *counts);

#endif
