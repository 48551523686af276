/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/beliefs.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "view/section.h"

#define SAYS_SIZE 512

/* With one run each, a difference below this part of the smaller figure is taken for chance. */
#define CHANCE 0.10

/* A loop that keeps an event waiting for so long (ns) is blocked; one that never does is free. */
#define BLOCKED 10e6

#define MODELS 3

static const char *const models[MODELS] = {"thread", "process", "cluster"};

enum { THREAD, PROCESS, CLUSTER };

/* What a belief is judged by, and what it finds. */
struct trial {
	const struct pt_comparison *comparison;
	const char *runtime;
	char says[SAYS_SIZE];
	size_t used;
	size_t fewest_runs; /* of the figures that were asked for */
};

static const struct pt_spread *spread_of(struct trial *trial, int model, const char *kind,
					 const char *mode, const char *key)
{
	static const struct pt_spread none = {.median = NAN};
	size_t measure = pt_measure_find(key), i;

	for (i = 0; i < trial->comparison->group_count; i++) {
		const struct pt_group *group = &trial->comparison->groups[i];
		const struct pt_scene *scene = group->runs[0];

		if (!group->figures[measure].runs || !scene->claims ||
		    strcmp(pt_scene_text(scene, "runtime"), trial->runtime) != 0 ||
		    strcmp(pt_scene_text(scene, "model"), models[model]) != 0 ||
		    strcmp(pt_scene_text(scene, "kind"), kind) != 0 ||
		    (mode && strcmp(pt_scene_text(scene, "options.mode"), mode) != 0))
			continue;
		if (!trial->fewest_runs || group->figures[measure].runs < trial->fewest_runs)
			trial->fewest_runs = group->figures[measure].runs;
		return &group->figures[measure];
	}
	return &none;
}

static double figure(struct trial *trial, int model, const char *kind, const char *mode,
		     const char *key)
{
	return spread_of(trial, model, kind, mode, key)->median;
}

static void say(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct trial *trial, const char *format, ...)
{
	size_t room = sizeof(trial->says) - trial->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(trial->says + trial->used, room, format, args);
	va_end(args);
	if (n > 0)
		trial->used += (size_t)n < room ? (size_t)n : room - 1;
}

/* How often "this figure is smaller than that" was found to hold, not to hold, or could not be told. */
struct tally {
	int holds, fails, unsure;
};

static void expect_less(struct tally *tally, const struct pt_spread *less,
			const struct pt_spread *more)
{
	double least = fmin(fabs(less->median), fabs(more->median)), half = 0;
	double difference = fabs(less->median - more->median);
	bool known = pt_spread_uncertainty(less, more, &half);

	if (known ? pt_spread_differs(less, more) || pt_spread_apart(less, more)
		  : difference > CHANCE * least) {
		tally->holds += less->median < more->median;
		tally->fails += less->median > more->median;
	} else if (half > CHANCE * least) {
		tally->unsure++;
	} else {
		tally->fails++;
	}
}

static enum pt_verdict verdict_of(const struct tally *tally)
{
	if (tally->holds && tally->fails)
		return PT_VERDICT_PARTLY;
	if (tally->fails)
		return PT_VERDICT_NOT_HERE;
	return tally->unsure ? PT_VERDICT_UNSURE : PT_VERDICT_HOLDS;
}

/* Says the figure of one measure for all three models; false if one of them was not measured. */
static bool say_three(struct trial *trial, const char *kind, const char *mode, const char *key,
		      const char *what, const struct pt_spread *spreads[MODELS])
{
	enum pt_unit unit = pt_measure(pt_measure_find(key))->unit;
	bool all = true;
	int i;

	for (i = 0; i < MODELS; i++) {
		spreads[i] = spread_of(trial, i, kind, mode, key);
		all &= spreads[i]->runs > 0;
	}
	if (all)
		say(trial, "%s%s: thread %s, process %s, cluster %s", trial->used ? "; " : "", what,
		    pt_comparison_figure(unit, spreads[THREAD]->median).s,
		    pt_comparison_figure(unit, spreads[PROCESS]->median).s,
		    pt_comparison_figure(unit, spreads[CLUSTER]->median).s);
	return all;
}

static enum pt_verdict of_count(int holds, int count)
{
	return !count		? PT_VERDICT_UNMEASURED
	       : holds == count ? PT_VERDICT_HOLDS
	       : holds		? PT_VERDICT_PARTLY
				: PT_VERDICT_NOT_HERE;
}

static enum pt_verdict blocks_the_loop(struct trial *trial)
{
	int i, blocked = 0, count = 0;

