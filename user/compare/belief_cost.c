/* SPDX-License-Identifier: BSD-2-Clause */
/* Beliefs on memory, ports, crashes, and what a cluster is. */
#include <math.h>
#include <stdio.h>

#include "compare/belief_list.h"

/* Connections of the worker that has least, of those of the one that has most. */
#define EVEN 0.8

/* Of a request, between the workers and the primary: more than this would be data. */
#define CONTROL_BYTES 64

/*
 * Judged without data of their own: beside enough of it, any worker is light. The main process is in it, and the same in
 * each model: what differs is the workers.
 */
enum pt_verdict pt_belief_lighter_memory(struct pt_trial *trial)
{
	const struct pt_spread *empty[PT_MODELS], *more[PT_MODELS], *loaded[PT_MODELS];
	const char *key = "footprint_per_worker_bytes";
	struct pt_tally tally = {0};

	if (!pt_trial_say_three(trial, "cpu", "workers", key,
				"in all, page tables and stacks included, per worker", empty))
		return PT_VERDICT_UNMEASURED;
	pt_trial_say_three(trial, "cpu", "workers", "margin_bytes", "one more worker", more);
	pt_trial_say_three(trial, "memory", "own", key, "in all, with data of its own", loaded);
	pt_tally_less(&tally, empty[PT_THREAD], empty[PT_PROCESS]);
	pt_tally_less(&tally, empty[PT_THREAD], empty[PT_CLUSTER]);
	return pt_tally_verdict(&tally);
}

/* Processes that cannot share a block each have one: that takes as many times the memory. */
static enum pt_verdict shares_in_threads_only(struct pt_trial *trial)
{
	const struct pt_spread *threads =
		pt_trial_spread(trial, PT_THREAD, "memory", "shared", "memory_bytes");
	const struct pt_spread *processes =
		pt_trial_spread(trial, PT_PROCESS, "memory", "own", "memory_bytes");
	double block =
		pt_trial_figure(trial, PT_THREAD, "memory", "shared", "claimed_shared_bytes");
	struct pt_tally tally = {0};

	if (!threads->runs || !processes->runs || isnan(block))
		return PT_VERDICT_UNMEASURED;
	pt_trial_say(trial,
		     "a block of %s that threads share: %s in all; this runtime has no memory that "
		     "processes share, and with a block each they take %s",
		     pt_comparison_figure(PT_UNIT_BYTES, block).s,
		     pt_comparison_figure(PT_UNIT_BYTES, threads->median).s,
		     pt_comparison_figure(PT_UNIT_BYTES, processes->median).s);
	pt_tally_less(&tally, threads, processes);
	return pt_tally_verdict(&tally);
}

/*
 * A block that all map is there once. Had each a copy, nothing would be shared but the program: half of the block tells
 * the two apart, also if it was looked at while it was read in.
 */
enum pt_verdict pt_belief_shares_memory(struct pt_trial *trial)
{
	double block =
		pt_trial_figure(trial, PT_PROCESS, "memory", "shared", "claimed_shared_bytes");
	const struct pt_spread *shared =
		pt_trial_spread(trial, PT_PROCESS, "memory", "shared", "shared_bytes");
	double threads = pt_trial_figure(trial, PT_THREAD, "memory", "shared", "memory_bytes");
	double processes = pt_trial_figure(trial, PT_PROCESS, "memory", "shared", "memory_bytes");
	struct pt_tally tally = {0};

