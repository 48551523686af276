/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "view/text_part.h"

/* Roles by pid and by tid are told apart in one map: pids lie beyond what a tid can be. */
#define BY_PID 0x80000000U

/* Snapshots of several processes this close together (ns) are one round. */
#define ONE_ROUND 150000000

/* What the map of roles points to: the place is the role. */
static char role_marks[PT_ROLE_WORKER + 1];

static int set_role(struct pt_scene *scene, uint32_t id, enum pt_role role)
{
	return pt_idmap_put(&scene->roles, id, &role_marks[role]);
}

/* -1: nothing is known of it. */
static int role_of(const struct pt_scene *scene, uint32_t id)
{
	const char *mark = pt_idmap_get(&scene->roles, id);

	return mark ? (int)(mark - role_marks) : -1;
}

static uint32_t id_of(const json_t *json, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(json, key)) & ~BY_PID;
}

enum pt_role pt_scene_role(const struct pt_scene *scene, const json_t *tid)
{
	int role = role_of(scene, (uint32_t)json_integer_value(tid) & ~BY_PID);

	return role < 0 ? PT_ROLE_NONE : (enum pt_role)role;
}

const char *pt_scene_text(const struct pt_scene *scene, const char *path)
{
	return pt_text_string(scene->claims, path);
}

/* The parts that it names itself. A client is another process than those it is served by. */
static int claim_roles(struct pt_scene *scene, const json_t *claims)
{
	const json_t *workers = json_object_get(claims, "workers");
	uint32_t pid = id_of(claims, "pid");
	int ret = set_role(scene, pid | BY_PID, PT_ROLE_OTHER);
	size_t i;

	if (!ret)
		ret = set_role(scene, pid, PT_ROLE_MAIN);
	for (i = 0; !ret && i < json_array_size(workers); i++) {
		const json_t *worker = json_array_get(workers, i);
		bool client = json_object_get(worker, "client") ||
			      (!strcmp(pt_scene_text(scene, "kind"), "http") &&
			       !strcmp(pt_text_string(worker, "role"), "helper"));
		bool works = !strcmp(pt_text_string(worker, "role"), "worker");

		if (client || id_of(worker, "pid") != pid)
			ret = set_role(scene, id_of(worker, "pid") | BY_PID,
				       client ? PT_ROLE_NONE : PT_ROLE_OTHER);
		if (!ret && works)
			ret = set_role(scene, id_of(worker, "tid"), PT_ROLE_WORKER);
	}
	return ret;
}

/* In a recording of anything else the first task's loop is the main one, and who has another is a worker. */
static int guess_roles(struct pt_scene *scene, const json_t *document)
{
	const json_t *tasks = json_object_get(document, "tasks");
	const json_t *loops = json_object_get(document, "loops");
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < json_array_size(loops); i++) {
		const json_t *loop = json_array_get(loops, i);

		if (!json_is_true(json_object_get(loop, "nested")))
			ret = set_role(scene, id_of(loop, "tid"), PT_ROLE_WORKER);
	}
	for (i = 0; !ret && i < json_array_size(tasks); i++)
		ret = set_role(scene, id_of(json_array_get(tasks, i), "pid") | BY_PID,
			       PT_ROLE_OTHER);
	if (!ret && json_array_size(tasks))
		ret = set_role(scene, id_of(json_array_get(tasks, 0), "tid"), PT_ROLE_MAIN);
	return ret;
}

/* Children of the scene belong to it, and every task of its processes. Parents come before children. */
static int spread_roles(struct pt_scene *scene, const json_t *document)
{
	const json_t *tasks = json_object_get(document, "tasks");
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < json_array_size(tasks); i++) {
		const json_t *task = json_array_get(tasks, i);
		uint32_t pid = id_of(task, "pid") | BY_PID, tid = id_of(task, "tid");
		int parent = role_of(scene, id_of(task, "ppid") | BY_PID);

		if (role_of(scene, pid) < 0 && parent >= 0)
			ret = set_role(scene, pid, (enum pt_role)parent);
		if (!ret && role_of(scene, tid) < 0 && role_of(scene, pid) > PT_ROLE_NONE)
			ret = set_role(scene, tid, PT_ROLE_OTHER);
	}
	return ret;
}

