/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/depth.h"

#include <stdlib.h>

struct pt_depth *pt_depth_new(uint64_t start)
{
	struct pt_depth *depth = calloc(1, sizeof(*depth));

	if (depth) {
		depth->start = start;
		depth->width = PT_DEPTH_WIDTH_NS;
	}
	return depth;
}

/* Two steps become one. */
static void widen(struct pt_depth *depth)
{
	uint32_t i;

	for (i = 0; i < PT_DEPTH_STEPS; i += 2) {
		const struct pt_depth_step *a = &depth->steps[i], *b = &depth->steps[i + 1];

		depth->steps[i / 2] = (struct pt_depth_step){
			.max = a->max > b->max ? a->max : b->max, .area = a->area + b->area};
	}
	for (i = PT_DEPTH_STEPS / 2; i < PT_DEPTH_STEPS; i++)
		depth->steps[i] = (struct pt_depth_step){0};
	depth->width *= 2;
	depth->count = (depth->count + 1) / 2;
}

void pt_depth_add(struct pt_depth *depth, uint64_t from, uint64_t to, uint64_t bytes)
{
	if (from < depth->start)
		from = depth->start;
	if (to <= from)
		return;
	while ((to - depth->start - 1) / depth->width >= PT_DEPTH_STEPS)
		widen(depth);
	while (from < to) {
		uint64_t index = (from - depth->start) / depth->width;
		struct pt_depth_step *step = &depth->steps[index];
		uint64_t left = depth->width - (from - depth->start) % depth->width;
		uint64_t length = to - from < left ? to - from : left;

		step->area += (double)length * (double)bytes;
		if (bytes > step->max)
			step->max = bytes;
		depth->count = (uint32_t)index + 1;
		from += length;
	}
}
