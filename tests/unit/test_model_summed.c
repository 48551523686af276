/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns that are only added up, and those between them that are told with their age. */
#include "loops_stream.h"
#include "base/leb.h"

/* Bucket 256 of the histogram begins at 2^9 ns. */
#define BUCKET	      256
#define BUCKET_MIDDLE (512 + 4)

/* `turns` turns have been added up, the last of which ended with a return at `time`. */
static void feed_sum(struct stream *s, uint64_t time, uint64_t turns, uint64_t idle)
{
	uint8_t text[2 * PT_LEB_MAX];
	struct pt_turn_sum row = {.time = time * MS,
				  .loop = 1,
				  .tid = LOOPER,
				  .syscall = EPOLL,
				  .busy = turns * BUCKET_MIDDLE,
				  .idle = idle * MS,
				  .waits = turns};
	struct pt_record record = {
		.kind = PT_KIND_turn_sum, .row = &row, .text = (const char *)text};

	record.text_len = (uint32_t)pt_leb_put(text, BUCKET);
	record.text_len += (uint32_t)pt_leb_put(text + record.text_len, turns);
	row.text = record.text_len;
	assert_int_equal(pt_model_feed(s->model, &record), 0);
}

/* A wait that slept, whose return was added up. */
static void feed_silent_wait(struct stream *s, uint64_t from, uint64_t to)
{
	feed_switch(s, from * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, to * MS, LOOPER, 0, to * MS);
	feed_switch(s, to * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
}

/* A return that is told: the turn before it began at `began`, the sleep in the wait at `asleep`, 0: there was none. */
static void feed_aged_return(struct stream *s, uint64_t time, uint64_t began, uint64_t asleep)
{
	feed_as(s, turn, .time = time * MS, .tid = LOOPER, .loop = 1, .timeout = asleep ? -1 : 0,
		.events = 1, .limit = LIMIT, .syscall = EPOLL, .age = (time - began) * MS,
		.slept = asleep ? (time - asleep) * MS : 0);
}

static void counts_in_the_distribution(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_loops_of *of;

	(void)unused;
	feed_silent_wait(s, 101, 200);
	feed_sum(s, 200, 1000, 99);
	feed_wait(s, 201, 300, 1, 1);
	finish(s, 300 * MS);
	of = figures_of(s, LOOPER, 1);
	assert_int_equal(of->turns, 1000 + 2);
	assert_int_equal(of->idle_ns, (100 + 99 + 99) * MS);
	assert_int_equal(of->busy_ns, 2 * MS);
	assert_int_equal(pt_histogram_quantile(&of->turn_ns, 0.5), BUCKET_MIDDLE);
	assert_int_equal(stall_count(s), 0);
	stream_free(s);
}

/* The kernel did not show how the sleep in a wait ended; what is told of it late comes behind the return. */
static void a_wait_that_ended_unseen(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_loops_of *of;

	(void)unused;
	feed_switch(s, 101 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_aged_return(s, 150, 100, 101);
	feed_as(s, switch, .time = 150 * MS + 2000, .prev_tid = 20, .next_tid = LOOPER,
		.syscall = -1, .flags = PT_SWITCH_UNSEEN);
	feed_wait(s, 151, 200, 1, 1);
	finish(s, 200 * MS);
	of = figures_of(s, LOOPER, 1);
	assert_int_equal(stall_count(s), 0);
	assert_int_equal(of->idle_ns, (100 + 49 + 49) * MS + 2000);
	stream_free(s);
}

/* What lies before the turn, though nobody told of a return there, is not charged to it. */
static void a_stall_behind_silent_sleeps(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;

	(void)unused;
	feed_silent_wait(s, 101, 120);
	feed_silent_wait(s, 121, 130);
	feed_block(s, 131, 141, PT_REASON_DISK, 0, 0);
	feed_switch(s, 145 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 150 * MS, LOOPER, 0, 150 * MS);
	feed_switch(s, 150 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_aged_return(s, 150, 130, 145);
	feed_wait(s, 151, 200, 1, 1);
	finish(s, 200 * MS);
	stall = the_stall(s);
	assert_stall(stall, 130, 145, PT_VERDICT_BLOCKED);
	assert_int_equal(stall->part[PT_PART_BLOCKED], 10 * MS);
	stream_free(s);
}

/* A loop that never sleeps: the turn began while the task had its CPU. */
static void a_stall_behind_silent_polls(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;

	(void)unused;
	feed_switch(s, 305 * MS, 0, LOOPER, PT_STATE_RUNNABLE, 20);
	feed_switch(s, 310 * MS, 0, 20, PT_STATE_SLEEPING, LOOPER);
	feed_aged_return(s, 320, 300, 0);
	feed_wait(s, 321, 400, 1, 1);
	finish(s, 400 * MS);
	stall = the_stall(s);
	assert_stall(stall, 300, 320, PT_VERDICT_COMPUTING);
	assert_int_equal(stall->part[PT_PART_RUNNABLE], 5 * MS);
	stream_free(s);
}

/* A sleep in a wait that goes on after a vain wake-up is one wait. */
static void a_wait_of_two_sleeps(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_switch(s, 130 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 150 * MS, LOOPER, 0, 150 * MS);
	feed_switch(s, 150 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_switch(s, 151 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 190 * MS, LOOPER, 0, 190 * MS);
	feed_switch(s, 190 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_aged_return(s, 190, 100, 130);
	finish(s, 191 * MS);
	assert_stall(the_stall(s), 100, 130, PT_VERDICT_COMPUTING);
	stream_free(s);
}

/* Attached in the middle of a turn, of a wait: what lies before the recording is none of its. */
static void a_turn_that_began_before_the_recording(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_sleeper(s, LOOPER, LOOPER, "loop");
	feed_wakeup(s, 5 * MS, LOOPER, 0, 5 * MS);
	feed_switch(s, 5 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 5, LOOPER, 1, -1, 1);
	feed_as(s, turn, .time = 6 * MS, .tid = LOOPER, .loop = 1, .timeout = -1, .events = 1,
		.limit = LIMIT, .syscall = EPOLL, .age = 400 * MS, .slept = 300 * MS);
	feed_aged_return(s, 7, 6, 0);
	finish(s, 8 * MS);
	assert_int_equal(stall_count(s), 0);
	assert_true(figures_of(s, LOOPER, 1)->turn_ns.max <= 8 * MS);
	stream_free(s);
}

/* Told while the task has its CPU, before any span says so: it belongs to the turn, not to the wait. */
static void a_child_in_the_turn_after_a_silent_return(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_silent_wait(s, 101, 120);
	feed_fork(s, 121 * MS, LOOPER, 77, 77);
	feed_block(s, 122, 150, PT_REASON_POLL, 7, 77);
	feed_as(s, turn, .time = 150 * MS, .tid = LOOPER, .loop = PT_LOOP_OF_TASK, .timeout = -1,
		.events = 1, .syscall = 7, .flags = PT_TURN_NESTED, .age = 30 * MS,
		.slept = 28 * MS);
	feed_switch(s, 151 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 160 * MS, LOOPER, 0, 160 * MS);
	feed_switch(s, 160 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_aged_return(s, 160, 120, 151);
	feed_wait(s, 161, 200, 1, 1);
	finish(s, 200 * MS);
	assert_stall(the_stall(s), 120, 151, PT_VERDICT_NESTED);
	stream_free(s);
}

static void the_last_turn_began_at_the_last_sum(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_silent_wait(s, 101, 200);
	feed_sum(s, 200, 1, 99);
	finish(s, 230 * MS);
	assert_stall(the_stall(s), 200, 230, PT_VERDICT_COMPUTING);
	stream_free(s);
}

/* The sums of the last moments are missing: no turn is made of them. */
static void a_recording_that_breaks_off(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_silent_wait(s, 101, 200);
	feed_sum(s, 200, 1, 99);
	feed_silent_wait(s, 201, 300);
	feed_switch(s, 330 * MS, 1, 0, PT_STATE_RUNNABLE, 20);
	finish(s, 0);
	assert_int_equal(stall_count(s), 0);
	stream_free(s);
}

static void nonsense_in_a_sum_is_no_error(void **unused)
{
	static const uint8_t texts[][4] = {
		{0xff, 0xff, 0xff, 0xff}, {0x7f, 0x80, 0, 0}, {0xff, 0x7f, 1, 1}};
	struct stream *s = new_loop_stream();
	size_t i;

	(void)unused;
	for (i = 0; i < PT_ARRAY_SIZE(texts); i++) {
		struct pt_turn_sum row = {.time = 101 * MS, .loop = 1, .tid = LOOPER, .text = 4};

		assert_int_equal(pt_model_feed(s->model,
					       &(struct pt_record){.kind = PT_KIND_turn_sum,
								   .row = &row,
								   .text = (const char *)texts[i],
								   .text_len = 4}),
				 0);
	}
	finish(s, 102 * MS);
	assert_int_equal(figures_of(s, LOOPER, 1)->turns, 1);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_in_the_distribution),
		cmocka_unit_test(a_wait_that_ended_unseen),
		cmocka_unit_test(a_stall_behind_silent_sleeps),
		cmocka_unit_test(a_stall_behind_silent_polls),
		cmocka_unit_test(a_wait_of_two_sleeps),
		cmocka_unit_test(a_turn_that_began_before_the_recording),
		cmocka_unit_test(a_child_in_the_turn_after_a_silent_return),
		cmocka_unit_test(the_last_turn_began_at_the_last_sum),
		cmocka_unit_test(a_recording_that_breaks_off),
		cmocka_unit_test(nonsense_in_a_sum_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
