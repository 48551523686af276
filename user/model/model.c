/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/internal.h"
#include "model/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of recordings that do not say. */
#define PT_STALL_DEFAULT_NS 10000000

typedef int (*handler)(struct pt_model *model, const struct pt_record *record);

/* A new kind of record that changes what the model knows gets its line here. */
static const handler handlers[PT_KIND_LIMIT] = {
	[PT_KIND_switch] = pt_on_switch,     [PT_KIND_wakeup] = pt_on_wakeup,
	[PT_KIND_fork] = pt_on_fork,	     [PT_KIND_exec] = pt_on_exec,
	[PT_KIND_command] = pt_on_command,   [PT_KIND_rename] = pt_on_rename,
	[PT_KIND_exit] = pt_on_exit,	     [PT_KIND_migrate] = pt_on_migrate,
	[PT_KIND_task] = pt_on_task,	     [PT_KIND_occupant] = pt_on_occupant,
	[PT_KIND_turn] = pt_on_turn,	     [PT_KIND_sleep] = pt_on_sleep,
	[PT_KIND_turn_sum] = pt_on_turn_sum, [PT_KIND_sample] = pt_on_sample,
	[PT_KIND_endpoint] = pt_on_endpoint, [PT_KIND_accept] = pt_on_accept,
	[PT_KIND_compat] = pt_on_compat,     [PT_KIND_pass] = pt_on_pass,
	[PT_KIND_cgroup] = pt_on_cgroup,     [PT_KIND_member] = pt_on_member,
	[PT_KIND_throttle] = pt_on_throttle,
};

pt_kinds pt_model_kinds(void)
{
	pt_kinds kinds = 0;
	size_t i;

	for (i = 0; i < PT_KIND_LIMIT; i++)
		kinds |= handlers[i] ? PT_KIND_BIT(i) : 0;
	return kinds;
}

void *pt_pool_add(struct pt_pool *pool)
{
	size_t chunk = pool->count / PT_CHUNK;

	if (pool->count % PT_CHUNK == 0) {
		char **chunks = pool->chunks;

		if ((chunk & (chunk - 1)) == 0) {
			chunks = reallocarray(pool->chunks, chunk ? chunk * 2 : 1, sizeof(*chunks));
			if (!chunks)
				return NULL;
			pool->chunks = chunks;
		}
		chunks[chunk] = calloc(PT_CHUNK, pool->size);
		if (!chunks[chunk])
			return NULL;
	}
	return pt_pool_at(pool, pool->count++);
}

void pt_pool_clear(struct pt_pool *pool)
{
	size_t i;

	for (i = 0; i * PT_CHUNK < pool->count; i++)
		free(pool->chunks[i]);
	free(pool->chunks);
	pool->chunks = NULL;
	pool->count = 0;
}

static struct pt_model_task *add_stand_in(struct pt_model *model, const char *name)
{
	struct pt_model_task *task = pt_pool_add(&model->tasks);

	if (!task)
		return NULL;
	task->index = (uint32_t)(model->tasks.count - 1);
	task->process = pt_process_get(model, 0);
	snprintf(task->comm, sizeof(task->comm), "%s", name);
	return task->process ? task : NULL;
}

int pt_model_new(struct pt_model **out, const struct pt_meta *meta)
{
	struct pt_model *model = calloc(1, sizeof(*model));

	if (!model)
		return -ENOMEM;
	model->tasks.size = sizeof(struct pt_model_task);
	model->loops.size = sizeof(struct pt_loop);
	model->cgroups.size = sizeof(struct pt_cgroup_of);
	model->stall_ns = meta->stall_ns ? meta->stall_ns : PT_STALL_DEFAULT_NS;
	model->processes.size = sizeof(struct pt_process);
	/* 0: the metadata are lost. */
	model->cpu_count = meta->cpus && meta->cpus < PT_CPU_LIMIT ? meta->cpus : PT_CPU_LIMIT;
	model->recorder_pid = meta->recorder_pid;
	model->start_boot = meta->start_boot;
	model->x86_64 = meta->arch && !strcmp(meta->arch, "x86_64");
	model->cpus = calloc(model->cpu_count ? model->cpu_count : 1, sizeof(*model->cpus));
	model->nobody = add_stand_in(model, "unknown");
	model->idle = add_stand_in(model, "idle");
	if (!model->cpus || !model->nobody || !model->idle) {
		pt_model_free(model);
		return -ENOMEM;
	}
	*out = model;
	return 0;
}

static bool hears(const struct pt_observer *observer, size_t what)
{
	switch (what) {
	case PT_HEARD_SPAN:
		return observer->span;
	case PT_HEARD_WAITED:
		return observer->waited;
	case PT_HEARD_SWITCHED:
		return observer->switched;
	case PT_HEARD_ENDED:
		return observer->ended;
	case PT_HEARD_TURNED:
		return observer->turned;
	case PT_HEARD_TURNED_MANY:
		return observer->turned_many;
	default:
		return observer->record && (observer->kinds & PT_KIND_BIT(what - PT_HEARD_RECORD));
	}
}

