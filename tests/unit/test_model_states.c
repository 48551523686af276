/* SPDX-License-Identifier: BSD-2-Clause */
/* One task's way through its states, each stream with its answer. */
#include "stream.h"

static void asleep_since_start(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	finish(s, 1000);
	assert_parts(s, task_of(s, 10), 0, 0, 1000, 0);
	assert_int_equal(
		pt_states_get(pt_analyses_states(&s->all), task_of(s, 10))->blocked[PT_REASON_POLL],
		1000);
	stream_free(s);
}

static void sleep_wake_run(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 100, 10, 0, 130);
	feed_switch(s, 130, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 200, 0, 10, PT_STATE_SLEEPING, 0);
	finish(s, 1000);
	assert_parts(s, task_of(s, 10), 70, 30, 900, 0);
	assert_int_equal(pt_runq_get(pt_analyses_runq(&s->all), task_of(s, 10))->max, 30);
	assert_int_equal(task_of(s, 10)->counts.voluntary, 1);
	assert_int_equal(task_of(s, 10)->wakeups, 1);
	assert_int_equal(pt_model_contradictions(s->model), 0);
	stream_free(s);
}

/* A switch that tells who woke next, after a sleep and in place of a wakeup of no wait. */
static void woken_by_the_switch(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_sleeper(s, 11, 11, "b");
	feed_as(s, switch, .time = 128, .next_tid = 10, .waker = 11, .syscall = -1,
		.flags = PT_SWITCH_WOKEN);
	feed_switch(s, 208, 0, 10, PT_STATE_SLEEPING, 0);
	finish(s, 1008);
	assert_parts(s, task_of(s, 10), 80, 0, 928, 0);
	assert_int_equal(task_of(s, 10)->wakeups, 1);
	assert_int_equal(pt_runq_get(pt_analyses_runq(&s->all), task_of(s, 10))->max, 0);
	assert_int_equal(pt_model_contradictions(s->model), 0);
	stream_free(s);
}

static void preemption(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_sleeper(s, 11, 11, "b");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_wakeup(s, 50, 11, 10, 60);
	feed_switch(s, 60, 0, 10, PT_STATE_RUNNABLE, 11);
	feed_switch(s, 90, 0, 11, PT_STATE_SLEEPING, 10);
	feed_switch(s, 100, 0, 10, PT_STATE_SLEEPING, 0);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 60, 30, 10, 0);
	assert_parts(s, task_of(s, 11), 30, 10, 60, 0);
	assert_int_equal(task_of(s, 10)->counts.involuntary, 1);
	assert_int_equal(charge_of(s, task_of(s, 10), task_of(s, 11)), 30);
	assert_int_equal(charge_of(s, task_of(s, 11), task_of(s, 10)), 10);
	stream_free(s);
}

/* The clock of the waking CPU is ahead of the sleeper's. */
static void wake_before_switch_out(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_wakeup(s, 99, 10, 0, 120);
	feed_switch(s, 100, 0, 10, PT_STATE_SLEEPING, 0);
	feed_switch(s, 120, 0, 0, PT_STATE_RUNNABLE, 10);
	finish(s, 200);
	assert_parts(s, task_of(s, 10), 170, 20, 10, 0);
	stream_free(s);
}

/* The wake-up comes behind the switch that it led to. */
static void late_wakeup(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_switch(s, 130, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_wakeup(s, 100, 10, 0, 130);
	feed_switch(s, 200, 0, 10, PT_STATE_SLEEPING, 0);
	finish(s, 200);
	assert_parts(s, task_of(s, 10), 70, 30, 100, 0);
	assert_int_equal(charge_of(s, task_of(s, 10), pt_model_nobody(s->model)), 30);
	stream_free(s);
}

static void missing_wakeup(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_switch(s, 130, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 200, 0, 10, PT_STATE_SLEEPING, 0);
	finish(s, 300);
	assert_parts(s, task_of(s, 10), 70, 0, 100, 130);
	assert_int_equal(pt_model_contradictions(s->model), 1);
	stream_free(s);
}

static void missing_switch_out(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 50, 1, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 80, 1, 10, PT_STATE_SLEEPING, 0);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 30, 0, 30, 40);
	stream_free(s);
}

/* Migrated while it ran: the new CPU's clock was read before the old one's. */
static void comes_before_it_goes(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 50, 1, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 53, 0, 10, PT_STATE_RUNNABLE, 18);
	feed_switch(s, 80, 1, 10, PT_STATE_SLEEPING, 0);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 70, 0, 30, 0);
	assert_int_equal(pt_model_contradictions(s->model), 0);
	stream_free(s);
}

