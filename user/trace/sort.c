/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records come from each CPU in order, and so do those of a block that is grouped by CPU: a few ascending runs, which are
 * merged. What is in no order, or of too many CPUs, is sorted by its digits.
 */
#include "trace/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_LOG  11
#define DIGITS	   (1u << DIGIT_LOG)
#define RUN_ROWS   8 /* shorter runs, on average, are no order */
#define MERGE_WORK 3 /* times a row may be moved before digits are the quicker way */

/* Notes where ascending runs begin, and the end. False if there are too many. */
static bool find_runs(struct pt_sorter *sorter, const uint64_t *keys, size_t n)
{
	size_t most = n / RUN_ROWS < PT_SORT_RUNS ? n / RUN_ROWS : PT_SORT_RUNS;

	sorter->runs = 1;
	sorter->begin[0] = 0;
	for (size_t i = 1; i < n; i++) {
		if (keys[i] >= keys[i - 1])
			continue;
		if (sorter->runs >= most)
			return false;
		sorter->begin[sorter->runs++] = (uint32_t)i;
	}
	sorter->begin[sorter->runs] = (uint32_t)n;
	return true;
}

static int sorter_grow(struct pt_sorter *sorter, size_t n)
{
	if (n <= sorter->cap)
		return 0;
	pt_sorter_free(sorter);
	for (int i = 0; i < 2; i++) {
		sorter->keys[i] = malloc(n * sizeof(uint64_t));
		sorter->order[i] = malloc(n * sizeof(uint32_t));
		if (!sorter->keys[i] || !sorter->order[i]) {
			pt_sorter_free(sorter);
			return -ENOMEM;
		}
	}
	sorter->cap = n;
	return 0;
}

/* The first of the ascending keys in [begin, end) that is above `key`. */
static size_t bound(const uint64_t *keys, size_t begin, size_t end, uint64_t key)
{
	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (keys[middle] > key)
			end = middle;
		else
			begin = middle + 1;
	}
	return begin;
}

/* Merges the runs [begin, middle) and [middle, end) and returns how many rows that moved: where they overlap. */
static size_t merge(struct pt_sorter *sorter, size_t begin, size_t middle, size_t end)
{
	uint64_t *keys = sorter->keys[0], *left_keys = sorter->keys[1];
	uint32_t *order = sorter->order[0], *left_order = sorter->order[1];
	size_t left = 0, right = middle, lefts, at;

	if (keys[middle - 1] <= keys[middle])
		return 0;
	begin = bound(keys, begin, middle, keys[middle]);
	end = bound(keys, middle, end, keys[middle - 1]);
	lefts = middle - begin;
	memcpy(left_keys, keys + begin, lefts * sizeof(*keys));
	memcpy(left_order, order + begin, lefts * sizeof(*order));
	for (at = begin; left < lefts && right < end; at++) {
		bool first = left_keys[left] <= keys[right];

		keys[at] = first ? left_keys[left] : keys[right];
		order[at] = first ? left_order[left] : order[right];
		left += first;
		right += !first;
	}
	memcpy(keys + at, left_keys + left, (lefts - left) * sizeof(*keys));
	memcpy(order + at, left_order + left, (lefts - left) * sizeof(*order));
	return end - begin;
}

/* False: given up half-way, since it takes too much work. Rows with equal keys have kept their order then, too. */
static bool merge_runs(struct pt_sorter *sorter, size_t n)
{
	uint32_t *begin = sorter->begin;
	size_t runs = sorter->runs, moved = 0;

	for (; runs > 1; runs = (runs + 1) / 2) {
		for (size_t run = 0; run + 1 < runs; run += 2)
			moved += merge(sorter, begin[run], begin[run + 1], begin[run + 2]);
		if (moved > MERGE_WORK * n)
			return false;
		for (size_t run = 1; 2 * run < runs; run++)
			begin[run] = begin[2 * run];
		begin[(runs + 1) / 2] = (uint32_t)n;
	}
	return true;
}

/* One stable pass from half `from` to the other, by the digit at `shift`. */
static void radix_pass(struct pt_sorter *sorter, int from, size_t n, unsigned int shift)
{
	const uint64_t *keys = sorter->keys[from];
	const uint32_t *order = sorter->order[from];
	uint32_t at[DIGITS] = {0};
	uint32_t sum = 0, count, to;

	for (size_t i = 0; i < n; i++)
		at[(keys[i] >> shift) & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		count = at[d];
		at[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++) {
		to = at[(keys[i] >> shift) & (DIGITS - 1)]++;
		sorter->keys[!from][to] = keys[i];
		sorter->order[!from][to] = order[i];
	}
}

/* Fills the first half, with keys that count from the lowest, and returns the highest of them. */
static uint64_t fill(struct pt_sorter *sorter, const uint64_t *keys, size_t n)
{
	uint64_t low = keys[0], high = keys[0];

	for (size_t i = 1; i < n; i++) {
		low = keys[i] < low ? keys[i] : low;
		high = keys[i] > high ? keys[i] : high;
	}
	for (size_t i = 0; i < n; i++) {
		sorter->keys[0][i] = keys[i] - low;
		sorter->order[0][i] = (uint32_t)i;
	}
	return high - low;
}

int pt_sort(struct pt_sorter *sorter, const uint64_t *keys, size_t n, const uint32_t **order)
{
	bool few = find_runs(sorter, keys, n);
	uint64_t high;
	int half = 0;

	*order = NULL;
	if (few && sorter->runs == 1)
		return 0;
	if (sorter_grow(sorter, n) < 0)
		return -ENOMEM;
	high = fill(sorter, keys, n);
	if (!few || !merge_runs(sorter, n)) {
		for (unsigned int shift = 0; shift < 64 && high >> shift; shift += DIGIT_LOG) {
			radix_pass(sorter, half, n, shift);
			half = !half;
		}
	}
	*order = sorter->order[half];
	return 0;
}

void pt_sorter_free(struct pt_sorter *sorter)
{
	for (int i = 0; i < 2; i++) {
		free(sorter->keys[i]);
		free(sorter->order[i]);
		sorter->keys[i] = NULL;
		sorter->order[i] = NULL;
	}
	sorter->cap = 0;
}
