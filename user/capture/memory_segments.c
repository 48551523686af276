/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define SEGMENTS_MAX 64 /* of a process */
#define NAME_SIZE    256

struct segment {
	const struct pt_mapping *first;
	uint64_t bytes;
	bool writable;
};

/*
 * What nobody can write to carries nothing, unless it is shared memory, which others may write to. Devices, and files
 * without an inode of their own, have one inode for many things.
 */
static bool is_segment(const struct pt_mapping *map)
{
	return map->shared && map->backing != PT_BACKING_NONE && map->class != PT_MAPPING_SPECIAL &&
	       (map->writable || map->backing == PT_BACKING_SHMEM ||
		map->backing == PT_BACKING_HUGETLB);
}

static size_t collect(const struct pt_mappings *mappings, struct segment *segments)
{
	size_t count = 0, i, j;

	for (i = 0; i < mappings->count; i++) {
		const struct pt_mapping *map = &mappings->list[i];

		if (!is_segment(map))
			continue;
		for (j = 0; j < count; j++) {
			if (segments[j].first->dev == map->dev &&
			    segments[j].first->inode == map->inode)
				break;
		}
		if (j == SEGMENTS_MAX)
			continue;
		if (j == count)
			segments[count++] = (struct segment){.first = map};
		segments[j].bytes += map->end - map->start;
		segments[j].writable |= map->writable;
	}
	return count;
}

/* Its length; 0 if it may not be seen. */
static size_t read_name(int proc, const struct pt_mapping *map, char *name)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, map->start, map->end);
	n = readlinkat(proc, path, name, NAME_SIZE);
	return n > 0 ? (size_t)n : 0;
}

int pt_mem_segments_emit(struct pt_mem_tools *tools, pid_t pid, int proc)
{
	struct segment segments[SEGMENTS_MAX];
	size_t count = collect(&tools->mappings, segments), i;
	char name[NAME_SIZE];
	int ret = 0;

	for (i = 0; !ret && i < count; i++) {
		const struct pt_mapping *map = segments[i].first;
		size_t length = read_name(proc, map, name);
		struct pt_segment row = {
			.time = pt_clock_read(CLOCK_MONOTONIC),
			.inode = map->inode,
			.bytes = segments[i].bytes,
			.pid = (__u32)pid,
			.device = map->dev,
			.flags = segments[i].writable ? PT_SEGMENT_WRITES : 0,
			.text = (__u32)length,
		};

		ret = tools->emit(tools->ctx, PT_KIND_segment, &row, name, length);
	}
	return ret;
}