	for (i = 0; i < MODELS; i++) {
		double on_main = figure(trial, i, "cpu", "main", "main_delay_max_ns");
		double on_workers = figure(trial, i, "cpu", "workers", "main_delay_max_ns");

		if (isnan(on_main))
			continue;
		say(trial, "%s%s: an event waits up to %s", count++ ? "; " : "", models[i],
		    pt_comparison_figure(PT_UNIT_NS, on_main).s);
		if (!isnan(on_workers))
			say(trial, ", %s if workers compute",
			    pt_comparison_figure(PT_UNIT_NS, on_workers).s);
		blocked += on_main >= BLOCKED && !(on_main < 2 * on_workers);
	}
	return of_count(blocked, count);
}

static enum pt_verdict frees_the_loop(struct trial *trial)
{
	int i, holds = 0, count = 0;

	for (i = 0; i < MODELS; i++) {
		double delay = figure(trial, i, "cpu", "workers", "main_delay_p99_ns");
		double busy = figure(trial, i, "cpu", "workers", "main_utilization");

		if (isnan(delay) || isnan(busy))
			continue;
		say(trial, "%s%s: p99 delay of the main loop %s, utilisation %s",
		    count++ ? "; " : "", models[i], pt_comparison_figure(PT_UNIT_NS, delay).s,
		    pt_comparison_figure(PT_UNIT_SHARE, busy).s);
		holds += delay < BLOCKED;
	}
	return of_count(holds, count);
}

static enum pt_verdict own_loops(struct trial *trial)
{
	int i, holds = 0, count = 0;

	for (i = 0; i < MODELS; i++) {
		double loops = figure(trial, i, "cpu", "workers", "worker_loops");
		double workers = figure(trial, i, "cpu", "workers", "workers");

		if (isnan(loops) || isnan(workers))
			continue;
		say(trial, "%s%s: %.0f loops of %.0f workers", count++ ? "; " : "", models[i],
		    loops, workers);
		holds += loops >= workers;
	}
	return of_count(holds, count);
}

/* Judged without data of their own: beside enough of it, any worker is light. */
static enum pt_verdict lighter_memory(struct trial *trial)
{
	const struct pt_spread *empty[MODELS], *loaded[MODELS];
	struct tally tally = {0};

	if (!say_three(trial, "cpu", "workers", "memory_per_worker_bytes",
		       "in all, per worker without data", empty))
		return PT_VERDICT_UNMEASURED;
	say_three(trial, "memory", "own", "memory_per_worker_bytes", "with data of its own",
		  loaded);
	expect_less(&tally, empty[THREAD], empty[PROCESS]);
	expect_less(&tally, empty[THREAD], empty[CLUSTER]);
	return verdict_of(&tally);
}

static enum pt_verdict lighter_startup(struct trial *trial)
{
	const struct pt_spread *startup[MODELS];
	struct tally tally = {0};

	if (!say_three(trial, "cpu", "workers", "startup_ns", "from creation to first message",
		       startup))
		return PT_VERDICT_UNMEASURED;
	expect_less(&tally, startup[THREAD], startup[PROCESS]);
	expect_less(&tally, startup[THREAD], startup[CLUSTER]);
	return verdict_of(&tally);
}

static enum pt_verdict faster_messages(struct trial *trial)
{
	const struct pt_spread *burst[MODELS], *turns[MODELS];
	bool a = say_three(trial, "message", "burst", "cpu_ns_per_unit",
			   "CPU time of a message in a burst", burst);
	bool b = say_three(trial, "message", "ping-pong", "units_per_second",
			   "round trips per second", turns);
	struct tally tally = {0};

	if (!a || !b)
		return PT_VERDICT_UNMEASURED;
	expect_less(&tally, burst[THREAD], burst[PROCESS]);
	expect_less(&tally, turns[PROCESS], turns[THREAD]);
	return verdict_of(&tally);
}

/* A block that all map is there once. Had each a copy, nothing would be shared but the program. */
static enum pt_verdict shares_memory(struct trial *trial)
{
	double block = figure(trial, PROCESS, "memory", "shared", "claimed_shared_bytes");
	double shared = figure(trial, PROCESS, "memory", "shared", "shared_bytes");
	double threads = figure(trial, THREAD, "memory", "shared", "memory_bytes");
	double processes = figure(trial, PROCESS, "memory", "shared", "memory_bytes");

