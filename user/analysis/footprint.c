/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/footprint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/footprint_matrix.h"
#include "analysis/margin.h"
#include "base/array.h"
#include "base/idmap.h"
#include "model/loop.h"

#define SERIES_MAX 2048

/* V8's helpers wait once or twice when they start, and then for good. */
#define WAITS_OF_LOOP 3

/* Copy-on-write faults are only counted on x86. */
#define COW_PAGE 4096

/* Bytes by which a task has made its process grow. */
struct brought {
	int64_t now, most;
};

struct pt_footprint {
	struct pt_model *model;
	struct pt_footprint_process **processes; /* each by itself, so that they never move */
	size_t process_count, process_room;
	struct pt_idmap by_pid; /* to the process that has the pid now */
	struct pt_footprint_fork *forks;
	size_t fork_count, fork_room;
	struct pt_footprint_faults *faults;
	size_t fault_count, fault_room;
	struct pt_matrices matrices;
	struct pt_memory_host *hosts;
	size_t host_count, host_room;
	struct pt_task_rows brought; /* struct brought */
	struct pt_margins margins;
};

extern const struct pt_analysis_class pt_footprint_class;

/* Halves a series that has become long: a report must not grow with the length of the recording. */
static void thin_out(void *list, size_t *count, size_t size)
{
	size_t i;

	if (*count < SERIES_MAX)
		return;
	for (i = 1; i * 2 < *count; i++)
		memcpy((char *)list + i * size, (char *)list + i * 2 * size, size);
	*count = i;
}

static struct pt_footprint_process *add_process(struct pt_footprint *footprint, uint32_t pid)
{
	struct pt_footprint_process *process = calloc(1, sizeof(*process)), **place;

	if (!process)
		return NULL;
	process->pid = pid;
	process->leader = pt_model_find(footprint->model, pid);
	place = pt_array_append(&footprint->processes, &footprint->process_count,
				&footprint->process_room, sizeof(*place));
	if (!place || pt_idmap_put(&footprint->by_pid, pid, process)) {
		if (place)
			footprint->process_count--;
		free(process);
		return NULL;
	}
	*place = process;
	return process;
}

/* The process that has the pid: not one that had it before. NULL without memory. */
static struct pt_footprint_process *find_process(struct pt_footprint *footprint, uint32_t pid)
{
	struct pt_footprint_process *process = pt_idmap_get(&footprint->by_pid, pid);

	if (process && process->leader == pt_model_find(footprint->model, pid))
		return process;
	if (process && !process->leader) {
		process->leader = pt_model_find(footprint->model, pid);
		return process;
	}
	return add_process(footprint, pid);
}

static void raise_peak(struct pt_footprint_process *process, uint64_t peak)
{
	if (peak > process->peak)
		process->peak = peak;
}

static int on_memory(struct pt_footprint *footprint, const struct pt_memory *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);
	struct pt_memory *point;

	if (!process)
		return -ENOMEM;
	thin_out(process->points, &process->point_count, sizeof(*point));
	point = pt_array_append(&process->points, &process->point_count, &process->point_room,
				sizeof(*point));
	if (!point)
		return -ENOMEM;
	*point = *row;
	raise_peak(process, row->peak);
	return 0;
}

static int on_memory_pulse(struct pt_footprint *footprint, const struct pt_memory_pulse *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);
	struct pt_memory_pulse *pulse;

	if (!process)
		return -ENOMEM;
	thin_out(process->pulses, &process->pulse_count, sizeof(*pulse));
	pulse = pt_array_append(&process->pulses, &process->pulse_count, &process->pulse_room,
				sizeof(*pulse));
	if (!pulse)
		return -ENOMEM;
	*pulse = *row;
	raise_peak(process, pt_footprint_rss(row));
	return pt_levels_add(&process->levels, &(struct pt_level){
						       .time = row->time,
						       .anon = row->anon,
						       .file = row->file,
						       .shmem = row->shmem,
						       .swap = row->swap,
					       });
}

