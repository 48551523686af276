/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/idmap.h"
#include "capture/cgroup_files.h"

#define COUNT_NS      20000000	 /* between two looks at the counters of a quota */
#define ROUND_NS      1000000000 /* between two looks at everything, at least */
#define REST	      1000	 /* times as long as the last such look took is there none */
#define PROCESSES_MAX 512	 /* looked at in one look */
#define GROUPS_MAX    1024	 /* further ones are not told */

struct group {
	char *path;
	uint64_t parent; /* number, 0: none */
	bool read;	 /* whether it has a quota is known */
	int stat;	 /* cpu.stat, if it has; else -1 */
	struct pt_cgroup_limit limit;
	struct pt_cgroup_counts counts;
	uint64_t counted; /* CLOCK_MONOTONIC ns, 0: never */
};

struct process {
	uint32_t pid;
	uint32_t place; /* in the list of all */
	uint64_t group; /* number, 0: not looked at yet */
	bool due;
};

struct pt_cgroups {
	struct pt_cgroup_files files;
	struct group *groups; /* number - 1 */
	size_t group_count, group_room;
	struct pt_idmap by_pid;
	struct process **processes;
	size_t process_count, process_room;
	size_t due;			 /* processes that are */
	uint64_t next_count, next_round; /* CLOCK_MONOTONIC ns: not before */
};

/* A look under way. */
struct look {
	struct pt_cgroups *cgroups;
	pt_probes_sink sink;
	void *context;
	uint64_t now;
};

int pt_cgroups_new(struct pt_cgroups **out)
{
	struct pt_cgroups *cgroups = calloc(1, sizeof(*cgroups));
	FILE *file = cgroups ? fopen("/proc/self/mountinfo", "re") : NULL;
	char *text = NULL;
	size_t size = 0;

	*out = cgroups;
	if (!cgroups)
		return -ENOMEM;
	if (file && getdelim(&text, &size, '\0', file) > 0)
		pt_cgroup_find(&cgroups->files, text);
	free(text);
	if (file)
		fclose(file);
	return 0;
}

