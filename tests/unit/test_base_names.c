/* SPDX-License-Identifier: BSD-2-Clause */
/* Ids to things, and names to what may be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/idmap.h"
#include "base/utf8.h"

static void idmap_keeps_all(void **unused)
{
	static char things[5000];
	struct pt_idmap map = {0};
	uint32_t i;

	(void)unused;
	assert_null(pt_idmap_get(&map, 0));
	for (i = 0; i < 5000; i++)
		assert_int_equal(pt_idmap_put(&map, i * 0x10001, &things[i]), 0);
	for (i = 0; i < 5000; i += 2)
		assert_int_equal(pt_idmap_put(&map, i * 0x10001, NULL), 0);
	assert_int_equal(pt_idmap_put(&map, UINT32_MAX, things), 0);
	for (i = 0; i < 5000; i++)
		assert_ptr_equal(pt_idmap_get(&map, i * 0x10001), i % 2 ? &things[i] : NULL);
	assert_ptr_equal(pt_idmap_get(&map, UINT32_MAX), things);
	assert_null(pt_idmap_get(&map, 3));
	pt_idmap_clear(&map);
}

static void assert_valid(const char *text, const char *expected)
{
	char *valid = pt_utf8_valid(text, strlen(text));

	assert_string_equal(valid, expected);
	free(valid);
}

static void assert_visible(const char *text, const char *expected)
{
	char *visible = pt_utf8_visible(text);

	assert_string_equal(visible, expected);
	free(visible);
}

static void names_become_text(void **unused)
{
	(void)unused;
	assert_valid("n\xc3\xb8"
		     "de",
		     "n\xc3\xb8"
		     "de");
	assert_valid("a\xff"
		     "b\xc3",
		     "a\\xff"
		     "b\\xc3");
	assert_valid("\xc0\xaf", "\\xc0\\xaf");
	assert_valid("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	assert_valid("\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_valid("\xf0\x9f\x98\x80\xf5\x80", "\xf0\x9f\x98\x80\\xf5\\x80");
	assert_visible("a\033[31mb\n", "a\\x1b[31mb\\x0a");
	assert_visible("x\xc2\x9by\xe2\x80\xaez", "x\\u{9b}y\\u{202e}z");
	assert_visible("n\xc3\xb8", "n\xc3\xb8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idmap_keeps_all),
		cmocka_unit_test(names_become_text),
	};

	return cmocka_run_group_tests_name("base: names", tests, NULL, NULL);
}
