/* SPDX-License-Identifier: BSD-2-Clause */
/* Medians, spreads, and when a difference is larger than what is uncertain. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/types.h"
#include "compare/stats.h"

static struct pt_spread spread(const double *values, size_t count)
{
	double copy[16];
	struct pt_spread spread;

	memcpy(copy, values, count * sizeof(*values));
	pt_spread_of(&spread, copy, count);
	return spread;
}

#define SPREAD(...)                                                                                \
	spread((const double[]){__VA_ARGS__},                                                      \
	       sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-3 * fabs(b);
}

static void test_the_middle(void **state)
{
	struct pt_spread odd = SPREAD(5, 1, 3), even = SPREAD(4, 1, 3, 100), one = SPREAD(7);
	struct pt_spread none = spread((const double[]){0}, 0);

	(void)state;
	assert_true(odd.median == 3 && odd.low == 1 && odd.high == 5 && odd.runs == 3);
	assert_true(even.median == 3.5 && even.high == 100);
	assert_true(one.median == 7 && one.low == 7 && one.high == 7 && one.variance == 0);
	assert_true(none.runs == 0);
	assert_true(is_near(odd.mean, 3) && is_near(odd.variance, 4));
}

static void test_one_run_tells_nothing(void **state)
{
	struct pt_spread one = SPREAD(1), many = SPREAD(100, 101, 102);
	double half = -1;

	(void)state;
	assert_false(pt_spread_uncertainty(&one, &many, &half));
	assert_false(pt_spread_uncertainty(&many, &one, &half));
	assert_false(pt_spread_differs(&one, &many));
}

/* Welch's interval by hand: means 3 and 13, variances 4 / 3 each, 4 degrees of freedom, t = 2.776. */
static void test_the_interval(void **state)
{
	struct pt_spread a = SPREAD(1, 3, 5), b = SPREAD(11, 13, 15), c = SPREAD(4, 6, 8);
	double half;

	(void)state;
	assert_true(pt_spread_uncertainty(&a, &b, &half));
	assert_true(is_near(half, 2.776 * sqrt(4.0 / 3 + 4.0 / 3)));
	assert_true(pt_spread_differs(&a, &b));
	assert_false(pt_spread_differs(&a, &c));
}

/* Freedom is that of the side that scatters: 1, not 3. */
static void test_sides_that_scatter_differently(void **state)
{
	struct pt_spread calm = SPREAD(10, 10, 10), wild = SPREAD(0, 40);
	double half;

	(void)state;
	assert_true(pt_spread_uncertainty(&calm, &wild, &half));
	assert_true(is_near(half, 12.706 * 20));
}

static void test_counts_that_repeat_exactly(void **state)
{
	struct pt_spread a = SPREAD(5, 5, 5), b = SPREAD(6, 6, 6);
	double half = -1;

	(void)state;
	assert_true(pt_spread_uncertainty(&a, &b, &half));
	assert_true(half == 0);
	assert_true(pt_spread_differs(&a, &b));
	assert_false(pt_spread_differs(&a, &a));
}

/* 4 and 4 runs can be mixed in 70 ways, 3 and 3 in 20 only. */
static void test_sides_that_do_not_touch(void **state)
{
	struct pt_spread a = SPREAD(1, 2, 1, 2), b = SPREAD(3, 4, 3, 900), c = SPREAD(2, 5, 6, 7);
	struct pt_spread three = SPREAD(1, 1, 2), others = SPREAD(5, 6, 7);

	(void)state;
	assert_true(pt_spread_apart(&a, &b));
	assert_true(pt_spread_apart(&b, &a));
	assert_false(pt_spread_apart(&a, &c));
	assert_false(pt_spread_apart(&three, &others));
}

/* Of pairs that come from the same source, about one in twenty seems to differ, not more. */
static void test_chance_is_rarely_taken_for_a_difference(void **state)
{
	uint64_t seed = 88172645463325252ULL;
	size_t round, i, differ = 0;

	(void)state;
	for (round = 0; round < 2000; round++) {
		double values[2][5];
		struct pt_spread a, b;

		for (i = 0; i < 10; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			values[i / 5][i % 5] = (double)(seed >> 40);
		}
		a = spread(values[0], 5);
		b = spread(values[1], 5);
		differ += pt_spread_differs(&a, &b);
	}
	assert_in_range(differ, 1, 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_middle),
		cmocka_unit_test(test_one_run_tells_nothing),
		cmocka_unit_test(test_the_interval),
		cmocka_unit_test(test_sides_that_scatter_differently),
		cmocka_unit_test(test_counts_that_repeat_exactly),
		cmocka_unit_test(test_sides_that_do_not_touch),
		cmocka_unit_test(test_chance_is_rarely_taken_for_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
