/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trace/sort.h"

#define ROWS 5000

static uint64_t state = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static const uint64_t *compared;

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (compared[x] != compared[y])
		return compared[x] < compared[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void check(struct pt_sorter *sorter, const uint64_t *keys, size_t n)
{
	static uint32_t expected[ROWS];
	const uint32_t *order;

	for (size_t i = 0; i < n; i++)
		expected[i] = (uint32_t)i;
	compared = keys;
	qsort(expected, n, sizeof(*expected), compare);
	assert_int_equal(pt_sort(sorter, keys, n, &order), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(order ? order[i] : i, expected[i]);
}

/* CPUs in turn, each in order, a drain after the other; some records come a drain late. */
static void fill_drains(uint64_t *keys, size_t n, uint32_t cpus, uint32_t drain, uint32_t late)
{
	uint64_t now = 1ull << 40;

	for (size_t i = 0; i < n;) {
		for (uint32_t cpu = 0; cpu < cpus; cpu++) {
			uint64_t time = now - (draw(4) ? 0 : draw(late + 1));

			for (uint32_t k = 0; k < drain && i < n; k++)
				keys[i++] = time += draw(6);
		}
		now += 3 * drain;
	}
}

static void test_runs_of_cpus(void **unused)
{
	static uint64_t keys[ROWS];
	struct pt_sorter sorter = {0};

	(void)unused;
	for (uint32_t cpus = 1; cpus <= 128; cpus *= 2) {
		for (uint32_t drain = 1; drain <= 4096; drain *= 4) {
			fill_drains(keys, ROWS, cpus, drain, 2 * drain);
			check(&sorter, keys, ROWS);
		}
	}
	pt_sorter_free(&sorter);
}

static void test_no_order(void **unused)
{
	static uint64_t keys[ROWS];
	struct pt_sorter sorter = {0};

	(void)unused;
	for (size_t n = 0; n < ROWS; n = n * 2 + 1) {
		for (uint64_t below = 1; below && below < 1ull << 62; below *= 64) {
			for (size_t i = 0; i < n; i++)
				keys[i] = draw(below);
			check(&sorter, keys, n);
		}
	}
	pt_sorter_free(&sorter);
}

static void test_descending_and_extremes(void **unused)
{
	static uint64_t keys[ROWS];
	struct pt_sorter sorter = {0};

	(void)unused;
	for (size_t i = 0; i < ROWS; i++)
		keys[i] = UINT64_MAX - i / 3;
	check(&sorter, keys, ROWS);
	keys[ROWS / 2] = 0;
	check(&sorter, keys, ROWS);
	for (size_t i = 0; i < ROWS; i++)
		keys[i] = i % 2 ? UINT64_MAX : 0;
	check(&sorter, keys, ROWS);
	pt_sorter_free(&sorter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_of_cpus),
		cmocka_unit_test(test_no_order),
		cmocka_unit_test(test_descending_and_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
