/* SPDX-License-Identifier: BSD-2-Clause */
/* A recorder that is killed at any moment leaves everything it had written. */
#include "trace_util.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define KILLS	 200
#define LIFE_US	 8000 /* at most, before it is killed */
#define INTERVAL 500  /* records */

/* Shared with the child: how many records its writer says it has written. */
static volatile uint64_t *written;

static void record_for_ever(const char *path)
{
	struct pt_writer *writer = test_writer(path);
	struct pt_writer_stats stats;

	for (uint32_t i = 0;; i++) {
		test_add_switch(writer, (uint64_t)i * 1000, i);
		if (i % INTERVAL != INTERVAL - 1)
			continue;
		pt_writer_cut(writer, TEST_START + (uint64_t)i * 1000, NULL);
		pt_writer_stats(writer, &stats);
		*written = stats.records[PT_KIND_switch];
	}
}

/* Records must be those that were written first, without a gap, and the file must say that it is
 * not finished. */
static uint32_t check_rest(const char *path)
{
	struct pt_reader_summary summary;
	struct pt_reader *reader;
	struct pt_record record;
	uint32_t n = 0;

	if (pt_reader_open(&reader, path, NULL, NULL) < 0)
		return 0;
	while (pt_reader_next(reader, &record, NULL) == 1) {
		const struct pt_switch *row = record.row;

		assert_int_equal(row->next_tid, n);
		n++;
	}
	pt_reader_summary(reader, &summary);
	assert_false(summary.complete);
	assert_null(pt_reader_end(reader));
	assert_true(summary.damage_count <= 1);
	pt_reader_free(reader);
	return n;
}

static void killed_at_any_moment(void **state)
{
	uint64_t seed = 20261120;
	uint32_t readable = 0;

	(void)state;
	written = mmap(NULL, sizeof(*written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	assert_true(written != MAP_FAILED);
	for (int i = 0; i < KILLS; i++) {
		pid_t child;
		uint32_t n;

		*written = 0;
		child = fork();
		if (!child)
			record_for_ever(test_path("killed"));
		/* Half of them early, perhaps before there is a file, the others in the midst of it. */
		while (i % 2 && !*written)
			usleep(100);
		usleep((useconds_t)(test_random(&seed) % LIFE_US));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		n = check_rest(test_path("killed.partial"));
		assert_true(n >= *written);
		readable += n > 0;
		unlink(test_path("killed.partial"));
	}
	assert_true(readable >= KILLS / 2);
	munmap((void *)written, sizeof(*written));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
