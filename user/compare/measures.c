/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "view/text_part.h"

/* How the figures of several tasks, loops or processes become one. */
enum fold { SUM, MOST, LEAST, MEAN };

static double number(const json_t *json, const char *path)
{
	const json_t *value = pt_text_at(json, path);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* NAN without any. ROLE_NONE: whatever their role. */
static double fold(const struct pt_scene *scene, const json_t *list, enum pt_role role,
		   const char *path, enum fold how)
{
	double result = NAN;
	size_t i, count = 0;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		double value = number(entry, path);

		if (isnan(value) || json_is_true(json_object_get(entry, "nested")) ||
		    json_is_true(json_object_get(entry, "shared_poller")))
			continue;
		if (role && pt_scene_role(scene, json_object_get(entry, "tid")) != role)
			continue;
		if (!count++)
			result = value;
		else if (how == MOST)
			result = fmax(result, value);
		else if (how == LEAST)
			result = fmin(result, value);
		else
			result += value;
	}
	return how == MEAN && count ? result / (double)count : result;
}

static double per_unit(const struct pt_scene *scene, double value)
{
	double units = number(scene->claims, "work.units");

	return units > 0 ? value / units : NAN;
}

static double per_second(const struct pt_scene *scene, double value)
{
	return scene->seconds > 0 ? value / scene->seconds : NAN;
}

static double main_delay_p99(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_MAIN, "delay_ns.p99", MOST);
}

static double main_delay_max(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_MAIN, "delay_ns.max", MOST);
}

static double main_utilization(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_MAIN, "utilization", MOST);
}

static double main_stalls(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_MAIN, "stalls", SUM);
}

static double main_stall_ns(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_MAIN, "stall_ns", SUM);
}

static double worker_delay_p99(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_WORKER, "delay_ns.p99", MOST);
}

static double worker_utilization(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_WORKER, "utilization", MEAN);
}

static double worker_stalls(const struct pt_scene *scene)
{
	return fold(scene, scene->loops, PT_ROLE_WORKER, "stalls", SUM);
}

static double worker_loops(const struct pt_scene *scene)
{
	double count = 0;
	json_t *loop;
	size_t i;

	if (!scene->loops)
		return NAN;
	json_array_foreach (scene->loops, i, loop) {
		count += !json_is_true(json_object_get(loop, "nested")) &&
			 pt_scene_role(scene, json_object_get(loop, "tid")) == PT_ROLE_WORKER;
	}
	return count;
}

static double switches(const struct pt_scene *scene)
{
	return fold(scene, scene->tasks, PT_ROLE_NONE, "switches.voluntary", SUM) +
	       fold(scene, scene->tasks, PT_ROLE_NONE, "switches.involuntary", SUM);
}

static double switches_per_second(const struct pt_scene *scene)
{
	return per_second(scene, switches(scene));
}

static double switches_per_unit(const struct pt_scene *scene)
{
	return per_unit(scene, switches(scene));
}

static double involuntary(const struct pt_scene *scene)
{
	double all = switches(scene);

	return all > 0 ? fold(scene, scene->tasks, PT_ROLE_NONE, "switches.involuntary", SUM) / all
		       : NAN;
}

static double on_cpu(const struct pt_scene *scene)
{
	return fold(scene, scene->tasks, PT_ROLE_NONE, "on_cpu_ns", SUM);
}

static double runq_share(const struct pt_scene *scene)
{
	double waited = fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.runnable", SUM);

	return waited / (waited + on_cpu(scene));
}

static double runq_p99(const struct pt_scene *scene)
{
	return fmax(fold(scene, scene->tasks, PT_ROLE_MAIN, "runq_ns.p99", MOST),
		    fold(scene, scene->tasks, PT_ROLE_WORKER, "runq_ns.p99", MOST));
}

static double cpus_used(const struct pt_scene *scene)
{
	return per_second(scene, on_cpu(scene) / 1e9);
}

static double cpus_wanted(const struct pt_scene *scene)
{
	double waited = fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.runnable", SUM);

	return per_second(scene, (on_cpu(scene) + waited) / 1e9);
}

static double cpu_per_unit(const struct pt_scene *scene)
{
	return per_unit(scene, on_cpu(scene));
}

static double kernel_share(const struct pt_scene *scene)
{
	double user = fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.user", SUM);
	double kernel = fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.kernel", SUM);

	return user + kernel > 0 ? kernel / (user + kernel) : NAN;
}

static double units_per_second(const struct pt_scene *scene)
{
	return per_second(scene, number(scene->claims, "work.units"));
}

