/* SPDX-License-Identifier: BSD-2-Clause */
/* Communication, memory, start-up, balance, and what a crash takes down. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare/measure_tools.h"
#include "compare/stats.h"
#include "view/text_part.h"

/* Wake-ups alone are no communication of the kind that is measured here. */
static bool is_futex(const json_t *flow)
{
	const char *kind = pt_text_string(flow, "kind");

	return !strcmp(kind, "futex") || !strcmp(kind, "shared-memory");
}

/* Of flows from one task to another one. What a task writes to itself is no communication. */
static double flows(const struct pt_scene *scene, const char *path, bool worst)
{
	double result = scene->flows && !worst ? 0 : NAN;
	json_t *flow;
	size_t i;

	json_array_foreach (scene->flows, i, flow) {
		double value = pt_measure_number(flow, path);

		if (isnan(value) || is_futex(flow) ||
		    json_equal(pt_text_at(flow, "from.tid"), pt_text_at(flow, "to.tid")))
			continue;
		result = worst ? fmax(result, value) : result + value;
	}
	return result;
}

double pt_measure_ipc_bytes(const struct pt_scene *scene)
{
	return flows(scene, "bytes", false);
}

double pt_measure_ipc_bytes_per_unit(const struct pt_scene *scene)
{
	return pt_measure_per_unit(scene, pt_measure_ipc_bytes(scene));
}

double pt_measure_ipc_messages(const struct pt_scene *scene)
{
	return flows(scene, "messages", false);
}

double pt_measure_ipc_latency_p50_ns(const struct pt_scene *scene)
{
	return flows(scene, "latency_ns.p50", true);
}

double pt_measure_ipc_latency_p99_ns(const struct pt_scene *scene)
{
	return flows(scene, "latency_ns.p99", true);
}

double pt_measure_memory_bytes(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->processes, PT_ROLE_NONE, "pss_bytes", PT_FOLD_SUM);
}

static double count_workers(const struct pt_scene *scene)
{
	const json_t *workers = json_object_get(scene->claims, "workers");
	double count = 0;
	size_t i;

	for (i = 0; i < json_array_size(workers); i++)
		count += !strcmp(pt_text_string(json_array_get(workers, i), "role"), "worker");
	return count;
}

double pt_measure_memory_per_worker_bytes(const struct pt_scene *scene)
{
	double workers = count_workers(scene);

	return workers > 0 ? pt_measure_memory_bytes(scene) / workers : NAN;
}

/* What the kernel holds for a process belongs to what it costs. */
double pt_measure_footprint_per_worker_bytes(const struct pt_scene *scene)
{
	double tables = pt_measure_fold(scene, scene->processes, PT_ROLE_NONE, "page_tables_bytes",
					PT_FOLD_SUM);
	double stacks = pt_measure_fold(scene, scene->processes, PT_ROLE_NONE,
					"kernel_stacks_bytes", PT_FOLD_SUM);

	return pt_measure_memory_per_worker_bytes(scene) + (tables + stacks) / count_workers(scene);
}

/* A process is known by its first task. */
static double worker_memory(const struct pt_scene *scene, const char *path)
{
	double sum = 0, count = 0;
	json_t *process;
	size_t i;

	json_array_foreach (scene->processes, i, process) {
		double value = pt_measure_number(process, path);

		if (isnan(value) ||
		    pt_scene_role(scene, json_object_get(process, "pid")) != PT_ROLE_WORKER)
			continue;
		sum += value;
		count++;
	}
	return count > 0 ? sum / count : NAN;
}

double pt_measure_worker_uss_bytes(const struct pt_scene *scene)
{
	return worker_memory(scene, "uss_bytes");
}

double pt_measure_worker_rss_bytes(const struct pt_scene *scene)
{
	return worker_memory(scene, "rss_bytes");
}

double pt_measure_worker_page_tables_bytes(const struct pt_scene *scene)
{
	return worker_memory(scene, "page_tables_bytes");
}

double pt_measure_shared_pair_bytes(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->sharing, PT_ROLE_NONE, "bytes", PT_FOLD_MOST);
}

/* What is mapped more than once counts in each PSS by its part, so this is what it takes once. */
double pt_measure_shared_bytes(const struct pt_scene *scene)
{
	return pt_measure_memory_bytes(scene) -
	       pt_measure_fold(scene, scene->processes, PT_ROLE_NONE, "uss_bytes", PT_FOLD_SUM);
}

static double thread_margin(const struct pt_scene *scene)
{
	double growth = NAN;
	json_t *margin;
	size_t i;

	json_array_foreach (scene->margins, i, margin) {
		if (!strcmp(pt_text_string(margin, "model"), "thread"))
			growth = pt_measure_number(margin, "uss_growth_bytes");
	}
	return growth;
}

/* What threads made their process grow by, a block that all share apart. */
static double growth(const struct pt_scene *scene)
{
	double before = pt_measure_number(scene->claims, "before_bytes");
	double shared = pt_measure_claimed_shared_bytes(scene);
	json_t *process;
	size_t i;

	if (strcmp(pt_scene_text(scene, "model"), "thread") != 0)
		return thread_margin(scene);
	json_array_foreach (scene->processes, i, process) {
		if (pt_scene_role(scene, json_object_get(process, "pid")) == PT_ROLE_MAIN)
			return (pt_measure_number(process, "anon_bytes") - before -
				(isnan(shared) ? 0 : shared)) /
			       count_workers(scene);
	}
	return NAN;
}

