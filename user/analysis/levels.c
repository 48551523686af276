/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/levels.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

#define LEVELS_MAX 512

/* Less is the noise of any allocator. */
#define CHANGE_MIN  (1 << 20)
#define CHANGE_PART 16

/*
 * A change begins with the last level that was as near as this to where it came from, and ends
 * likewise: a part of it, or of a small one what the probe does not tell.
 */
#define EDGE_PART	32
#define EDGE_SMALL	(5 << 18)
#define EDGE_SMALL_PART 3

struct changes {
	struct pt_change *list;
	size_t count, room;
};

uint64_t pt_level_rss(const struct pt_level *level)
{
	return level->anon + level->file + level->shmem;
}

static uint64_t distance(const struct pt_level *a, const struct pt_level *b)
{
	uint64_t x = pt_level_rss(a), y = pt_level_rss(b);

	return x > y ? x - y : y - x;
}

int64_t pt_change_rss(const struct pt_change *change)
{
	uint64_t size = distance(&change->before, &change->after);
	bool grew = pt_level_rss(&change->after) >= pt_level_rss(&change->before);

	if (size > INT64_MAX)
		size = INT64_MAX;
	return grew ? (int64_t)size : -(int64_t)size;
}

/* How far a level lies from the straight line between its neighbours. */
static double relief(const struct pt_level *level)
{
	double before = (double)pt_level_rss(level - 1), after = (double)pt_level_rss(level + 1);
	double span = (double)(level[1].time - level[-1].time);
	double part = span > 0 ? (double)(level->time - level[-1].time) / span : 0;
	double off = (double)pt_level_rss(level) - (before + (after - before) * part);

	return off < 0 ? -off : off;
}

/* Of each two levels the one goes that tells less; the first and the last stay. */
static void thin_out(struct pt_levels *levels)
{
	struct pt_level *list = levels->list;
	size_t kept = 1, i;

	for (i = 1; i + 2 < levels->count; i += 2) {
		bool second = relief(&list[i + 1]) > relief(&list[i]);
		struct pt_level level = list[second ? i + 1 : i];

		level.first = list[i].first || list[i + 1].first;
		list[kept++] = level;
	}
	for (; i < levels->count; i++)
		list[kept++] = list[i];
	levels->count = kept;
}

int pt_levels_add(struct pt_levels *levels, const struct pt_level *level)
{
	struct pt_level *grown;

	if (levels->count && levels->list[levels->count - 1].time > level->time)
		return 0;
	if (levels->count >= LEVELS_MAX)
		thin_out(levels);
	grown = pt_array_grow(levels->list, levels->count, &levels->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	levels->list = grown;
	levels->list[levels->count++] = *level;
	return 0;
}

/* Who is named behind `from`, up to and with `to`, if nobody else is. */
static uint32_t find_doer(const struct pt_level *from, const struct pt_level *to)
{
	uint32_t tid = 0;

	while (++from <= to) {
		if (tid && from->tid && from->tid != tid)
			return 0;
		tid = from->tid ? from->tid : tid;
	}
	return tid;
}

static uint64_t edge_of(uint64_t size)
{
	uint64_t small = size / EDGE_SMALL_PART < EDGE_SMALL ? size / EDGE_SMALL_PART : EDGE_SMALL;

	return size / EDGE_PART > small ? size / EDGE_PART : small;
}

/* A way up or down from one turning point to the next, without what lies flat at its ends. */
static int add_change(struct changes *changes, const struct pt_level *from,
		      const struct pt_level *to, uint64_t least)
{
	uint64_t size = distance(from, to), edge = edge_of(size);
	const struct pt_level *begin = to, *end;
	struct pt_change *grown;

	if (size < least)
		return 0;
	while (begin > from && distance(begin, from) > edge)
		begin--;
	for (end = begin; end < to && distance(end, to) > edge; end++)
		;
	grown = pt_array_grow(changes->list, changes->count, &changes->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	changes->list = grown;
	changes->list[changes->count++] = (struct pt_change){*begin, *end, find_doer(begin, end)};
	return 0;
}

static uint64_t least_change(const struct pt_level *first, const struct pt_level *end)
{
	uint64_t low = UINT64_MAX, high = 0, rss;

	for (; first < end; first++) {
		rss = pt_level_rss(first);
		low = rss < low ? rss : low;
		high = rss > high ? rss : high;
	}
	return (high - low) / CHANGE_PART > CHANGE_MIN ? (high - low) / CHANGE_PART : CHANGE_MIN;
}

/* Where a series turned last, both ways, and which way it goes since; 0: none yet. */
struct course {
	const struct pt_level *low, *high;
	int way;
};

static int follow(struct course *course, struct changes *changes, const struct pt_level *level,
		  uint64_t least)
{
	bool highest = pt_level_rss(level) >= pt_level_rss(course->high);
	bool lowest = pt_level_rss(level) <= pt_level_rss(course->low);
	int ret = 0;

	if (course->way > 0 && !highest && distance(level, course->high) >= least) {
		ret = add_change(changes, course->low, course->high, least);
		course->low = level;
		course->way = -1;
	} else if (course->way < 0 && !lowest && distance(level, course->low) >= least) {
		ret = add_change(changes, course->high, course->low, least);
		course->high = level;
		course->way = 1;
	}
	if (course->way >= 0 && highest)
		course->high = level;
	if (course->way <= 0 && lowest)
		course->low = level;
	if (!course->way && distance(course->high, course->low) >= least)
		course->way = course->high > course->low ? 1 : -1;
	return ret;
}

/* The levels of one address space: from turning point to turning point. */
static int add_space(struct changes *changes, const struct pt_level *first,
		     const struct pt_level *end)
{
	struct course course = {.low = first, .high = first};
	uint64_t least = least_change(first, end);
	const struct pt_level *level;
	int ret = 0;

	for (level = first; !ret && level < end; level++)
		ret = follow(&course, changes, level, least);
	if (ret || !course.way)
		return ret;
	return course.way > 0 ? add_change(changes, course.low, course.high, least)
			      : add_change(changes, course.high, course.low, least);
}

int pt_levels_changes(const struct pt_levels *levels, struct pt_change **out, size_t *count)
{
	const struct pt_level *list = levels->list;
	struct changes changes = {0};
	size_t first = 0, i;
	int ret = 0;

	for (i = 1; !ret && i <= levels->count; i++) {
		if (i < levels->count && !list[i].first)
			continue;
		ret = add_space(&changes, &list[first], list + i);
		first = i;
	}
	if (ret) {
		free(changes.list);
		return ret;
	}
	*out = changes.list;
	*count = changes.count;
	return 0;
}

void pt_levels_clear(struct pt_levels *levels)
{
	free(levels->list);
	*levels = (struct pt_levels){0};
}
