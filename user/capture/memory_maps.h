/* SPDX-License-Identifier: BSD-2-Clause */
/* The mappings of a process, classed by what they hold. */
#ifndef PT_CAPTURE_MEMORY_MAPS_H
#define PT_CAPTURE_MEMORY_MAPS_H

#include <sys/types.h>

#include "base/types.h"

/* What is behind a mapping. Its private pages are anonymous once written to, whatever this says. */
enum pt_backing {
	PT_BACKING_NONE,
	PT_BACKING_FILE,
	PT_BACKING_SHMEM,
	PT_BACKING_HUGETLB,
};

struct pt_mapping {
	uint64_t start, end; /* addresses */
	uint64_t offset;     /* in the file, bytes */
	uint64_t inode;	     /* 0: no file */
	uint64_t name;	     /* hash of the name, 0: none */
	uint64_t rss, uss;   /* bytes; filled by whoever reads the pages */
	uint64_t pss;	     /* bytes << 12, as the kernel keeps it */
	uint64_t swap;	     /* bytes */
	uint32_t dev;
	uint32_t tid; /* whose stack it is, 0: nobody's */
	uint8_t backing;
	uint8_t class; /* enum pt_mapping_class */
	bool shared, readable, writable, executable;
};

struct pt_mappings {
	struct pt_mapping *list; /* by address */
	size_t count, room;
	bool cut; /* there were more than PT_MAPPINGS_MAX */
};

#define PT_MAPPINGS_MAX 262144

/* Which file systems are shared memory. */
struct pt_backings;

/* 0 or -ENOMEM; kernels without memfd or hugetlb just give a shorter table. */
int pt_backings_new(struct pt_backings **out);

/* Learns the file systems that the process sees; cheap if its mount namespace is known already. */
int pt_backings_learn(struct pt_backings *backings, int proc);

enum pt_backing pt_backings_find(const struct pt_backings *backings, uint32_t dev, uint64_t inode);

void pt_backings_free(struct pt_backings *backings);

/*
 * Reads maps, or smaps with the figures of each mapping (`smaps`: holds the target's mmap_lock for
 * as long as the kernel walks a mapping, so not for big ones). Replaces what is in *mappings,
 * keeping its room.
 */
int pt_mappings_read(struct pt_mappings *mappings, int proc, bool smaps,
		     const struct pt_backings *backings);

/* Marks the stacks of tasks other than the main one, and says whose they are. */
void pt_mappings_find_stacks(struct pt_mappings *mappings, int proc, pid_t pid);

void pt_mappings_clear(struct pt_mappings *mappings);

#endif
