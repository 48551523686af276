/* SPDX-License-Identifier: BSD-2-Clause */
/* Small streams of records, written by hand, and what model and analyses say of them. */
#ifndef PT_TESTS_STREAM_H
#define PT_TESTS_STREAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "analysis/charges.h"
#include "analysis/counters.h"
#include "analysis/runq.h"
#include "analysis/states.h"

#define START_BOOT 1000000000ULL

struct stream {
	struct pt_model *model;
	struct pt_analyses all;
};

static inline struct stream *stream_new(void)
{
	static char arch[] = "x86_64";
	static const struct pt_meta meta = {
		.cpus = 4, .arch = arch, .start_boot = START_BOOT, .recorder_pid = 99};
	struct stream *s = test_calloc(1, sizeof(*s));

	assert_int_equal(pt_model_new(&s->model, &meta), 0);
	assert_int_equal(pt_analyses_start(&s->all, s->model), 0);
	return s;
}

static inline void stream_free(struct stream *s)
{
	pt_analyses_clear(&s->all);
	pt_model_free(s->model);
	test_free(s);
}

static inline void feed(struct stream *s, uint32_t kind, const void *row)
{
	struct pt_record record = {.kind = kind, .row = row};

	assert_int_equal(pt_model_feed(s->model, &record), 0);
}

static inline void finish(struct stream *s, uint64_t end)
{
	assert_int_equal(pt_model_finish(s->model, end), 0);
	assert_int_equal(pt_analyses_finish(&s->all), 0);
}

/* feed_as(s, switch, .time = 5, ...) */
#define feed_as(s, name, ...) feed(s, PT_KIND_##name, &(struct pt_##name){__VA_ARGS__})

/* prev leaves in `state`; sleeps are in poll, system call 232. */
static inline void feed_switch(struct stream *s, uint64_t time, uint16_t cpu, uint32_t prev,
			       uint8_t state, uint32_t next)
{
	bool sleeps = state == PT_STATE_SLEEPING;

	feed_as(s, switch, .time = time, .cpu = cpu, .prev_tid = prev, .prev_state = state,
		.next_tid = next, .reason = sleeps ? PT_REASON_POLL : 0,
		.syscall = sleeps ? 232 : -1,
		.flags = state == PT_STATE_RUNNABLE ? PT_SWITCH_PREEMPT : PT_SWITCH_VOLUNTARY);
}

static inline void feed_wakeup(struct stream *s, uint64_t time, uint32_t tid, uint32_t waker,
			       uint64_t runs_at)
{
	feed_as(s, wakeup, .time = time, .tid = tid, .waker = waker,
		.wait = (uint32_t)(runs_at - time));
}

/* A target that sleeps in poll since before the recording. */
static inline void feed_sleeper(struct stream *s, uint32_t tid, uint32_t pid, const char *comm)
{
	struct pt_task row = {.tid = tid,
			      .pid = pid,
			      .ppid = 1,
			      .start = tid,
			      .syscall = 232,
			      .state = PT_STATE_SLEEPING,
			      .reason = PT_REASON_POLL};

	snprintf(row.comm.s, sizeof(row.comm.s), "%s", comm);
	feed(s, PT_KIND_task, &row);
}

static inline void feed_fork(struct stream *s, uint64_t time, uint32_t parent, uint32_t tid,
			     uint32_t pid)
{
	feed_as(s, fork, .time = time, .start = START_BOOT + time, .tid = tid, .pid = pid,
		.parent_tid = parent, .parent_pid = parent,
		.clone_flags = tid == pid ? 0 : 0x10000 /* CLONE_THREAD */, .comm = {"child"},
		.syscall = tid == pid ? 57 : 435);
}

static inline uint64_t part_ns(struct stream *s, const struct pt_model_task *task,
			       enum pt_part part)
{
	return pt_states_get(pt_analyses_states(&s->all), task)->part[part];
}

static inline struct pt_model_task *task_of(struct stream *s, uint32_t tid)
{
	struct pt_model_task *task = pt_model_find(s->model, tid);

	assert_non_null(task);
	return task;
}

/* The sum of a task's parts, its blocked reasons and its charges against each other. */
static inline void assert_sums(struct stream *s, const struct pt_model_task *task)
{
	const struct pt_states_of *of = pt_states_get(pt_analyses_states(&s->all), task);
	const struct pt_charges_of *charges = pt_charges_get(pt_analyses_charges(&s->all), task);
	uint64_t life = 0, blocked = 0, charged = charges->others_ns;
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		life += of->part[i];
	for (i = 0; i < PT_REASON_COUNT; i++)
		blocked += of->blocked[i];
	for (i = 0; i < charges->count; i++)
		charged += charges->charges[i].ns;
	assert_int_equal(life, task->end_ns - task->start_ns);
	assert_int_equal(blocked, of->part[PT_PART_BLOCKED]);
	assert_int_equal(charged, of->part[PT_PART_RUNNABLE]);
}

static inline void assert_all_sums(struct stream *s)
{
	size_t i;

	for (i = 2; i < pt_model_task_count(s->model); i++)
		assert_sums(s, pt_model_task(s->model, i));
}

static inline void assert_parts(struct stream *s, const struct pt_model_task *task, uint64_t cpu,
				uint64_t runnable, uint64_t blocked, uint64_t unknown)
{
	assert_int_equal(part_ns(s, task, PT_PART_CPU), cpu);
	assert_int_equal(part_ns(s, task, PT_PART_RUNNABLE), runnable);
	assert_int_equal(part_ns(s, task, PT_PART_BLOCKED), blocked);
	assert_int_equal(part_ns(s, task, PT_PART_UNKNOWN), unknown);
	assert_sums(s, task);
}

static inline uint64_t charge_of(struct stream *s, const struct pt_model_task *waiter,
				 const struct pt_model_task *who)
{
	const struct pt_charges_of *of = pt_charges_get(pt_analyses_charges(&s->all), waiter);
	uint32_t i;

	for (i = 0; i < of->count; i++) {
		if (of->charges[i].task == who)
			return of->charges[i].ns;
	}
	return 0;
}

#endif
