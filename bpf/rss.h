/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The resident memory of an address space, by the kernel's counters. */
#ifndef PT_BPF_RSS_H
#define PT_BPF_RSS_H

#include "bpf/core.h"

/* Bounds a loop for the verifier. */
#define PT_CPUS_MAX 1024

/* include/linux/mm_types_task.h */
enum { PT_MM_FILE, PT_MM_ANON, PT_MM_SWAP, PT_MM_SHMEM, PT_MM_COUNTERS };

/* Where each CPU's per-CPU memory begins; 0: not known. */
extern __u64 pt_memory_bases[PT_CPUS_MAX];

struct pt_rss {
	__s64 pages[PT_MM_COUNTERS];
	__u32 rough; /* some pages off */
	__u32 plain; /* because single tasks may hold them back, not single CPUs */
};

/* A counter that has been decremented elsewhere may look negative for a moment. */
static __always_inline __u64 pt_rss_bytes(const struct pt_rss *rss, __u32 counter)
{
	return rss->pages[counter] > 0 ? (__u64)rss->pages[counter] << pt_config.page_shift : 0;
}

static __always_inline __u64 pt_rss_total(const struct pt_rss *rss)
{
	return pt_rss_bytes(rss, PT_MM_FILE) + pt_rss_bytes(rss, PT_MM_ANON) +
	       pt_rss_bytes(rss, PT_MM_SHMEM);
}

/* What a counter has without the shares of single CPUs: cheap, and behind by some pages. */
static __always_inline __s64 pt_rss_count(struct mm_struct *mm, __u32 counter)
{
	struct mm_struct___before_6_2 *old = (void *)mm;
	__s64 count = 0;

	if (bpf_core_field_exists(mm->rss_stat[0].counters)) {
		switch (counter) {
		case PT_MM_FILE:
			return mm->rss_stat[PT_MM_FILE].count;
		case PT_MM_ANON:
			return mm->rss_stat[PT_MM_ANON].count;
		case PT_MM_SWAP:
			return mm->rss_stat[PT_MM_SWAP].count;
		case PT_MM_SHMEM:
			return mm->rss_stat[PT_MM_SHMEM].count;
		}
	} else if (bpf_core_field_exists(old->rss_stat.count) && counter < PT_MM_COUNTERS) {
		bpf_probe_read_kernel(&count, sizeof(count),
				      (const char *)old +
					      bpf_core_field_offset(old->rss_stat.count) +
					      counter * sizeof(count));
	}
	return count;
}

static __always_inline __s32 pt_rss_piece(const __s32 *counters, unsigned long offset)
{
	__s32 piece = 0;

	bpf_probe_read_kernel(&piece, sizeof(piece), (const char *)counters + offset);
	return piece;
}

/*
 * Plain counters, but that a task may hold back a few pages (SPLIT_RSS_COUNTING). Read by helper:
 * the verifier of these kernels does not follow an array of a typedef.
 */
static __always_inline void pt_rss_read_old(struct pt_rss *rss, struct mm_struct___before_6_2 *mm)
{
	bpf_core_read(&rss->pages[PT_MM_FILE], sizeof(__s64), &mm->rss_stat.count[PT_MM_FILE]);
	bpf_core_read(&rss->pages[PT_MM_ANON], sizeof(__s64), &mm->rss_stat.count[PT_MM_ANON]);
	bpf_core_read(&rss->pages[PT_MM_SWAP], sizeof(__s64), &mm->rss_stat.count[PT_MM_SWAP]);
	bpf_core_read(&rss->pages[PT_MM_SHMEM], sizeof(__s64), &mm->rss_stat.count[PT_MM_SHMEM]);
	rss->rough = 1;
	rss->plain = 1;
}

static __always_inline void pt_rss_read_per_cpu(struct pt_rss *rss, struct mm_struct *mm)
{
	const __s32 *file = mm->rss_stat[PT_MM_FILE].counters;
	const __s32 *anon = mm->rss_stat[PT_MM_ANON].counters;
	const __s32 *swap = mm->rss_stat[PT_MM_SWAP].counters;
	const __s32 *shmem = mm->rss_stat[PT_MM_SHMEM].counters;

	rss->pages[PT_MM_FILE] = mm->rss_stat[PT_MM_FILE].count;
	rss->pages[PT_MM_ANON] = mm->rss_stat[PT_MM_ANON].count;
	rss->pages[PT_MM_SWAP] = mm->rss_stat[PT_MM_SWAP].count;
	rss->pages[PT_MM_SHMEM] = mm->rss_stat[PT_MM_SHMEM].count;
	for (__u32 cpu = 0; cpu < PT_CPUS_MAX && cpu < pt_config.cpus; cpu++) {
		__u64 base = pt_memory_bases[cpu];

		if (!base) {
			rss->rough = 1;
			continue;
		}
		rss->pages[PT_MM_FILE] += pt_rss_piece(file, base);
		rss->pages[PT_MM_ANON] += pt_rss_piece(anon, base);
		rss->pages[PT_MM_SWAP] += pt_rss_piece(swap, base);
		rss->pages[PT_MM_SHMEM] += pt_rss_piece(shmem, base);
	}
}

/* False: nothing is known. */
static __always_inline bool pt_rss_read(struct pt_rss *rss, struct mm_struct *mm)
{
	struct mm_struct___before_6_2 *old = (void *)mm;

	if (!mm)
		return false;
	if (bpf_core_field_exists(mm->rss_stat[0].counters))
		pt_rss_read_per_cpu(rss, mm);
	else if (bpf_core_field_exists(old->rss_stat.count))
		pt_rss_read_old(rss, old);
	else
		return false;
	return true;
}

#endif