/* The same for a wake-up: the switch to the sleeper began before the sleeper was woken. */
static void runs_before_it_is_woken(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_switch(s, 50, 1, 0, PT_STATE_RUNNABLE, 10);
	feed_wakeup(s, 53, 10, 0, 53);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 50, 0, 50, 0);
	stream_free(s);
}

static void another_leaves_than_came(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_sleeper(s, 11, 11, "b");
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 60, 0, 11, PT_STATE_SLEEPING, 0);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 0, 0, 10, 90);
	assert_parts(s, task_of(s, 11), 0, 0, 40, 60);
	stream_free(s);
}

static void first_seen_by_switch(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_switch(s, 40, 0, 10, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 60, 10, 0, 70);
	feed_switch(s, 70, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_as(s, task, .time = 75, .tid = 10, .pid = 10, .state = PT_STATE_RUNNING, .cpu = 0);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 30, 10, 20, 40);
	assert_true(task_of(s, 10)->target);
	stream_free(s);
}

static void runs_and_waits_at_start(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_as(s, task, .time = 20, .tid = 10, .pid = 10, .state = PT_STATE_RUNNING, .cpu = 1);
	feed_as(s, task, .time = 20, .tid = 11, .pid = 11, .state = PT_STATE_RUNNABLE, .cpu = 1,
		.since = 15);
	feed_switch(s, 50, 1, 10, PT_STATE_RUNNABLE, 11);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 50, 50, 0, 0);
	assert_parts(s, task_of(s, 11), 50, 45, 5, 0);
	assert_int_equal(charge_of(s, task_of(s, 11), task_of(s, 10)), 45);
	assert_int_equal(charge_of(s, task_of(s, 10), task_of(s, 11)), 50);
	stream_free(s);
}

static void starved_until_the_end(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, 10, 10, "a");
	feed_as(s, task, .time = 100, .tid = 10, .pid = 10, .start = 10, .state = PT_STATE_RUNNABLE,
		.since = 30, .flags = PT_TASK_LAST);
	finish(s, 100);
	assert_parts(s, task_of(s, 10), 0, 30, 70, 0);
	assert_int_equal(pt_runq_get(pt_analyses_runq(&s->all), task_of(s, 10))->count, 0);
	stream_free(s);
}

static void loss_makes_unknown(void **unused)
{
	struct stream *s = stream_new();
	struct pt_loss first = {.time = 150, .length = 50, .kind = PT_KIND_switch, .count = 1};
	struct pt_loss second = {.time = 160, .length = 30, .kind = PT_KIND_switch, .count = 1};
	struct pt_loss other = {.time = 60, .length = 60, .kind = PT_KIND_migrate, .count = 1};

	(void)unused;
	assert_int_equal(pt_model_add_loss(s->model, &second), 0);
	assert_int_equal(pt_model_add_loss(s->model, &first), 0);
	assert_int_equal(pt_model_add_loss(s->model, &other), 0);
	feed_sleeper(s, 10, 10, "a");
	feed_wakeup(s, 50, 10, 0, 60);
	feed_switch(s, 60, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 110, 0, 10, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 155, 10, 0, 170);
	feed_switch(s, 170, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 180, 0, 10, PT_STATE_SLEEPING, 0);
	finish(s, 200);
	/* Runs 60-100, unknown to 160 and, as it may not be cut, the whole wait 155-170. */
	assert_parts(s, task_of(s, 10), 50, 10, 70, 70);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asleep_since_start),
		cmocka_unit_test(sleep_wake_run),
		cmocka_unit_test(woken_by_the_switch),
		cmocka_unit_test(preemption),
		cmocka_unit_test(wake_before_switch_out),
		cmocka_unit_test(late_wakeup),
		cmocka_unit_test(missing_wakeup),
		cmocka_unit_test(missing_switch_out),
		cmocka_unit_test(comes_before_it_goes),
		cmocka_unit_test(runs_before_it_is_woken),
		cmocka_unit_test(another_leaves_than_came),
		cmocka_unit_test(first_seen_by_switch),
		cmocka_unit_test(runs_and_waits_at_start),
		cmocka_unit_test(starved_until_the_end),
		cmocka_unit_test(loss_makes_unknown),
	};

	return cmocka_run_group_tests_name("model: states", tests, NULL, NULL);
}