static int join(struct pt_audience *audience, const struct pt_observer *observer)
{
	struct pt_observer *grown;

	grown = reallocarray(audience->observers, audience->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	audience->observers = grown;
	grown[audience->count++] = *observer;
	return 0;
}

int pt_model_observe(struct pt_model *model, const struct pt_observer *observer)
{
	size_t what;
	int ret = 0;

	for (what = 0; !ret && what < PT_HEARD_COUNT; what++) {
		if (hears(observer, what))
			ret = join(&model->audiences[what], observer);
	}
	return ret;
}

static int tell_observers(struct pt_model *model, const struct pt_record *record)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_RECORD + record->kind];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < audience->count; i++)
		ret = audience->observers[i].record(audience->observers[i].self, record);
	return ret;
}

int pt_model_feed(struct pt_model *model, const struct pt_record *record)
{
	uint64_t time = pt_record_time(record);
	int ret = 0;

	if (record->kind >= PT_KIND_LIMIT)
		return 0;
	if (!model->losses_sorted)
		pt_losses_sort(model);
	if (model->pending_count && time > model->pending_time)
		ret = pt_state_settle(model);
	if (time > model->now)
		model->now = time;
	if (!ret && handlers[record->kind])
		ret = handlers[record->kind](model, record);
	return ret ? ret : tell_observers(model, record);
}

int pt_model_finish(struct pt_model *model, uint64_t end)
{
	size_t i;
	int ret;

	if (!model->losses_sorted)
		pt_losses_sort(model);
	model->end = end > model->now ? end : model->now;
	model->broken_off = !end;
	ret = pt_state_settle(model);
	for (i = 0; !ret && i < model->tasks.count; i++) {
		struct pt_model_task *task = pt_model_task(model, i);

		if (task == model->nobody || task == model->idle)
			continue;
		if (task->doing.phase != PT_PHASE_DEAD)
			ret = pt_state_end(model, task, task->exited ? task->exit_ns : model->end,
					   true);
	}
	pt_tasks_place(model);
	pt_cluster_place(model);
	if (!ret)
		ret = pt_loops_compare(model);
	return ret ? ret : pt_state_settle(model);
}

size_t pt_model_task_count(const struct pt_model *model)
{
	return model->tasks.count;
}

struct pt_model_task *pt_model_task(const struct pt_model *model, size_t index)
{
	return pt_pool_at(&model->tasks, index);
}

size_t pt_model_process_count(const struct pt_model *model)
{
	return model->processes.count;
}

struct pt_process *pt_model_process(const struct pt_model *model, size_t index)
{
	return pt_pool_at(&model->processes, index);
}

size_t pt_model_loop_count(const struct pt_model *model)
{
	return model->loops.count;
}

const struct pt_loop *pt_model_loop(const struct pt_model *model, size_t index)
{
	return pt_pool_at(&model->loops, index);
}

void pt_model_raise_stall(struct pt_model *model, uint64_t ns)
{
	if (ns > model->stall_ns)
		model->stall_ns = ns;
}

uint64_t pt_model_stall(const struct pt_model *model)
{
	return model->stall_ns;
}

const struct pt_model_task *pt_model_idle(const struct pt_model *model)
{
	return model->idle;
}

const struct pt_model_task *pt_model_nobody(const struct pt_model *model)
{
	return model->nobody;
}

struct pt_model_task *pt_model_find(const struct pt_model *model, uint32_t tid)
{
	return pt_idmap_get(&model->by_tid, tid);
}

uint64_t pt_model_end(const struct pt_model *model)
{
	return model->end;
}

uint64_t pt_model_contradictions(const struct pt_model *model)
{
	return model->contradictions;
}

void pt_model_free(struct pt_model *model)
{
	size_t i;

	if (!model)
		return;
	for (i = 0; i < model->processes.count; i++)
		free(pt_model_process(model, i)->command);
	for (i = 0; i < model->tasks.count; i++)
		pt_looper_free(pt_model_task(model, i)->looper);
	pt_cpu_free_all(model);
	pt_pool_clear(&model->loops);
	pt_pool_clear(&model->tasks);
	pt_pool_clear(&model->processes);
	pt_idmap_clear(&model->by_tid);
	pt_idmap_clear(&model->by_pid);
	pt_keymap_clear(&model->listeners);
	pt_cgroups_clear(model);
	free(model->cpus);
	free(model->pending);
	free(model->pieces);
	free(model->losses);
	for (i = 0; i < PT_HEARD_COUNT; i++)
		free(model->audiences[i].observers);
	free(model);
}
