/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/counters.h"

#include <errno.h>
#include <stdlib.h>

struct result {
	struct pt_counters counters; /* first: it is what pt_analyses_counters() gives */
	const struct pt_model *model;
};

extern const struct pt_analysis_class pt_counters_class;

static int start(void **self, struct pt_model *model)
{
	struct result *result = calloc(1, sizeof(*result));

	*self = result;
	if (!result)
		return -ENOMEM;
	result->model = model;
	return 0;
}

static int finish(void *self)
{
	struct result *result = self;
	size_t i;

	for (i = 0; i < pt_model_task_count(result->model); i++) {
		const struct pt_model_task *task = pt_model_task(result->model, i);

		if (!task->target || task->agreement == PT_AGREEMENT_UNCHECKED)
			continue;
		result->counters.checked++;
		result->counters.agree += task->agreement == PT_AGREEMENT_SAME;
	}
	result->counters.contradictions = pt_model_contradictions(result->model);
	return 0;
}

const struct pt_analysis_class pt_counters_class = {
	.name = "counters",
	.start = start,
	.finish = finish,
	.free = free,
};
