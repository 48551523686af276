/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A distribution of 64-bit values. A quantile it gives is within 1 % of a value that was added;
 * min, max and sum are exact. The first few values are kept as they are, so that thousands of
 * short-lived tasks cost little.
 */
#ifndef PT_BASE_HISTOGRAM_H
#define PT_BASE_HISTOGRAM_H

#include "base/types.h"

#define PT_HISTOGRAM_GROUPS 59

/* All zero is an empty histogram. Read count, sum, min and max; the rest is private. */
struct pt_histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* 0 if empty */
	uint64_t max;
	uint64_t *values;  /* while few: the values themselves, unsorted */
	uint64_t **groups; /* then: counts, by power of two */
};

/* 0 or -ENOMEM (the value is then not counted). */
int pt_histogram_add(struct pt_histogram *histogram, uint64_t value);

/* Adds one value `n` times. 0 or -ENOMEM. */
int pt_histogram_add_many(struct pt_histogram *histogram, uint64_t value, uint64_t n);

/* The middle of a bucket, numbered from 0 in ascending order; 64 to each power of two from 64 on, as docs/records.md
 * has it for turn_sum. */
uint64_t pt_histogram_bucket(unsigned int bucket);

/* Adds all of `from` to `into`. 0 or -ENOMEM; `into` may then hold a part. */
int pt_histogram_merge(struct pt_histogram *into, const struct pt_histogram *from);

/* The value at the given rank, 0 <= share <= 1; 0 if empty. */
uint64_t pt_histogram_quantile(const struct pt_histogram *histogram, double share);

/* Calls `each` for every value, or bucket of them, in ascending order, with how many they are. */
void pt_histogram_walk(const struct pt_histogram *histogram,
		       void (*each)(void *context, uint64_t value, uint64_t count), void *context);

/* Frees what it uses; it is empty afterwards. */
void pt_histogram_clear(struct pt_histogram *histogram);

#endif