/* Whose doing it is that the process has grown, or shrunk, since it was last told. */
static int note_doer(struct pt_footprint *footprint, const struct pt_footprint_process *process,
		     const struct pt_memory_rss *row)
{
	const struct pt_model_task *task = pt_model_find(footprint->model, row->tid);
	struct brought *brought;

	if (!task || row->flags & PT_MEMORY_RSS_FIRST)
		return 0;
	brought = pt_task_rows_get(&footprint->brought, task);
	if (!brought)
		return -ENOMEM;
	brought->now += (int64_t)(row->anon + row->file + row->shmem - process->told);
	if (brought->now > brought->most)
		brought->most = brought->now;
	return 0;
}

static int on_memory_rss(struct pt_footprint *footprint, const struct pt_memory_rss *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);

	if (!process || note_doer(footprint, process, row))
		return -ENOMEM;
	process->told = row->anon + row->file + row->shmem;
	if (row->flags & PT_MEMORY_RSS_FIRST)
		process->peak = 0; /* of what was there before fork or exec */
	raise_peak(process, process->told);
	return pt_levels_add(&process->levels, &(struct pt_level){
						       .time = row->time,
						       .anon = row->anon,
						       .file = row->file,
						       .shmem = row->shmem,
						       .swap = row->swap,
						       .tid = row->tid,
						       .first = row->flags & PT_MEMORY_RSS_FIRST,
					       });
}

static int on_memory_host(struct pt_footprint *footprint, const struct pt_memory_host *row)
{
	struct pt_memory_host *host;

	thin_out(footprint->hosts, &footprint->host_count, sizeof(*host));
	host = pt_array_append(&footprint->hosts, &footprint->host_count, &footprint->host_room,
			       sizeof(*host));
	if (!host)
		return -ENOMEM;
	*host = *row;
	return 0;
}

static int on_memory_class(struct pt_footprint *footprint, const struct pt_memory_class *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);

	if (!process)
		return -ENOMEM;
	if (row->class >= PT_MAPPING_COUNT)
		return 0;
	if (process->classes_time != row->time) {
		memset(process->classes, 0, sizeof(process->classes));
		process->classes_time = row->time;
	}
	process->classes[row->class] = *row;
	return 0;
}

static int on_memory_thread(struct pt_footprint *footprint, const struct pt_memory_thread *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);
	struct pt_memory_thread *thread;

	if (!process)
		return -ENOMEM;
	if (process->thread_count && process->threads[0].time != row->time)
		process->thread_count = 0;
	thread = pt_array_append(&process->threads, &process->thread_count, &process->thread_room,
				 sizeof(*thread));
	if (!thread)
		return -ENOMEM;
	*thread = *row;
	return 0;
}

static int on_memory_exit(struct pt_footprint *footprint, const struct pt_memory_exit *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);

	if (!process)
		return -ENOMEM;
	process->exit = *row;
	raise_peak(process, row->peak);
	if (row->flags & PT_MEMORY_EXIT_ONLY_PEAK)
		return 0;
	return pt_levels_add(&process->levels, &(struct pt_level){
						       .time = row->time,
						       .anon = row->anon,
						       .file = row->file,
						       .shmem = row->shmem,
						       .swap = row->swap,
					       });
}

static int on_memory_faults(struct pt_footprint *footprint, const struct pt_memory_faults *row)
{
	struct pt_footprint_process *process = find_process(footprint, row->pid);
	const struct pt_model_task *task = pt_model_find(footprint->model, row->tid);
	struct pt_footprint_faults *faults;

	if (!process)
		return -ENOMEM;
	process->cow_faults += row->cow_faults;
	if (!task)
		return 0;
	faults = pt_array_append(&footprint->faults, &footprint->fault_count,
				 &footprint->fault_room, sizeof(*faults));
	if (!faults)
		return -ENOMEM;
	*faults = (struct pt_footprint_faults){.task = task, .cow_faults = row->cow_faults};
	return 0;
}

static int on_memory_fork(struct pt_footprint *footprint, const struct pt_memory_fork *row)
{
	struct pt_footprint_fork *fork = pt_array_append(&footprint->forks, &footprint->fork_count,
							 &footprint->fork_room, sizeof(*fork));

	if (!fork)
		return -ENOMEM;
	*fork = (struct pt_footprint_fork){
		.fork = *row,
		.parent = pt_model_find(footprint->model, row->parent_tid),
		.child = pt_model_find(footprint->model, row->pid),
	};
	return 0;
}

