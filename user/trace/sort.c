/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_LOG 11
#define DIGITS	  (1u << DIGIT_LOG)

static bool ascends(const uint64_t *keys, size_t n, uint64_t *low, uint64_t *high)
{
	bool sorted = true;

	*low = *high = n ? keys[0] : 0;
	for (size_t i = 1; i < n; i++) {
		if (keys[i] < keys[i - 1])
			sorted = false;
		if (keys[i] < *low)
			*low = keys[i];
		if (keys[i] > *high)
			*high = keys[i];
	}
	return sorted;
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

int pt_sort(struct pt_sorter *sorter, const uint64_t *keys, size_t n, const uint32_t **order)
{
	uint64_t low, high;
	int half = 0;

	*order = NULL;
	if (ascends(keys, n, &low, &high))
		return 0;
	if (sorter_grow(sorter, n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		sorter->keys[0][i] = keys[i] - low;
		sorter->order[0][i] = (uint32_t)i;
	}
	for (unsigned int shift = 0; shift < 64 && (high - low) >> shift; shift += DIGIT_LOG) {
		radix_pass(sorter, half, n, shift);
		half = !half;
	}
	*order = sorter->order[half];
	return 0;
}

void pt_sorter_free(struct pt_sorter *sorter)
{
	for (int i = 0; i < 2; i++) {
		free(sorter->keys[i]);
		free(sorter->order[i]);
	}
	memset(sorter, 0, sizeof(*sorter));
}
