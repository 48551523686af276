/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_pace.h"

#include <errno.h>

#include "base/clock.h"

/*
 * A piece is shorter than the scheduler's slice (0.7 ms and more), so that the paced thread is
 * hardly ever preempted while it holds a lock of the process it looks at. For the same reason it
 * must not have a low priority: on a busy machine a SCHED_IDLE thread that is preempted inside the
 * walk keeps the target's mmap_lock for as long as others run.
 */
#define PIECE_NS 400000ULL

/* After a piece: a scan that is within its budget still leaves the CPU to others most of the time.
 */
#define REST_NS 2000000ULL

int pt_pace_init(struct pt_pace *pace, double share, uint64_t burst_ns)
{
	pthread_condattr_t attr;
	int ret;

	*pace = (struct pt_pace){
		.share = share,
		.credit = (int64_t)burst_ns,
		.credit_max = (int64_t)burst_ns,
	};
	ret = pthread_condattr_init(&attr);
	if (ret)
		return -ret;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	ret = pthread_cond_init(&pace->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (ret)
		return -ret;
	ret = pthread_mutex_init(&pace->lock, NULL);
	if (ret)
		pthread_cond_destroy(&pace->wake);
	return -ret;
}

void pt_pace_begin(struct pt_pace *pace)
{
	pace->cpu_mark = pt_clock_read(CLOCK_THREAD_CPUTIME_ID);
	pace->time_mark = pt_clock_read(CLOCK_MONOTONIC);
}

void pt_pace_sleep_locked(struct pt_pace *pace, uint64_t until)
{
	struct timespec ts = {
		.tv_sec = (time_t)(until / 1000000000ULL),
		.tv_nsec = (long)(until % 1000000000ULL),
	};

	pthread_cond_timedwait(&pace->wake, &pace->lock, &ts);
}

/* Charges the CPU time used since the last call, credits the time that has passed. Returns now. */
static uint64_t settle(struct pt_pace *pace)
{
	uint64_t cpu = pt_clock_read(CLOCK_THREAD_CPUTIME_ID);
	uint64_t now = pt_clock_read(CLOCK_MONOTONIC);

	pace->piece += cpu - pace->cpu_mark;
	pace->credit -= (int64_t)(cpu - pace->cpu_mark);
	pace->credit += (int64_t)((double)(now - pace->time_mark) * pace->share);
	if (pace->credit > pace->credit_max)
		pace->credit = pace->credit_max;
	pace->cpu_mark = cpu;
	pace->time_mark = now;
	return now;
}

static void rest_until(struct pt_pace *pace, uint64_t until)
{
	pthread_mutex_lock(&pace->lock);
	while (!pace->stop && pt_clock_read(CLOCK_MONOTONIC) < until)
		pt_pace_sleep_locked(pace, until);
	pthread_mutex_unlock(&pace->lock);
}

bool pt_pace_stopped(struct pt_pace *pace)
{
	bool stop;

	pthread_mutex_lock(&pace->lock);
	stop = pace->stop;
	pthread_mutex_unlock(&pace->lock);
	return stop;
}

static bool must_give_up(struct pt_pace *pace)
{
	return (!pace->hurry && pt_pace_stopped(pace)) ||
	       (pace->deadline && pt_clock_read(CLOCK_MONOTONIC) >= pace->deadline);
}

int pt_pace_piece(struct pt_pace *pace)
{
	uint64_t now = settle(pace), rest = REST_NS;

	if (pace->piece > pace->longest_piece)
		pace->longest_piece = pace->piece;
	if (!pace->hurry && pace->piece >= PIECE_NS) {
		if (pace->credit < 0)
			rest += (uint64_t)((double)-pace->credit / pace->share);
		rest_until(pace, now + rest);
		settle(pace);
		pace->piece = 0;
	}
	return must_give_up(pace) ? -ECANCELED : 0;
}

void pt_pace_cancel(struct pt_pace *pace)
{
	pthread_mutex_lock(&pace->lock);
	pace->stop = true;
	pthread_cond_broadcast(&pace->wake);
	pthread_mutex_unlock(&pace->lock);
}

void pt_pace_clear(struct pt_pace *pace)
{
	pthread_mutex_destroy(&pace->lock);
	pthread_cond_destroy(&pace->wake);
}
