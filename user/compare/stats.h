/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures of repeated runs: the middle one, how far they lie apart, and what may be said of a difference.
 *
 * Times are skewed: a run that the machine disturbed is slow, none is as much too fast. So what is uncertain follows from
 * the order of the runs, which one slow run does not change, wherever there are enough of them to tell; and from means
 * and variances, as if they were distributed normally, where there are not.
 */
#ifndef PT_COMPARE_STATS_H
#define PT_COMPARE_STATS_H

#include <stdbool.h>
#include <stddef.h>

struct pt_spread {
	const double *values; /* sorted; the caller's, and must live as long */
	size_t runs;
	double median, low, high;
	double mean, variance; /* the variance of the sample: 0 of one run */
};

/* Sorts the values, which must be finite. */
void pt_spread_of(struct pt_spread *spread, double *values, size_t count);

/* The interval that holds the median 19 times in 20; of up to five runs all of them (15 times in 16 with five). */
void pt_spread_interval(const struct pt_spread *spread, double *low, double *high);

struct pt_difference {
	double low, high; /* holds the true difference 19 times in 20 */
	bool known;	  /* false: one side ran only once */
	bool by_ranks;	  /* else by means */
};

/*
 * By how much `a` exceeds `b`. By ranks: the interval of Hodges and Lehmann, from all differences of one run of each
 * side, as many of the outermost left out as Mann and Whitney's test allows. By means: Welch's.
 */
struct pt_difference pt_spread_difference(const struct pt_spread *a, const struct pt_spread *b);

/* Is it certainly one, in whichever direction? */
static inline bool pt_difference_is_sure(const struct pt_difference *difference)
{
	return difference->known && (difference->low > 0 || difference->high < 0);
}

#endif
