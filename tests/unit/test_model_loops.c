/* SPDX-License-Identifier: BSD-2-Clause */
/* Which waits make a loop, and which returns begin a turn: the rules of docs/loops.md, one by one. */
#include "loops_stream.h"

static void found_by_its_first_return(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 130, 200, 1, 1);
	feed_switch(s, 205 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	finish(s, 300 * MS);
	assert_loop(s, 1, 2, 35, 265);
	assert_true(figures_of(s, LOOPER, 1)->worth);
	assert_stall(the_stall(s), 100, 130, PT_VERDICT_COMPUTING);
	stream_free(s);
}

/* libuv polls before it waits: no callback runs between the two. */
static void a_poll_before_the_wait_is_no_turn(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_as(s, turn, .time = 120 * MS, .tid = LOOPER, .loop = 1, .timeout = 0, .limit = LIMIT,
		.syscall = EPOLL);
	feed_switch(s, 120 * MS + 40000, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 200 * MS, LOOPER, 0, 200 * MS);
	feed_switch(s, 200 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 200, LOOPER, 1, -1, 1);
	feed_wait(s, 201, 250, 1, 1);
	finish(s, 250 * MS);
	assert_int_equal(figures_of(s, LOOPER, 1)->turns, 3); /* the last has no length */
	assert_stall(the_stall(s), 100, 120, PT_VERDICT_COMPUTING);
	stream_free(s);
}

static void a_spin_is_busy(void **unused)
{
	struct stream *s = new_loop_stream();
	uint64_t time;

	(void)unused;
	for (time = 102; time <= 200; time += 2)
		feed_return(s, time, LOOPER, 1, 0, 0);
	finish(s, 200 * MS);
	assert_loop(s, 1, 51, 100, 100);
	assert_int_equal(stall_count(s), 0);
	assert_int_equal(figures_of(s, LOOPER, 1)->turn_ns.max, 2 * MS);
	stream_free(s);
}

/* 1,500 sockets: 1,024 events, the rest by a poll, one iteration. */
static void a_full_return_goes_on(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 101, 200, 1, LIMIT);
	feed_return(s, 206, LOOPER, 1, 0, 477);
	feed_wait(s, 212, 300, 1, 1);
	finish(s, 300 * MS);
	assert_stall(the_stall(s), 200, 212, PT_VERDICT_COMPUTING);
	stream_free(s);
}

static void a_full_return_ends_at_a_real_wait(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 101, 200, 1, LIMIT);
	feed_wait(s, 206, 210, 1, 1);
	feed_wait(s, 216, 300, 1, 1);
	finish(s, 300 * MS);
	assert_int_equal(stall_count(s), 0);
	stream_free(s);
}

/* What runs after an interrupted wait keeps events waiting, but its idle time does not. */
static void interrupted_waits(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 101, 200, 1, -4);
	feed_switch(s, 200 * MS + 30000, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 300 * MS, LOOPER, 0, 300 * MS);
	feed_switch(s, 300 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 300, LOOPER, 1, 100, -4);
	feed_wait(s, 320, 400, 1, 1);
	finish(s, 400 * MS);
	assert_stall(the_stall(s), 300, 320, PT_VERDICT_COMPUTING);
	assert_int_equal(figures_of(s, LOOPER, 1)->turns, 3);
	stream_free(s);
}

/* execSync: a new epoll file inside one turn, and a child. */
static void a_loop_inside_a_turn(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;

	(void)unused;
	feed_wait(s, 101, 150, 1, 1);
	feed_fork(s, 151 * MS, LOOPER, 20, 20);
	feed_wait(s, 152, 200, 2, 1);
	feed_wait(s, 201, 450, 2, 1);
	feed_wait(s, 452, 500, 1, 1);
	feed_wait(s, 501, 600, 1, 1);
	finish(s, 600 * MS);
	stall = the_stall(s);
	assert_stall(stall, 150, 452, PT_VERDICT_NESTED);
	assert_int_equal(stall->inner_ns, 297 * MS);
	assert_ptr_equal(stall->inner, loop_of(s, LOOPER, 2));
	assert_ptr_equal(stall->tally.children[0], task_of(s, 20));
	assert_true(loop_of(s, LOOPER, 2)->nested);
	assert_false(loop_of(s, LOOPER, 1)->nested);
	assert_loop(s, 1, 4, 304, 296);
	stream_free(s);
}