bool pt_scene_has_pid(const struct pt_scene *scene, const json_t *pid)
{
	return role_of(scene, (uint32_t)json_integer_value(pid) | BY_PID) > PT_ROLE_NONE;
}

/* Each of these entries has one or two pids that must be of the scene. */
static json_t *cut(const struct pt_scene *scene, const json_t *list, const char *one,
		   const char *other)
{
	json_t *part, *entry;
	size_t i;

	if (!json_is_array(list))
		return NULL;
	part = json_array();
	json_array_foreach ((json_t *)list, i, entry) {
		if (pt_scene_has_pid(scene, pt_text_at(entry, one)) &&
		    (!other || pt_scene_has_pid(scene, pt_text_at(entry, other))))
			json_array_append(part, entry);
	}
	return part;
}

static json_t *cut_ports(const struct pt_scene *scene, const json_t *list)
{
	json_t *part, *port, *worker;
	size_t i, j;

	if (!json_is_array(list))
		return NULL;
	part = json_array();
	json_array_foreach ((json_t *)list, i, port) {
		bool ours = false;

		json_array_foreach (json_object_get(port, "workers"), j, worker)
			ours |= pt_scene_has_pid(scene, json_object_get(worker, "pid"));
		if (ours)
			json_array_append(part, port);
	}
	return part;
}

/* The snapshot of a process that is nearest to a time, with its pid beside; NULL: it was not there. */
static json_t *snapshot_at(const json_t *process, uint64_t time)
{
	json_t *points = json_object_get(process, "points"), *point, *nearest = NULL;
	uint64_t least = ONE_ROUND;
	size_t i;

	json_array_foreach (points, i, point) {
		uint64_t at = pt_text_int(point, "at_ns"), away = at > time ? at - time : time - at;

		if (away >= least)
			continue;
		nearest = point;
		least = away;
	}
	if (!nearest)
		return NULL;
	nearest = json_copy(nearest);
	json_object_set(nearest, "pid", json_object_get(process, "pid"));
	return nearest;
}

static json_t *round_at(const json_t *series, uint64_t time, uint64_t *total)
{
	json_t *list = json_array(), *process;
	size_t i;

	*total = 0;
	json_array_foreach ((json_t *)series, i, process) {
		json_t *point = snapshot_at(process, time);

		*total += pt_text_int(point, "pss_bytes");
		if (point)
			json_array_append_new(list, point);
	}
	return list;
}

static bool tells_of(const json_t *round, const json_t *pid)
{
	json_t *point;
	size_t i;

	json_array_foreach ((json_t *)round, i, point) {
		if (json_equal(json_object_get(point, "pid"), pid))
			return true;
	}
	return false;
}

/*
 * Was every worker there, and is every process in it that was? The recorder looks at as many as its share of the CPU
 * allows: the sum of some would be too low.
 */
static bool is_whole(const struct pt_scene *scene, const json_t *round, uint64_t time)
{
	json_t *task;
	size_t i;

	json_array_foreach (scene->tasks, i, task) {
		const json_t *tid = json_object_get(task, "tid"),
			     *pid = json_object_get(task, "pid");
		const json_t *end = json_object_get(task, "end_ns");
		bool there = pt_text_int(task, "start_ns") <= time &&
			     (!json_is_integer(end) || pt_text_int(task, "end_ns") >= time);

		if (!there && pt_scene_role(scene, tid) == PT_ROLE_WORKER)
			return false;
		if (there && json_equal(tid, pid) && !tells_of(round, pid))
			return false;
	}
	return true;
}

/*
 * All processes of a workload at the moment at which together they took most: the last snapshot may find them having
 * given back what they had held. The main process is there from first to last. NULL if they were never looked at all
 * together.
 */