static int on_memory_parted(struct pt_footprint *footprint, const struct pt_memory_parted *row)
{
	size_t i;

	for (i = footprint->fork_count; i; i--) {
		struct pt_footprint_fork *fork = &footprint->forks[i - 1];

		if (fork->fork.pid != row->pid)
			continue;
		if (!fork->parted.time)
			fork->parted = *row;
		break;
	}
	return 0;
}

static int on_memory_share(struct pt_footprint *footprint, const struct pt_memory_share *row)
{
	return pt_matrices_add_share(&footprint->matrices, row);
}

static int on_memory_common(struct pt_footprint *footprint, const struct pt_memory_common *row)
{
	return pt_matrices_add_common(&footprint->matrices, row);
}

static int on_memory_group(struct pt_footprint *footprint, const struct pt_memory_group *row)
{
	pt_matrices_add_group(&footprint->matrices, row);
	return 0;
}

#define KINDS(K)                                                                                   \
	K(memory)                                                                                  \
	K(memory_class)                                                                            \
	K(memory_thread)                                                                           \
	K(memory_share)                                                                            \
	K(memory_common)                                                                           \
	K(memory_group)                                                                            \
	K(memory_exit)                                                                             \
	K(memory_fork)                                                                             \
	K(memory_parted)                                                                           \
	K(memory_faults)                                                                           \
	K(memory_pulse)                                                                            \
	K(memory_rss)                                                                              \
	K(memory_host)

#define KIND_OR(name) PT_KIND_BIT(PT_KIND_##name) |
#define OUR_KINDS     (KINDS(KIND_OR) 0)

static int on_record(void *self, const struct pt_record *record)
{
	struct pt_footprint *footprint = self;

	switch (record->kind) {
#define K(name)                                                                                    \
	case PT_KIND_##name:                                                                       \
		return on_##name(footprint, record->row);
		KINDS(K)
#undef K
	default:
		return 0;
	}
}

static int start(void **self, struct pt_model *model)
{
	struct pt_footprint *footprint = calloc(1, sizeof(*footprint));
	struct pt_observer observer = {.self = footprint, .record = on_record, .kinds = OUR_KINDS};

	*self = footprint;
	if (!footprint)
		return -ENOMEM;
	footprint->model = model;
	footprint->brought.size = sizeof(struct brought);
	return pt_model_observe(model, &observer);
}

static bool is_target(const struct pt_footprint_process *process)
{
	return process->leader && process->leader->target;
}

/*
 * The most bytes by which the task has made its process grow: pages that it was the first to touch,
 * less those that it handed back, whoever uses them now. As far as RSS events told.
 */
static uint64_t brought_by(const struct pt_footprint *footprint, const struct pt_model_task *task)
{
	const struct brought *brought = pt_task_rows_peek(&footprint->brought, task);

	return brought ? (uint64_t)brought->most : 0;
}

/* Threads that were there before are left out: what they brought then is not known. */
static void add_threads(struct pt_footprint *footprint)
{
	struct pt_task_rows loops = {.size = sizeof(bool)};
	size_t i;

	for (i = 0; i < pt_model_loop_count(footprint->model); i++) {
		const struct pt_loop *loop = pt_model_loop(footprint->model, i);
		bool *has =
			loop->waits >= WAITS_OF_LOOP ? pt_task_rows_get(&loops, loop->task) : NULL;

		if (has)
			*has = true;
	}
	for (i = 0; i < pt_model_task_count(footprint->model); i++) {
		const struct pt_model_task *task = pt_model_task(footprint->model, i);
		const bool *has = pt_task_rows_peek(&loops, task);

		if (task->target &&
		    (task->origin != PT_ORIGIN_EXISTING || task == task->process->leader))
			pt_margins_add_task(&footprint->margins, task, has && *has,
					    brought_by(footprint, task));
	}
	pt_task_rows_clear(&loops);
}