/* More of them in one turn than loops are ever nested. */
static void many_loops_inside_a_turn(void **unused)
{
	struct stream *s = new_loop_stream();
	uint64_t object;

	(void)unused;
	feed_wait(s, 101, 150, 1, 1);
	for (object = 2; object < 10; object++) {
		feed_wait(s, object * 100, object * 100 + 40, object, 1);
		feed_wait(s, object * 100 + 41, object * 100 + 80, object, 1);
	}
	feed_wait(s, 1000, 1100, 1, 1);
	finish(s, 1101 * MS);
	assert_stall(the_stall(s), 150, 1000, PT_VERDICT_NESTED);
	for (object = 2; object < 10; object++)
		assert_true(loop_of(s, LOOPER, object)->nested);
	stream_free(s);
}

/* A program that makes one epoll file after the other, as with asyncio.run() again and again. */
static void one_loop_after_the_other(void **unused)
{
	struct stream *s = new_loop_stream();
	uint64_t object, time = 101;

	(void)unused;
	for (object = 1; object < 10; object++) {
		for (int turn = 0; turn < 10; turn++, time += 10)
			feed_wait(s, time, time + 9, object, 1);
	}
	finish(s, time * MS);
	assert_int_equal(stall_count(s), 0);
	for (object = 2; object < 10; object++) {
		assert_false(loop_of(s, LOOPER, object)->nested);
		assert_in_range(figures_of(s, LOOPER, object)->turns, 9, 10);
		assert_in_range(figures_of(s, LOOPER, object)->busy_ns, 9 * MS, 10 * MS);
	}
	stream_free(s);
}

/* Two epoll files that a thread waits on by turns. */
static void alternating_objects_are_one_loop(void **unused)
{
	struct stream *s = new_loop_stream();
	uint64_t time;

	(void)unused;
	for (time = 110; time < 500; time += 40) {
		feed_wait(s, time - 9, time + 10, 2, 1);
		feed_wait(s, time + 11, time + 30, 1, 1);
	}
	finish(s, 500 * MS);
	assert_int_equal(stall_count(s), 0);
	assert_ptr_equal(loop_of(s, LOOPER, 2)->with, loop_of(s, LOOPER, 1));
	assert_false(figures_of(s, LOOPER, 2)->worth);
	assert_in_range(figures_of(s, LOOPER, 1)->busy_ns, 19 * MS, 21 * MS);
	assert_in_range(figures_of(s, LOOPER, 1)->turn_ns.max, 1 * MS, 2 * MS);
	stream_free(s);
}

/* What a program polls for when it starts is not the loop around all that follows. */
static void a_poll_at_the_start_is_left(void **unused)
{
	struct stream *s = stream_new();
	uint64_t time;

	(void)unused;
	feed_sleeper(s, LOOPER, LOOPER, "loop");
	feed_wakeup(s, 1 * MS, LOOPER, 0, 1 * MS);
	feed_switch(s, 1 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 2, LOOPER, PT_LOOP_OF_TASK, 0, 0);
	for (time = 50; time < 500; time += 50)
		feed_wait(s, time - 40, time, 1, 1);
	feed_wait(s, 460, 480, PT_LOOP_OF_TASK, 1);
	feed_wait(s, 481, 500, 1, 1);
	finish(s, 500 * MS);
	assert_false(figures_of(s, LOOPER, PT_LOOP_OF_TASK)->worth);
	assert_false(loop_of(s, LOOPER, 1)->nested);
	/* 40 ms between the loop's own waits at first; then poll() inside a turn blocks it. */
	assert_stall(pt_stalls_get(pt_analyses_stalls(&s->all), 0), 450, 481, PT_VERDICT_BLOCKED);
	stream_free(s);
}

