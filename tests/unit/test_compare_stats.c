/* SPDX-License-Identifier: BSD-2-Clause */
/* Medians, spreads, and when a difference is larger than what is uncertain. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/types.h"
#include "compare/stats.h"

#define RUNS_MOST 16

/* A spread needs its values for as long as it lives. */
struct sample {
	double values[RUNS_MOST];
	struct pt_spread spread;
};

static struct pt_spread *sample_of(struct sample *sample, const double *values, size_t count)
{
	memcpy(sample->values, values, count * sizeof(*values));
	pt_spread_of(&sample->spread, sample->values, count);
	return &sample->spread;
}

#define SPREAD(...)                                                                                \
	sample_of(&(struct sample){0}, (const double[]){__VA_ARGS__},                              \
		  sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-3 * fabs(b);
}

static void test_the_middle(void **state)
{
	struct pt_spread *odd = SPREAD(5, 1, 3), *even = SPREAD(4, 1, 3, 100), *one = SPREAD(7);
	struct pt_spread none;

	(void)state;
	pt_spread_of(&none, NULL, 0);
	assert_true(odd->median == 3 && odd->low == 1 && odd->high == 5 && odd->runs == 3);
	assert_true(even->median == 3.5 && even->high == 100);
	assert_true(one->median == 7 && one->low == 7 && one->high == 7 && one->variance == 0);
	assert_true(none.runs == 0);
	assert_true(is_near(odd->mean, 3) && is_near(odd->variance, 4));
}

static void test_one_run_tells_nothing(void **state)
{
	struct pt_spread *one = SPREAD(1), *many = SPREAD(100, 101, 102);

	(void)state;
	assert_false(pt_spread_difference(one, many).known);
	assert_false(pt_spread_difference(many, one).known);
}

/* Welch's interval by hand: means 3 and 13, variances 4 / 3 each, 4 degrees of freedom, t = 2.776. */
static void test_few_runs_are_told_by_means(void **state)
{
	struct pt_spread *a = SPREAD(1, 3, 5), *b = SPREAD(11, 13, 15), *c = SPREAD(4, 6, 8);
	struct pt_difference by = pt_spread_difference(b, a), small = pt_spread_difference(c, a);
	double half = 2.776 * sqrt(4.0 / 3 + 4.0 / 3);

	(void)state;
	assert_true(by.known && !by.by_ranks);
	assert_true(is_near(by.low, 10 - half) && is_near(by.high, 10 + half));
	assert_true(pt_difference_is_sure(&by));
	assert_false(pt_difference_is_sure(&small));
}

/* Freedom is that of the side that scatters: 1, not 3. */
static void test_sides_that_scatter_differently(void **state)
{
	struct pt_spread *calm = SPREAD(10, 10, 10), *wild = SPREAD(0, 40);
	struct pt_difference by = pt_spread_difference(calm, wild);

	(void)state;
	assert_true(is_near((by.high - by.low) / 2, 12.706 * 20));
}

static void test_counts_that_repeat_exactly(void **state)
{
	struct pt_spread *a = SPREAD(5, 5, 5), *b = SPREAD(6, 6, 6);
	struct pt_difference by = pt_spread_difference(a, b), none = pt_spread_difference(a, a);

	(void)state;
	assert_true(by.low == -1 && by.high == -1 && pt_difference_is_sure(&by));
	assert_false(pt_difference_is_sure(&none));
}

/*
 * The interval of Hodges and Lehmann, as R's wilcox.test(a, b, conf.int = TRUE) has it. Of 4 and 4 runs it is all
 * differences, as 2 of 70 orders part them, of 5 and 5 the third from either end (4 of 252 orders are rarer).
 */
static void test_more_runs_are_told_by_their_order(void **state)
{
	struct pt_spread *a = SPREAD(1, 2, 3, 4), *b = SPREAD(11, 12, 13, 900);
	struct pt_spread *c = SPREAD(1, 2, 3, 4, 5), *d = SPREAD(10, 20, 30, 40, 50);
	struct pt_spread *e = SPREAD(2, 5, 6, 7);
	struct pt_difference four = pt_spread_difference(b, a), five = pt_spread_difference(d, c);
	struct pt_difference mixed = pt_spread_difference(e, a);

	(void)state;
	assert_true(four.by_ranks && four.low == 7 && four.high == 899);
	assert_true(pt_difference_is_sure(&four));
	assert_true(five.by_ranks && five.low == 7 && five.high == 47);
	assert_false(pt_difference_is_sure(&mixed));
}

