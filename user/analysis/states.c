/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/states.h"

#include <errno.h>
#include <stdlib.h>

struct pt_states {
	struct pt_task_rows rows;
};

extern const struct pt_analysis_class pt_states_class;

static int on_span(void *self, const struct pt_span *span)
{
	struct pt_states *states = self;
	struct pt_states_of *row = pt_task_rows_get(&states->rows, span->task);

	if (!row)
		return -ENOMEM;
	row->part[span->part] += span->to - span->from;
	if (span->part == PT_PART_BLOCKED)
		row->blocked[span->reason] += span->to - span->from;
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_states *states = calloc(1, sizeof(*states));

	*self = states;
	if (!states)
		return -ENOMEM;
	states->rows.size = sizeof(struct pt_states_of);
	return pt_model_observe(model, &(struct pt_observer){.self = states, .span = on_span});
}

static void release(void *self)
{
	struct pt_states *states = self;

	pt_task_rows_clear(&states->rows);
	free(states);
}

const struct pt_analysis_class pt_states_class = {
	.name = "states",
	.start = start,
	.free = release,
};

const struct pt_states_of *pt_states_get(const struct pt_states *states,
					 const struct pt_model_task *task)
{
	static const struct pt_states_of none;
	const struct pt_states_of *row = pt_task_rows_peek(&states->rows, task);

	return row ? row : &none;
}

void pt_states_add(struct pt_states_of *into, const struct pt_states_of *from)
{
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		into->part[i] += from->part[i];
	for (i = 0; i < PT_REASON_COUNT; i++)
		into->blocked[i] += from->blocked[i];
}
