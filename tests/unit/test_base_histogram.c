/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/histogram.h"

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> (10 + (*seed >> 58) % 53);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void assert_quantiles(uint64_t *values, size_t count, const struct pt_histogram *h)
{
	static const double shares[] = {0, 0.01, 0.5, 0.9, 0.99, 1};
	size_t i;

	qsort(values, count, sizeof(*values), compare);
	for (i = 0; i < PT_ARRAY_SIZE(shares); i++) {
		size_t rank = (size_t)ceil(shares[i] * (double)count);
		double truth = (double)values[rank ? rank - 1 : 0];
		double told = (double)pt_histogram_quantile(h, shares[i]);

		assert_true(fabs(told - truth) <= 0.01 * truth);
	}
	assert_int_equal(h->max, values[count - 1]);
	assert_int_equal(h->min, values[0]);
	assert_int_equal(h->count, count);
}

static void within_one_percent(void **unused)
{
	static const size_t counts[] = {1, 2, 5, 16, 17, 1000, 20000};
	uint64_t seed = 7, sum;
	size_t i, j;

	(void)unused;
	for (i = 0; i < PT_ARRAY_SIZE(counts); i++) {
		struct pt_histogram whole = {0}, a = {0}, b = {0};
		uint64_t *values = test_calloc(counts[i], sizeof(*values));

		for (j = sum = 0; j < counts[i]; j++) {
			values[j] = draw(&seed);
			sum += values[j];
			assert_int_equal(pt_histogram_add(&whole, values[j]), 0);
			assert_int_equal(pt_histogram_add(j % 3 ? &a : &b, values[j]), 0);
		}
		assert_int_equal(whole.sum, sum);
		assert_quantiles(values, counts[i], &whole);
		assert_int_equal(pt_histogram_merge(&a, &b), 0);
		assert_int_equal(a.sum, sum);
		assert_quantiles(values, counts[i], &a);
		pt_histogram_clear(&whole);
		pt_histogram_clear(&a);
		pt_histogram_clear(&b);
		test_free(values);
	}
}

static void extremes(void **unused)
{
	struct pt_histogram h = {0};
	int i;

	(void)unused;
	assert_int_equal(pt_histogram_quantile(&h, 0.5), 0);
	for (i = 0; i < 20; i++) {
		assert_int_equal(pt_histogram_add(&h, 0), 0);
		assert_int_equal(pt_histogram_add(&h, UINT64_MAX), 0);
	}
	assert_int_equal(pt_histogram_quantile(&h, 0.5), 0);
	assert_int_equal(pt_histogram_quantile(&h, 1), UINT64_MAX);
	assert_true(pt_histogram_quantile(&h, 0.9) > UINT64_MAX / 100 * 99);
	pt_histogram_clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within_one_percent),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests_name("base: histogram", tests, NULL, NULL);
}