	if (isnan(block) || !shared->runs || isnan(threads) || isnan(processes))
		return shares_in_threads_only(trial);
	pt_trial_say(trial,
		     "processes share %s, a block of %s among it; in all threads take %s, "
		     "processes %s",
		     pt_comparison_figure(PT_UNIT_BYTES, shared->median).s,
		     pt_comparison_figure(PT_UNIT_BYTES, block).s,
		     pt_comparison_figure(PT_UNIT_BYTES, threads).s,
		     pt_comparison_figure(PT_UNIT_BYTES, processes).s);
	pt_tally_stays_below(&tally, shared, block / 2);
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_dearer_children(struct pt_trial *trial)
{
	const struct pt_spread *startup[PT_MODELS], *message[PT_MODELS], *memory[PT_MODELS];
	struct pt_tally tally = {0};
	bool a = pt_trial_say_three(trial, "cpu", "workers", "startup_ns", "start-up", startup);
	bool b = pt_trial_say_three(trial, "message", "burst", "cpu_ns_per_unit",
				    "CPU time of a message", message);

	if (!a || !b)
		return PT_VERDICT_UNMEASURED;
	pt_tally_less(&tally, startup[PT_CLUSTER], startup[PT_PROCESS]);
	pt_tally_less(&tally, message[PT_CLUSTER], message[PT_PROCESS]);
	if (pt_trial_say_three(trial, "cpu", "workers", "footprint_per_worker_bytes",
			       "memory per worker", memory))
		pt_tally_less(&tally, memory[PT_CLUSTER], memory[PT_PROCESS]);
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_spreads_connections(struct pt_trial *trial)
{
	const struct pt_spread *even =
		pt_trial_spread(trial, PT_CLUSTER, "http", "shared", "connections_even");
	double handed = pt_trial_figure(trial, PT_CLUSTER, "http", "handed", "connections_even");
	struct pt_tally tally = {0};

	if (!even->runs)
		return PT_VERDICT_UNMEASURED;
	pt_trial_say(trial,
		     "on a shared socket the worker with least connections has %s of that with "
		     "most",
		     pt_comparison_figure(PT_UNIT_SHARE, even->median).s);
	if (even->runs > 1)
		pt_trial_say(trial, ", in single runs %s to %s",
			     pt_comparison_figure(PT_UNIT_SHARE, even->low).s,
			     pt_comparison_figure(PT_UNIT_SHARE, even->high).s);
	if (!isnan(handed))
		pt_trial_say(trial, "; handed over in turn %s",
			     pt_comparison_figure(PT_UNIT_SHARE, handed).s);
	pt_tally_reaches(&tally, even, EVEN);
	return pt_tally_verdict(&tally);
}

/* Whose port it is shows in who accepts: workers, or the primary, which then hands over. */
enum pt_verdict pt_belief_shares_port(struct pt_trial *trial)
{
	static const struct {
		const char *mode, *text;
	} ways[] = {
		{"shared", "on a shared socket"},
		{"handed", "handed over"},
	};
	struct pt_tally tally = {0};
	int i;

	for (i = 0; i < 2; i++) {
		const struct pt_spread *accepted =
			pt_trial_spread(trial, PT_CLUSTER, "http", ways[i].mode, "port_accepted");
		double workers =
			pt_trial_figure(trial, PT_CLUSTER, "http", ways[i].mode, "port_workers");

		if (!accepted->runs || isnan(workers))
			continue;
		pt_trial_say(trial,
			     "%s%s: %.0f workers have connections of the one port, and accepted "
			     "%.0f themselves",
			     trial->used ? "; " : "", ways[i].text, workers, accepted->median);
		pt_tally_reaches(&tally, accepted, 1);
	}
	return pt_tally_verdict(&tally);
}

/* What one death of a worker does to a model: false if that was not recorded. */
static bool say_crash(struct pt_trial *trial, int model, const char *mode)
{
	double tasks = pt_trial_figure(trial, model, "crash", mode, "killed_tasks");
	double survivors = pt_trial_figure(trial, model, "crash", mode, "survivors");
	double lost = pt_trial_figure(trial, model, "crash", mode, "units_lost");

	if (isnan(tasks) || isnan(survivors))
		return false;
	pt_trial_say(trial,
		     "%s%s, %s: %.0f task%s killed, %.0f workers lived on, %s of the work lost",
		     trial->used ? "; " : "", pt_trial_model(model), mode, tasks,
		     tasks == 1 ? "" : "s", survivors,
		     pt_comparison_figure(PT_UNIT_SHARE, isnan(lost) ? 0 : lost).s);
	return true;
}

static const struct pt_spread *main_survived(struct pt_trial *trial, int model, const char *mode)
{
	return pt_trial_spread(trial, model, "crash", mode, "main_survived");
}

enum pt_verdict pt_belief_crash_takes_one(struct pt_trial *trial)
{
	static const char *const modes[] = {"abort", "exception"};
	struct pt_tally tally = {0};
	int i;

	for (i = 0; i < 2 * PT_MODELS; i++) {
		int model = i / 2;

		if (say_crash(trial, model, modes[i % 2]))
			pt_tally_reaches(&tally, main_survived(trial, model, modes[i % 2]), 1);
	}
	return pt_tally_verdict(&tally);
}

/* Judged by a death that no program can catch. */
enum pt_verdict pt_belief_isolates(struct pt_trial *trial)
{
	struct pt_tally tally = {0};
	int i;

	for (i = 0; i < PT_MODELS; i++) {
		if (!say_crash(trial, i, "abort"))
			continue;
		if (i == PT_THREAD)
			pt_tally_stays_below(&tally, main_survived(trial, i, "abort"), 1);
		else
			pt_tally_reaches(&tally, main_survived(trial, i, "abort"), 1);
	}
	return pt_tally_verdict(&tally);
}

enum pt_verdict pt_belief_control_only(struct pt_trial *trial)
{
	const char *key = "ipc_bytes_per_unit";
	double serving = pt_trial_figure(trial, PT_CLUSTER, "http", "handed", key);
	double asked = pt_trial_figure(trial, PT_CLUSTER, "message", "burst", key);

	if (isnan(serving) || isnan(asked))
		return PT_VERDICT_UNMEASURED;
	pt_trial_say(trial,
		     "%s per request between primary and workers; but %s per message if they are "
		     "made to talk: the channel takes data as well",
		     pt_comparison_figure(PT_UNIT_BYTES, serving).s,
		     pt_comparison_figure(PT_UNIT_BYTES, asked).s);
	return serving >= CONTROL_BYTES ? PT_VERDICT_NOT_HERE : PT_VERDICT_PARTLY;
}
