/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the page entries of a process (pagemap) and counts what they say as the kernel does in
 * smaps_rollup, but in small pieces: the kernel holds the process's mmap_lock for 2 MiB of
 * addresses at a time.
 */
#ifndef PT_CAPTURE_MEMORY_PAGES_H
#define PT_CAPTURE_MEMORY_PAGES_H

#include "capture/memory_frames.h"
#include "capture/memory_maps.h"
#include "capture/memory_pace.h"

/* What is sampled: pieces of this many bytes, of addresses for anonymous memory and of a file's
 * offsets otherwise. */
#define PT_PAGES_PIECE (2ULL << 20)

struct pt_pages;

struct pt_pages_options {
	unsigned int shift;	  /* one piece in 2^shift is read, the same ones in every process */
	struct pt_frames *frames; /* takes the page frames; NULL: not wanted */
	struct pt_pace *pace;
};

/* Sums over what was read, not scaled up. Bytes; pss in bytes << 12. */
struct pt_pages_sum {
	uint64_t rss, pss, uss, swap, hugetlb;
	uint64_t uss_file;    /* part of uss in pages of files that are not shared memory */
	uint64_t shared_file; /* part of rss - uss likewise */
	bool pss_known;
	bool cut; /* a part could not be read: a limit */
	/* Over the pieces, in pages: sums of squares and products, from which ratios get their
	 * errors. */
	double rr, rp, ru, pp, uu;
};

int pt_pages_new(struct pt_pages **out);

/* Page frame numbers read as 0: CAP_SYS_ADMIN is missing. */
bool pt_pages_hidden(const struct pt_pages *pages);

size_t pt_pages_size(const struct pt_pages *pages);

/*
 * Adds to the figures of every mapping, and gives the sums. -ESRCH if the process is gone,
 * -ECANCELED if the pace says so, -EACCES if it may not be looked at.
 */
int pt_pages_walk(struct pt_pages *pages, int proc, struct pt_mappings *mappings,
		  const struct pt_pages_options *options, struct pt_pages_sum *sum);

/* Standard error of y's total, in bytes, when y is scaled by total / sum->rss: ry and yy are its
 * fields in sum. */
double pt_pages_error(const struct pt_pages_sum *sum, uint64_t total, double y, double ry,
		      double yy, size_t page);

void pt_pages_free(struct pt_pages *pages);

#endif
