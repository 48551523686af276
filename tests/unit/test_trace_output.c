/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a trace goes, and what must never happen to what was there. */
#include "trace_util.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "trace/partial.h"

static void write_trace(const char *path, uint32_t records)
{
	struct pt_writer *writer = test_writer(path);

	for (uint32_t i = 0; i < records; i++)
		test_add_switch(writer, i, i);
	test_finish(writer);
}

static int open_error(const char *path)
{
	struct pt_writer_options options = {.path = path, .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct pt_meta meta = {0};
	struct pt_writer *writer;
	struct pt_error err = {0};
	int ret = pt_writer_open(&writer, &options, &meta, &err);

	if (!ret) {
		pt_writer_abandon(writer);
		pt_writer_free(writer);
	} else {
		assert_non_null(strstr(err.text, path));
	}
	return ret;
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_file(const char *path, const char *text)
{
	char got[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_non_null(fgets(got, sizeof(got), file));
	fclose(file);
	assert_string_equal(got, text);
}

static void private_and_owned(void **state)
{
	struct pt_writer_options options = {.path = test_path("owned"), .uid = 12, .gid = 34};
	struct pt_meta meta = {0};
	struct pt_writer *writer;
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	umask(0);
	assert_int_equal(pt_writer_open(&writer, &options, &meta, NULL), 0);
	test_finish(writer);
	umask(022);
	assert_int_equal(stat(test_path("owned"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
}

static void previous_is_kept(void **state)
{
	(void)state;
	write_trace(test_path("data"), 1);
	write_trace(test_path("data"), 2);
	write_trace(test_path("data"), 3);
	assert_int_equal(test_count(test_path("data"), NULL), 3);
	assert_int_equal(test_count(test_path("data.old"), NULL), 2);
	assert_int_equal(access(test_path("data.partial"), F_OK), -1);
}

static void failed_start_loses_nothing(void **state)
{
	(void)state;
	put_file(test_path("kept"), "mine");
	put_file(test_path("kept.old"), "older");
	assert_int_equal(symlink("kept", test_path("link")), 0);
	assert_int_equal(open_error(test_path("link")), -ELOOP);
	assert_int_equal(open_error(test_path("kept")), 0);
	expect_file(test_path("kept"), "mine");
	expect_file(test_path("kept.old"), "older");
	assert_int_equal(open_error(test_path("no/such")), -ENOENT);
	assert_int_equal(open_error(test_folder), -EINVAL);
}

static void stale_partial_is_left_alone(void **state)
{
	struct pt_writer *writer;

	(void)state;
	put_file(test_path("s.partial"), "only recording");
	assert_int_equal(symlink("elsewhere", test_path("s.partial.2")), 0);
	writer = test_writer(test_path("s"));
	assert_string_equal(pt_writer_partial_path(writer), test_path("s.partial.3"));
	test_finish(writer);
	expect_file(test_path("s.partial"), "only recording");
	assert_int_equal(access(test_path("elsewhere"), F_OK), -1);
	assert_int_equal(test_count(test_path("s"), NULL), 0);
}

static void partials_are_found(void **state)
{
	struct pt_writer *writer;
	char *found;

	(void)state;
	assert_int_equal(pt_partial_find(test_path("p"), &found), -ENOENT);
	assert_int_equal(pt_partial_find(test_path("no/p"), &found), -ENOENT);
	put_file(test_path("p.partially"), "not one");
	assert_int_equal(symlink("p.partially", test_path("p.partial.9")), 0);
	assert_int_equal(pt_partial_find(test_path("p"), &found), -ENOENT);
	writer = test_writer(test_path("p"));
	test_add_switch(writer, 1, 1);
	assert_int_equal(pt_writer_cut(writer, TEST_START + 2, NULL), 0);
	pt_writer_free(writer);
	assert_int_equal(pt_partial_find(test_path("p"), &found), 0);
	assert_string_equal(found, test_path("p.partial"));
	assert_int_equal(test_count(found, NULL), 1);
	free(found);
}

static void replaced_partial_is_noticed(void **state)
{
	struct pt_writer *writer = test_writer(test_path("r"));
	struct pt_end end = {0};

	(void)state;
	put_file(test_path("r"), "mine");
	assert_int_equal(unlink(test_path("r.partial")), 0);
	put_file(test_path("r.partial"), "theirs");
	assert_int_equal(pt_writer_finish(writer, &end, NULL), -ESTALE);
	pt_writer_abandon(writer);
	pt_writer_free(writer);
	expect_file(test_path("r"), "mine");
	expect_file(test_path("r.partial"), "theirs");
}

static void shared_folder_has_no_guessable_name(void **state)
{
	struct pt_writer *writer;
	const char *partial;

	(void)state;
	assert_int_equal(chmod(test_folder, 01777), 0);
	writer = test_writer(test_path("shared"));
	partial = pt_writer_partial_path(writer) + strlen(test_path("shared.partial."));
	assert_int_equal(strlen(partial), 16);
	test_finish(writer);
	assert_int_equal(test_count(test_path("shared"), NULL), 0);
	assert_int_equal(chmod(test_folder, 0700), 0);
}

static void devices_are_written_straight(void **state)
{
	struct stat st;

	(void)state;
	write_trace("/dev/null", 10);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

/* A pipe whose reader goes away is an error, not a death. */
static void closed_pipe(void **state)
{
	struct pt_writer *writer;
	struct pt_error err = {0};
	int fd, ret = 0;

	(void)state;
	assert_int_equal(mkfifo(test_path("fifo"), 0600), 0);
	fd = open(test_path("fifo"), O_RDONLY | O_NONBLOCK);
	writer = test_writer(test_path("fifo"));
	close(fd);
	for (uint32_t i = 0; !ret && i < 1000; i++) {
		test_add_switch(writer, i, i);
		ret = pt_writer_cut(writer, TEST_START + i, &err);
		usleep(1000);
	}
	assert_int_equal(ret, -EPIPE);
	assert_non_null(strstr(err.text, "fifo"));
	pt_writer_free(writer);
}

/* In a child with a mount namespace of its own. */
static int fill_disk(void)
{
	struct pt_writer *writer;
	struct pt_error err = {0};
	struct pt_reader_summary summary;
	char partial[PATH_MAX];
	uint64_t seed = 1;
	uint32_t i = 0;
	int ret = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", test_folder, "tmpfs", 0, "size=256k") < 0)
		return 77;
	writer = test_writer(test_path("full"));
	for (; !ret && i < 10000000; i++) {
		test_add_switch(writer, (uint64_t)i * 1000, (uint32_t)test_random(&seed));
		if (i % 1000 == 999)
			ret = pt_writer_cut(writer, TEST_START + (uint64_t)i * 1000, &err);
	}
	if (ret != -ENOSPC || !strstr(err.text, "full.partial"))
		return 1;
	if (pt_writer_finish(writer, &(struct pt_end){0}, &err) != -ENOSPC)
		return 2;
	snprintf(partial, sizeof(partial), "%s", pt_writer_partial_path(writer));
	pt_writer_free(writer);
	if (test_count(partial, &summary) < 10000 || summary.complete)
		return 3;
	return 0;
}

static void full_disk(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (!child)
		_exit(fill_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_and_owned),
		cmocka_unit_test(previous_is_kept),
		cmocka_unit_test(failed_start_loses_nothing),
		cmocka_unit_test(stale_partial_is_left_alone),
		cmocka_unit_test(partials_are_found),
		cmocka_unit_test(replaced_partial_is_noticed),
		cmocka_unit_test(shared_folder_has_no_guessable_name),
		cmocka_unit_test(devices_are_written_straight),
		cmocka_unit_test(closed_pipe),
		cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
