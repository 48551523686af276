/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/footprint_matrix.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static bool is_whole(const struct pt_memory_group *group)
{
	return !(group->flags & (PT_MEMORY_CUT | PT_MEMORY_NO_FRAMES));
}

static bool is_better(const struct pt_memory_group *a, const struct pt_memory_group *than)
{
	if (!than->time || !a->time)
		return a->time;
	if (is_whole(a) != is_whole(than))
		return is_whole(a);
	return a->processes >= than->processes;
}

/* Rows of `time` begin or go on: what is complete is kept if it is better than what was kept before. */
static void turn(struct pt_matrices *matrices, uint64_t time)
{
	struct pt_footprint_matrix other;

	if (matrices->coming_time == time)
		return;
	matrices->coming_time = time;
	if (is_better(&matrices->coming.group, &matrices->best.group)) {
		other = matrices->best;
		matrices->best = matrices->coming;
		matrices->coming = other;
	}
	matrices->coming.group.time = 0;
	matrices->coming.share_count = 0;
	matrices->coming.common_count = 0;
}

int pt_matrices_add_share(struct pt_matrices *matrices, const struct pt_memory_share *row)
{
	struct pt_footprint_matrix *matrix = &matrices->coming;
	struct pt_memory_share *share;

	turn(matrices, row->time);
	share = pt_array_append(&matrix->shares, &matrix->share_count, &matrix->share_room,
				sizeof(*share));
	if (!share)
		return -ENOMEM;
	*share = *row;
	return 0;
}

int pt_matrices_add_common(struct pt_matrices *matrices, const struct pt_memory_common *row)
{
	struct pt_footprint_matrix *matrix = &matrices->coming;
	struct pt_memory_common *common;

	turn(matrices, row->time);
	common = pt_array_append(&matrix->commons, &matrix->common_count, &matrix->common_room,
				 sizeof(*common));
	if (!common)
		return -ENOMEM;
	*common = *row;
	return 0;
}

void pt_matrices_add_group(struct pt_matrices *matrices, const struct pt_memory_group *row)
{
	turn(matrices, row->time);
	matrices->coming.group = *row;
}

void pt_matrices_finish(struct pt_matrices *matrices)
{
	turn(matrices, UINT64_MAX);
}

static void clear(struct pt_footprint_matrix *matrix)
{
	free(matrix->shares);
	free(matrix->commons);
}

void pt_matrices_clear(struct pt_matrices *matrices)
{
	clear(&matrices->best);
	clear(&matrices->coming);
}
