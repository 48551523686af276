/* SPDX-License-Identifier: BSD-2-Clause */
/* The sets of page frames against plain arrays, and the scanner on ourselves. */
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/memory.h"
#include "capture/memory_frames.h"
#include "capture/memory_pace.h"
#include "bpf/records.h"

#define SPACE 4096
#define SETS  5

struct fixture {
	struct pt_pace pace;
	struct pt_frames sets[SETS];
	unsigned char held[SETS][SPACE]; /* kind + 1, 0: not held */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return !f || pt_pace_init(&f->pace, 1, 1000000000) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < SETS; i++)
		pt_frames_clear(&f->sets[i]);
	pt_pace_clear(&f->pace);
	free(f);
	return 0;
}

/* A frame has the same kind in every set, as in a machine. */
static enum pt_frame_kind kind_of(unsigned int frame)
{
	return frame / 64 % PT_FRAME_KINDS;
}

static void hold(struct fixture *f, unsigned int set, unsigned int frame)
{
	assert_int_equal(pt_frames_add(&f->sets[set], frame, kind_of(frame)), 0);
	f->held[set][frame] = 1;
}

/* Stretches that overlap, come twice, and in any order. */
static void fill(struct fixture *f, unsigned int seed)
{
	unsigned int set, n, i;

	srand(seed);
	for (set = 0; set < SETS; set++) {
		for (n = 0; n < 40; n++) {
			unsigned int first = (unsigned int)rand() % SPACE;
			unsigned int length = (unsigned int)rand() % 50;

			for (i = first; i < first + length && i < SPACE; i++)
				hold(f, set, i);
		}
		assert_int_equal(pt_frames_seal(&f->sets[set], &f->pace), 0);
	}
}

static void check_pair(const struct fixture *f, const struct pt_matrix *matrix, unsigned int a,
		       unsigned int b)
{
	struct pt_frame_counts counts = pt_matrix_pair(matrix, a, b);
	uint64_t expected[PT_FRAME_KINDS] = {0};
	unsigned int i;

	for (i = 0; i < SPACE; i++)
		expected[kind_of(i)] += f->held[a][i] && f->held[b][i];
	assert_memory_equal(counts.pages, expected, sizeof(expected));
}

static void check_common(const struct fixture *f, const struct pt_matrix *matrix, unsigned int k)
{
	struct pt_frame_counts counts = pt_matrix_common(matrix, k);
	uint64_t expected[PT_FRAME_KINDS] = {0};
	unsigned int i, set, holders;

	for (i = 0; i < SPACE; i++) {
		for (holders = 0, set = 0; set < SETS; set++)
			holders += f->held[set][i];
		expected[kind_of(i)] += holders == k;
	}
	assert_memory_equal(counts.pages, expected, sizeof(expected));
}

static void matrix_equals_counting(void **state)
{
	struct fixture *f = *state;
	const struct pt_frames *sets[SETS];
	struct pt_matrix *matrix;
	unsigned int a, b;

	fill(f, 7);
	for (a = 0; a < SETS; a++)
		sets[a] = &f->sets[a];
	assert_int_equal(pt_matrix_new(&matrix, sets, SETS, &f->pace), 0);
	for (a = 0; a < SETS; a++) {
		for (b = 0; b < SETS; b++)
			check_pair(f, matrix, a, b);
		check_common(f, matrix, a + 1);
	}
	pt_matrix_free(matrix);
}

static void a_set_holds_every_frame_once(void **state)
{
	struct fixture *f = *state;
	unsigned int i;
	uint64_t pages = 0;

	fill(f, 11);
	for (i = 0; i < SPACE; i++)
		pages += f->held[0][i];
	assert_int_equal(pt_frames_pages(&f->sets[0]), pages);
}

