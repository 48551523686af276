/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "view/format.h"

static void times(void **unused)
{
	(void)unused;
	assert_string_equal(pt_format_ns(0).s, "0");
	assert_string_equal(pt_format_ns(999).s, "999 ns");
	assert_string_equal(pt_format_ns(1000).s, "1.00 us");
	assert_string_equal(pt_format_ns(9994).s, "9.99 us");
	assert_string_equal(pt_format_ns(9996).s, "10.0 us");
	assert_string_equal(pt_format_ns(999499).s, "999 us");
	assert_string_equal(pt_format_ns(999500).s, "1.00 ms");
	assert_string_equal(pt_format_ns(999500000).s, "1.00 s");
	assert_string_equal(pt_format_ns(12340000000).s, "12.3 s");
	assert_string_equal(pt_format_ns(119600000000).s, "2:00 min");
	assert_string_equal(pt_format_ns(7384000000000).s, "2:03:04 h");
	assert_string_equal(pt_format_ns(UINT64_MAX).s, "5124095:34:34 h");
}

static void counts_and_bytes(void **unused)
{
	(void)unused;
	assert_string_equal(pt_format_count(0).s, "0");
	assert_string_equal(pt_format_count(999).s, "999");
	assert_string_equal(pt_format_count(1234567).s, "1,234,567");
	assert_string_equal(pt_format_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
	assert_string_equal(pt_format_bytes(512).s, "512 B");
	assert_string_equal(pt_format_bytes(1536).s, "1.50 KiB");
	assert_string_equal(pt_format_bytes(1048575).s, "1.00 MiB");
	assert_string_equal(pt_format_bytes(UINT64_MAX).s, "16.0 EiB");
}

static void shares(void **unused)
{
	(void)unused;
	assert_string_equal(pt_format_percent(0, 10).s, "-");
	assert_string_equal(pt_format_percent(1, 0).s, "-");
	assert_string_equal(pt_format_percent(1, 100000).s, "<0.1");
	assert_string_equal(pt_format_percent(123, 1000).s, "12.3");
	assert_string_equal(pt_format_percent(9999, 10000).s, "100.0");
	assert_string_equal(pt_format_percent(7, 7).s, "100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(counts_and_bytes),
		cmocka_unit_test(shares),
	};

	return cmocka_run_group_tests_name("view: format", tests, NULL, NULL);
}
