/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/parse.h"
#include "capture/memory_maps.h"
#include "capture/memory_proc.h"

#define MOUNTINFO_MAX (4U << 20)

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif

struct backing {
	uint32_t dev;
	uint8_t kind;
};

struct pt_backings {
	struct backing *list;
	size_t count;
	uint64_t *namespaces; /* inodes of the mount namespaces that are in the list */
	size_t namespace_count;
};

static int backings_add(struct pt_backings *backings, uint32_t dev, enum pt_backing kind)
{
	struct backing *grown;
	size_t i;

	for (i = 0; i < backings->count; i++) {
		if (backings->list[i].dev == dev)
			return 0;
	}
	grown = realloc(backings->list, (backings->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[backings->count++] = (struct backing){.dev = dev, .kind = kind};
	backings->list = grown;
	return 0;
}

/*
 * memfd, System V segments and MAP_SHARED without a file live on mounts inside the kernel that no
 * mountinfo lists: one for shmem, one for each size of huge page. A memfd of our own shows their
 * device numbers.
 */
static int add_kernel_mount(struct pt_backings *backings, unsigned int flags, enum pt_backing kind)
{
	int fd = memfd_create("partrace", MFD_CLOEXEC | flags), ret = 0;
	struct stat st;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st))
		ret = backings_add(backings, (uint32_t)st.st_dev, kind);
	close(fd);
	return ret;
}

int pt_backings_new(struct pt_backings **out)
{
	struct pt_backings *backings = calloc(1, sizeof(*backings));
	unsigned int order;
	int ret;

	if (!backings)
		return -ENOMEM;
	ret = add_kernel_mount(backings, 0, PT_BACKING_SHMEM);
	for (order = 16; !ret && order <= 34; order++)
		ret = add_kernel_mount(backings, MFD_HUGETLB | order << MFD_HUGE_SHIFT,
				       PT_BACKING_HUGETLB);
	if (ret) {
		pt_backings_free(backings);
		return ret;
	}
	*out = backings;
	return 0;
}

static int learn_line(struct pt_backings *backings, const char *line)
{
	const char *type = strstr(line, " - ");
	uint64_t major, minor;
	uint32_t dev;

	if (!type || !pt_parse_skip(&line, 2) || !pt_parse_number(&line, 10, &major) ||
	    !pt_parse_literal(&line, ":") || !pt_parse_number(&line, 10, &minor))
		return 0;
	dev = (uint32_t)makedev((unsigned int)major, (unsigned int)minor);
	type += 3;
	if (!strncmp(type, "tmpfs ", 6) || !strncmp(type, "devtmpfs ", 9))
		return backings_add(backings, dev, PT_BACKING_SHMEM);
	if (!strncmp(type, "hugetlbfs ", 10))
		return backings_add(backings, dev, PT_BACKING_HUGETLB);
	return 0;
}

static int remember_namespace(struct pt_backings *backings, uint64_t inode)
{
	uint64_t *grown =
		realloc(backings->namespaces, (backings->namespace_count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[backings->namespace_count++] = inode;
	backings->namespaces = grown;
	return 0;
}

int pt_backings_learn(struct pt_backings *backings, int proc)
{
	char *text, *line, *save = NULL;
	struct stat st;
	size_t i;
	int ret;

	if (fstatat(proc, "ns/mnt", &st, 0))
		return -errno;
	for (i = 0; i < backings->namespace_count; i++) {
		if (backings->namespaces[i] == st.st_ino)
			return 0;
	}
	ret = pt_mem_read_text(proc, "mountinfo", MOUNTINFO_MAX, &text);
	if (ret)
		return ret;
	for (line = strtok_r(text, "\n", &save); line && !ret; line = strtok_r(NULL, "\n", &save))
		ret = learn_line(backings, line);
	free(text);
	return ret ? ret : remember_namespace(backings, st.st_ino);
}

enum pt_backing pt_backings_find(const struct pt_backings *backings, uint32_t dev, uint64_t inode)
{
	size_t i;

	if (!inode && !dev)
		return PT_BACKING_NONE;
	for (i = 0; i < backings->count; i++) {
		if (backings->list[i].dev == dev)
			return backings->list[i].kind;
	}
	return PT_BACKING_FILE;
}

void pt_backings_free(struct pt_backings *backings)
{
	if (!backings)
		return;
	free(backings->list);
	free(backings->namespaces);
	free(backings);
}