static int expect(struct pt_cgroups *cgroups, uint32_t pid)
{
	struct process *process = pt_idmap_get(&cgroups->by_pid, pid), **grown;

	if (!process) {
		grown = pt_array_grow(cgroups->processes, cgroups->process_count,
				      &cgroups->process_room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		cgroups->processes = grown;
		process = calloc(1, sizeof(*process));
		if (!process || pt_idmap_put(&cgroups->by_pid, pid, process)) {
			free(process);
			return -ENOMEM;
		}
		process->pid = pid;
		process->place = (uint32_t)cgroups->process_count;
		grown[cgroups->process_count++] = process;
	}
	cgroups->due += !process->due;
	process->due = true;
	return 0;
}

static void forget(struct pt_cgroups *cgroups, struct process *process)
{
	struct process *last = cgroups->processes[--cgroups->process_count];

	cgroups->processes[process->place] = last;
	last->place = process->place;
	cgroups->due -= process->due;
	(void)pt_idmap_put(&cgroups->by_pid, process->pid, NULL);
	free(process);
}

int pt_cgroups_note(struct pt_cgroups *cgroups, const struct pt_record *record)
{
	const struct pt_fork *fork = record->row;
	const struct pt_task *task = record->row;
	const struct pt_exec *exec = record->row;

	if (record->kind == PT_KIND_fork && fork->tid == fork->pid)
		return expect(cgroups, fork->pid);
	if (record->kind == PT_KIND_exec)
		return expect(cgroups, exec->tid);
	if (record->kind == PT_KIND_task && task->tid == task->pid &&
	    !(task->flags & (PT_TASK_PEER | PT_TASK_KTHREAD | PT_TASK_LAST)))
		return expect(cgroups, task->pid);
	return 0;
}

static int tell_group(const struct look *look, uint64_t number)
{
	const struct group *group = &look->cgroups->groups[number - 1];
	struct pt_cgroup row = {
		.time = look->now,
		.group = number,
		.parent = group->parent,
		.quota = group->limit.quota,
		.period = group->limit.period,
		.flags = group->read ? PT_CGROUP_READ : 0,
		.text = (uint32_t)strlen(group->path),
	};
	struct pt_record record = {
		.kind = PT_KIND_cgroup, .row = &row, .text = group->path, .text_len = row.text};

	return look->sink(look->context, &record);
}

/* Whether the quota is another than before. A cgroup without these files has none. */
static bool read_limit(const struct pt_cgroups *cgroups, struct group *group)
{
	int folder = pt_cgroup_open(&cgroups->files, group->path);
	struct pt_cgroup_limit limit = {0}, old = group->limit;

	group->read = folder >= 0;
	if (folder >= 0 && pt_cgroup_read_limit(&cgroups->files, folder, &limit))
		limit = (struct pt_cgroup_limit){0};
	if (limit.quota && group->stat < 0)
		group->stat = openat(folder, "cpu.stat", O_RDONLY | O_CLOEXEC);
	if (folder >= 0)
		close(folder);
	group->limit = limit;
	return limit.quota != old.quota || limit.period != old.period;
}

static uint64_t find_group(const struct pt_cgroups *cgroups, const char *path)
{
	size_t i;

	for (i = cgroups->group_count; i > 0; i--) {
		if (!strcmp(cgroups->groups[i - 1].path, path))
			return i;
	}
	return 0;
}

static uint64_t new_group(const struct look *look, const char *path, uint64_t parent)
{
	struct pt_cgroups *cgroups = look->cgroups;
	struct group *grown = pt_array_grow(cgroups->groups, cgroups->group_count,
					    &cgroups->group_room, sizeof(*grown));
	struct group *group;

	if (!grown)
		return 0;
	cgroups->groups = grown;
	group = &grown[cgroups->group_count];
	*group = (struct group){.path = strdup(path), .parent = parent, .stat = -1};
	if (!group->path)
		return 0;
	(void)read_limit(cgroups, group);
	return ++cgroups->group_count;
}

/* The number of the cgroup with this path; those around it are told first. 0 or a negative errno. */
static int add_groups(const struct look *look, char *path, uint64_t *number)
{
	size_t length = strlen(path), i;
	uint64_t parent = 0;
	int ret = 0;
	char cut;

	for (i = 1; !ret && i <= length; i++) {
		/* The root itself, then each folder on the way. */
		if (i < length && i > 1 && path[i] != '/')
			continue;
		cut = path[i];
		path[i] = '\0';
		*number = find_group(look->cgroups, path);
		if (!*number && look->cgroups->group_count < GROUPS_MAX) {
			*number = new_group(look, path, parent);
			ret = *number ? tell_group(look, *number) : -ENOMEM;
		}
		path[i] = cut;
		parent = *number;
	}
	return ret;
}

/* False if it is gone. */
static bool read_path(uint32_t pid, char path[PT_CGROUP_PATH_MAX])
{
	char name[64], text[4096];
	ssize_t n = -1;
	int fd;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	text[n] = '\0';
	return pt_cgroup_path(text, path);
}

static int look_at(const struct look *look, struct process *process)
{
	struct pt_member row = {.time = look->now, .pid = process->pid};
	struct pt_record record = {.kind = PT_KIND_member, .row = &row};
	char path[PT_CGROUP_PATH_MAX];
	uint64_t number = 0;
	int ret;

	look->cgroups->due -= process->due;
	process->due = false;
	if (!read_path(process->pid, path)) {
		forget(look->cgroups, process);
		return 0;
	}
	ret = add_groups(look, path, &number);
	if (ret || !number || number == process->group)
		return ret;
	process->group = row.group = number;
	return look->sink(look->context, &record);
}

static int look_at_due(const struct look *look)
{
	struct pt_cgroups *cgroups = look->cgroups;
	size_t i = cgroups->process_count, looked = 0;
	int ret = 0;

	/* New ones are last; whoever is forgotten leaves its place to one that has been looked at. */
	while (!ret && i-- > 0 && cgroups->due && looked < PROCESSES_MAX) {
		if (!cgroups->processes[i]->due)
			continue;
		ret = look_at(look, cgroups->processes[i]);
		looked++;
	}
	return ret;
}

static int count(const struct look *look, uint64_t number, bool last)
{
	struct group *group = &look->cgroups->groups[number - 1];
	struct pt_throttle row = {.time = look->now, .group = number};
	struct pt_record record = {.kind = PT_KIND_throttle, .row = &row};
	struct pt_cgroup_counts counts;
	bool changed;

	if (group->stat < 0 || !group->limit.quota || pt_cgroup_read_counts(group->stat, &counts))
		return 0;
	changed = counts.throttled_ns != group->counts.throttled_ns ||
		  counts.throttled != group->counts.throttled || !group->counted;
	if (changed || last) {
		row.length = group->counted ? look->now - group->counted : 0;
		row.periods = counts.periods;
		row.throttled = counts.throttled;
		row.throttled_time = counts.throttled_ns;
	}
	group->counts = counts;
	group->counted = look->now;
	return changed || last ? look->sink(look->context, &record) : 0;
}

static int count_all(const struct look *look, bool last)
{
	uint64_t number;
	int ret = 0;

	for (number = 1; !ret && number <= look->cgroups->group_count; number++)
		ret = count(look, number, last);
	look->cgroups->next_count = look->now + COUNT_NS;
	return ret;
}

/* Processes may have been moved, and quotas been set. */
static int begin_round(const struct look *look)
{
	struct pt_cgroups *cgroups = look->cgroups;
	size_t i;
	int ret = 0;

	for (i = 0; i < cgroups->process_count; i++)
		cgroups->processes[i]->due = true;
	cgroups->due = cgroups->process_count;
	for (i = 0; !ret && i < cgroups->group_count; i++) {
		if (read_limit(cgroups, &cgroups->groups[i]))
			ret = tell_group(look, i + 1);
	}
	return ret;
}

int pt_cgroups_look(struct pt_cgroups *cgroups, bool last, pt_probes_sink sink, void *context)
{
	struct look look = {cgroups, sink, context, pt_clock_read(CLOCK_MONOTONIC)};
	bool round = last || look.now >= cgroups->next_round;
	uint64_t took;
	int ret = 0;

	if (round)
		ret = begin_round(&look);
	if (!ret && cgroups->due)
		ret = look_at_due(&look);
	if (round) {
		took = pt_clock_read(CLOCK_MONOTONIC) - look.now;
		cgroups->next_round = look.now + (took * REST > ROUND_NS ? took * REST : ROUND_NS);
	}
	if (!ret && (last || look.now >= cgroups->next_count))
		ret = count_all(&look, last);
	return ret;
}

void pt_cgroups_free(struct pt_cgroups *cgroups)
{
	size_t i;

	if (!cgroups)
		return;
	for (i = 0; i < cgroups->group_count; i++) {
		free(cgroups->groups[i].path);
		if (cgroups->groups[i].stat >= 0)
			close(cgroups->groups[i].stat);
	}
	for (i = 0; i < cgroups->process_count; i++)
		free(cgroups->processes[i]);
	pt_idmap_clear(&cgroups->by_pid);
	free(cgroups->processes);
	free(cgroups->groups);
	free(cgroups);
}
