/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/rings.h"

#include <errno.h>
#include <stdlib.h>

#include "model/loop.h"

#define OUR_KINDS (PT_KIND_BIT(PT_KIND_endpoint) | PT_KIND_BIT(PT_KIND_uring))

/* What a task of the process did. */
struct row {
	uint64_t told, untold;
	bool uses;
};

struct rings {
	struct pt_rings result; /* first: it is what pt_analyses_rings() gives */
	struct pt_model *model;
	struct pt_task_rows rows;
};

extern const struct pt_analysis_class pt_rings_class;

static struct row *row_of(struct rings *rings, uint32_t tid)
{
	const struct pt_model_task *task = pt_model_find(rings->model, tid);

	return pt_task_rows_get(&rings->rows, task ? task : pt_model_nobody(rings->model));
}

static int on_record(void *self, const struct pt_record *record)
{
	struct rings *rings = self;
	const struct pt_endpoint *end = record->row;
	const struct pt_uring *done = record->row;
	bool completed = record->kind == PT_KIND_uring;
	struct row *row;

	if (!completed && (end->kind != PT_CHANNEL_URING || !(end->flags & PT_ENDPOINT_CREATED)))
		return 0;
	row = row_of(rings, completed ? done->tid : end->tid);
	if (!row)
		return -ENOMEM;
	row->uses = true;
	if (completed) {
		row->told += done->told;
		row->untold += done->untold;
	}
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct rings *rings = calloc(1, sizeof(*rings));
	struct pt_observer observer = {.self = rings, .record = on_record, .kinds = OUR_KINDS};

	*self = rings;
	if (!rings)
		return -ENOMEM;
	rings->model = model;
	rings->rows.size = sizeof(struct row);
	return pt_model_observe(model, &observer);
}

/* Those who only wait on one that was made before the recording are known by their loops. */
static int mark_waiters(struct rings *rings)
{
	size_t i;

	for (i = 0; i < pt_model_loop_count(rings->model); i++) {
		const struct pt_loop *loop = pt_model_loop(rings->model, i);
		struct row *row;

		if (loop->syscall != PT_CALL_URING)
			continue;
		row = pt_task_rows_get(&rings->rows, loop->task);
		if (!row)
			return -ENOMEM;
		row->uses = true;
	}
	return 0;
}

static void add_task(struct pt_ring_user *users, const struct pt_model_task *task,
		     const struct row *row)
{
	struct pt_ring_user *user = &users[task->process->index];

	if (!row || !row->uses)
		return;
	user->process = task->process;
	user->told += row->told;
	user->untold += row->untold;
}

static int finish(void *self)
{
	struct rings *rings = self;
	size_t count = pt_model_process_count(rings->model), i;
	struct pt_ring_user *users = calloc(count + 1, sizeof(*users));

	rings->result.users = users;
	if (!users || mark_waiters(rings))
		return -ENOMEM;
	for (i = 0; i < pt_model_task_count(rings->model); i++) {
		const struct pt_model_task *task = pt_model_task(rings->model, i);

		add_task(users, task, pt_task_rows_peek(&rings->rows, task));
	}
	for (i = 0; i < count; i++) {
		if (users[i].process && users[i].process->leader)
			users[rings->result.count++] = users[i];
	}
	return 0;
}

static void release(void *self)
{
	struct rings *rings = self;

	free(rings->result.users);
	pt_task_rows_clear(&rings->rows);
	free(rings);
}

const struct pt_analysis_class pt_rings_class = {
	.name = "rings",
	.kinds = OUR_KINDS,
	.start = start,
	.finish = finish,
	.free = release,
};
