/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/footprint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/idmap.h"

#define MARGINS_MAX 64
#define SERIES_MAX  2048

struct pt_footprint {
	struct pt_model *model;
	struct pt_footprint_process **processes; /* each by itself, so that they never move */
	size_t process_count, process_room;
	struct pt_idmap by_pid; /* to the process that has the pid now */
	struct pt_footprint_fork *forks;
	size_t fork_count, fork_room;
	struct pt_footprint_faults *faults;
	size_t fault_count, fault_room;
	struct pt_footprint_matrix matrix, coming;
	uint64_t coming_time; /* rows of one time are one matrix */
	struct pt_footprint_margin margins[MARGINS_MAX];
	size_t margin_count;
};

extern const struct pt_analysis_class pt_footprint_class;

/* Room for one more in an array that doubles: its place, NULL without memory. */
static void *append(void *array, size_t *count, size_t *room, size_t size)
{
	char **list = array;
	char *grown = pt_array_grow(*list, *count, room, size);

	if (!grown)
		return NULL;
	*list = grown;
	return grown + (*count)++ * size;
}

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
	place = append(&footprint->processes, &footprint->process_count, &footprint->process_room,
		       sizeof(*place));
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
	point = append(&process->points, &process->point_count, &process->point_room,
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
	pulse = append(&process->pulses, &process->pulse_count, &process->pulse_room,
		       sizeof(*pulse));
	if (!pulse)
		return -ENOMEM;
	*pulse = *row;
	raise_peak(process, pt_footprint_rss(row));
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
	thread = append(&process->threads, &process->thread_count, &process->thread_room,
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
	return 0;
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
	faults = append(&footprint->faults, &footprint->fault_count, &footprint->fault_room,
			sizeof(*faults));
	if (!faults)
		return -ENOMEM;
	*faults = (struct pt_footprint_faults){.task = task, .cow_faults = row->cow_faults};
	return 0;
}

static int on_memory_fork(struct pt_footprint *footprint, const struct pt_memory_fork *row)
{
	struct pt_footprint_fork *fork = append(&footprint->forks, &footprint->fork_count,
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

static bool is_whole(const struct pt_memory_group *group)
{
	return !(group->flags & (PT_MEMORY_CUT | PT_MEMORY_NO_FRAMES));
}

static bool is_better(const struct pt_memory_group *a, const struct pt_memory_group *than)
{
	if (!than->time || !a->time)
		return a->time;
	if (is_whole(a) != is_whole(than))
		return is_whole(a);
	return a->processes >= than->processes;
}

/* Rows of `time` begin or go on: what is complete is kept if it is better than what was kept before. */
static void turn_matrix(struct pt_footprint *footprint, uint64_t time)
{
	struct pt_footprint_matrix other;

	if (footprint->coming_time == time)
		return;
	footprint->coming_time = time;
	if (is_better(&footprint->coming.group, &footprint->matrix.group)) {
		other = footprint->matrix;
		footprint->matrix = footprint->coming;
		footprint->coming = other;
	}
	footprint->coming.group.time = 0;
	footprint->coming.share_count = 0;
	footprint->coming.common_count = 0;
}

static int on_memory_share(struct pt_footprint *footprint, const struct pt_memory_share *row)
{
	struct pt_footprint_matrix *matrix = &footprint->coming;
	struct pt_memory_share *share;

	turn_matrix(footprint, row->time);
	share = append(&matrix->shares, &matrix->share_count, &matrix->share_room, sizeof(*share));
	if (!share)
		return -ENOMEM;
	*share = *row;
	return 0;
}

static int on_memory_common(struct pt_footprint *footprint, const struct pt_memory_common *row)
{
	struct pt_footprint_matrix *matrix = &footprint->coming;
	struct pt_memory_common *common;

	turn_matrix(footprint, row->time);
	common = append(&matrix->commons, &matrix->common_count, &matrix->common_room,
			sizeof(*common));
	if (!common)
		return -ENOMEM;
	*common = *row;
	return 0;
}

static int on_memory_group(struct pt_footprint *footprint, const struct pt_memory_group *row)
{
	turn_matrix(footprint, row->time);
	footprint->coming.group = *row;
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
	K(memory_pulse)

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
	return pt_model_observe(model, &observer);
}

static bool is_target(const struct pt_footprint_process *process)
{
	return process->leader && process->leader->target;
}

/* The last snapshot that has all figures; NULL if none has. */
static const struct pt_memory *last_point(const struct pt_footprint_process *process)
{
	size_t i;

	for (i = process->point_count; i; i--) {
		if (!(process->points[i - 1].flags & PT_MEMORY_NO_PSS))
			return &process->points[i - 1];
	}
	return NULL;
}

/* NULL if there are too many sorts of workers. */
static struct pt_footprint_margin *find_margin(struct pt_footprint *footprint,
					       enum pt_task_model model, const char *comm)
{
	struct pt_footprint_margin *margin;
	size_t i;

	for (i = 0; i < footprint->margin_count; i++) {
		margin = &footprint->margins[i];
		if (margin->model == model && !strcmp(margin->comm, comm))
			return margin;
	}
	if (i == MARGINS_MAX)
		return NULL;
	margin = &footprint->margins[footprint->margin_count++];
	margin->model = model;
	margin->comm = comm;
	return margin;
}

static void add_worker(struct pt_footprint_margin *margin, const struct pt_memory *point)
{
	margin->workers++;
	margin->rss += point->rss;
	margin->pss += point->pss;
	margin->uss += point->uss;
	margin->page_tables += point->page_tables;
	margin->kernel_stacks += point->kernel_stacks;
}

static void add_threads(struct pt_footprint_margin *margin,
			const struct pt_footprint_process *process)
{
	const struct pt_memory *before = NULL, *point = last_point(process);
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

static void take_mean(struct pt_footprint_margin *margin)
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
}

static void add_margins(struct pt_footprint *footprint, const struct pt_footprint_process *process)
{
	const struct pt_model_task *leader = process->leader;
	const struct pt_memory *point = last_point(process);
	struct pt_footprint_margin *margin;

	if (!point)
		return;
	margin = find_margin(footprint, leader->model, leader->comm);
	if (margin)
		add_worker(margin, point);
	margin = find_margin(footprint, PT_MODEL_THREAD, leader->comm);
	if (margin)
		add_threads(margin, process);
}

static int finish(void *self)
{
	struct pt_footprint *footprint = self;
	size_t i;

	turn_matrix(footprint, UINT64_MAX);
	for (i = 0; i < footprint->process_count; i++) {
		if (is_target(footprint->processes[i]))
			add_margins(footprint, footprint->processes[i]);
	}
	for (i = 0; i < footprint->margin_count; i++)
		take_mean(&footprint->margins[i]);
	return 0;
}

static void clear_matrix(struct pt_footprint_matrix *matrix)
{
	free(matrix->shares);
	free(matrix->commons);
}

static void release(void *self)
{
	struct pt_footprint *footprint = self;
	size_t i;

	for (i = 0; i < footprint->process_count; i++) {
		free(footprint->processes[i]->points);
		free(footprint->processes[i]->threads);
		free(footprint->processes[i]->pulses);
		free(footprint->processes[i]);
	}
	free(footprint->processes);
	pt_idmap_clear(&footprint->by_pid);
	free(footprint->forks);
	free(footprint->faults);
	clear_matrix(&footprint->matrix);
	clear_matrix(&footprint->coming);
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
	return &footprint->matrix;
}

size_t pt_footprint_margins(const struct pt_footprint *footprint)
{
	return footprint->margin_count;
}

const struct pt_footprint_margin *pt_footprint_margin(const struct pt_footprint *footprint,
						      size_t i)
{
	return &footprint->margins[i];
}

uint64_t pt_footprint_rss(const struct pt_memory_pulse *pulse)
{
	return pulse->anon + pulse->file + pulse->shmem;
}

bool pt_footprint_cow_faults(const struct pt_footprint_fork *fork, uint64_t *child,
			     uint64_t *parent)
{
	if (!fork->parted.time || fork->parted.flags & PT_PARTED_NO_PARENT ||
	    fork->parted.parent_cow_faults < fork->fork.cow_faults)
		return false;
	*child = fork->parted.cow_faults;
	*parent = fork->parted.parent_cow_faults - fork->fork.cow_faults;
	return true;
}