static void one_endless_wait_is_no_loop(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_as(s, exit, .time = 120 * MS, .tid = LOOPER, .pid = LOOPER);
	feed_switch(s, 121 * MS, 0, LOOPER, PT_STATE_DEAD, 0);
	finish(s, 200 * MS);
	assert_false(figures_of(s, LOOPER, 1)->worth);
	assert_int_equal(stall_count(s), 0);
	stream_free(s);
}

static void feed_other(struct stream *s, uint32_t tid, uint64_t from, uint64_t to)
{
	feed_switch(s, from * MS, 1, tid, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, to * MS, tid, 0, to * MS);
	feed_switch(s, to * MS, 1, 0, PT_STATE_RUNNABLE, tid);
	feed_return(s, to, tid, 1, -1, 1);
}

static void a_shared_poller_has_no_stalls(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_sleeper(s, 11, 10, "other");
	feed_wakeup(s, 110 * MS, 11, 0, 110 * MS);
	feed_switch(s, 110 * MS, 1, 0, PT_STATE_RUNNABLE, 11);
	feed_return(s, 110, 11, 1, -1, 1);
	feed_wait(s, 150, 200, 1, 1);
	feed_other(s, 11, 201, 250);
	feed_wait(s, 270, 300, 1, 1);
	finish(s, 300 * MS);
	assert_true(loop_of(s, LOOPER, 1)->shared);
	assert_true(loop_of(s, 11, 1)->shared);
	assert_int_equal(stall_count(s), 0);
	assert_int_equal(figures_of(s, LOOPER, 1)->stalls, 0);
	stream_free(s);
}

static void a_turn_that_is_not_over(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 101, 200, 1, 1);
	finish(s, 230 * MS);
	assert_stall(the_stall(s), 200, 230, PT_VERDICT_COMPUTING);
	assert_int_equal(the_stall(s)->end, PT_TURN_RUNNING);
	stream_free(s);
}

static void feed_exit(struct stream *s, uint64_t time)
{
	feed_as(s, exit, .time = time * MS, .tid = LOOPER, .pid = LOOPER);
	feed_switch(s, (time + 1) * MS, 0, LOOPER, PT_STATE_DEAD, 0);
	finish(s, (time + 10) * MS);
}

static void a_turn_that_exit_ends(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 101, 200, 1, 1);
	feed_exit(s, 300);
	assert_stall(the_stall(s), 200, 300, PT_VERDICT_COMPUTING);
	assert_int_equal(the_stall(s)->end, PT_TURN_EXITED);
	stream_free(s);

	/* So short, it is what a program needs to tear itself down. */
	s = new_loop_stream();
	feed_wait(s, 101, 200, 1, 1);
	feed_exit(s, 230);
	assert_int_equal(stall_count(s), 0);
	assert_loop(s, 1, 1, 1, 199);
	stream_free(s);
}

/* Without a word about how a wait began and ended, no stall is made of it. */
static void lost_records_make_no_stall(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	assert_int_equal(pt_model_add_loss(s->model, &(struct pt_loss){.time = 190 * MS,
								       .length = 80 * MS,
								       .kind = PT_KIND_switch}),
			 0);
	feed_sleeper(s, LOOPER, LOOPER, "loop");
	feed_wakeup(s, 100 * MS, LOOPER, 0, 100 * MS);
	feed_switch(s, 100 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 100, LOOPER, 1, -1, 1);
	feed_return(s, 195, LOOPER, 1, -1, 1);
	feed_wait(s, 196, 300, 1, 1);
	finish(s, 300 * MS);
	assert_int_equal(stall_count(s), 1);
	assert_in_range(the_stall(s)->to, 109 * MS, 111 * MS);
	stream_free(s);
}

