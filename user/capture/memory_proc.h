/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What procfs says about one process, in bytes and ns. All calls take a descriptor of its
 * /proc/PID: that stands for this process and no other, even if the pid is reused (they then return
 * -ESRCH or -ENOENT).
 */
#ifndef PT_CAPTURE_MEMORY_PROC_H
#define PT_CAPTURE_MEMORY_PROC_H

#include <sys/types.h>

#include "base/types.h"

struct pt_mem_stat {
	uint64_t start; /* CLOCK_BOOTTIME ns, cut to clock ticks */
	uint64_t minor_faults;
	uint64_t major_faults;
};

struct pt_mem_status {
	uint64_t rss, anon, file, shmem, swap, peak, page_tables;
	uint64_t threads;
};

/* The fields of smaps_rollup, or of one mapping in smaps. */
struct pt_mem_smaps {
	uint64_t rss, pss, shared_clean, shared_dirty, private_clean, private_dirty, swap;
	uint64_t shared_hugetlb, private_hugetlb;
};

/* A line "NAME: VALUE" or "NAME VALUE": VALUE times unit is added to the uint64_t at offset. */
struct pt_mem_key {
	const char *name;
	size_t offset;
	unsigned int unit;
};

/* The lines of text, which is cut up, that are among the keys, into out, which is 0 at first. */
void pt_mem_parse_keys(char *text, const struct pt_mem_key *keys, size_t count, void *out);

/* A descriptor of /proc/PID, or a negative errno. */
int pt_mem_open(pid_t pid);

/* start cut to what pt_mem_stat.start can say. */
uint64_t pt_mem_cut_start(uint64_t start);

int pt_mem_read_stat(int proc, struct pt_mem_stat *stat);

/* -ESRCH also for a process without memory: a kernel thread, a zombie. */
int pt_mem_read_status(int proc, struct pt_mem_status *status);

int pt_mem_read_rollup(int proc, struct pt_mem_smaps *smaps);

/* Reads a line "Key:   N kB" of smaps into the struct, if it is one of its fields. */
void pt_mem_parse_smaps(const char *line, struct pt_mem_smaps *smaps);

/* Stack pointer of a task that is not running, 0 if it cannot be told. */
uint64_t pt_mem_read_sp(int proc, pid_t tid);

/* Reads file `name` of the process as a whole, zero-terminated; the caller frees it. -EFBIG beyond
 * limit bytes. */
int pt_mem_read_text(int proc, const char *name, size_t limit, char **out);

/* Bytes of one kernel stack, from the kernel's own total over all tasks. */
uint64_t pt_mem_kernel_stack(void);

#endif