/* One run that the machine disturbed makes means uncertain, not ranks. */
static void test_one_slow_run_spoils_nothing(void **state)
{
	struct pt_spread *a = SPREAD(10, 11, 10, 12, 11), *b = SPREAD(20, 21, 22, 20, 21);
	struct pt_spread *c = SPREAD(20, 21, 22, 20, 500);
	struct pt_difference clean = pt_spread_difference(b, a), dirty = pt_spread_difference(c, a);

	(void)state;
	assert_true(pt_difference_is_sure(&clean) && pt_difference_is_sure(&dirty));
	assert_true(dirty.low >= clean.low && dirty.low < 11);
}

static void test_where_the_median_may_be(void **state)
{
	double low, high;

	(void)state;
	pt_spread_interval(SPREAD(3, 1, 2, 5, 4), &low, &high);
	assert_true(low == 1 && high == 5);
	pt_spread_interval(SPREAD(1, 2, 3, 4, 5, 6, 7, 8, 9), &low, &high);
	assert_true(low == 2 && high == 8);
	pt_spread_interval(SPREAD(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), &low, &high);
	assert_true(low == 3 && high == 10);
}

/* Skewed, as times are: mostly little, now and then much. */
static double draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return 1 / (0.01 + (double)(*seed >> 40) / (1 << 24));
}

/* Of pairs that come from the same source, at most one in twenty seems to differ, however many runs there are. */
static void test_chance_is_rarely_taken_for_a_difference(void **state)
{
	static const size_t counts[] = {2, 3, 4, 5, 7, 10, 16};
	uint64_t seed = 88172645463325252ULL;
	size_t round, i, j;

	(void)state;
	for (j = 0; j < PT_ARRAY_SIZE(counts); j++) {
		size_t differ = 0;

		for (round = 0; round < 2000; round++) {
			struct sample a, b;
			struct pt_difference by;

			for (i = 0; i < counts[j]; i++) {
				a.values[i] = draw(&seed);
				b.values[i] = draw(&seed);
			}
			pt_spread_of(&a.spread, a.values, counts[j]);
			pt_spread_of(&b.spread, b.values, counts[j]);
			by = pt_spread_difference(&a.spread, &b.spread);
			differ += pt_difference_is_sure(&by);
		}
		assert_in_range(differ, 0, 130);
	}
}

/* More runs than their orders can be counted for, and than all pairs are looked at. */
static void test_many_runs(void **state)
{
	double *values = calloc(2 * 1200, sizeof(*values));
	double low, high;
	size_t counts[] = {30, 600, 1200}, i, j;

	(void)state;
	for (j = 0; j < PT_ARRAY_SIZE(counts); j++) {
		struct pt_spread a, b;
		struct pt_difference by;

		for (i = 0; i < counts[j]; i++) {
			values[i] = (double)(i % 30);
			values[1200 + i] = (double)(i % 30) + 10;
		}
		pt_spread_of(&a, values, counts[j]);
		pt_spread_of(&b, values + 1200, counts[j]);
		by = pt_spread_difference(&b, &a);
		assert_true(by.low > 4 && by.low < 10 && by.high > 10 && by.high < 16);
		pt_spread_interval(&a, &low, &high);
		assert_true(low > 7 && low < 15 && high > 14 && high < 21);
	}
	free(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_middle),
		cmocka_unit_test(test_one_run_tells_nothing),
		cmocka_unit_test(test_few_runs_are_told_by_means),
		cmocka_unit_test(test_sides_that_scatter_differently),
		cmocka_unit_test(test_counts_that_repeat_exactly),
		cmocka_unit_test(test_more_runs_are_told_by_their_order),
		cmocka_unit_test(test_one_slow_run_spoils_nothing),
		cmocka_unit_test(test_where_the_median_may_be),
		cmocka_unit_test(test_chance_is_rarely_taken_for_a_difference),
		cmocka_unit_test(test_many_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