static json_t *at_highest(const struct pt_scene *scene, const json_t *all)
{
	json_t *series = cut(scene, all, "pid", NULL), *highest = NULL, *process, *point;
	uint64_t most = 0, total;
	size_t i, j;

	json_array_foreach (series, i, process) {
		if (!json_equal(json_object_get(process, "pid"),
				json_object_get(scene->claims, "pid")))
			continue;
		json_array_foreach (json_object_get(process, "points"), j, point) {
			json_t *round = round_at(series, pt_text_int(point, "at_ns"), &total);

			if (total > most && is_whole(scene, round, pt_text_int(point, "at_ns"))) {
				json_decref(highest);
				highest = json_incref(round);
				most = total;
			}
			json_decref(round);
		}
	}
	json_decref(series);
	return highest;
}

static json_t *memory_of(const struct pt_scene *scene, const json_t *document)
{
	const json_t *series = pt_text_at(document, "memory.series");

	if (scene->claims && json_is_array(series))
		return at_highest(scene, series);
	return cut(scene, pt_text_at(document, "memory.processes"), "pid", NULL);
}

static double duration(const struct pt_scene *scene)
{
	uint64_t start = pt_text_int(scene->claims, "start_ns");
	uint64_t end = pt_text_int(scene->claims, "end_ns");

	if (scene->claims && end > start)
		return (double)(end - start) / 1e9;
	return (double)pt_text_int(scene->trace, "duration_ns") / 1e9;
}

static int fill(struct pt_scene *scene, const json_t *document, const char *file,
		const json_t *claims)
{
	int ret;

	scene->file = file;
	scene->claims = claims;
	scene->trace = json_object_get(document, "trace");
	ret = claims ? claim_roles(scene, claims) : guess_roles(scene, document);
	if (!ret)
		ret = spread_roles(scene, document);
	scene->tasks = cut(scene, json_object_get(document, "tasks"), "pid", NULL);
	scene->loops = cut(scene, json_object_get(document, "loops"), "pid", NULL);
	scene->stalls = cut(scene, json_object_get(document, "stalls"), "pid", NULL);
	scene->flows = cut(scene, pt_text_at(document, "ipc.flows"), "from.pid", "to.pid");
	scene->processes = memory_of(scene, document);
	scene->sharing = cut(scene, pt_text_at(document, "memory.sharing"), "a", "b");
	scene->forks = cut(scene, pt_text_at(document, "memory.forks"), "pid", NULL);
	scene->ports = cut_ports(scene, json_object_get(document, "balance"));
	scene->seconds = duration(scene);
	if (json_array_size(json_object_get(document, "workloads")) <= 1)
		scene->margins = pt_text_at(document, "memory.margin");
	return ret;
}

int pt_scenes_add(struct pt_scenes *scenes, const json_t *document, const char *file)
{
	const json_t *claims = json_object_get(document, "workloads");
	size_t i, count = json_array_size(claims) ? json_array_size(claims) : 1;
	struct pt_scene *items =
		reallocarray(scenes->items, scenes->count + count, sizeof(*scenes->items));
	int ret = 0;

	if (!items)
		return -ENOMEM;
	scenes->items = items;
	memset(items + scenes->count, 0, count * sizeof(*items));
	for (i = 0; !ret && i < count; i++) {
		const json_t *one = json_array_get(claims, i);

		ret = fill(&items[scenes->count++], document, file,
			   json_is_object(one) ? one : NULL);
	}
	return ret;
}

void pt_scenes_clear(struct pt_scenes *scenes)
{
	size_t i;

	for (i = 0; i < scenes->count; i++) {
		struct pt_scene *scene = &scenes->items[i];

		json_decref(scene->tasks);
		json_decref(scene->loops);
		json_decref(scene->stalls);
		json_decref(scene->flows);
		json_decref(scene->processes);
		json_decref(scene->sharing);
		json_decref(scene->forks);
		json_decref(scene->ports);
		pt_idmap_clear(&scene->roles);
	}
	free(scenes->items);
	*scenes = (struct pt_scenes){0};
}
