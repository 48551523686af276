/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/trial.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A difference below this part of the smaller figure is none to speak of; with one run each it is taken for chance. */
#define CHANCE 0.10

#define VIA " via "

const char *pt_trial_model(int model)
{
	static const char *const models[PT_MODELS] = {"thread", "process", "cluster"};

	return models[model];
}

static bool is_mode(const struct pt_scene *scene, const char *mode)
{
	const char *via = strstr(mode, VIA), *text = pt_scene_text(scene, "options.mode");
	size_t length = via ? (size_t)(via - mode) : strlen(mode);

	if (strlen(text) != length || strncmp(text, mode, length) != 0)
		return false;
	text = pt_scene_text(scene, "options.via");
	return !strcmp(*text ? text : "message", via ? via + strlen(VIA) : "message");
}

const struct pt_spread *pt_trial_spread(struct pt_trial *trial, int model, const char *kind,
					const char *mode, const char *key)
{
	static const struct pt_spread none = {.median = NAN};
	size_t measure = pt_measure_find(key), i;

	for (i = 0; i < trial->comparison->group_count; i++) {
		const struct pt_group *group = &trial->comparison->groups[i];
		const struct pt_scene *scene = group->runs[0];

		if (!group->figures[measure].runs || !scene->claims ||
		    strcmp(pt_scene_text(scene, "runtime"), trial->runtime) != 0 ||
		    strcmp(pt_scene_text(scene, "model"), pt_trial_model(model)) != 0 ||
		    strcmp(pt_scene_text(scene, "kind"), kind) != 0 || !is_mode(scene, mode))
			continue;
		if (!trial->fewest_runs || group->figures[measure].runs < trial->fewest_runs)
			trial->fewest_runs = group->figures[measure].runs;
		return &group->figures[measure];
	}
	return &none;
}

double pt_trial_figure(struct pt_trial *trial, int model, const char *kind, const char *mode,
		       const char *key)
{
	return pt_trial_spread(trial, model, kind, mode, key)->median;
}

void pt_trial_say(struct pt_trial *trial, const char *format, ...)
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

bool pt_trial_say_three(struct pt_trial *trial, const char *kind, const char *mode, const char *key,
			const char *what, const struct pt_spread *spreads[PT_MODELS])
{
	enum pt_unit unit = pt_measure(pt_measure_find(key))->unit;
	bool all = true;
	int i;

	for (i = 0; i < PT_MODELS; i++) {
		spreads[i] = pt_trial_spread(trial, i, kind, mode, key);
		all &= spreads[i]->runs > 0;
	}
	if (all)
		pt_trial_say(trial, "%s%s: thread %s, process %s, cluster %s",
			     trial->used ? "; " : "", what,
			     pt_comparison_figure(unit, spreads[PT_THREAD]->median).s,
			     pt_comparison_figure(unit, spreads[PT_PROCESS]->median).s,
			     pt_comparison_figure(unit, spreads[PT_CLUSTER]->median).s);
	return all;
}

void pt_tally_less(struct pt_tally *tally, const struct pt_spread *less,
		   const struct pt_spread *more)
{
	double trifle = CHANCE * fmin(fabs(less->median), fabs(more->median));
	double difference = more->median - less->median;
	struct pt_difference by = pt_spread_difference(more, less);

	if (by.known ? pt_difference_is_sure(&by) : fabs(difference) > trifle) {
		tally->holds += difference > 0;
		tally->fails += difference <= 0;
	} else if (by.known && fmax(by.high, -by.low) > trifle) {
		tally->unsure++;
	} else {
		tally->fails++;
	}
}

void pt_tally_reaches(struct pt_tally *tally, const struct pt_spread *spread, double limit)
{
	double low, high;

	pt_spread_interval(spread, &low, &high);
	tally->holds += low >= limit;
	tally->fails += high < limit;
	tally->unsure += low < limit && high >= limit;
}

void pt_tally_stays_below(struct pt_tally *tally, const struct pt_spread *spread, double limit)
{
	struct pt_tally other = {0};

	pt_tally_reaches(&other, spread, limit);
	tally->holds += other.fails;
	tally->fails += other.holds;
	tally->unsure += other.unsure;
}

enum pt_verdict pt_tally_verdict(const struct pt_tally *tally)
{
	if (tally->holds && tally->fails)
		return PT_VERDICT_PARTLY;
	if (tally->fails)
		return PT_VERDICT_NOT_HERE;
	if (tally->unsure)
		return PT_VERDICT_UNSURE;
	return tally->holds ? PT_VERDICT_HOLDS : PT_VERDICT_UNMEASURED;
}
