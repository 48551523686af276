/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/peers_proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

#define LINE_MAX      512
#define LINES_AT_ONCE 256 /* between two looks at the clock */

int pt_net_lines(uint32_t tid, const char *name, uint64_t deadline,
		 int (*take)(void *context, const char *line), void *context)
{
	char path[64], line[LINE_MAX];
	unsigned int n = 0;
	int ret = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/net/%s", tid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!ret && fgets(line, sizeof(line), file)) {
		if (++n % LINES_AT_ONCE == 0 && pt_clock_read(CLOCK_MONOTONIC) > deadline)
			break;
		ret = take(context, line);
	}
	fclose(file);
	return ret;
}

bool pt_file_of_type(int folder, const char *name, mode_t type, uint64_t *inode, uint32_t *device)
{
	struct statx file;

	if (statx(folder, name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
		  &file) ||
	    (file.stx_mode & S_IFMT) != type)
		return false;
	*inode = file.stx_ino;
	*device = file.stx_dev_major << 20 | file.stx_dev_minor;
	return true;
}
