/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waited longest for a CPU, and who had it meanwhile, by name. */
#include <stdlib.h>
#include <string.h>

#include "analysis/charges.h"
#include "analysis/runq.h"
#include "view/section.h"

#define SHOWN_WAITERS	10
#define SHOWN_OCCUPANTS 6

/* One task, or all tasks of a name that many processes have. They stand side by side in the list of
 * waiters. */
struct waiter {
	const struct pt_model_task **tasks;
	size_t count;
	uint64_t runnable;
};

static uint64_t runnable_of(const struct pt_source *source, const struct pt_model_task *task)
{
	return pt_states_get(pt_analyses_states(source->analyses), task)->part[PT_PART_RUNNABLE];
}

static int compare_names(const void *a, const void *b)
{
	const struct pt_model_task *x = *(const struct pt_model_task *const *)a;
	const struct pt_model_task *y = *(const struct pt_model_task *const *)b;
	int order = strcmp(x->comm, y->comm);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int compare_waiters(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	if (x->runnable != y->runnable)
		return x->runnable < y->runnable ? 1 : -1;
	return (x->tasks[0]->index > y->tasks[0]->index) -
	       (x->tasks[0]->index < y->tasks[0]->index);
}

static size_t count_named(const struct pt_model_task **tasks, size_t count)
{
	size_t n = 1;

	while (n < count && !strcmp(tasks[0]->comm, tasks[n]->comm))
		n++;
	return n;
}

static size_t count_leaders(const struct pt_model_task **tasks, size_t count)
{
	size_t i, leaders = 0;

	for (i = 0; i < count; i++)
		leaders += tasks[i]->process->leader == tasks[i];
	return leaders;
}

/* Cuts the sorted tasks into waiters; returns how many. */
static size_t make_waiters(const struct pt_source *source, const struct pt_model_task **tasks,
			   size_t count, struct waiter *waiters)
{
	size_t i, j, n, step, made = 0;

	for (i = 0; i < count; i += n) {
		n = count_named(tasks + i, count - i);
		step = !source->all && count_leaders(tasks + i, n) >= PT_GROUP_PROCESSES ? n : 1;
		for (j = 0; j < n; j++) {
			if (j % step == 0)
				waiters[made++] = (struct waiter){tasks + i + j, step, 0};
			waiters[made - 1].runnable += runnable_of(source, tasks[i + j]);
		}
	}
	return made;
}

struct share {
	const char *name;
	uint64_t ns;
};

static int compare_share_names(const void *a, const void *b)
{
	return strcmp(((const struct share *)a)->name, ((const struct share *)b)->name);
}

static int compare_shares(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Sums those of equal name; returns how many are left. */
static size_t merge_shares(struct share *shares, size_t count)
{
	size_t i, kept = 0;

	qsort(shares, count, sizeof(*shares), compare_share_names);
	for (i = 0; i < count; i++) {
		if (kept && !strcmp(shares[kept - 1].name, shares[i].name))
			shares[kept - 1].ns += shares[i].ns;
		else
			shares[kept++] = shares[i];
	}
	qsort(shares, kept, sizeof(*shares), compare_shares);
	return kept;
}

static json_t *shares_json(const struct share *shares, size_t count, uint64_t others)
{
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < count && i < SHOWN_OCCUPANTS; i++)
		ret = json_array_append_new(list, json_pack("{s:o, s:o}", "comm",
							    pt_json_text(shares[i].name), "ns",
							    pt_json_int(shares[i].ns)));
	for (; i < count; i++)
		others += shares[i].ns;
	if (!ret && others)
		ret = json_array_append_new(list, json_pack("{s:s, s:o}", "comm", "others", "ns",
							    pt_json_int(others)));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *taken_by(const struct pt_source *source, const struct waiter *waiter)
{
	const struct pt_charges *charges = pt_analyses_charges(source->analyses);
	struct share *shares;
	size_t i, j, count = 0;
	uint64_t others = 0;
	json_t *list;

	for (i = 0; i < waiter->count; i++)
		count += pt_charges_get(charges, waiter->tasks[i])->count;
	shares = calloc(count + 1, sizeof(*shares));
	if (!shares)
		return NULL;
	count = 0;
	for (i = 0; i < waiter->count; i++) {
		const struct pt_charges_of *of = pt_charges_get(charges, waiter->tasks[i]);

		others += of->others_ns;
		for (j = 0; j < of->count; j++)
			shares[count++] = (struct share){pt_task_name(of->charges[j].task),
							 of->charges[j].ns};
	}
	list = shares_json(shares, merge_shares(shares, count), others);
	free(shares);
	return list;
}

static json_t *waiter_json(const struct pt_source *source, const struct waiter *waiter)
{
	const struct pt_runq *runq = pt_analyses_runq(source->analyses);
	struct pt_histogram all = {0};
	json_t *json = NULL;
	size_t i;
	uint64_t unfinished = 0;
	int ret = 0;

	for (i = 0; !ret && i < waiter->count; i++) {
		ret = pt_histogram_merge(&all, pt_runq_get(runq, waiter->tasks[i]));
		unfinished += pt_runq_unfinished(runq, waiter->tasks[i]);
	}
	if (!ret)
		json = pt_json_who(waiter->tasks[0]);
	ret |= pt_json_put(json, "tasks", pt_json_int(waiter->count));
	ret |= pt_json_put(json, "runnable_ns", pt_json_int(waiter->runnable));
	ret |= pt_json_put(json, "runq_ns", pt_json_quantiles(&all));
	ret |= pt_json_put(json, "unfinished_wait_ns", pt_json_int(unfinished));
	ret |= pt_json_put(json, "taken_by", taken_by(source, waiter));
	pt_histogram_clear(&all);
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

json_t *pt_section_contention(const struct pt_source *source)
{
	size_t n = pt_model_task_count(source->model), i, count = 0;
	const struct pt_model_task **tasks = calloc(n + 1, sizeof(*tasks));
	struct waiter *waiters = calloc(n + 1, sizeof(*waiters));
	json_t *list = tasks && waiters ? json_array() : NULL;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < n; i++) {
		const struct pt_model_task *task = pt_model_task(source->model, i);

		if (task->target && runnable_of(source, task))
			tasks[count++] = task;
	}
	if (!ret) {
		qsort(tasks, count, sizeof(*tasks), compare_names);
		count = make_waiters(source, tasks, count, waiters);
		qsort(waiters, count, sizeof(*waiters), compare_waiters);
	}
	for (i = 0; !ret && i < count && i < SHOWN_WAITERS; i++)
		ret = json_array_append_new(list, waiter_json(source, &waiters[i]));
	free(tasks);
	free(waiters);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