/* The clock of switches is some microseconds ahead. */
static void a_return_before_its_switch(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_switch(s, 101 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_as(s, turn, .time = 200 * MS - 2000, .tid = LOOPER, .loop = 1, .timeout = -1,
		.events = 1, .limit = LIMIT, .syscall = EPOLL);
	feed_wakeup(s, 200 * MS, LOOPER, 0, 200 * MS);
	feed_switch(s, 200 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_wait(s, 230, 300, 1, 1);
	finish(s, 300 * MS);
	assert_stall(the_stall(s), 200, 230, PT_VERDICT_COMPUTING);
	assert_loop(s, 1, 3, 31, 269);
	stream_free(s);
}

/* Neither that it came to its CPU nor that its wait returned was seen, and then it polls. */
static void a_return_that_was_not_seen(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_switch(s, 101 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_switch(s, 200 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 215, LOOPER, 1, 0, 1);
	feed_wait(s, 216, 300, 1, 1);
	finish(s, 300 * MS);
	assert_stall(the_stall(s), 200, 215, PT_VERDICT_COMPUTING);
	assert_loop(s, 1, 4, 17, 283);
	stream_free(s);
}

/* Nobody timed the last call, as its task had come to the CPU unseen: `wait` counts from a call before it. */
static void a_call_that_was_not_timed(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_as(s, turn, .time = 200 * MS, .tid = LOOPER, .loop = 1, .timeout = 0, .limit = LIMIT,
		.syscall = EPOLL, .flags = PT_TURN_TIMED, .wait = 99 * MS);
	feed_switch(s, 300 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 400 * MS, LOOPER, 0, 400 * MS);
	feed_switch(s, 400 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_as(s, turn, .time = 400 * MS, .tid = LOOPER, .loop = 1, .timeout = -1, .events = 1,
		.limit = LIMIT, .syscall = EPOLL, .flags = PT_TURN_TIMED, .wait = 199 * MS);
	finish(s, 400 * MS);
	assert_int_equal(stall_count(s), 2);
	assert_loop(s, 1, 3, 200, 200);
	assert_int_equal(figures_of(s, LOOPER, 1)->stall_ns, 200 * MS);
	stream_free(s);
}

static void raised_threshold(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	pt_model_raise_stall(s->model, 25 * MS);
	feed_sleeper(s, LOOPER, LOOPER, "loop");
	feed_wakeup(s, 100 * MS, LOOPER, 0, 100 * MS);
	feed_switch(s, 100 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 100, LOOPER, 1, -1, 1);
	feed_wait(s, 120, 200, 1, 1);
	feed_wait(s, 230, 300, 1, 1);
	finish(s, 300 * MS);
	assert_stall(the_stall(s), 200, 230, PT_VERDICT_COMPUTING);
	assert_int_equal(figures_of(s, LOOPER, 1)->stalls, 1);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_its_first_return),
		cmocka_unit_test(a_poll_before_the_wait_is_no_turn),
		cmocka_unit_test(a_spin_is_busy),
		cmocka_unit_test(a_full_return_goes_on),
		cmocka_unit_test(a_full_return_ends_at_a_real_wait),
		cmocka_unit_test(interrupted_waits),
		cmocka_unit_test(a_loop_inside_a_turn),
		cmocka_unit_test(many_loops_inside_a_turn),
		cmocka_unit_test(one_loop_after_the_other),
		cmocka_unit_test(alternating_objects_are_one_loop),
		cmocka_unit_test(a_poll_at_the_start_is_left),
		cmocka_unit_test(one_endless_wait_is_no_loop),
		cmocka_unit_test(a_shared_poller_has_no_stalls),
		cmocka_unit_test(a_turn_that_is_not_over),
		cmocka_unit_test(a_turn_that_exit_ends),
		cmocka_unit_test(lost_records_make_no_stall),
		cmocka_unit_test(a_return_before_its_switch),
		cmocka_unit_test(a_return_that_was_not_seen),
		cmocka_unit_test(a_call_that_was_not_timed),
		cmocka_unit_test(raised_threshold),
	};

	return cmocka_run_group_tests_name("model: loops", tests, NULL, NULL);
}
