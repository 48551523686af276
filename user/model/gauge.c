/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/gauge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

#define POINT_LIMIT 4096

static int advance(struct pt_gauge *gauge, uint64_t time, bool slow)
{
	if (time <= gauge->changed)
		return 0;
	/* The series is made when it is first worth having. */
	if (!gauge->steps && slow && gauge->bytes) {
		gauge->steps = pt_depth_new(gauge->changed);
		if (!gauge->steps)
			return -ENOMEM;
	}
	if (gauge->steps)
		pt_depth_add(gauge->steps, gauge->changed, time, gauge->bytes);
	gauge->area += (double)(time - gauge->changed) * (double)gauge->bytes;
	gauge->changed = time;
	return 0;
}

static void set(struct pt_gauge *gauge, uint64_t bytes)
{
	gauge->bytes = bytes;
	if (bytes <= gauge->max)
		return;
	gauge->max = bytes;
	gauge->max_at = gauge->changed;
}

/* The reader did not read while this was written. */
static int take_points(struct pt_gauge *gauge, bool slow)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < gauge->point_count; i++) {
		ret = advance(gauge, gauge->points[i].time, slow);
		set(gauge, gauge->points[i].bytes);
	}
	gauge->point_count = 0;
	return ret;
}

static int add_point(struct pt_gauge *gauge, const struct pt_gauge_move *move)
{
	struct pt_gauge_point *grown;

	if (gauge->point_count == POINT_LIMIT && take_points(gauge, move->slow))
		return -ENOMEM;
	grown = pt_array_grow(gauge->points, gauge->point_count, &gauge->point_room,
			      sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	gauge->points = grown;
	grown[gauge->point_count++] =
		(struct pt_gauge_point){.time = move->time, .bytes = move->left};
	return 0;
}

int pt_gauge_written(struct pt_gauge *gauge, const struct pt_gauge_move *move)
{
	bool silent = move->time > gauge->heard + PT_GAUGE_SILENT_NS;
	int ret;

	gauge->estimated |= move->summed;
	if (move->levelled)
		gauge->unsent = move->unsent;
	/* What a reader has summed up last is not told while it does something else, for however long. */
	if (!silent || gauge->reads_in_sums)
		return gauge->estimated ? 0 : add_point(gauge, move);
	ret = take_points(gauge, move->slow);
	if (!ret)
		ret = advance(gauge, move->time, move->slow);
	set(gauge, move->left);
	return ret;
}

/*
 * What lies there after a read. What the writer has summed up and not told yet is in neither figure, but the reader's kernel
 * counts what has come to it. While it is known that there is such, what had not left the writer lies there, too.
 */
static uint64_t left_after(const struct pt_gauge *gauge, const struct pt_gauge_move *move)
{
	if (!gauge->estimated || !move->levelled)
		return move->left;
	if (move->ahead)
		return move->level + gauge->unsent;
	return move->level > move->left ? move->level : move->left;
}

int pt_gauge_read(struct pt_gauge *gauge, const struct pt_gauge_move *move)
{
	uint64_t left;
	int ret;

	gauge->heard = move->time;
	if (move->summed) {
		gauge->estimated = gauge->reads_in_sums = true;
		gauge->point_count = 0;
		return 0;
	}
	ret = take_points(gauge, move->slow);
	if (!ret)
		ret = advance(gauge, move->time, move->slow);
	left = left_after(gauge, move);
	if (gauge->estimated)
		set(gauge, left + move->bytes < left ? UINT64_MAX : left + move->bytes);
	set(gauge, left);
	return ret;
}

void pt_gauge_correct(struct pt_gauge *gauge, uint64_t bytes)
{
	gauge->point_count = 0;
	set(gauge, bytes);
}

int pt_gauge_finish(struct pt_gauge *gauge, const struct pt_gauge_move *move)
{
	int ret = take_points(gauge, move->slow);

	if (!ret)
		ret = advance(gauge, move->time, move->slow);
	if (gauge->estimated)
		set(gauge, move->left);
	return ret;
}

void pt_gauge_clear(struct pt_gauge *gauge)
{
	free(gauge->steps);
	free(gauge->points);
	*gauge = (struct pt_gauge){0};
}
