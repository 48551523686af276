/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the trace layer share: a folder of their own, and rows of random values. */
#ifndef PT_TESTS_TRACE_UTIL_H
#define PT_TESTS_TRACE_UTIL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/bytes.h"
#include "trace/reader.h"
#include "trace/schema.h"
#include "trace/writer.h"

#define TEST_START 1000000000000ull

static char test_folder[64];

static inline int test_folder_make(void **state)
{
	(void)state;
	strcpy(test_folder, "/tmp/partrace-test.XXXXXX");
	return mkdtemp(test_folder) ? 0 : -1;
}

static inline int test_folder_remove(void **state)
{
	DIR *dir = opendir(test_folder);
	struct dirent *entry;

	(void)state;
	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	return rmdir(test_folder);
}

/* Valid until the next call but three. */
static inline const char *test_path(const char *name)
{
	static char paths[4][PATH_MAX];
	static int next;

	next = (next + 1) % 4;
	snprintf(paths[next], sizeof(paths[next]), "%s/%s", test_folder, name);
	return paths[next];
}

static inline uint64_t test_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline struct pt_writer *test_writer(const char *path)
{
	struct pt_writer_options options = {.path = path, .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct pt_meta meta = {.version = "test", .host = "h\xff", .start_mono = TEST_START};
	struct pt_writer *writer;
	struct pt_error err;

	if (pt_writer_open(&writer, &options, &meta, &err) < 0)
		fail_msg("%s", err.text);
	return writer;
}

static inline void test_finish(struct pt_writer *writer)
{
	struct pt_end end = {.ended_by = "exit", .command_status = 256, .duration_ns = 77};
	struct pt_error err;

	if (pt_writer_finish(writer, &end, &err) < 0)
		fail_msg("%s", err.text);
	pt_writer_free(writer);
}

static inline void test_add_switch(struct pt_writer *writer, uint64_t time, uint32_t tid)
{
	struct pt_switch row = {.time = TEST_START + time, .next_tid = tid, .syscall = -1};
	struct pt_record record = {.kind = PT_KIND_switch, .row = &row};

	assert_int_equal(pt_writer_add(writer, &record), 0);
}

/* Reads all, checks the order, and returns how many there are; -1 if it cannot be opened. */
static inline long test_count(const char *path, struct pt_reader_summary *summary)
{
	struct pt_reader_options options = {.threads = 2};
	struct pt_reader *reader;
	struct pt_record record;
	uint64_t last = 0;
	long n = 0;

	if (pt_reader_open(&reader, path, &options, NULL) < 0)
		return -1;
	while (pt_reader_next(reader, &record, NULL) == 1) {
		assert_true(pt_record_time(&record) >= last);
		last = pt_record_time(&record);
		n++;
	}
	if (summary) {
		pt_reader_summary(reader, summary);
		summary->damages = NULL;
	}
	pt_reader_free(reader);
	return n;
}

#endif
