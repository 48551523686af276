/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/states.h"

#include <errno.h>
#include <stdlib.h>

struct pt_states {
	const struct pt_model *model;
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

/* Its share of the time on a CPU, in the proportion in which the kernel found it in user mode and in itself. */
static void divide_cpu(struct pt_states_of *row, const struct pt_model_task *task)
{
	uint64_t *part = row->part;
	double user = (double)task->user_ns, kernel = (double)task->kernel_ns;

	if (!part[PT_PART_CPU] || user + kernel <= 0)
		return;
	part[PT_PART_KERNEL] = (uint64_t)((double)part[PT_PART_CPU] * (kernel / (user + kernel)));
	if (part[PT_PART_KERNEL] > part[PT_PART_CPU])
		part[PT_PART_KERNEL] = part[PT_PART_CPU];
	part[PT_PART_USER] = part[PT_PART_CPU] - part[PT_PART_KERNEL];
	part[PT_PART_CPU] = 0;
}

static int finish(void *self)
{
	struct pt_states *states = self;
	size_t i;

	for (i = 0; i < pt_model_task_count(states->model); i++) {
		const struct pt_model_task *task = pt_model_task(states->model, i);

		if (pt_task_rows_peek(&states->rows, task))
			divide_cpu(pt_task_rows_get(&states->rows, task), task);
	}
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_states *states = calloc(1, sizeof(*states));

	*self = states;
	if (!states)
		return -ENOMEM;
	states->model = model;
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
	.finish = finish,
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
