/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is charged for a wait. */
#include "stream.h"

/* Target 10 runs, leaves to stranger 50, of whose time only the occupants tell; then waits for it. */
static void feed_strangers(struct stream *s, bool occupants_first, bool occupants)
{
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 20, 0, 10, PT_STATE_SLEEPING, 50);
	feed_wakeup(s, 30, 10, 0, 100);
	if (!occupants_first)
		feed_switch(s, 100, 0, 0, PT_STATE_RUNNABLE, 10);
	if (occupants) {
		feed_as(s, occupant, .time = 100, .ago = 40, .tid = 51, .pid = 5, .comm = {"hog"},
			.cpu = 0);
		feed_as(s, occupant, .time = 100, .ago = 10, .tid = 0, .cpu = 0);
		feed_as(s, occupant, .time = 100, .ago = 80, .tid = 50, .pid = 50,
			.comm = {"other"}, .cpu = 0);
	}
	if (occupants_first)
		feed_switch(s, 100, 0, 0, PT_STATE_RUNNABLE, 10);
	finish(s, 200);
}

static void assert_strangers(struct stream *s)
{
	const struct pt_model_task *waiter = task_of(s, 10);

	assert_int_equal(charge_of(s, waiter, task_of(s, 50)), 30);
	assert_int_equal(charge_of(s, waiter, task_of(s, 51)), 30);
	assert_int_equal(charge_of(s, waiter, pt_model_idle(s->model)), 10);
	assert_int_equal(charge_of(s, waiter, pt_model_nobody(s->model)), 0);
	assert_string_equal(task_of(s, 51)->comm, "hog");
	assert_false(task_of(s, 51)->target);
	assert_sums(s, waiter);
}

static void occupants_before_the_switch(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_strangers(s, true, true);
	assert_strangers(s);
	stream_free(s);
}

static void occupants_after_the_switch(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_strangers(s, false, true);
	assert_strangers(s);
	stream_free(s);
}

/* That another left than came says that somebody unseen was there. */
static void no_occupants(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_strangers(s, false, false);
	assert_int_equal(charge_of(s, task_of(s, 10), pt_model_nobody(s->model)), 70);
	assert_sums(s, task_of(s, 10));
	stream_free(s);
}

static void idle_is_charged(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 20, 0, 10, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 30, 10, 0, 80);
	feed_switch(s, 80, 0, 0, PT_STATE_RUNNABLE, 10);
	finish(s, 200);
	assert_int_equal(charge_of(s, task_of(s, 10), pt_model_idle(s->model)), 50);
	assert_sums(s, task_of(s, 10));
	stream_free(s);
}

/* More pieces than the history first holds, and more occupants than are kept by name. */
static void long_waits(void **unused)
{
	struct stream *s = stream_new();
	uint64_t time = 100;
	uint32_t round, i, last = 0;

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	for (i = 0; i < 100; i++)
		feed_sleeper(s, 1000 + i, 1000 + i, "b");
	for (round = 0; round < 4; round++) {
		uint64_t woken = time;

		for (i = 0; i < 1500; i++) {
			uint32_t next = 1000 + i % 100;

			time += 10;
			feed_wakeup(s, time, next, 0, time);
			feed_switch(s, time, 0, last, PT_STATE_SLEEPING, next);
			last = next;
		}
		feed_as(s, wakeup, .time = woken, .tid = 10, .waker = 0,
			.wait = (uint32_t)(time + 10 - woken));
		time += 10;
		feed_switch(s, time, 0, last, PT_STATE_SLEEPING, 10);
		last = 10;
	}
	finish(s, time);
	assert_all_sums(s);
	/* But for the first, it was woken 10 ns before it slept. */
	assert_int_equal(part_ns(s, task_of(s, 10), PT_PART_RUNNABLE), 4 * 15010 - 3 * 10);
	/* The first long wait teaches how much to remember. */
	assert_true(charge_of(s, task_of(s, 10), pt_model_nobody(s->model)) < 20000);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(occupants_before_the_switch),
		cmocka_unit_test(occupants_after_the_switch),
		cmocka_unit_test(no_occupants),
		cmocka_unit_test(idle_is_charged),
		cmocka_unit_test(long_waits),
	};

	return cmocka_run_group_tests_name("analysis: charges", tests, NULL, NULL);
}