static int finish(void *self)
{
	struct pt_footprint *footprint = self;
	size_t i;
	int ret = 0;

	pt_matrices_finish(&footprint->matrices);
	for (i = 0; !ret && i < footprint->process_count; i++) {
		struct pt_footprint_process *process = footprint->processes[i];

		if (!is_target(process))
			continue;
		pt_margins_add(&footprint->margins, process, footprint->matrices.best.group.time);
		ret = pt_levels_changes(&process->levels, &process->changes,
					&process->change_count);
	}
	add_threads(footprint);
	pt_margins_finish(&footprint->margins);
	return ret;
}

static void release(void *self)
{
	struct pt_footprint *footprint = self;
	size_t i;

	for (i = 0; i < footprint->process_count; i++) {
		free(footprint->processes[i]->points);
		free(footprint->processes[i]->threads);
		free(footprint->processes[i]->pulses);
		free(footprint->processes[i]->changes);
		pt_levels_clear(&footprint->processes[i]->levels);
		free(footprint->processes[i]);
	}
	free(footprint->processes);
	pt_idmap_clear(&footprint->by_pid);
	free(footprint->forks);
	free(footprint->faults);
	free(footprint->hosts);
	pt_task_rows_clear(&footprint->brought);
	pt_matrices_clear(&footprint->matrices);
	free(footprint);
}

const struct pt_analysis_class pt_footprint_class = {
	.name = "footprint",
	.kinds = OUR_KINDS,
	.start = start,
	.finish = finish,
	.free = release,
};

size_t pt_footprint_processes(const struct pt_footprint *footprint)
{
	return footprint->process_count;
}

const struct pt_footprint_process *pt_footprint_process(const struct pt_footprint *footprint,
							size_t i)
{
	return footprint->processes[i];
}

size_t pt_footprint_forks(const struct pt_footprint *footprint)
{
	return footprint->fork_count;
}

const struct pt_footprint_fork *pt_footprint_fork(const struct pt_footprint *footprint, size_t i)
{
	return &footprint->forks[i];
}

size_t pt_footprint_faulters(const struct pt_footprint *footprint)
{
	return footprint->fault_count;
}

const struct pt_footprint_faults *pt_footprint_faults(const struct pt_footprint *footprint,
						      size_t i)
{
	return &footprint->faults[i];
}

const struct pt_footprint_matrix *pt_footprint_matrix(const struct pt_footprint *footprint)
{
	return &footprint->matrices.best;
}

size_t pt_footprint_hosts(const struct pt_footprint *footprint)
{
	return footprint->host_count;
}

const struct pt_memory_host *pt_footprint_host(const struct pt_footprint *footprint, size_t i)
{
	return &footprint->hosts[i];
}

const struct pt_margins *pt_footprint_margins(const struct pt_footprint *footprint)
{
	return &footprint->margins;
}

uint64_t pt_footprint_rss(const struct pt_memory_pulse *pulse)
{
	return pulse->anon + pulse->file + pulse->shmem;
}

bool pt_footprint_fork_faults(const struct pt_footprint_fork *fork, struct pt_fork_faults *faults)
{
	const struct pt_memory_parted *parted = &fork->parted;

	if (!parted->time || parted->flags & PT_PARTED_NO_PARENT ||
	    parted->parent_cow_faults < fork->fork.cow_faults ||
	    parted->parent_others_cow_faults < fork->fork.others_cow_faults ||
	    parted->parent_minor_faults < fork->fork.minor_faults)
		return false;
	*faults = (struct pt_fork_faults){
		.child_cow = parted->cow_faults + parted->others_cow_faults,
		.parent_cow = parted->parent_cow_faults + parted->parent_others_cow_faults -
			      fork->fork.cow_faults - fork->fork.others_cow_faults,
		.child_minor = parted->minor_faults,
		.parent_minor = parted->parent_minor_faults - fork->fork.minor_faults,
	};
	return true;
}

uint64_t pt_footprint_still_shared(const struct pt_footprint_fork *fork,
				   const struct pt_fork_faults *faults)
{
	uint64_t copied = (faults->child_cow + faults->parent_cow) * COW_PAGE;

	return fork->fork.anon > copied ? fork->fork.anon - copied : 0;
}
