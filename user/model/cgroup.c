/* SPDX-License-Identifier: BSD-2-Clause */
/* What limits the CPU time of processes, as procfs and cgroupfs told. */
#include "model/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/internal.h"

/* A hostile file may have a chain that ends in itself. */
#define DEPTH_MAX 64

static struct pt_cgroup_of *group_get(struct pt_model *model, uint64_t number)
{
	struct pt_cgroup_of *group = pt_keymap_get(&model->by_cgroup, number);

	if (group)
		return group;
	group = pt_pool_add(&model->cgroups);
	if (!group)
		return NULL;
	group->number = number;
	group->index = (uint32_t)(model->cgroups.count - 1);
	return pt_keymap_put(&model->by_cgroup, number, group) ? NULL : group;
}

PT_HANDLER(cgroup)
{
	const struct pt_cgroup *row = record->row;
	struct pt_cgroup_of *group = group_get(model, row->group), *parent = NULL;
	char *path = malloc(record->text_len + 1);

	if (row->parent && row->parent != row->group)
		parent = group_get(model, row->parent);
	if (!group || !path || (row->parent && row->parent != row->group && !parent)) {
		free(path);
		return -ENOMEM;
	}
	if (record->text_len)
		memcpy(path, record->text, record->text_len);
	path[record->text_len] = '\0';
	free(group->path);
	group->path = path;
	group->parent = parent;
	group->quota = row->quota;
	group->period = row->period;
	group->read = row->flags & PT_CGROUP_READ;
	return 0;
}

PT_HANDLER(member)
{
	const struct pt_member *row = record->row;
	struct pt_cgroup_of *group = group_get(model, row->group);
	struct pt_process *process = pt_process_get(model, row->pid);

	if (!group || !process)
		return -ENOMEM;
	if (process->cgroup != group)
		group->processes++;
	process->cgroup = group;
	return 0;
}

static int add_time(struct pt_cgroup_of *group, const struct pt_throttle *row, uint64_t ns)
{
	struct pt_throttled *grown =
		pt_array_grow(group->times, group->time_count, &group->time_room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	group->times = grown;
	/* The kernel counts it when it is over, so it began before the counters were last read, perhaps. */
	grown[group->time_count++] = (struct pt_throttled){
		.from = row->time > row->length + ns ? row->time - row->length - ns : 0,
		.to = row->time,
		.ns = ns,
	};
	return 0;
}

PT_HANDLER(throttle)
{
	const struct pt_throttle *row = record->row;
	struct pt_cgroup_of *group = group_get(model, row->group);
	uint64_t before;

	if (!group)
		return -ENOMEM;
	before = group->base_throttled_ns + group->throttled_ns;
	if (!group->counted || row->periods < group->base_periods || row->throttled_time < before) {
		group->counted = true;
		group->base_periods = row->periods;
		group->base_throttled = row->throttled;
		group->base_throttled_ns = row->throttled_time;
		group->periods = group->throttled = group->throttled_ns = 0;
		return 0;
	}
	group->periods = row->periods - group->base_periods;
	group->throttled = row->throttled - group->base_throttled;
	group->throttled_ns = row->throttled_time - group->base_throttled_ns;
	if (row->throttled_time == before)
		return 0;
	return add_time(group, row, row->throttled_time - before);
}

static uint64_t held_ns(const struct pt_cgroup_of *group, uint64_t from, uint64_t to)
{
	uint64_t sum = 0, begin, end, ns;
	size_t i;

	/* In order of their end. */
	for (i = group->time_count; i > 0 && group->times[i - 1].to > from; i--) {
		begin = group->times[i - 1].from > from ? group->times[i - 1].from : from;
		end = group->times[i - 1].to < to ? group->times[i - 1].to : to;
		ns = end > begin ? end - begin : 0;
		sum += ns < group->times[i - 1].ns ? ns : group->times[i - 1].ns;
	}
	return sum < to - from ? sum : to - from;
}

uint64_t pt_cgroup_held(const struct pt_cgroup_of *group, uint64_t from, uint64_t to,
			const struct pt_cgroup_of **by)
{
	unsigned int depth = 0;
	uint64_t most = 0, ns;

	*by = NULL;
	for (; group && depth++ < DEPTH_MAX; group = group->parent) {
		ns = held_ns(group, from, to);
		if (ns > most) {
			most = ns;
			*by = group;
		}
	}
	return most;
}

bool pt_cgroup_is_read(const struct pt_cgroup_of *group)
{
	unsigned int depth = 0;

	for (; group && group->read; group = group->parent) {
		if (!group->parent || depth++ == DEPTH_MAX)
			return true;
	}
	return false;
}

size_t pt_model_cgroup_count(const struct pt_model *model)
{
	return model->cgroups.count;
}

const struct pt_cgroup_of *pt_model_cgroup(const struct pt_model *model, size_t index)
{
	return pt_pool_at(&model->cgroups, index);
}

void pt_cgroups_clear(struct pt_model *model)
{
	size_t i;

	for (i = 0; i < model->cgroups.count; i++) {
		struct pt_cgroup_of *group = pt_pool_at(&model->cgroups, i);

		free(group->path);
		free(group->times);
	}
	pt_pool_clear(&model->cgroups);
	pt_keymap_clear(&model->by_cgroup);
}
