/* SPDX-License-Identifier: BSD-2-Clause */
/* What a belief is judged with: the figures of the three models, words, and answers that may be unsure. */
#ifndef PT_COMPARE_TRIAL_H
#define PT_COMPARE_TRIAL_H

#include "compare/beliefs.h"
#include "compare/compare.h"

enum pt_belief_model { PT_THREAD, PT_PROCESS, PT_CLUSTER, PT_MODELS };

/* What a belief is judged by, and what it finds. */
struct pt_trial {
	const struct pt_comparison *comparison;
	const char *runtime;
	char says[1024];
	size_t used;
	size_t fewest_runs; /* of the figures that were asked for */
};

const char *pt_trial_model(int model);

/*
 * A figure of a workload, of no runs and a median of NAN if that was not recorded. The mode of messages that do not go by
 * message passing is "burst via shared".
 */
const struct pt_spread *pt_trial_spread(struct pt_trial *trial, int model, const char *kind,
					const char *mode, const char *key);

/* Its median. */
double pt_trial_figure(struct pt_trial *trial, int model, const char *kind, const char *mode,
		       const char *key);

void pt_trial_say(struct pt_trial *trial, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Says the figure of one measure for all three models, after a semicolon; false if one of them was not measured. */
bool pt_trial_say_three(struct pt_trial *trial, const char *kind, const char *mode, const char *key,
			const char *what, const struct pt_spread *spreads[PT_MODELS]);

/* How often what is believed was found to hold, not to hold, or could not be told. */
struct pt_tally {
	int holds, fails, unsure;
};

/* "This figure is smaller than that." As good as equal, it is not. */
void pt_tally_less(struct pt_tally *tally, const struct pt_spread *less,
		   const struct pt_spread *more);

/* "This figure is at least so much." */
void pt_tally_reaches(struct pt_tally *tally, const struct pt_spread *spread, double limit);

/* "This figure is less than that." */
void pt_tally_stays_below(struct pt_tally *tally, const struct pt_spread *spread, double limit);

/* Of nothing: not measured. */
enum pt_verdict pt_tally_verdict(const struct pt_tally *tally);

#endif