/* One more worker: what a process has of its own, and by how much threads made theirs grow. */
double pt_measure_margin_bytes(const struct pt_scene *scene)
{
	double process =
		pt_measure_worker_uss_bytes(scene) + pt_measure_worker_page_tables_bytes(scene);

	return isnan(process) ? growth(scene) : process;
}

double pt_measure_claimed_shared_bytes(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, json_object_get(scene->claims, "workers"), PT_ROLE_NONE,
			       "shared_bytes", PT_FOLD_MOST);
}

/* The middle one, as the first worker may pay for what the others find in place. */
double pt_measure_startup_ns(const struct pt_scene *scene)
{
	const json_t *workers = json_object_get(scene->claims, "workers");
	size_t n = json_array_size(workers), count = 0, i;
	double *values = calloc(n + 1, sizeof(*values));
	struct pt_spread spread = {0};

	for (i = 0; values && i < n; i++) {
		const json_t *worker = json_array_get(workers, i);
		double value = pt_measure_number(worker, "startup_ns");

		if (!strcmp(pt_text_string(worker, "role"), "worker") && !isnan(value))
			values[count++] = value;
	}
	pt_spread_of(&spread, values, count);
	free(values);
	return count ? spread.median : NAN;
}

double pt_measure_fork_ns(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->forks, PT_ROLE_NONE, "call_ns", PT_FOLD_MEAN);
}

/* The port with most processes is what they are there for. */
static const json_t *busiest_port(const struct pt_scene *scene)
{
	const json_t *busiest = NULL;
	json_t *port;
	size_t i;

	json_array_foreach (scene->ports, i, port) {
		if (json_array_size(json_object_get(port, "workers")) >
		    json_array_size(json_object_get(busiest, "workers")))
			busiest = port;
	}
	return busiest;
}

/*
 * Who serves a port, in turn: the recording lists the main process, too, which only hands over. Where it has no ports,
 * what the workers counted themselves stands in.
 */
static const json_t *next_server(const struct pt_scene *scene, size_t *i)
{
	const json_t *rows = scene->ports ? json_object_get(busiest_port(scene), "workers")
					  : json_object_get(scene->claims, "workers");

	while (*i < json_array_size(rows)) {
		const json_t *row = json_array_get(rows, (*i)++);

		if (pt_scene_role(scene, json_object_get(row, "pid")) == PT_ROLE_WORKER)
			return row;
	}
	return NULL;
}

static double connections(const json_t *row)
{
	return (double)pt_text_int(row, "accepted") + (double)pt_text_int(row, "handed_over") +
	       (double)pt_text_int(row, "server.connections");
}

double pt_measure_connections_even(const struct pt_scene *scene)
{
	double least = INFINITY, most = 0;
	size_t i = 0, count = 0;
	const json_t *row;

	while ((row = next_server(scene, &i))) {
		least = fmin(least, connections(row));
		most = fmax(most, connections(row));
		count++;
	}
	return count > 1 && most > 0 ? least / most : NAN;
}

double pt_measure_port_workers(const struct pt_scene *scene)
{
	size_t i = 0, count = 0, serving = 0;
	const json_t *row;

	while ((row = next_server(scene, &i))) {
		serving += connections(row) > 0;
		count++;
	}
	return count ? (double)serving : NAN;
}

double pt_measure_port_accepted(const struct pt_scene *scene)
{
	size_t i = 0, count = 0;
	const json_t *row;
	double sum = 0;

	for (; (row = next_server(scene, &i)); count++)
		sum += (double)pt_text_int(row, "accepted") +
		       (double)pt_text_int(row, "server.accepted");
	return count ? sum : NAN;
}

double pt_measure_cpu_even(const struct pt_scene *scene)
{
	double most =
		pt_measure_fold(scene, scene->tasks, PT_ROLE_WORKER, "on_cpu_ns", PT_FOLD_MOST);
	double least =
		pt_measure_fold(scene, scene->tasks, PT_ROLE_WORKER, "on_cpu_ns", PT_FOLD_LEAST);

	return most > 0 ? least / most : NAN;
}

/* Tasks that a signal ended: of a process that dies, all. */
double pt_measure_killed_tasks(const struct pt_scene *scene)
{
	double count = 0;
	json_t *task;
	size_t i;

	json_array_foreach (scene->tasks, i, task)
		count += pt_text_int(task, "exit_signal") > 0;
	return count;
}

double pt_measure_killed_processes(const struct pt_scene *scene)
{
	double count = 0;
	json_t *task;
	size_t i;

	json_array_foreach (scene->tasks, i, task)
		count += pt_text_int(task, "exit_signal") > 0 &&
			 json_equal(json_object_get(task, "tid"), json_object_get(task, "pid"));
	return count;
}

double pt_measure_units_lost(const struct pt_scene *scene)
{
	double asked = pt_measure_number(scene->claims, "crash.units_asked");

	return asked > 0 ? pt_measure_number(scene->claims, "crash.units_lost") / asked : NAN;
}

double pt_measure_survivors(const struct pt_scene *scene)
{
	const json_t *list = pt_text_at(scene->claims, "crash.survivors");

	return json_is_array(list) ? (double)json_array_size(list) : NAN;
}

double pt_measure_main_survived(const struct pt_scene *scene)
{
	const json_t *value = pt_text_at(scene->claims, "crash.main_survived");

	return json_is_boolean(value) ? (double)json_is_true(value) : NAN;
}

double pt_measure_workers(const struct pt_scene *scene)
{
	double count = count_workers(scene);

	return count > 0 ? count : NAN;
}

double pt_measure_cpus(const struct pt_scene *scene)
{
	return pt_measure_number(scene->trace, "cpus");
}
