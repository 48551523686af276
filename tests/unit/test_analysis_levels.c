/* SPDX-License-Identifier: BSD-2-Clause */
/* Series of resident memory: where a process grew or shrank, and what is left of very long ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/levels.h"
#include "base/types.h"

#define MIB (1ULL << 20)

static void add(struct pt_levels *levels, uint64_t time, uint64_t anon, uint32_t tid, bool first)
{
	struct pt_level level = {.time = time, .anon = anon, .tid = tid, .first = first};

	assert_int_equal(pt_levels_add(levels, &level), 0);
}

static void check(const struct pt_change *change, uint64_t from, uint64_t to, int64_t mib)
{
	assert_int_equal(change->before.time, from);
	assert_int_equal(change->after.time, to);
	assert_int_equal(pt_change_rss(change) / (int64_t)MIB, mib);
}

static void up_and_down(void **state)
{
	struct pt_levels levels = {0};
	struct pt_change *changes;
	size_t count;

	(void)state;
	add(&levels, 1, 10 * MIB, 0, true);
	add(&levels, 100, 10 * MIB, 0, false);
	add(&levels, 110, 60 * MIB, 7, false);
	add(&levels, 120, 110 * MIB, 7, false);
	add(&levels, 200, 111 * MIB, 0, false);
	add(&levels, 300, 109 * MIB, 0, false);
	add(&levels, 310, 30 * MIB, 7, false);
	add(&levels, 311, 11 * MIB, 8, false);
	assert_int_equal(pt_levels_changes(&levels, &changes, &count), 0);
	assert_int_equal(count, 2);
	check(&changes[0], 100, 120, 100);
	assert_int_equal(changes[0].tid, 7);
	check(&changes[1], 300, 311, -98);
	assert_int_equal(changes[1].tid, 0);
	free(changes);
	pt_levels_clear(&levels);
}

static void another_address_space_is_no_change(void **state)
{
	struct pt_levels levels = {0};
	struct pt_change *changes;
	size_t count;

	(void)state;
	add(&levels, 1, 500 * MIB, 5, true);
	add(&levels, 2, 1 * MIB, 5, true);
	add(&levels, 3, 3 * MIB, 5, false);
	add(&levels, 2, 900 * MIB, 5, false);
	assert_int_equal(levels.count, 3);
	assert_int_equal(pt_levels_changes(&levels, &changes, &count), 0);
	assert_int_equal(count, 1);
	check(&changes[0], 2, 3, 2);
	free(changes);
	pt_levels_clear(&levels);
}

static void noise_is_no_change(void **state)
{
	struct pt_levels levels = {0};
	struct pt_change *changes = NULL;
	size_t count, i;

	(void)state;
	for (i = 0; i < 100; i++)
		add(&levels, i, 50 * MIB + i % 2 * MIB / 2, 5, false);
	assert_int_equal(pt_levels_changes(&levels, &changes, &count), 0);
	assert_int_equal(count, 0);
	free(changes);
	pt_levels_clear(&levels);
}

/* A peak of one level among a hundred thousand flat ones is not lost, nor where it was. */
static void a_long_series_keeps_its_peak(void **state)
{
	struct pt_levels levels = {0};
	struct pt_change *changes;
	size_t count, i;

	(void)state;
	for (i = 0; i < 100000; i++)
		add(&levels, i, (i == 31234 ? 90 : 20) * MIB + i % 3 * 4096, 5, false);
	assert_true(levels.count < 1024);
	assert_int_equal(pt_levels_changes(&levels, &changes, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(changes[0].after.time, 31234);
	assert_int_equal(changes[1].before.time, 31234);
	assert_in_range(pt_change_rss(&changes[0]), 70 * MIB - 8192, 70 * MIB + 8192);
	free(changes);
	pt_levels_clear(&levels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_and_down),
		cmocka_unit_test(another_address_space_is_no_change),
		cmocka_unit_test(noise_is_no_change),
		cmocka_unit_test(a_long_series_keeps_its_peak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