	if (isnan(block) || isnan(shared) || isnan(threads) || isnan(processes))
		return PT_VERDICT_UNMEASURED;
	say(trial,
	    "processes share %s, a block of %s among it; in all threads take %s, processes %s",
	    pt_comparison_figure(PT_UNIT_BYTES, shared).s,
	    pt_comparison_figure(PT_UNIT_BYTES, block).s,
	    pt_comparison_figure(PT_UNIT_BYTES, threads).s,
	    pt_comparison_figure(PT_UNIT_BYTES, processes).s);
	return shared >= block ? PT_VERDICT_NOT_HERE : PT_VERDICT_HOLDS;
}

static enum pt_verdict dearer_children(struct trial *trial)
{
	const struct pt_spread *startup[MODELS], *message[MODELS];
	struct tally tally = {0};
	bool a = say_three(trial, "cpu", "workers", "startup_ns", "start-up", startup);
	bool b = say_three(trial, "message", "burst", "cpu_ns_per_unit", "CPU time of a message",
			   message);

	if (!a || !b)
		return PT_VERDICT_UNMEASURED;
	expect_less(&tally, startup[CLUSTER], startup[PROCESS]);
	expect_less(&tally, message[CLUSTER], message[PROCESS]);
	return verdict_of(&tally);
}

/* What others on the machine took away was waited for: it counts as what could have been used. */
static enum pt_verdict uses_all_cores(struct trial *trial)
{
	const struct pt_spread *used[MODELS], *wanted[MODELS];
	double there = figure(trial, THREAD, "cpu", "workers", "cpus");
	double workers = figure(trial, THREAD, "cpu", "workers", "workers");
	double could = fmin(there, workers);
	int i, holds = 0;

	if (!say_three(trial, "cpu", "workers", "cpus_used", "CPUs in use", used) ||
	    !say_three(trial, "cpu", "workers", "cpus_wanted", "in use or waited for", wanted) ||
	    isnan(could))
		return PT_VERDICT_UNMEASURED;
	say(trial, "; %.0f workers could use %.0f", workers, could);
	for (i = 0; i < MODELS; i++)
		holds += wanted[i]->median >= 0.8 * could;
	return of_count(holds, MODELS);
}

static enum pt_verdict switches_more(struct trial *trial)
{
	const struct pt_spread *switches[MODELS];
	struct tally tally = {0};

	if (!say_three(trial, "http", NULL, "switches_per_unit", "context switches per request",
		       switches))
		return PT_VERDICT_UNMEASURED;
	expect_less(&tally, switches[THREAD], switches[CLUSTER]);
	expect_less(&tally, switches[PROCESS], switches[CLUSTER]);
	return verdict_of(&tally);
}

static enum pt_verdict spreads_connections(struct trial *trial)
{
	double even = figure(trial, CLUSTER, "http", "shared", "connections_even");
	double handed = figure(trial, CLUSTER, "http", "handed", "connections_even");

	if (isnan(even))
		return PT_VERDICT_UNMEASURED;
	say(trial, "on a shared socket the worker with least connections has %s of that with most",
	    pt_comparison_figure(PT_UNIT_SHARE, even).s);
	if (!isnan(handed))
		say(trial, "; handed over in turn %s",
		    pt_comparison_figure(PT_UNIT_SHARE, handed).s);
	return even >= 0.8 ? PT_VERDICT_HOLDS : PT_VERDICT_NOT_HERE;
}

static enum pt_verdict shares_port(struct trial *trial)
{
	double shared = figure(trial, CLUSTER, "http", "shared", "port_workers");
	double handed = figure(trial, CLUSTER, "http", "handed", "port_accepted");

	if (isnan(shared))
		return PT_VERDICT_UNMEASURED;
	say(trial, "%.0f workers have connections of one port", shared);
	if (!isnan(handed))
		say(trial, "; where they are handed over, workers accepted %.0f themselves",
		    handed);
	return shared >= 2 ? PT_VERDICT_HOLDS : PT_VERDICT_NOT_HERE;
}

static enum pt_verdict crash_takes(struct trial *trial, bool (*survives)(int model))
{
	int i, holds = 0, count = 0;

	for (i = 0; i < MODELS; i++) {
		double tasks = figure(trial, i, "crash", NULL, "killed_tasks");
		double survivors = figure(trial, i, "crash", NULL, "survivors");
		double lost = figure(trial, i, "crash", NULL, "units_lost");
		bool alive = figure(trial, i, "crash", NULL, "main_survived") > 0;

		if (isnan(tasks) || isnan(survivors))
			continue;
		say(trial, "%s%s: %.0f killed, workers that lived on %.0f, %s of the work lost",
		    count++ ? "; " : "", models[i], tasks, survivors,
		    pt_comparison_figure(PT_UNIT_SHARE, isnan(lost) ? 0 : lost).s);
		holds += alive == survives(i);
	}
	return of_count(holds, count);
}

