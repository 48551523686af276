/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of the kernel, read strictly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parse.h"

static void numbers(void **unused)
{
	const char *text = "18446744073709551615:fFffFFffffffffff 7f";
	const char *start;
	uint64_t number = 0;

	(void)unused;
	assert_true(pt_parse_number(&text, 10, &number) && number == UINT64_MAX);
	assert_true(pt_parse_literal(&text, ":"));
	assert_true(pt_parse_number(&text, 16, &number) && number == UINT64_MAX);
	assert_true(pt_parse_skip(&text, 0));
	assert_true(pt_parse_number(&text, 10, &number) && number == 7 && *text == 'f');
	start = text;
	assert_false(pt_parse_number(&text, 10, &number));
	assert_true(text == start && number == 7);
}

static void no_numbers(void **unused)
{
	static const char *const texts[] = {
		"", " 1", "+1", "-1", "x1", "/", "18446744073709551616", "99999999999999999999"};
	size_t i;

	(void)unused;
	for (i = 0; i < PT_ARRAY_SIZE(texts); i++) {
		const char *text = texts[i];
		uint64_t number = 5;

		assert_false(pt_parse_number(&text, 10, &number));
		assert_true(number == 5 && text == texts[i]);
	}
}

static void words(void **unused)
{
	const char *text = "  one\ttwo  three", *start;

	(void)unused;
	assert_true(pt_parse_skip(&text, 2) && *text == 't');
	start = text;
	assert_false(pt_parse_skip(&text, 1));
	assert_false(pt_parse_literal(&text, "threefold"));
	assert_true(text == start);
	assert_true(pt_parse_literal(&text, "three") && !*text);
	assert_false(pt_parse_skip(&text, 0));
	assert_false(pt_parse_literal(&text, "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(no_numbers),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
