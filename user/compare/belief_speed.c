/* SPDX-License-Identifier: BSD-2-Clause */
/* Beliefs on loops, and on how fast things are. */
#include <math.h>

#include "compare/belief_list.h"

/* A loop that keeps an event waiting for so long (ns) is blocked; one that never does is free. */
#define BLOCKED 10e6

/* Of the CPUs that could be used. */
#define NEARLY_ALL 0.8

/* Blocked if it computes itself, and longer than if others do, which may cost it the CPU, too. */
enum pt_verdict pt_belief_blocks_the_loop(struct pt_trial *trial)
{
	struct pt_tally tally = {0};
	int i;

	for (i = 0; i < PT_MODELS; i++) {
		const struct pt_spread *own =
			pt_trial_spread(trial, i, "cpu", "main", "main_delay_max_ns");
		const struct pt_spread *others =
			pt_trial_spread(trial, i, "cpu", "workers", "main_delay_max_ns");

		if (!own->runs)
			continue;
		pt_trial_say(trial, "%s%s: an event waits up to %s", trial->used ? "; " : "",
			     pt_trial_model(i), pt_comparison_figure(PT_UNIT_NS, own->median).s);
		if (others->runs)
			pt_trial_say(trial, ", %s if workers compute",
				     pt_comparison_figure(PT_UNIT_NS, others->median).s);
		pt_tally_reaches(&tally, own, BLOCKED);
		if (others->runs)
			pt_tally_less(&tally, others, own);
	}
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_frees_the_loop(struct pt_trial *trial)
{
	struct pt_tally tally = {0};
	int i;

	for (i = 0; i < PT_MODELS; i++) {
		const struct pt_spread *delay =
			pt_trial_spread(trial, i, "cpu", "workers", "main_delay_p99_ns");
		double busy = pt_trial_figure(trial, i, "cpu", "workers", "main_utilization");

		if (!delay->runs || isnan(busy))
			continue;
		pt_trial_say(trial, "%s%s: p99 delay of the main loop %s, utilisation %s",
			     trial->used ? "; " : "", pt_trial_model(i),
			     pt_comparison_figure(PT_UNIT_NS, delay->median).s,
			     pt_comparison_figure(PT_UNIT_SHARE, busy).s);
		pt_tally_stays_below(&tally, delay, BLOCKED);
	}
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_own_loops(struct pt_trial *trial)
{
	struct pt_tally tally = {0};
	int i;

	for (i = 0; i < PT_MODELS; i++) {
		const struct pt_spread *loops =
			pt_trial_spread(trial, i, "cpu", "workers", "worker_loops");
		double workers = pt_trial_figure(trial, i, "cpu", "workers", "workers");

		if (!loops->runs || isnan(workers))
			continue;
		pt_trial_say(trial, "%s%s: %.0f loops of %.0f workers", trial->used ? "; " : "",
			     pt_trial_model(i), loops->median, workers);
		pt_tally_reaches(&tally, loops, workers);
	}
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_lighter_startup(struct pt_trial *trial)
{
	const struct pt_spread *startup[PT_MODELS];
	struct pt_tally tally = {0};

	if (!pt_trial_say_three(trial, "cpu", "workers", "startup_ns",
				"from creation to first message", startup))
		return PT_VERDICT_UNMEASURED;
	pt_tally_less(&tally, startup[PT_THREAD], startup[PT_PROCESS]);
	pt_tally_less(&tally, startup[PT_THREAD], startup[PT_CLUSTER]);
	return pt_tally_verdict(&tally);
}

/* Said beside it, not judged: where processes can share memory, that is another way for both. */
static void say_shared_messages(struct pt_trial *trial)
{
	const char *mode = "burst via shared";
	double threads = pt_trial_figure(trial, PT_THREAD, "message", mode, "cpu_ns_per_unit");
	double processes = pt_trial_figure(trial, PT_PROCESS, "message", mode, "cpu_ns_per_unit");

	if (isnan(threads))
		return;
	pt_trial_say(trial, "; through shared memory: thread %s",
		     pt_comparison_figure(PT_UNIT_NS, threads).s);
	if (!isnan(processes))
		pt_trial_say(trial, ", process %s", pt_comparison_figure(PT_UNIT_NS, processes).s);
}

enum pt_verdict pt_belief_faster_messages(struct pt_trial *trial)
{
	const struct pt_spread *burst[PT_MODELS], *turns[PT_MODELS];
	bool a = pt_trial_say_three(trial, "message", "burst", "cpu_ns_per_unit",
				    "CPU time of a message in a burst", burst);
	bool b = pt_trial_say_three(trial, "message", "ping-pong", "units_per_second",
				    "round trips per second", turns);
	struct pt_tally tally = {0};

	if (!a || !b)
		return PT_VERDICT_UNMEASURED;
	say_shared_messages(trial);
	pt_tally_less(&tally, burst[PT_THREAD], burst[PT_PROCESS]);
	pt_tally_less(&tally, turns[PT_PROCESS], turns[PT_THREAD]);
	return pt_tally_verdict(&tally);
}

/* What other programs took away while it was wanted could have been used as well. */
enum pt_verdict pt_belief_uses_all_cores(struct pt_trial *trial)
{
	const struct pt_spread *used[PT_MODELS], *taken[PT_MODELS], *open[PT_MODELS];
	double there = pt_trial_figure(trial, PT_THREAD, "cpu", "workers", "cpus");
	double workers = pt_trial_figure(trial, PT_THREAD, "cpu", "workers", "workers");
	double could = fmin(there, workers);
	struct pt_tally tally = {0};
	int i;

	if (!pt_trial_say_three(trial, "cpu", "workers", "cpus_used", "CPUs in use", used) ||
	    isnan(could))
		return PT_VERDICT_UNMEASURED;
	pt_trial_say_three(trial, "cpu", "workers", "cpus_taken", "taken by other programs", taken);
	pt_trial_say(trial, "; %.0f workers could use %.0f", workers, could);
	for (i = 0; i < PT_MODELS; i++) {
		open[i] = pt_trial_spread(trial, i, "cpu", "workers", "cpus_open");
		pt_tally_reaches(&tally, open[i]->runs ? open[i] : used[i], NEARLY_ALL * could);
	}
	return pt_tally_verdict(&tally);
}

/* More than threads and than processes to which work is handed, by whichever way connections come. */
enum pt_verdict pt_belief_switches_more(struct pt_trial *trial)
{
	static const char *const ways[] = {"handed", "shared"};
	const char *key = "switches_per_unit";
	const struct pt_spread *thread, *process, *cluster;
	struct pt_tally tally = {0};
	int i;

	thread = pt_trial_spread(trial, PT_THREAD, "http", "offload", key);
	process = pt_trial_spread(trial, PT_PROCESS, "http", "offload", key);
	if (!thread->runs || !process->runs)
		return PT_VERDICT_UNMEASURED;
	pt_trial_say(trial, "context switches per request: thread %s, process %s",
		     pt_comparison_figure(PT_UNIT_FACTOR, thread->median).s,
		     pt_comparison_figure(PT_UNIT_FACTOR, process->median).s);
	for (i = 0; i < 2; i++) {
		cluster = pt_trial_spread(trial, PT_CLUSTER, "http", ways[i], key);
		if (!cluster->runs)
			continue;
		pt_trial_say(trial, ", cluster %s %s", ways[i],
			     pt_comparison_figure(PT_UNIT_FACTOR, cluster->median).s);
		pt_tally_less(&tally, thread, cluster);
		pt_tally_less(&tally, process, cluster);
	}
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_threads_and_io(struct pt_trial *trial)
{
	const struct pt_spread *rate[PT_MODELS], *cost[PT_MODELS];
	struct pt_tally tally = {0};
	bool a = pt_trial_say_three(trial, "io", "mixed", "units_per_second",
				    "operations per second", rate);
	bool b = pt_trial_say_three(trial, "io", "mixed", "cpu_ns_per_unit", "CPU time each", cost);

	if (!a || !b)
		return PT_VERDICT_UNMEASURED;
	pt_tally_less(&tally, rate[PT_THREAD], rate[PT_PROCESS]);
	pt_tally_less(&tally, cost[PT_PROCESS], cost[PT_THREAD]);
	return pt_tally_verdict(&tally);
}