/* Of flows from one task to another one. What a task writes to itself is no communication. */
static double flows(const struct pt_scene *scene, const char *path, bool worst)
{
	double result = scene->flows && !worst ? 0 : NAN;
	json_t *flow;
	size_t i;

	json_array_foreach (scene->flows, i, flow) {
		double value = number(flow, path);

		if (isnan(value) ||
		    json_equal(pt_text_at(flow, "from.tid"), pt_text_at(flow, "to.tid")))
			continue;
		result = worst ? fmax(result, value) : result + value;
	}
	return result;
}

static double ipc_bytes(const struct pt_scene *scene)
{
	return flows(scene, "bytes", false);
}

static double ipc_bytes_per_unit(const struct pt_scene *scene)
{
	return per_unit(scene, ipc_bytes(scene));
}

static double ipc_messages(const struct pt_scene *scene)
{
	return flows(scene, "messages", false);
}

static double ipc_p50(const struct pt_scene *scene)
{
	return flows(scene, "latency_ns.p50", true);
}

static double ipc_p99(const struct pt_scene *scene)
{
	return flows(scene, "latency_ns.p99", true);
}

static double memory_total(const struct pt_scene *scene)
{
	return fold(scene, scene->processes, PT_ROLE_NONE, "pss_bytes", SUM);
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

static double memory_per_worker(const struct pt_scene *scene)
{
	double workers = count_workers(scene);

	return workers > 0 ? memory_total(scene) / workers : NAN;
}

/* A process is known by its first task. */
static double worker_memory(const struct pt_scene *scene, const char *path)
{
	double sum = 0, count = 0;
	json_t *process;
	size_t i;

	json_array_foreach (scene->processes, i, process) {
		double value = number(process, path);

		if (isnan(value) ||
		    pt_scene_role(scene, json_object_get(process, "pid")) != PT_ROLE_WORKER)
			continue;
		sum += value;
		count++;
	}
	return count > 0 ? sum / count : NAN;
}

static double worker_uss(const struct pt_scene *scene)
{
	return worker_memory(scene, "uss_bytes");
}

static double worker_rss(const struct pt_scene *scene)
{
	return worker_memory(scene, "rss_bytes");
}

static double worker_page_tables(const struct pt_scene *scene)
{
	return worker_memory(scene, "page_tables_bytes");
}

static double shared(const struct pt_scene *scene)
{
	return fold(scene, scene->sharing, PT_ROLE_NONE, "bytes", MOST);
}

/* What is mapped more than once counts in each PSS by its part, so this is what it takes once. */
static double shared_once(const struct pt_scene *scene)
{
	return memory_total(scene) - fold(scene, scene->processes, PT_ROLE_NONE, "uss_bytes", SUM);
}

static double thread_margin(const struct pt_scene *scene)
{
	double growth = NAN;
	json_t *margin;
	size_t i;

	json_array_foreach (scene->margins, i, margin) {
		if (!strcmp(pt_text_string(margin, "model"), "thread"))
			growth = number(margin, "uss_growth_bytes");
	}
	return growth;
}

/* One more worker: what a process has of its own, and by how much threads made theirs grow. */
static double margin(const struct pt_scene *scene)
{
	double process = worker_uss(scene) + worker_page_tables(scene);

	return isnan(process) ? thread_margin(scene) : process;
}

static double claimed_shared(const struct pt_scene *scene)
{
	return fold(scene, json_object_get(scene->claims, "workers"), PT_ROLE_NONE, "shared_bytes",
		    MOST);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The middle one, as the first worker may pay for what the others find in place. */
static double startup(const struct pt_scene *scene)
{
	const json_t *workers = json_object_get(scene->claims, "workers");
	size_t n = json_array_size(workers), count = 0, i;
	double *values = calloc(n + 1, sizeof(*values)), middle = NAN;

	for (i = 0; values && i < n; i++) {
		const json_t *worker = json_array_get(workers, i);
		double value = number(worker, "startup_ns");

		if (!strcmp(pt_text_string(worker, "role"), "worker") && !isnan(value))
			values[count++] = value;
	}
	if (count) {
		qsort(values, count, sizeof(*values), by_size);
		middle = (values[(count - 1) / 2] + values[count / 2]) / 2;
	}
	free(values);
	return middle;
}

static double fork_call(const struct pt_scene *scene)
{
	return fold(scene, scene->forks, PT_ROLE_NONE, "call_ns", MEAN);
}

/* The least share that a worker had, as a part of the greatest; `a` and `b` are added up. */
static double evenness(const json_t *workers, const char *a, const char *b)
{
	double least = INFINITY, most = 0;
	size_t i, count = 0;

	for (i = 0; i < json_array_size(workers); i++) {
		const json_t *worker = json_array_get(workers, i);
		double value = number(worker, a) + (b ? number(worker, b) : 0);

		if (isnan(value))
			continue;
		least = fmin(least, value);
		most = fmax(most, value);
		count++;
	}
	return count > 1 && most > 0 ? least / most : NAN;
}

/* The port with most workers is what they are there for. */
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

/* Where the recording has no ports, what the workers counted themselves stands in. */
static const json_t *claimed_servers(const struct pt_scene *scene)
{
	return scene->ports ? NULL : json_object_get(scene->claims, "workers");
}

static double connections_even(const struct pt_scene *scene)
{
	if (!scene->ports)
		return evenness(claimed_servers(scene), "server.connections", NULL);
	return evenness(json_object_get(busiest_port(scene), "workers"), "accepted", "handed_over");
}

static double port_workers(const struct pt_scene *scene)
{
	const json_t *rows = scene->ports ? json_object_get(busiest_port(scene), "workers")
					  : claimed_servers(scene);
	double count = 0;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		count += pt_text_int(row, "accepted") + pt_text_int(row, "handed_over") +
				 pt_text_int(row, "server.connections") >
			 0;
	}
	return json_array_size(rows) ? count : NAN;
}

static double port_accepted(const struct pt_scene *scene)
{
	if (!scene->ports)
		return fold(scene, claimed_servers(scene), PT_ROLE_NONE, "server.accepted", SUM);
	return fold(scene, json_object_get(busiest_port(scene), "workers"), PT_ROLE_NONE,
		    "accepted", SUM);
}

static double cpu_even(const struct pt_scene *scene)
{
	double most = fold(scene, scene->tasks, PT_ROLE_WORKER, "on_cpu_ns", MOST);
	double least = fold(scene, scene->tasks, PT_ROLE_WORKER, "on_cpu_ns", LEAST);

	return most > 0 ? least / most : NAN;
}

/* Tasks that a signal ended: of a process that dies, all. */
static double killed(const struct pt_scene *scene)
{
	double count = 0;
	json_t *task;
	size_t i;

	json_array_foreach (scene->tasks, i, task)
		count += pt_text_int(task, "exit_signal") > 0;
	return count;
}

static double killed_processes(const struct pt_scene *scene)
{
	double count = 0;
	json_t *task;
	size_t i;

	json_array_foreach (scene->tasks, i, task)
		count += pt_text_int(task, "exit_signal") > 0 &&
			 json_equal(json_object_get(task, "tid"), json_object_get(task, "pid"));
	return count;
}

static double units_lost(const struct pt_scene *scene)
{
	double asked = number(scene->claims, "crash.units_asked");

	return asked > 0 ? number(scene->claims, "crash.units_lost") / asked : NAN;
}

static double survivors(const struct pt_scene *scene)
{
	const json_t *list = pt_text_at(scene->claims, "crash.survivors");

	return json_is_array(list) ? (double)json_array_size(list) : NAN;
}

static double main_survived(const struct pt_scene *scene)
{
	const json_t *value = pt_text_at(scene->claims, "crash.main_survived");

	return json_is_boolean(value) ? (double)json_is_true(value) : NAN;
}

static double workers(const struct pt_scene *scene)
{
	double count = count_workers(scene);

	return count > 0 ? count : NAN;
}

static double cpus(const struct pt_scene *scene)
{
	return number(scene->trace, "cpus");
}

static const struct pt_measure measures[] = {
	{"main_delay_p99_ns", "main loop", "delay, p99", PT_UNIT_NS, main_delay_p99, false},
	{"main_delay_max_ns", "main loop", "delay, longest", PT_UNIT_NS, main_delay_max, false},
	{"main_stalls", "main loop", "stalls", PT_UNIT_COUNT, main_stalls, false},
	{"main_stall_ns", "main loop", "time in stalls", PT_UNIT_NS, main_stall_ns, false},
	{"main_utilization", "main loop", "utilisation", PT_UNIT_SHARE, main_utilization, false},
	{"worker_loops", "workers", "loops", PT_UNIT_COUNT, worker_loops, false},
	{"worker_delay_p99_ns", "workers", "delay, p99 of the worst", PT_UNIT_NS, worker_delay_p99,
	 false},
	{"worker_stalls", "workers", "stalls", PT_UNIT_COUNT, worker_stalls, false},
	{"worker_utilization", "workers", "utilisation", PT_UNIT_SHARE, worker_utilization, false},
	{"units_per_second", "work", "%ss per second", PT_UNIT_COUNT, units_per_second, false},
	{"cpu_ns_per_unit", "work", "CPU time per %s", PT_UNIT_NS, cpu_per_unit, false},
	{"kernel_share", "work", "of it in the kernel", PT_UNIT_SHARE, kernel_share, false},
	{"cpus_used", "work", "CPUs in use", PT_UNIT_FACTOR, cpus_used, false},
	{"cpus_wanted", "work", "in use or waited for", PT_UNIT_FACTOR, cpus_wanted, false},
	{"switches_per_second", "scheduling", "switches per second", PT_UNIT_COUNT,
	 switches_per_second, false},
	{"switches_per_unit", "scheduling", "switches per %s", PT_UNIT_FACTOR, switches_per_unit,
	 false},
	{"involuntary_share", "scheduling", "of them involuntary", PT_UNIT_SHARE, involuntary,
	 false},
	{"runq_p99_ns", "scheduling", "wait for a CPU, p99", PT_UNIT_NS, runq_p99, false},
	{"runq_share", "scheduling", "waiting, of time it could run", PT_UNIT_SHARE, runq_share,
	 false},
	{"ipc_bytes", "communication", "bytes through channels", PT_UNIT_BYTES, ipc_bytes, false},
	{"ipc_bytes_per_unit", "communication", "bytes per %s", PT_UNIT_BYTES, ipc_bytes_per_unit,
	 false},
	{"ipc_messages", "communication", "messages", PT_UNIT_COUNT, ipc_messages, false},
	{"ipc_latency_p50_ns", "communication", "latency, p50 of the worst", PT_UNIT_NS, ipc_p50,
	 false},
	{"ipc_latency_p99_ns", "communication", "latency, p99 of the worst", PT_UNIT_NS, ipc_p99,
	 false},
	{"memory_bytes", "memory", "in all (sum of PSS)", PT_UNIT_BYTES, memory_total, false},
	{"memory_per_worker_bytes", "memory", "in all, per worker", PT_UNIT_BYTES,
	 memory_per_worker, false},
	{"worker_rss_bytes", "memory", "a worker process, RSS", PT_UNIT_BYTES, worker_rss, false},
	{"worker_uss_bytes", "memory", "a worker process, its own", PT_UNIT_BYTES, worker_uss,
	 false},
	{"worker_page_tables_bytes", "memory", "its page tables", PT_UNIT_BYTES, worker_page_tables,
	 false},
	{"margin_bytes", "memory", "one more worker", PT_UNIT_BYTES, margin, false},
	{"shared_bytes", "memory", "shared, counted once", PT_UNIT_BYTES, shared_once, false},
	{"shared_pair_bytes", "memory", "shared by two processes", PT_UNIT_BYTES, shared, false},
	{"startup_ns", "start-up", "of a worker, as it says", PT_UNIT_NS, startup, false},
	{"fork_ns", "start-up", "a call of fork", PT_UNIT_NS, fork_call, false},
	{"connections_even", "balance", "connections, least to most", PT_UNIT_SHARE,
	 connections_even, false},
	{"cpu_even", "balance", "workers' CPU, least to most", PT_UNIT_SHARE, cpu_even, false},
	{"killed_tasks", "crash", "tasks ended by a signal", PT_UNIT_COUNT, killed, true},
	{"killed_processes", "crash", "processes ended by a signal", PT_UNIT_COUNT,
	 killed_processes, true},
	{"units_lost", "crash", "work lost", PT_UNIT_SHARE, units_lost, false},
	{"survivors", "crash", "workers that survived", PT_UNIT_COUNT, survivors, false},
	{"main_survived", "crash", "main loop survived", PT_UNIT_COUNT, main_survived, true},
	{"claimed_shared_bytes", "memory", "meant to be shared", PT_UNIT_BYTES, claimed_shared,
	 true},
	{"port_workers", "balance", "workers with connections", PT_UNIT_COUNT, port_workers, true},
	{"port_accepted", "balance", "accepted by workers", PT_UNIT_COUNT, port_accepted, true},
	{"workers", "work", "workers", PT_UNIT_COUNT, workers, true},
	{"cpus", "work", "CPUs there are", PT_UNIT_COUNT, cpus, true},
};

size_t pt_measure_count(void)
{
	return PT_ARRAY_SIZE(measures);
}

const struct pt_measure *pt_measure(size_t index)
{
	return &measures[index];
}

size_t pt_measure_find(const char *key)
{
	size_t i = 0;

	while (strcmp(measures[i].key, key) != 0)
		i++;
	return i;
}

const char *pt_measure_work(const struct pt_scene *scene)
{
	static const struct {
		const char *kind, *unit;
	} units[] = {
		{"message", "message"},
		{"http", "request"},
		{"io", "operation"},
		{"memory", "block"},
	};
	const char *kind = pt_scene_text(scene, "kind");
	size_t i;

	for (i = 0; i < PT_ARRAY_SIZE(units); i++) {
		if (!strcmp(units[i].kind, kind))
			return units[i].unit;
	}
	return "unit";
}
