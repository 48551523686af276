/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/margin.h"

#include <string.h>

/* The last snapshot up to `time` that has all figures, or the first behind it; NULL if none has. */
static const struct pt_memory *point_at(const struct pt_footprint_process *process, uint64_t time)
{
	const struct pt_memory *found = NULL;
	size_t i;

	for (i = 0; i < process->point_count; i++) {
		const struct pt_memory *point = &process->points[i];

		if (point->flags & PT_MEMORY_NO_PSS)
			continue;
		if (found && time && point->time > time)
			break;
		found = point;
	}
	return found;
}

/* NULL if there are too many sorts of workers. */
static struct pt_margin *find_margin(struct pt_margins *margins, enum pt_task_model model,
				     const char *comm)
{
	struct pt_margin *margin;
	size_t i;

	for (i = 0; i < margins->count; i++) {
		margin = &margins->list[i];
		if (margin->model == model && !strcmp(margin->comm, comm))
			return margin;
	}
	if (i == PT_MARGINS_MAX)
		return NULL;
	margin = &margins->list[margins->count++];
	margin->model = model;
	margin->comm = comm;
	return margin;
}

static void add_worker(struct pt_margin *margin, const struct pt_memory *point)
{
	margin->workers++;
	margin->rss += point->rss;
	margin->pss += point->pss;
	margin->uss += point->uss;
	margin->page_tables += point->page_tables;
	margin->kernel_stacks += point->kernel_stacks;
}

static void add_threads(struct pt_margin *margin, const struct pt_footprint_process *process)
{
	const struct pt_memory *before = NULL, *point = point_at(process, 0);
	size_t i;

	for (i = 0; point && point->threads && i < process->thread_count; i++) {
		margin->workers++;
		margin->stack += process->threads[i].stack_rss;
		margin->kernel_stacks += point->kernel_stacks / point->threads;
	}
	for (i = 0; i < process->point_count; i++) {
		point = &process->points[i];
		if (point->flags & (PT_MEMORY_NO_PSS | PT_MEMORY_CUT))
			continue;
		if (before && point->threads > before->threads && point->uss > before->uss) {
			margin->comers += point->threads - before->threads;
			margin->growth += point->uss - before->uss;
		}
		before = point;
	}
}

static void take_mean(struct pt_margin *margin)
{
	uint64_t n = margin->workers ? margin->workers : 1;

	margin->rss /= n;
	margin->pss /= n;
	margin->uss /= n;
	margin->page_tables /= n;
	margin->kernel_stacks /= n;
	margin->stack /= n;
	if (margin->comers)
		margin->growth /= margin->comers;
	if (margin->loopers.count)
		margin->loopers.brought /= margin->loopers.count;
	if (margin->others.count)
		margin->others.brought /= margin->others.count;
}

void pt_margins_add(struct pt_margins *margins, const struct pt_footprint_process *process,
		    uint64_t time)
{
	const struct pt_model_task *leader = process->leader;
	const struct pt_memory *point = point_at(process, time);
	struct pt_margin *margin;

	if (!point)
		return;
	margin = find_margin(margins, leader->model, leader->comm);
	if (margin)
		add_worker(margin, point);
	margin = find_margin(margins, PT_MODEL_THREAD, leader->comm);
	if (margin)
		add_threads(margin, process);
}

void pt_margins_add_task(struct pt_margins *margins, const struct pt_model_task *task,
			 bool has_loop, uint64_t brought)
{
	const struct pt_model_task *leader = task->process->leader;
	struct pt_margin_threads *threads;
	struct pt_margin *margin;

	margin = leader ? find_margin(margins, PT_MODEL_THREAD, leader->comm) : NULL;
	if (!margin)
		return;
	if (task == leader) {
		margin->looping += has_loop;
		return;
	}
	threads = has_loop ? &margin->loopers : &margin->others;
	threads->count++;
	threads->brought += brought;
}

void pt_margins_finish(struct pt_margins *margins)
{
	size_t i;

	for (i = 0; i < margins->count; i++)
		take_mean(&margins->list[i]);
}
