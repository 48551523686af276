/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/types.h"

#define RANKS_EXACT 20	/* runs of a side; of more, U is nearly distributed normally */
#define RUNS_MOST   500 /* of a side, of which all pairs are looked at */

/* Student's t, two-sided 95 %, for 1, 2, ... degrees of freedom; beyond the last, that of the normal distribution is
 * less than 4 % off. */
static const double student[] = {
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
	2.201,	2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
	2.080,	2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
};

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void pt_spread_of(struct pt_spread *spread, double *values, size_t count)
{
	size_t i;

	*spread = (struct pt_spread){.values = values};
	if (!count)
		return;
	qsort(values, count, sizeof(*values), by_size);
	spread->runs = count;
	spread->low = values[0];
	spread->high = values[count - 1];
	spread->median = values[count / 2];
	if (count % 2 == 0)
		spread->median = (spread->median + values[count / 2 - 1]) / 2;
	for (i = 0; i < count; i++)
		spread->mean += values[i] / (double)count;
	for (i = 0; count > 1 && i < count; i++)
		spread->variance += (values[i] - spread->mean) * (values[i] - spread->mean) /
				    (double)(count - 1);
}

/* Rounded down, which makes the interval wider rather than narrower. */
static double student_of(double freedom)
{
	size_t most = PT_ARRAY_SIZE(student), whole = most;

	if (freedom < (double)most)
		whole = freedom < 1 ? 1 : (size_t)freedom;
	return student[whole - 1];
}

/* The interval of the means. */
static struct pt_difference by_means(const struct pt_spread *a, const struct pt_spread *b)
{
	double va = a->variance / (double)a->runs, vb = b->variance / (double)b->runs;
	double middle = a->mean - b->mean, half = 0;

	if (va + vb > 0) {
		double freedom =
			(va + vb) * (va + vb) /
			(va * va / (double)(a->runs - 1) + vb * vb / (double)(b->runs - 1));

		half = student_of(freedom) * sqrt(va + vb);
	}
	return (struct pt_difference){middle - half, middle + half, .known = true};
}

/*
 * How many ways there are to mix m and n runs so that U is 0, 1, ..., at ways[U]: the coefficients of the product of
 * (1 - q^(n + i)) / (1 - q^i).
 */
static void count_orders(size_t m, size_t n, double *ways)
{
	size_t i, k, last = m * n;

	ways[0] = 1;
	for (i = 1; i <= m; i++) {
		for (k = last; k >= n + i; k--)
			ways[k] -= ways[k - n - i];
		for (k = i; k <= last; k++)
			ways[k] += ways[k - i];
	}
}

/* So many values of U at either end are together rarer than 1 in 20, where all orders are alike. */
static size_t rare_orders(size_t m, size_t n)
{
	double ways[RANKS_EXACT * RANKS_EXACT + 1] = {0}, all = 0, below = 0;
	double pairs = (double)m * (double)n;
	size_t u, last = m * n;

	if (m > RANKS_EXACT || n > RANKS_EXACT) {
		double rare = pairs / 2 - 1.96 * sqrt(pairs * (double)(m + n + 1) / 12);

		return rare > 0 ? (size_t)rare : 0;
	}
	count_orders(m, n, ways);
	for (u = 0; u <= last; u++)
		all += ways[u];
	for (u = 0; u <= last && below + ways[u] <= all / 40; u++)
		below += ways[u];
	return u;
}

/* False if the runs are too few, or too many to look at all pairs. */
static bool by_ranks(const struct pt_spread *a, const struct pt_spread *b,
		     struct pt_difference *difference)
{
	size_t i, j, count = 0, rare;
	double *pairs;

	if (a->runs > RUNS_MOST || b->runs > RUNS_MOST)
		return false;
	rare = rare_orders(a->runs, b->runs);
	pairs = rare ? calloc(a->runs * b->runs, sizeof(*pairs)) : NULL;
	if (!pairs)
		return false;
	for (i = 0; i < a->runs; i++) {
		for (j = 0; j < b->runs; j++)
			pairs[count++] = a->values[i] - b->values[j];
	}
	qsort(pairs, count, sizeof(*pairs), by_size);
	*difference = (struct pt_difference){
		pairs[rare - 1],
		pairs[count - rare],
		.known = true,
		.by_ranks = true,
	};
	free(pairs);
	return true;
}

struct pt_difference pt_spread_difference(const struct pt_spread *a, const struct pt_spread *b)
{
	struct pt_difference difference = {.known = false};

	if (a->runs < 2 || b->runs < 2 || by_ranks(a, b, &difference))
		return difference;
	return by_means(a, b);
}

/* So many runs at either end lie beyond the median less than once in 20 times: as many heads of so many coins. */
static size_t rare_runs(size_t runs)
{
	double ways = 1, below = 0, all = pow(2, (double)runs);
	size_t rare = 0;

	if (runs > RUNS_MOST)
		return (size_t)((double)runs / 2 - 0.98 * sqrt((double)runs));
	while (below + ways <= all / 40) {
		below += ways;
		rare++;
		ways = ways * (double)(runs - rare + 1) / (double)rare;
	}
	return rare;
}

void pt_spread_interval(const struct pt_spread *spread, double *low, double *high)
{
	size_t rare = rare_runs(spread->runs);

	rare -= rare > 0;
	*low = spread->runs ? spread->values[rare] : NAN;
	*high = spread->runs ? spread->values[spread->runs - 1 - rare] : NAN;
}