static void extremes_of_frame_numbers(void **state)
{
	struct fixture *f = *state;
	struct pt_frames *set = &f->sets[0];
	uint64_t i, last = PT_FRAME_NUMBER_MAX - 1;

	assert_int_equal(pt_frames_add(set, last, PT_FRAME_ANON), 0);
	assert_int_equal(pt_frames_add(set, PT_FRAME_NUMBER_MAX, PT_FRAME_ANON), 0);
	for (i = 0; i < (2ULL << PT_FRAME_LENGTH_BITS); i++)
		assert_int_equal(pt_frames_add(set, i, PT_FRAME_FILE), 0);
	assert_int_equal(pt_frames_seal(set, &f->pace), 0);
	assert_int_equal(pt_frames_pages(set), (2ULL << PT_FRAME_LENGTH_BITS) + 1);
	assert_int_equal(set->count, 3);
}

static void a_full_set_says_so(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	f->sets[0].limit = 3;
	for (i = 0; i < 10; i++)
		assert_int_equal(pt_frames_add(&f->sets[0], i * 2, PT_FRAME_ANON), 0);
	assert_true(f->sets[0].cut);
	assert_int_equal(f->sets[0].count, 3);
}

static void nothing_is_done_after_the_deadline(void **state)
{
	struct fixture *f = *state;

	pt_pace_begin(&f->pace);
	assert_int_equal(pt_pace_piece(&f->pace), 0);
	f->pace.deadline = pt_clock_read(CLOCK_MONOTONIC);
	assert_int_equal(pt_pace_piece(&f->pace), -ECANCELED);
}

static void cancelled_work_ends(void **state)
{
	struct fixture *f = *state;

	pt_pace_begin(&f->pace);
	pt_pace_cancel(&f->pace);
	assert_int_equal(pt_pace_piece(&f->pace), -ECANCELED);
	f->pace.hurry = true;
	assert_int_equal(pt_pace_piece(&f->pace), 0);
}

struct seen {
	uint64_t rss, classes_rss;
	unsigned int memories;
	uint32_t flags;
};

static int look(void *ctx, uint32_t kind, const void *row, const char *text, size_t text_len)
{
	struct seen *seen = ctx;

	assert_null(text);
	assert_int_equal(text_len, 0);
	if (kind == PT_KIND_memory) {
		const struct pt_memory *memory = row;

		seen->rss = memory->rss;
		seen->flags = memory->flags;
		seen->classes_rss = 0;
		seen->memories++;
	} else if (kind == PT_KIND_memory_class) {
		seen->classes_rss += ((const struct pt_memory_class *)row)->rss;
	}
	return 0;
}

/* We do not hold still, so the two figures are near each other, not equal. */
static void ourselves(void **state)
{
	struct seen seen = {0};
	struct pt_memory_options options = {.budget_percent = 100, .emit = look, .ctx = &seen};
	struct pt_memory_scanner *scanner;

	(void)state;
	assert_int_equal(pt_memory_start(&scanner, &options, NULL), 0);
	assert_int_equal(pt_memory_add(scanner, getpid(), 0), 0);
	assert_int_equal(pt_memory_add(scanner, getpid(), 0), 0);
	pt_memory_stop(scanner, 20000000000ULL);
	pt_memory_stop(scanner, 0);
	pt_memory_free(scanner);
	assert_true(seen.memories >= 1);
	assert_true(seen.flags & PT_MEMORY_LAST);
	assert_true(seen.classes_rss > seen.rss / 2 && seen.classes_rss < seen.rss * 2);
}

static void another_start_time_is_another_process(void **state)
{
	struct seen seen = {0};
	struct pt_memory_options options = {.emit = look, .ctx = &seen};
	struct pt_memory_scanner *scanner;

	(void)state;
	assert_int_equal(pt_memory_start(&scanner, &options, NULL), 0);
	assert_int_equal(pt_memory_add(scanner, getpid(), 1000000000), 0);
	pt_memory_stop(scanner, 1000000000);
	pt_memory_free(scanner);
	assert_int_equal(seen.memories, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(matrix_equals_counting),
		T(a_set_holds_every_frame_once),
		T(extremes_of_frame_numbers),
		T(a_full_set_says_so),
		T(nothing_is_done_after_the_deadline),
		T(cancelled_work_ends),
#undef T
		cmocka_unit_test(ourselves),
		cmocka_unit_test(another_start_time_is_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
