/* SPDX-License-Identifier: BSD-2-Clause */
/* Which names are cgroups, and who is in one: this program is, somewhere below the root. */
#include <errno.h>
#include <mntent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/members.h"

static unsigned int calls, times_own;

/* In the place of the kernel: everybody was found and is new. */
int pt_probes_mark_tasks(struct pt_probes *probes, const uint32_t *tids, uint32_t count,
			 uint32_t *found, struct pt_error *err)
{
	(void)probes;
	(void)err;
	assert_in_range(count, 1, PT_PROBES_TASKS);
	calls++;
	for (uint32_t i = 0; i < count; i++) {
		assert_true(!i || tids[i - 1] <= tids[i]);
		times_own += tids[i] == (uint32_t)gettid();
	}
	*found = count;
	return 0;
}

static int open_one(const char *name)
{
	struct pt_members *members = NULL;
	struct pt_error err = {0};
	int r = pt_members_open(&members, &name, 1, &err);

	assert_true(!r || strstr(err.text, "cgroup"));
	pt_members_free(members);
	return r;
}

static void what_is_no_cgroup(void **unused)
{
	int r = open_one("/proc/no-such-folder");

	(void)unused;
	assert_true(r == -ENOENT || r == -ENOTSUP);
	assert_int_equal(open_one("/proc"), -ENOTDIR);
	assert_int_equal(open_one("/proc/self/status"), -ENOTDIR);
	pt_members_free(NULL);
}

/* The folder of a hierarchy, of whatever version. */
static bool find_root(char *folder, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;
	bool found = false;

	while (mounts && !found && (mount = getmntent(mounts))) {
		found = !strncmp(mount->mnt_type, "cgroup", 6);
		if (found)
			snprintf(folder, size, "%s", mount->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static void each_task_is_marked_once(void **unused)
{
	struct pt_members *members = NULL;
	struct pt_error err = {0};
	char folder[1024];
	const char *name = folder;
	unsigned int before;

	(void)unused;
	if (!find_root(folder, sizeof(folder)))
		skip();
	assert_int_equal(pt_members_open(&members, &name, 1, &err), 0);
	assert_false(pt_members_gone(members));
	assert_int_equal(pt_members_look(members, NULL, &err), 0);
	assert_int_equal(times_own, 1);
	assert_false(pt_members_gone(members));
	/* It is not yet time again. */
	before = calls;
	assert_int_equal(pt_members_look(members, NULL, &err), 0);
	assert_int_equal(calls, before);
	pt_members_free(members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_cgroup),
		cmocka_unit_test(each_task_is_marked_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