static bool always(int model)
{
	(void)model;
	return true;
}

static bool unless_thread(int model)
{
	return model != THREAD;
}

static enum pt_verdict crash_takes_one(struct trial *trial)
{
	return crash_takes(trial, always);
}

static enum pt_verdict isolates(struct trial *trial)
{
	return crash_takes(trial, unless_thread);
}

static enum pt_verdict control_only(struct trial *trial)
{
	double serving = figure(trial, CLUSTER, "http", "handed", "ipc_bytes_per_unit");
	double asked = figure(trial, CLUSTER, "message", "burst", "ipc_bytes_per_unit");

	if (isnan(serving) || isnan(asked))
		return PT_VERDICT_UNMEASURED;
	say(trial,
	    "%s per request between primary and workers; but %s per message if they are "
	    "made to talk: the channel takes data as well",
	    pt_comparison_figure(PT_UNIT_BYTES, serving).s,
	    pt_comparison_figure(PT_UNIT_BYTES, asked).s);
	return serving >= 64 ? PT_VERDICT_NOT_HERE : PT_VERDICT_PARTLY;
}

static enum pt_verdict threads_and_io(struct trial *trial)
{
	const struct pt_spread *rate[MODELS], *cost[MODELS];
	struct tally tally = {0};
	bool a = say_three(trial, "io", "mixed", "units_per_second", "operations per second", rate);
	bool b = say_three(trial, "io", "mixed", "cpu_ns_per_unit", "CPU time each", cost);

	if (!a || !b)
		return PT_VERDICT_UNMEASURED;
	expect_less(&tally, rate[THREAD], rate[PROCESS]);
	expect_less(&tally, cost[PROCESS], cost[THREAD]);
	return verdict_of(&tally);
}

static const struct {
	const char *text;
	enum pt_verdict (*judge)(struct trial *trial);
} beliefs[] = {
	{"A CPU-bound task blocks the loop, and everything waits.", blocks_the_loop},
	{"A worker leaves the main loop free.", frees_the_loop},
	{"Each worker has a loop of its own.", own_loops},
	{"Threads are lighter in memory.", lighter_memory},
	{"Threads start faster.", lighter_startup},
	{"Threads communicate faster than processes.", faster_messages},
	{"Threads share memory, processes do not.", shares_memory},
	{"Child processes cost more than cluster workers.", dearer_children},
	{"A cluster uses all cores, and threads do, too.", uses_all_cores},
	{"A cluster switches context more.", switches_more},
	{"The operating system spreads the connections.", spreads_connections},
	{"Workers share one port.", shares_port},
	{"A crash takes down one worker only.", crash_takes_one},
	{"Processes are isolated from each other, threads are not.", isolates},
	{"Messages in a cluster are control only.", control_only},
	{"Threads do not suit I/O-bound work.", threads_and_io},
};

static const char *const verdicts[] = {
#define V(name, text) text,
	PT_VERDICTS(V)
#undef V
};

static json_t *belief_json(const struct pt_comparison *comparison, const char *runtime, size_t i)
{
	struct trial trial = {.comparison = comparison, .runtime = runtime};
	enum pt_verdict verdict = beliefs[i].judge(&trial);
	bool known = verdict != PT_VERDICT_UNMEASURED;

	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "runtime", runtime, "belief", beliefs[i].text,
			 "verdict", verdicts[verdict], "says", known ? trial.says : "", "runs",
			 pt_json_int(known ? trial.fewest_runs : 0));
}

static bool has_runtime(const struct pt_comparison *comparison, const char *runtime)
{
	size_t i;

	for (i = 0; i < comparison->group_count; i++) {
		const struct pt_scene *scene = comparison->groups[i].runs[0];

		if (scene->claims && !strcmp(pt_scene_text(scene, "runtime"), runtime))
			return true;
	}
	return false;
}

json_t *pt_beliefs_json(const struct pt_comparison *comparison)
{
	static const char *const runtimes[] = {"native", "node"};
	json_t *list = json_array();
	size_t i, j;
	int ret = list ? 0 : -1;

	for (i = 0; i < PT_ARRAY_SIZE(runtimes); i++) {
		if (!has_runtime(comparison, runtimes[i]))
			continue;
		for (j = 0; !ret && j < PT_ARRAY_SIZE(beliefs); j++)
			ret = json_array_append_new(list, belief_json(comparison, runtimes[i], j));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
