/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who had which CPU: for each CPU a ring of the latest changes, from which a wait is charged when
 * it is over. The ring doubles, up to a limit, when a wait turns out to be longer than what it
 * holds.
 */
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

#define INSERT_REACH 256

static struct pt_occupancy *entry_at(const struct pt_cpu *cpu, uint64_t n)
{
	return &cpu->history[n & (cpu->room - 1)];
}

static uint64_t oldest_entry(const struct pt_cpu *cpu)
{
	return cpu->head > cpu->room ? cpu->head - cpu->room : 0;
}

static bool grow_history(struct pt_cpu *cpu)
{
	struct pt_cpu bigger = *cpu;
	uint64_t n;

	bigger.room = cpu->room ? cpu->room * 2 : PT_HISTORY_MIN;
	bigger.history = calloc(bigger.room, sizeof(*bigger.history));
	if (!bigger.history)
		return false;
	for (n = oldest_entry(cpu); n < cpu->head; n++)
		*entry_at(&bigger, n) = *entry_at(cpu, n);
	/* What the old ring had dropped must not seem to be there. */
	for (n = cpu->head > bigger.room ? cpu->head - bigger.room : 0; n < oldest_entry(cpu); n++)
		*entry_at(&bigger, n) = (struct pt_occupancy){.unsure = true};
	free(cpu->history);
	bigger.wants_room = false;
	*cpu = bigger;
	return true;
}

struct pt_cpu *pt_cpu_get(struct pt_model *model, uint32_t number)
{
	struct pt_cpu *cpu;

	if (number >= model->cpu_count)
		return NULL;
	cpu = &model->cpus[number];
	if (!cpu->room) {
		cpu->current = model->nobody;
		if (!grow_history(cpu))
			return NULL;
	}
	return cpu;
}

void pt_cpu_push(struct pt_cpu *cpu, uint64_t time, const struct pt_model_task *task)
{
	if (cpu->head) {
		uint64_t last = entry_at(cpu, cpu->head - 1)->time;

		if (time < last)
			time = last;
	}
	if (cpu->wants_room && cpu->head >= cpu->room)
		grow_history(cpu);
	*entry_at(cpu, cpu->head++) = (struct pt_occupancy){.time = time, .task = task->index};
}

void pt_cpu_insert(struct pt_cpu *cpu, uint64_t time, const struct pt_model_task *task)
{
	uint64_t low = oldest_entry(cpu), at = cpu->head, n;

	if (low + INSERT_REACH < cpu->head)
		low = cpu->head - INSERT_REACH;
	while (at > low && entry_at(cpu, at - 1)->time > time)
		at--;
	if (at == low && low > 0)
		return;
	if (at > low) {
		struct pt_occupancy *before = entry_at(cpu, at - 1);

		before->unsure = false;
		if (before->task == task->index)
			return;
		if (before->time == time) {
			before->task = task->index;
			return;
		}
	}
	cpu->head++;
	for (n = cpu->head - 1; n > at; n--)
		*entry_at(cpu, n) = *entry_at(cpu, n - 1);
	*entry_at(cpu, at) = (struct pt_occupancy){.time = time, .task = task->index};
}

void pt_cpu_doubt(struct pt_cpu *cpu, const struct pt_model_task *left)
{
	struct pt_occupancy *last = cpu->head ? entry_at(cpu, cpu->head - 1) : NULL;

	if (last && last->task != left->index)
		last->unsure = true;
}

static const struct pt_model_task *had_it(const struct pt_model *model,
					  const struct pt_occupancy *entry,
					  const struct pt_model_task *waiter)
{
	if (entry->unsure || entry->task == waiter->index)
		return model->nobody;
	return pt_pool_at(&model->tasks, entry->task);
}

/* Fills model->pieces from its end backwards; returns the first one's index. */
static size_t fill_pieces(struct pt_model *model, struct pt_cpu *cpu,
			  const struct pt_pending_wait *wait)
{
	uint64_t n = cpu->head, low = oldest_entry(cpu), to = wait->to;
	size_t at = model->piece_room;

	while (n > low && to > wait->from) {
		const struct pt_occupancy *entry = entry_at(cpu, --n);
		uint64_t from = entry->time > wait->from ? entry->time : wait->from;

		if (from >= to)
			continue;
		model->pieces[--at] =
			(struct pt_piece){had_it(model, entry, wait->task), to - from};
		to = from;
	}
	if (to > wait->from) {
		model->pieces[--at] = (struct pt_piece){model->nobody, to - wait->from};
		cpu->wants_room = low > 0 && cpu->room < PT_HISTORY_MAX;
	}
	return at;
}

int pt_cpu_charge(struct pt_model *model, const struct pt_pending_wait *pending, bool over)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_WAITED];
	struct pt_cpu *cpu = pt_cpu_get(model, pending->cpu);
	struct pt_wait wait = {.task = pending->task,
			       .from = pending->from,
			       .to = pending->to,
			       .cpu = pending->cpu,
			       .over = over};
	struct pt_piece whole = {model->nobody, wait.to - wait.from};
	size_t i, first;
	int ret;

	wait.pieces = &whole;
	wait.piece_count = 1;
	if (cpu) {
		if (model->piece_room < cpu->room + 1) {
			free(model->pieces);
			model->piece_room = 0;
			model->pieces = calloc(cpu->room + 1, sizeof(*model->pieces));
			if (!model->pieces)
				return -ENOMEM;
			model->piece_room = cpu->room + 1;
		}
		first = fill_pieces(model, cpu, pending);
		wait.pieces = model->pieces + first;
		wait.piece_count = model->piece_room - first;
	}
	ret = pt_turns_wait(model, &wait);
	for (i = 0; !ret && i < audience->count; i++)
		ret = audience->observers[i].waited(audience->observers[i].self, &wait);
	return ret;
}

void pt_cpu_free_all(struct pt_model *model)
{
	uint32_t i;

	for (i = 0; model->cpus && i < model->cpu_count; i++)
		free(model->cpus[i].history);
}
