/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/runq.h"

#include <errno.h>
#include <stdlib.h>

struct pt_runq {
	struct pt_task_rows rows;
};

extern const struct pt_analysis_class pt_runq_class;

static int on_waited(void *self, const struct pt_wait *wait)
{
	struct pt_runq *runq = self;
	struct pt_histogram *histogram;

	if (!wait->over)
		return 0;
	histogram = pt_task_rows_get(&runq->rows, wait->task);
	return histogram ? pt_histogram_add(histogram, wait->to - wait->from) : -ENOMEM;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_runq *runq = calloc(1, sizeof(*runq));

	*self = runq;
	if (!runq)
		return -ENOMEM;
	runq->rows.size = sizeof(struct pt_histogram);
	return pt_model_observe(model, &(struct pt_observer){.self = runq, .waited = on_waited});
}

static void clear_histogram(void *row)
{
	pt_histogram_clear(row);
}

static void release(void *self)
{
	struct pt_runq *runq = self;

	pt_task_rows_each(&runq->rows, clear_histogram);
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
	static const struct pt_histogram none;
	const struct pt_histogram *row = pt_task_rows_peek(&runq->rows, task);

	return row ? row : &none;
}
