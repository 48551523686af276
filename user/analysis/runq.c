/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/runq.h"

#include <errno.h>
#include <stdlib.h>

struct row {
	struct pt_histogram waits;
	uint64_t unfinished;
};

struct pt_runq {
	struct pt_task_rows rows;
};

extern const struct pt_analysis_class pt_runq_class;

static int on_waited(void *self, const struct pt_wait *wait)
{
	struct pt_runq *runq = self;
	struct row *row = pt_task_rows_get(&runq->rows, wait->task);

	if (!row)
		return -ENOMEM;
	if (wait->over)
		return pt_histogram_add(&row->waits, wait->to - wait->from);
	row->unfinished += wait->to - wait->from;
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_runq *runq = calloc(1, sizeof(*runq));

	*self = runq;
	if (!runq)
		return -ENOMEM;
	runq->rows.size = sizeof(struct row);
	return pt_model_observe(model, &(struct pt_observer){.self = runq, .waited = on_waited});
}

static void clear_row(void *row)
{
	pt_histogram_clear(&((struct row *)row)->waits);
}

static void release(void *self)
{
	struct pt_runq *runq = self;

	pt_task_rows_each(&runq->rows, clear_row);
	pt_task_rows_clear(&runq->rows);
	free(runq);
}

const struct pt_analysis_class pt_runq_class = {
	.name = "runq",
	.start = start,
	.free = release,
};

const struct pt_histogram *pt_runq_get(const struct pt_runq *runq, const struct pt_model_task *task)
{
	static const struct row none;
	const struct row *row = pt_task_rows_peek(&runq->rows, task);

	return row ? &row->waits : &none.waits;
}

uint64_t pt_runq_unfinished(const struct pt_runq *runq, const struct pt_model_task *task)
{
	const struct row *row = pt_task_rows_peek(&runq->rows, task);

	return row ? row->unfinished : 0;
}
