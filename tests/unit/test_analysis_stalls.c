/* SPDX-License-Identifier: BSD-2-Clause */
/* What long turns consist of, why they were long, and pools whose work had to wait. */
#include <stdlib.h>

#include "loops_stream.h"

#define FUTEX 202
#define READ  0
#define CLONE 56

static void feed_call(struct stream *s, uint64_t time, int16_t syscall, uint32_t count, uint64_t ns)
{
	feed_as(s, call, .time = time * MS, .tid = LOOPER, .syscall = syscall, .count = count,
		.length = ns, .flags = ns ? PT_TURN_TIMED : 0);
}

/* The loop waits from `from` to `from` + 50, and the turn before was timed. */
static void feed_timed_wait(struct stream *s, uint64_t from, uint64_t calls)
{
	uint64_t to = from + 50;

	feed_switch(s, from * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, to * MS, LOOPER, 0, to * MS);
	feed_switch(s, to * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_as(s, turn, .time = to * MS, .tid = LOOPER, .loop = 1, .timeout = -1, .events = 1,
		.limit = LIMIT, .syscall = EPOLL, .calls = calls, .wait = 50 * MS,
		.flags = PT_TURN_TIMED);
}

static void timed_calls_give_the_kernels_part(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;

	(void)unused;
	feed_block(s, 110, 115, PT_REASON_DISK, READ, 0);
	feed_timed_wait(s, 130, 12 * MS);
	feed_call(s, 180, READ, 3, 11 * MS);
	feed_call(s, 180, FUTEX, 1, 1 * MS);
	finish(s, 181 * MS);
	stall = the_stall(s);
	assert_stall(stall, 100, 130, PT_VERDICT_COMPUTING);
	assert_int_equal(stall->part[PT_PART_KERNEL], 7 * MS);
	assert_int_equal(stall->part[PT_PART_USER], 18 * MS);
	assert_int_equal(stall->part[PT_PART_BLOCKED], 5 * MS);
	assert_false(stall->estimated);
	assert_int_equal(stall->call_count, 2);
	assert_int_equal(stall->calls[0].syscall, READ);
	assert_int_equal(stall->calls[0].count, 3);
	stream_free(s);
}

static void feed_sample(struct stream *s, uint64_t time, int16_t syscall, bool user)
{
	feed_as(s, sample, .time = time * MS, .period = MS, .tid = LOOPER, .syscall = syscall,
		.flags = user ? PT_SAMPLE_USER : 0);
}

/* Page faults are no system calls, and only samples tell of them. */
static void page_faults_are_the_kernels(void **unused)
{
	struct stream *s = new_loop_stream();
	uint64_t time;

	(void)unused;
	for (time = 101; time <= 120; time++)
		feed_sample(s, time, -1, time > 115);
	feed_timed_wait(s, 120, 1 * MS);
	finish(s, 171 * MS);
	assert_stall(the_stall(s), 100, 120, PT_VERDICT_KERNEL);
	assert_in_range(the_stall(s)->part[PT_PART_KERNEL], 15 * MS, 16 * MS);
	assert_true(the_stall(s)->estimated);
	assert_null(the_stall(s)->call);
	stream_free(s);
}

/* Records of one moment have no order: those of a turn's calls may come before it. */
static void calls_before_their_turn(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_switch(s, 130 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, 180 * MS, LOOPER, 0, 180 * MS);
	feed_switch(s, 180 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_call(s, 180, READ, 3, 0);
	feed_return(s, 180, LOOPER, 1, -1, 1);
	feed_call(s, 180, FUTEX, 2, 0);
	finish(s, 181 * MS);
	assert_int_equal(the_stall(s)->call_count, 2);
	assert_int_equal(the_stall(s)->calls[0].count + the_stall(s)->calls[1].count, 5);
	stream_free(s);
}

static void samples_estimate(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;
	uint64_t time;

	(void)unused;
	for (time = 101; time < 121; time++)
		feed_sample(s, time, READ, time < 106);
	feed_wait(s, 120, 200, 1, 1);
	finish(s, 201 * MS);
	stall = the_stall(s);
	assert_stall(stall, 100, 120, PT_VERDICT_KERNEL);
	assert_true(stall->estimated);
	assert_int_equal(stall->part[PT_PART_USER], 5 * MS);
	assert_int_equal(stall->part[PT_PART_KERNEL], 15 * MS);
	assert_int_equal(stall->call->syscall, READ);
	stream_free(s);
}

static void the_tasks_own_ratio_estimates(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_wait(s, 140, 200, 1, 1);
	feed_as(s, exit, .time = 201 * MS, .tid = LOOPER, .pid = LOOPER, .user_time = 30,
		.kernel_time = 10);
	feed_switch(s, 202 * MS, 0, LOOPER, PT_STATE_DEAD, 0);
	finish(s, 210 * MS);
	assert_true(the_stall(s)->estimated);
	assert_int_equal(the_stall(s)->part[PT_PART_USER], 30 * MS);
	assert_int_equal(the_stall(s)->part[PT_PART_KERNEL], 10 * MS);
	assert_int_equal(part_ns(s, task_of(s, LOOPER), PT_PART_CPU), 0);
	assert_sums(s, task_of(s, LOOPER));
	stream_free(s);
}

static void sleeps_are_explained(void **unused)
{
	static const char path[] = "var/lib/data";
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;
	const struct pt_slept *slept;
	struct pt_sleep row = {.time = 150 * MS,
			       .length = 49 * MS,
			       .tid = LOOPER,
			       .object = 77,
			       .fd = 5,
			       .syscall = READ,
			       .text = sizeof(path) - 1};
	struct pt_record record = {PT_KIND_sleep, sizeof(path) - 1, &row, path};

	(void)unused;
	feed_sleeper(s, 30, 30, "writer");
	feed_block(s, 101, 150, PT_REASON_DISK, READ, 30);
	assert_int_equal(pt_model_feed(s->model, &record), 0);
	feed_block(s, 151, 152, PT_REASON_LOCK, FUTEX, 30);
	feed_block(s, 153, 154, PT_REASON_LOCK, FUTEX, 30);
	feed_wait(s, 155, 200, 1, 1);
	finish(s, 201 * MS);
	stall = the_stall(s);
	assert_stall(stall, 100, 155, PT_VERDICT_BLOCKED);
	assert_int_equal(stall->tally.sleep_count, 2);
	slept = stall->slept;
	assert_int_equal(slept->reason, PT_REASON_DISK);
	assert_int_equal(slept->ns, 49 * MS);
	assert_string_equal(slept->on.path, path);
	assert_int_equal(slept->on.fd, 5);
	assert_ptr_equal(slept->waker, task_of(s, 30));
	assert_int_equal(stall->tally.sleeps[1].count, 2);
	stream_free(s);
}

/* A turn of 40 ms; from 110 to 135 the looper wants the CPU that `who` has. */
static const struct pt_stall *contend(struct stream *s, uint32_t who)
{
	feed_switch(s, 110 * MS, 0, LOOPER, PT_STATE_RUNNABLE, who);
	feed_switch(s, 135 * MS, 0, who, PT_STATE_SLEEPING, LOOPER);
	feed_wait(s, 140, 200, 1, 1);
	finish(s, 201 * MS);
	assert_stall(the_stall(s), 100, 140, PT_VERDICT_CPU);
	assert_int_equal(the_stall(s)->part[PT_PART_RUNNABLE], 25 * MS);
	assert_int_equal(the_stall(s)->tally.takers[0].ns, 25 * MS);
	return the_stall(s);
}

static void who_had_the_cpu(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_sleeper(s, 40, 40, "hog");
	assert_int_equal(contend(s, 40)->contender, PT_CONTENDER_OTHERS);
	stream_free(s);
	s = new_loop_stream();
	feed_sleeper(s, 11, LOOPER, "thread");
	assert_int_equal(contend(s, 11)->contender, PT_CONTENDER_OWN);
	stream_free(s);
	/* Nobody had it: the task was held back. */
	s = new_loop_stream();
	assert_int_equal(contend(s, 0)->contender, PT_CONTENDER_QUOTA);
	stream_free(s);
}

/* Groups 1 and 2, the latter in the former, which has a quota; process 10 is in 2. */
static void feed_quota(struct stream *s, uint16_t flags)
{
	feed_as(s, cgroup, .time = 101 * MS, .group = 1, .quota = 20 * MS, .period = 100 * MS,
		.flags = flags);
	feed_as(s, cgroup, .time = 101 * MS, .group = 2, .parent = 1, .flags = flags);
	feed_as(s, member, .time = 101 * MS, .group = 2, .pid = LOOPER);
	feed_as(s, throttle, .time = 102 * MS, .group = 1, .periods = 7,
		.throttled_time = 500 * MS);
}

/* It wants a CPU from 110 to 170; `taker` has it. The kernel says that it was held back for so long. */
static const struct pt_stall *throttle(struct stream *s, uint16_t flags, uint32_t taker,
				       uint64_t held)
{
	feed_quota(s, flags);
	feed_switch(s, 110 * MS, 0, LOOPER, PT_STATE_RUNNABLE, taker);
	feed_switch(s, 170 * MS, 0, taker, PT_STATE_SLEEPING, LOOPER);
	feed_as(s, throttle, .time = 180 * MS, .length = 20 * MS, .group = 1, .periods = 8,
		.throttled = 1, .throttled_time = (500 + held) * MS);
	feed_timed_wait(s, 190, 0);
	finish(s, 240 * MS);
	return the_stall(s);
}

static void a_quota_is_told_from_neighbours(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall = throttle(s, PT_CGROUP_READ, 99, 50);

	(void)unused;
	assert_stall(stall, 100, 190, PT_VERDICT_CPU);
	assert_int_equal(stall->contender, PT_CONTENDER_QUOTA);
	assert_int_equal(stall->held_by->number, 1);
	assert_int_equal(stall->held_ns, 50 * MS);
	stream_free(s);
	s = new_loop_stream();
	assert_int_equal(throttle(s, PT_CGROUP_READ, 99, 20)->contender, PT_CONTENDER_OTHERS);
	stream_free(s);
	/* An idle CPU, and a quota that was not used up; then one of which nothing is known. */
	s = new_loop_stream();
	assert_int_equal(throttle(s, PT_CGROUP_READ, 0, 0)->contender, PT_CONTENDER_IDLE);
	stream_free(s);
	s = new_loop_stream();
	assert_int_equal(throttle(s, 0, 0, 0)->contender, PT_CONTENDER_QUOTA);
	stream_free(s);
}

static void forking(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_as(s, fork, .time = 124 * MS, .start = START_BOOT, .tid = 20, .pid = 20,
		.parent_tid = LOOPER, .parent_pid = LOOPER, .comm = {"child"}, .syscall = CLONE);
	feed_timed_wait(s, 126, 24 * MS);
	feed_call(s, 176, CLONE, 1, 24 * MS);
	finish(s, 177 * MS);
	assert_stall(the_stall(s), 100, 126, PT_VERDICT_FORK);
	stream_free(s);
}

/* spawn() waits until its child runs another program, and the child frees what was copied before. */
static void freeing_what_was_copied(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;

	(void)unused;
	feed_as(s, fork, .time = 120 * MS, .start = START_BOOT, .tid = 20, .pid = 20,
		.parent_tid = LOOPER, .parent_pid = LOOPER, .comm = {"child"}, .syscall = CLONE);
	feed_block(s, 121, 146, PT_REASON_PIPE, READ, 20);
	feed_timed_wait(s, 147, 45 * MS);
	feed_call(s, 197, CLONE, 1, 20 * MS);
	feed_call(s, 197, READ, 1, 25 * MS);
	finish(s, 198 * MS);
	stall = the_stall(s);
	assert_stall(stall, 100, 147, PT_VERDICT_FORK);
	assert_int_equal(stall->verdict_ns, 40 * MS);
	stream_free(s);
}

/* On the way out of a call, when its end has been noted: that is no time in it. */
static void stopped_behind_a_call(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_block(s, 110, 120, PT_REASON_STOPPED, READ, 20);
	feed_timed_wait(s, 140, 28 * MS);
	feed_call(s, 190, READ, 1, 28 * MS);
	finish(s, 191 * MS);
	assert_stall(the_stall(s), 100, 140, PT_VERDICT_KERNEL);
	assert_int_equal(the_stall(s)->part[PT_PART_KERNEL], 28 * MS);
	stream_free(s);
}

/* A page fault is told at the end of the next call, which is about another thing. */
static void a_fault_is_on_no_object_of_a_call(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_block(s, 110, 120, PT_REASON_FAULT, -1, 0);
	feed_as(s, sleep, .time = 120 * MS, .length = 10 * MS, .tid = LOOPER, .fd = 7, .object = 99,
		.syscall = READ, .reason = PT_REASON_PIPE);
	feed_block(s, 125, 135, PT_REASON_PIPE, READ, 0);
	feed_as(s, sleep, .time = 135 * MS, .length = 10 * MS, .tid = LOOPER, .fd = 7, .object = 99,
		.syscall = READ, .reason = PT_REASON_PIPE);
	feed_timed_wait(s, 136, 0);
	finish(s, 191 * MS);
	assert_int_equal(the_stall(s)->tally.sleep_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct pt_slept *slept = &the_stall(s)->tally.sleeps[i];

		assert_int_equal(slept->on.known, slept->reason == PT_REASON_PIPE);
	}
	stream_free(s);
}

/* The kernel tells of the longest sleep of each call only. */
static void sleeps_of_one_call_share_its_object(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_stall *stall;

	(void)unused;
	feed_block(s, 105, 107, PT_REASON_DISK, READ, 0);
	feed_block(s, 110, 120, PT_REASON_DISK, READ, 0);
	feed_as(s, sleep, .time = 120 * MS, .length = 10 * MS, .tid = LOOPER, .fd = 7, .object = 99,
		.syscall = READ, .reason = PT_REASON_DISK);
	feed_block(s, 122, 125, PT_REASON_DISK, READ, 0);
	feed_timed_wait(s, 126, 0);
	finish(s, 181 * MS);
	stall = the_stall(s);
	assert_int_equal(stall->tally.sleep_count, 1);
	assert_int_equal(stall->tally.sleeps[0].on.object, 99);
	assert_int_equal(stall->tally.sleeps[0].count, 3);
	assert_int_equal(stall->tally.sleeps[0].ns, 15 * MS);
	stream_free(s);
}

/* Only so many are kept, the longest; all are counted. */
static void many_stalls(void **unused)
{
	struct stream *s = new_loop_stream();
	uint64_t time = 101, i, length;

	(void)unused;
	for (i = 0; i < PT_STALLS_KEPT + 500; i++, time += length) {
		length = 10 + i * 7919 % 1500;
		feed_wait(s, time, time + 1, 1, 1);
		time++;
	}
	feed_wait(s, time, time + 1, 1, 1);
	finish(s, (time + 2) * MS);
	assert_int_equal(figures_of(s, LOOPER, 1)->stalls, PT_STALLS_KEPT + 500);
	assert_int_equal(stall_count(s), PT_STALLS_KEPT);
	for (i = 0; i < PT_STALLS_KEPT; i++) {
		const struct pt_stall *stall = pt_stalls_get(pt_analyses_stalls(&s->all), i);

		assert_int_equal(stall->to - stall->from, (1509 - i) * MS);
	}
	stream_free(s);
}

/* Against events put at every 10 us of the recording. */
static void delays(void **unused)
{
	static const double shares[] = {0.5, 0.9, 0.99};
	struct stream *s = new_loop_stream();
	uint64_t lengths[] = {5, 1, 120, 40, 3, 3, 3, 300, 2, 77}, time = 100, n = 0, i, j;
	uint64_t *waits = test_calloc(1000000, sizeof(*waits));

	(void)unused;
	for (i = 0; i < PT_ARRAY_SIZE(lengths); i++) {
		for (j = 0; j < lengths[i] * 100; j++)
			waits[n++] = (lengths[i] * 100 - j) * 10000;
		feed_wait(s, time + lengths[i], time + lengths[i] + 20, 1, 1);
		time += lengths[i] + 20;
	}
	finish(s, time * MS);
	n = time * 100; /* the rest of them wait for nothing: they are zero */
	for (i = 0; i < PT_ARRAY_SIZE(shares); i++) {
		uint64_t rank = (uint64_t)((1 - shares[i]) * (double)n), above = 0, low = 0;
		uint64_t delay = pt_loops_delay(figures_of(s, LOOPER, 1), shares[i]);

		for (j = 0; j < n; j++)
			above += waits[j] > delay;
		for (j = 0; j < n; j++)
			low += waits[j] + delay / 50 > delay;
		assert_true(above <= rank + n / 1000);
		assert_true(low + n / 1000 >= rank);
	}
	test_free(waits);
	stream_free(s);
}

/* Two workers of process 10, born together. Each worker has a CPU of its own, 1 and 2. */
static void feed_worker_idle(struct stream *s, uint64_t from, uint64_t to, uint32_t tid)
{
	uint16_t cpu = (uint16_t)(tid - 20);

	feed_as(s, switch, .time = from * MS, .cpu = cpu, .prev_tid = tid,
		.prev_state = PT_STATE_SLEEPING, .reason = PT_REASON_LOCK, .syscall = FUTEX,
		.flags = PT_SWITCH_VOLUNTARY);
	feed_wakeup(s, to * MS, tid, LOOPER, to * MS);
	feed_switch(s, to * MS, cpu, 0, PT_STATE_RUNNABLE, tid);
}

/* The worker finishes something and wakes the loop, which looks at it for a millisecond. */
static void feed_done(struct stream *s, uint64_t time, uint32_t worker)
{
	feed_wakeup(s, time * MS, LOOPER, worker, time * MS);
	feed_switch(s, time * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, time, LOOPER, 1, -1, 1);
	feed_switch(s, (time + 1) * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
}

static void feed_workers(struct stream *s)
{
	uint32_t tid;

	for (tid = 21; tid <= 22; tid++) {
		feed_fork(s, 101 * MS, LOOPER, tid, LOOPER);
		feed_switch(s, 101 * MS, (uint16_t)(tid - 20), 0, PT_STATE_RUNNABLE, tid);
	}
	feed_switch(s, 102 * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	/* Idle from 103 to 110; it takes a record of each to know. */
	feed_worker_idle(s, 103, 110, 21);
	feed_worker_idle(s, 104, 110, 22);
}

static void a_starved_pool(void **unused)
{
	struct stream *s = new_loop_stream();
	const struct pt_pool_of *pool;

	(void)unused;
	feed_workers(s);
	feed_done(s, 150, 21);
	feed_done(s, 160, 22);
	feed_done(s, 190, 21);
	feed_done(s, 200, 22);
	feed_worker_idle(s, 230, 300, 21);
	feed_worker_idle(s, 230, 300, 22);
	finish(s, 310 * MS);
	assert_int_equal(stall_count(s), 0);
	assert_int_equal(pt_pools_count(pt_analyses_pools(&s->all)), 1);
	pool = pt_pools_get(pt_analyses_pools(&s->all), 0);
	assert_int_equal(pool->worker_count, 2);
	assert_int_equal(pool->episodes, 1);
	assert_int_equal(pool->saturated_ns, 90 * MS);
	assert_int_equal(pool->longest_from, 110 * MS);
	assert_int_equal(pool->taken, 4);
	stream_free(s);
}

/* Each worker had its one thing to do: nothing waited. */
static void a_busy_pool_is_not_starved(void **unused)
{
	struct stream *s = new_loop_stream();

	(void)unused;
	feed_workers(s);
	feed_done(s, 150, 21);
	feed_worker_idle(s, 150, 300, 21);
	feed_done(s, 160, 22);
	feed_worker_idle(s, 160, 300, 22);
	finish(s, 310 * MS);
	assert_int_equal(pt_pools_count(pt_analyses_pools(&s->all)), 0);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timed_calls_give_the_kernels_part),
		cmocka_unit_test(page_faults_are_the_kernels),
		cmocka_unit_test(calls_before_their_turn),
		cmocka_unit_test(samples_estimate),
		cmocka_unit_test(the_tasks_own_ratio_estimates),
		cmocka_unit_test(sleeps_are_explained),
		cmocka_unit_test(who_had_the_cpu),
		cmocka_unit_test(a_quota_is_told_from_neighbours),
		cmocka_unit_test(forking),
		cmocka_unit_test(freeing_what_was_copied),
		cmocka_unit_test(stopped_behind_a_call),
		cmocka_unit_test(a_fault_is_on_no_object_of_a_call),
		cmocka_unit_test(sleeps_of_one_call_share_its_object),
		cmocka_unit_test(many_stalls),
		cmocka_unit_test(delays),
		cmocka_unit_test(a_starved_pool),
		cmocka_unit_test(a_busy_pool_is_not_starved),
	};

	return cmocka_run_group_tests_name("analysis: stalls", tests, NULL, NULL);
}
