/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values below 64 have a bucket each; above, every power of two is cut into 64 buckets of equal
 * width. The middle of a bucket is then at most 1/128 of its value away from anything in it.
 */
#include "base/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUB_BITS 6
#define SUBS	 (1U << SUB_BITS)
#define FEW	 16

static unsigned int group_of(uint64_t value)
{
	return value < SUBS ? 0 : 63 - (unsigned int)__builtin_clzll(value) - SUB_BITS + 1;
}

static unsigned int sub_of(uint64_t value, unsigned int group)
{
	return group ? (unsigned int)(value >> (group - 1)) & (SUBS - 1) : (unsigned int)value;
}

static uint64_t middle_of(unsigned int group, unsigned int sub)
{
	uint64_t width;

	if (!group)
		return sub;
	width = 1ULL << (group - 1);
	return (SUBS + sub) * width + width / 2;
}

static int add_to_group(struct pt_histogram *h, unsigned int group, unsigned int sub, uint64_t n)
{
	if (!h->groups[group]) {
		h->groups[group] = calloc(SUBS, sizeof(uint64_t));
		if (!h->groups[group])
			return -ENOMEM;
	}
	h->groups[group][sub] += n;
	return 0;
}

static int add_to_groups(struct pt_histogram *h, uint64_t value, uint64_t n)
{
	unsigned int group = group_of(value);

	return add_to_group(h, group, sub_of(value, group), n);
}

static int make_groups(struct pt_histogram *h)
{
	uint64_t i;
	int ret;

	h->groups = calloc(PT_HISTOGRAM_GROUPS, sizeof(*h->groups));
	if (!h->groups)
		return -ENOMEM;
	for (i = 0; h->values && i < h->count; i++) {
		ret = add_to_groups(h, h->values[i], 1);
		if (ret)
			return ret;
	}
	free(h->values);
	h->values = NULL;
	return 0;
}

static int add_value(struct pt_histogram *h, uint64_t value)
{
	int ret;

	if (!h->groups && h->count < FEW) {
		if (h->count == 0 || h->count == 4) {
			size_t room = h->count ? FEW : 4;
			uint64_t *values = realloc(h->values, room * sizeof(*values));

			if (!values)
				return -ENOMEM;
			h->values = values;
		}
		h->values[h->count] = value;
		return 0;
	}
	if (!h->groups) {
		ret = make_groups(h);
		if (ret)
			return ret;
	}
	return add_to_groups(h, value, 1);
}

static void widen(struct pt_histogram *h, uint64_t min, uint64_t max)
{
	if (!h->count || min < h->min)
		h->min = min;
	if (max > h->max)
		h->max = max;
}

int pt_histogram_add(struct pt_histogram *h, uint64_t value)
{
	int ret = add_value(h, value);

	if (ret)
		return ret;
	widen(h, value, value);
	h->count++;
	h->sum += value;
	return 0;
}

int pt_histogram_add_many(struct pt_histogram *h, uint64_t value, uint64_t n)
{
	int ret = h->groups ? 0 : make_groups(h);

	if (!ret && n)
		ret = add_to_groups(h, value, n);
	if (ret || !n)
		return ret;
	widen(h, value, value);
	h->count += n;
	h->sum += value * n;
	return 0;
}

uint64_t pt_histogram_bucket(unsigned int bucket)
{
	return middle_of(bucket >> SUB_BITS, bucket & (SUBS - 1));
}

static int merge_groups(struct pt_histogram *into, const struct pt_histogram *from)
{
	unsigned int group, sub;
	int ret;

	if (!into->groups) {
		ret = make_groups(into);
		if (ret)
			return ret;
	}
	for (group = 0; group < PT_HISTOGRAM_GROUPS; group++) {
		for (sub = 0; from->groups[group] && sub < SUBS; sub++) {
			uint64_t n = from->groups[group][sub];

			ret = n ? add_to_group(into, group, sub, n) : 0;
			if (ret)
				return ret;
		}
	}
	widen(into, from->min, from->max);
	into->count += from->count;
	into->sum += from->sum;
	return 0;
}

int pt_histogram_merge(struct pt_histogram *into, const struct pt_histogram *from)
{
	uint64_t i;
	int ret;

	if (!from->count)
		return 0;
	if (from->groups)
		return merge_groups(into, from);
	for (i = 0; i < from->count; i++) {
		ret = pt_histogram_add(into, from->values[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int compare_values(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t value_in_groups(const struct pt_histogram *h, uint64_t rank)
{
	unsigned int group, sub;
	uint64_t seen = 0;

	for (group = 0; group < PT_HISTOGRAM_GROUPS; group++) {
		for (sub = 0; h->groups[group] && sub < SUBS; sub++) {
			seen += h->groups[group][sub];
			if (seen >= rank)
				return middle_of(group, sub);
		}
	}
	return h->max;
}

static uint64_t limited(const struct pt_histogram *h, uint64_t value)
{
	return value < h->min ? h->min : value > h->max ? h->max : value;
}

uint64_t pt_histogram_quantile(const struct pt_histogram *h, double share)
{
	uint64_t sorted[FEW], rank;

	if (!h->count)
		return 0;
	rank = (uint64_t)ceil(share * (double)h->count);
	if (rank < 1)
		rank = 1;
	if (rank >= h->count)
		return h->max;
	if (!h->groups) {
		memcpy(sorted, h->values, h->count * sizeof(*sorted));
		qsort(sorted, h->count, sizeof(*sorted), compare_values);
		return sorted[rank - 1];
	}
	return limited(h, value_in_groups(h, rank));
}

void pt_histogram_walk(const struct pt_histogram *h,
		       void (*each)(void *context, uint64_t value, uint64_t count), void *context)
{
	uint64_t sorted[FEW], i;
	unsigned int group, sub;

	if (!h->groups && h->count) {
		memcpy(sorted, h->values, h->count * sizeof(*sorted));
		qsort(sorted, h->count, sizeof(*sorted), compare_values);
		for (i = 0; i < h->count; i++)
			each(context, sorted[i], 1);
	}
	for (group = 0; h->groups && group < PT_HISTOGRAM_GROUPS; group++) {
		for (sub = 0; h->groups[group] && sub < SUBS; sub++) {
			if (h->groups[group][sub])
				each(context, limited(h, middle_of(group, sub)),
				     h->groups[group][sub]);
		}
	}
}

void pt_histogram_clear(struct pt_histogram *h)
{
	unsigned int group;

	for (group = 0; h->groups && group < PT_HISTOGRAM_GROUPS; group++)
		free(h->groups[group]);
	free(h->groups);
	free(h->values);
	*h = (struct pt_histogram){0};
}
