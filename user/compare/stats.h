/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of repeated runs: the middle one, how far they lie apart, and what may be said of a difference. */
#ifndef PT_COMPARE_STATS_H
#define PT_COMPARE_STATS_H

#include <stdbool.h>
#include <stddef.h>

struct pt_spread {
	size_t runs;
	double median, low, high;
	double mean, variance; /* the variance of the sample: 0 of one run */
};

/* Sorts the values, which must be finite. */
void pt_spread_of(struct pt_spread *spread, double *values, size_t count);

/*
 * Half the width of the interval that holds the true difference 19 times in 20 (Welch's, of the means).
 * False if it is not known, because one side ran only once.
 */
bool pt_spread_uncertainty(const struct pt_spread *a, const struct pt_spread *b, double *half);

/* Is the difference of the medians larger than what is uncertain? Never if that is not known. */
bool pt_spread_differs(const struct pt_spread *a, const struct pt_spread *b);

/*
 * Does every run of one side lie below every run of the other, where chance would bring that about less than once in
 * 20 times? Of skewed figures, as times are, this tells more than the interval, which one slow run makes wide.
 */
bool pt_spread_apart(const struct pt_spread *a, const struct pt_spread *b);

#endif
