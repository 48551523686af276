/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's files say of cgroups, in the words of both versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/cgroup_files.h"

#define MIXED                                                                                      \
	"23 1 0:22 / / rw - ext4 /dev/root rw\n"                                                   \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"                   \
	"33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"               \
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup "            \
	"rw,cpu,cpuacct\n"
#define UNIFIED "30 23 0:26 /pod /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void where_it_is_mounted(void **unused)
{
	struct pt_cgroup_files files;

	(void)unused;
	pt_cgroup_find(&files, MIXED);
	assert_string_equal(files.mount, "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(files.root, "/");
	assert_false(files.unified);
	pt_cgroup_find(&files, UNIFIED);
	assert_string_equal(files.mount, "/sys/fs/cgroup");
	assert_string_equal(files.root, "/pod");
	assert_true(files.unified);
	pt_cgroup_find(&files, "23 1 0:22 / / rw - ext4 /dev/root rw\n");
	assert_string_equal(files.mount, "");
	pt_cgroup_find(&files, "x\n\n - cgroup2\n30 23 0:26 / /a\\040b rw - cgroup2 c rw");
	assert_string_equal(files.mount, "");
}

static void whose_it_is(void **unused)
{
	char path[PT_CGROUP_PATH_MAX];

	(void)unused;
	assert_true(pt_cgroup_path("3:cpuset:/a\n2:cpuacct,cpu:/b:c/d\n0::/e\n", path));
	assert_string_equal(path, "/b:c/d");
	assert_true(pt_cgroup_path("3:cpuset:/a\n1:name=cpu:/b\n0::/e\n", path));
	assert_string_equal(path, "/e");
	assert_false(pt_cgroup_path("3:cpuset:/a\n", path));
	assert_false(pt_cgroup_path("nonsense", path));
	assert_false(pt_cgroup_path("", path));
}

static void only_what_is_mounted_can_be_opened(void **unused)
{
	struct pt_cgroup_files files = {.mount = "/proc", .root = "/pod"};

	(void)unused;
	assert_true(pt_cgroup_open(&files, "/pod/self") >= 0);
	assert_true(pt_cgroup_open(&files, "/pod") >= 0);
	assert_true(pt_cgroup_open(&files, "/podium/self") < 0);
	assert_true(pt_cgroup_open(&files, "/self") < 0);
}

static void limits(void **unused)
{
	struct pt_cgroup_limit limit;

	(void)unused;
	assert_true(pt_cgroup_parse_max("20000 100000\n", &limit));
	assert_int_equal(limit.quota, 20000000);
	assert_int_equal(limit.period, 100000000);
	assert_true(pt_cgroup_parse_max("max 100000\n", &limit));
	assert_int_equal(limit.quota, 0);
	assert_int_equal(limit.period, 0);
	assert_false(pt_cgroup_parse_max("max", &limit));
	assert_false(pt_cgroup_parse_max("", &limit));
}

static void counters(void **unused)
{
	struct pt_cgroup_counts counts;

	(void)unused;
	pt_cgroup_parse_stat(
		"nr_periods 18\nnr_throttled 12\nthrottled_time 935428231\nnr_bursts 0\n", &counts);
	assert_int_equal(counts.periods, 18);
	assert_int_equal(counts.throttled, 12);
	assert_int_equal(counts.throttled_ns, 935428231);
	pt_cgroup_parse_stat("usage_usec 5\nnr_periods 1\nnr_throttled 2\nthrottled_usec 3",
			     &counts);
	assert_int_equal(counts.periods, 1);
	assert_int_equal(counts.throttled, 2);
	assert_int_equal(counts.throttled_ns, 3000);
	pt_cgroup_parse_stat("usage_usec 5\n", &counts);
	assert_int_equal(counts.throttled_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_is_mounted),
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(only_what_is_mounted_can_be_opened),
		cmocka_unit_test(limits),
		cmocka_unit_test(counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
