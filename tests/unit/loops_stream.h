/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops of task 10, written by hand. Times of all helpers are ms. */
#ifndef PT_TESTS_LOOPS_STREAM_H
#define PT_TESTS_LOOPS_STREAM_H

#include "stream.h"
#include "analysis/loops.h"
#include "analysis/pools.h"
#include "analysis/stalls.h"

#define MS     1000000ULL
#define EPOLL  232
#define LIMIT  1024
#define LOOPER 10

static inline void feed_return(struct stream *s, uint64_t time, uint32_t tid, uint64_t loop,
			       int32_t timeout, int32_t events)
{
	feed_as(s, turn, .time = time * MS, .tid = tid, .loop = loop, .timeout = timeout,
		.events = events, .limit = loop ? LIMIT : 0, .syscall = EPOLL);
}

/* It sleeps in a wait from `from` to `to`, on CPU 0. */
static inline void feed_wait(struct stream *s, uint64_t from, uint64_t to, uint64_t loop,
			     int32_t events)
{
	feed_switch(s, from * MS, 0, LOOPER, PT_STATE_SLEEPING, 0);
	feed_wakeup(s, to * MS, LOOPER, 0, to * MS);
	feed_switch(s, to * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, to, LOOPER, loop, -1, events);
}

/* It sleeps in the middle of a turn; woken by `waker`. */
static inline void feed_block(struct stream *s, uint64_t from, uint64_t to, uint8_t reason,
			      int16_t syscall, uint32_t waker)
{
	feed_as(s, switch, .time = from * MS, .prev_tid = LOOPER, .prev_state = PT_STATE_SLEEPING,
		.reason = reason, .syscall = syscall,
		.flags = PT_SWITCH_VOLUNTARY | (syscall < 0 ? PT_SWITCH_USER : 0));
	feed_wakeup(s, to * MS, LOOPER, waker, to * MS);
	feed_switch(s, to * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
}

/* Task 10 of process 10 slept on loop 1 since before the recording, and returns at 100 ms. */
static inline struct stream *new_loop_stream(void)
{
	struct stream *s = stream_new();

	feed_sleeper(s, LOOPER, LOOPER, "loop");
	feed_wakeup(s, 100 * MS, LOOPER, 0, 100 * MS);
	feed_switch(s, 100 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_return(s, 100, LOOPER, 1, -1, 1);
	return s;
}

static inline const struct pt_loop *loop_of(struct stream *s, uint32_t tid, uint64_t object)
{
	size_t i;

	for (i = 0; i < pt_model_loop_count(s->model); i++) {
		const struct pt_loop *loop = pt_model_loop(s->model, i);

		if (loop->task->tid == tid && loop->object == object)
			return loop;
	}
	fail_msg("task %u has no loop %u", tid, (unsigned int)object);
	return NULL;
}

static inline const struct pt_loops_of *figures_of(struct stream *s, uint32_t tid, uint64_t object)
{
	return pt_loops_get(pt_analyses_loops(&s->all), loop_of(s, tid, object));
}

static inline size_t stall_count(struct stream *s)
{
	return pt_stalls_count(pt_analyses_stalls(&s->all));
}

/* The only one; its parts sum to its length. */
static inline const struct pt_stall *the_stall(struct stream *s)
{
	const struct pt_stall *stall;
	uint64_t sum = 0, slept = 0;
	size_t i;

	assert_int_equal(stall_count(s), 1);
	stall = pt_stalls_get(pt_analyses_stalls(&s->all), 0);
	for (i = 0; i < PT_PART_COUNT; i++)
		sum += stall->part[i];
	for (i = 0; i < stall->tally.sleep_count; i++)
		slept += stall->tally.sleeps[i].ns;
	assert_int_equal(sum, stall->to - stall->from);
	assert_int_equal(slept, stall->part[PT_PART_BLOCKED]);
	assert_int_equal(stall->part[PT_PART_CPU], 0);
	return stall;
}

static inline void assert_loop(struct stream *s, uint64_t object, uint64_t turns, uint64_t busy,
			       uint64_t idle)
{
	const struct pt_loops_of *of = figures_of(s, LOOPER, object);

	assert_int_equal(of->turns, turns);
	assert_int_equal(of->busy_ns, busy * MS);
	assert_int_equal(of->idle_ns, idle * MS);
}

static inline void assert_stall(const struct pt_stall *stall, uint64_t from, uint64_t to,
				enum pt_verdict verdict)
{
	assert_int_equal(stall->from, from * MS);
	assert_int_equal(stall->to, to * MS);
	assert_int_equal(stall->verdict, verdict);
}

#endif
