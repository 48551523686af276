/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of a task that waits in calls made for it. It is tallied in two halves, until the task falls asleep in a
 * wait call and from there; which half belongs to which turn is decided when the wait returns.
 */
#include "model/looper.h"

#include <errno.h>
#include <stdlib.h>

/* What looked like the beginning of a wait was none. */
int pt_looper_no_wait(struct pt_looper *looper)
{
	int ret = 0;

	if (looper->waits)
		ret = pt_tally_add(&looper->busy, &looper->waiting);
	pt_tally_empty(&looper->waiting);
	looper->waits = false;
	return ret;
}

static int begin_wait(struct pt_looper *looper, uint64_t from, int syscall)
{
	int ret = pt_looper_no_wait(looper);

	looper->waits = true;
	looper->wait_until = 0;
	looper->wait_from = from;
	looper->wait_syscall = syscall;
	return ret;
}

static void note_poll(struct pt_model_task *task, const struct pt_span *span)
{
	task->doing.poll_from = span->from;
	task->doing.poll_syscall = (int16_t)span->syscall;
}

int pt_turns_span(struct pt_model *model, const struct pt_span *span)
{
	struct pt_looper *looper = span->task->looper;
	bool blocks = span->part == PT_PART_BLOCKED, unknown = span->part == PT_PART_UNKNOWN;
	bool polls = (blocks || unknown) && span->reason == PT_REASON_POLL;
	struct pt_span cut;
	int ret;

	if (!looper) {
		if (polls)
			note_poll(pt_model_task(model, span->task->index), span);
		return 0;
	}
	if (looper->over || span->to <= looper->busy_from)
		return 0;
	if (span->from < looper->busy_from) {
		cut = *span;
		/* A return was told in the middle of it: what it was after that is not what it was before. */
		cut.from = looper->busy_from;
		cut.part = PT_PART_UNKNOWN;
		polls = unknown = false;
		span = &cut;
	}
	ret = pt_latest_span(looper, span, polls);
	if (ret)
		return ret;
	if (polls && (!looper->waits || looper->wait_syscall == PT_SYSCALL_ANY))
		ret = begin_wait(looper, span->from, span->syscall);
	else if (unknown && !looper->waits)
		ret = begin_wait(looper, span->from, PT_SYSCALL_ANY);
	if (ret)
		return ret;
	if (polls && unknown && looper->wait_from == span->from)
		looper->wait_until = span->to;
	return pt_tally_span(looper->waits ? &looper->waiting : &looper->busy, span);
}

int pt_turns_wait(struct pt_model *model, const struct pt_wait *wait)
{
	struct pt_looper *looper = wait->task->looper;
	int ret;

	(void)model;
	/* It may be told after the return that it led to. */
	if (!looper || looper->over || wait->to <= looper->busy_from)
		return 0;
	ret = pt_tally_wait(looper->waits ? &looper->waiting : &looper->busy, wait);
	return ret ? ret : pt_tally_wait(pt_latest_at(looper, wait->to), wait);
}

/* Where what is told of the present belongs; none: nowhere. */
static size_t present(const struct pt_model_task *task, struct pt_tally *tallies[2])
{
	struct pt_looper *looper = task->looper;

	if (!looper || looper->over)
		return 0;
	tallies[0] = looper->waits ? &looper->waiting : &looper->busy;
	tallies[1] = pt_latest_present(looper);
	return 2;
}

void pt_turns_child(const struct pt_model_task *parent, const struct pt_model_task *child)
{
	struct pt_tally *tallies[2];
	size_t i, count = present(parent, tallies);

	for (i = 0; i < count; i++)
		pt_tally_child(tallies[i], child);
}

PT_HANDLER(sample)
{
	const struct pt_sample *s = record->row;
	struct pt_model_task *task = pt_task_mention(model, s->tid);
	struct pt_tally *tallies[2];
	size_t i, count = task ? present(task, tallies) : 0;

	if (!task)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pt_tally_sample(tallies[i], &(struct pt_sampled){.syscall = s->syscall,
								 .user = s->flags & PT_SAMPLE_USER,
								 .ns = s->period});
	return 0;
}

PT_HANDLER(sleep)
{
	const struct pt_sleep *s = record->row;
	struct pt_model_task *task = pt_task_mention(model, s->tid);
	struct pt_tally *tallies[2];
	size_t i, count = task ? present(task, tallies) : 0;

	if (!task)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pt_tally_explain(tallies[i], record);
	return 0;
}

/*
 * Where the wait began that has now returned. The time of its call is believed only as far as it says how long the task
 * was on its way to sleep, or how long a poll took: a task that came to its CPU unseen may not have been timed, and what
 * is told then is the beginning of some call before.
 */
static int find_wait(struct pt_looper *looper, const struct pt_turn *row, uint64_t time,
		     struct pt_return *r)
{
	bool sleeps =
		looper->waits && (looper->wait_syscall == row->syscall ||
				  (looper->wait_syscall == PT_SYSCALL_ANY && row->timeout != 0));
	uint64_t begin, cut;
	int ret = 0;

	*r = (struct pt_return){row, time, time, row->timeout != 0};
	if (sleeps)
		r->from = looper->wait_from;
	else
		ret = pt_looper_no_wait(looper);
	begin = row->flags & PT_TURN_TIMED && row->wait < row->time ? row->time - row->wait
								    : r->from;
	if (begin < r->from && begin >= looper->busy_from && r->from - begin <= PT_TRIFLE_NS) {
		cut = r->from - begin;
		if (cut > looper->busy.part[PT_PART_CPU])
			cut = looper->busy.part[PT_PART_CPU];
		looper->busy.part[PT_PART_CPU] -= cut;
		looper->waiting.part[PT_PART_CPU] += cut;
		r->from -= cut;
	}
	return ret;
}

int pt_looper_of(struct pt_model *model, uint32_t tid, struct pt_looper **out)
{
	struct pt_model_task *task = pt_task_mention(model, tid);
	struct pt_looper *looper;

	*out = NULL;
	if (!task)
		return -ENOMEM;
	if (!task->tid || task->tid == PT_TID_UNKNOWN || task->doing.phase == PT_PHASE_DEAD)
		return 0;
	task->target = true;
	if (!task->looper) {
		looper = calloc(1, sizeof(*looper));
		if (!looper)
			return -ENOMEM;
		looper->task = task;
		pt_latest_start(looper);
		looper->waits = task->doing.poll_from > 0 || task->doing.poll_syscall;
		looper->wait_from = task->doing.poll_from;
		looper->wait_syscall = task->doing.poll_syscall;
		task->looper = looper;
	}
	*out = task->looper;
	return 0;
}

/*
 * The kernel may skip the probes of a moment: the task was seen to fall asleep in its loop, then to run, and then to
 * return from another wait, which began later. Where it was seen to run again stands for the return between.
 */
static bool missed_return(const struct pt_looper *looper, const struct pt_turn *row)
{
	const struct pt_frame *frame = looper->depth ? &looper->frames[looper->depth - 1] : NULL;

	if (!frame || !looper->waits || !looper->wait_until ||
	    looper->wait_syscall != frame->loop->syscall)
		return false;
	return row->timeout == 0 || (row->flags & PT_TURN_TIMED && row->wait < row->time &&
				     row->time - row->wait > looper->wait_until);
}

static int make_up_return(struct pt_model *model, struct pt_looper *looper)
{
	struct pt_loop *loop = looper->frames[looper->depth - 1].loop;
	struct pt_turn row = {.time = looper->wait_until,
			      .loop = loop->object,
			      .timeout = -1,
			      .events = 1,
			      .syscall = loop->syscall};
	struct pt_return r = {&row, looper->wait_from, looper->wait_until, true};
	uint64_t slept = r.to - r.from, *unknown = &looper->waiting.part[PT_PART_UNKNOWN];
	struct pt_tally after = looper->waiting;
	int ret;

	looper->waiting = (struct pt_tally){.part[PT_PART_UNKNOWN] = slept};
	ret = pt_loop_returned(model, looper, loop, &r);
	pt_tally_free(&looper->waiting);
	looper->waiting = after;
	*unknown -= slept < *unknown ? slept : *unknown;
	pt_tally_empty(&looper->busy);
	looper->busy_from = r.to;
	return ret ? ret : pt_looper_no_wait(looper);
}

/* `time` is when it returned, but for what clocks disagree about. */
static int take_return(struct pt_model *model, struct pt_looper *looper, const struct pt_turn *row,
		       uint64_t time)
{
	struct pt_loop *loop;
	struct pt_return r;
	int ret = pt_state_runs(model, looper->task, time);

	if (ret || looper->over || time < looper->busy_from)
		return ret;
	ret = pt_looper_catch_up(looper, row);
	if (ret)
		return ret;
	if (missed_return(looper, row))
		ret = make_up_return(model, looper);
	if (ret)
		return ret;
	loop = pt_loop_find(model, looper, row);
	if (!loop)
		return -ENOMEM;
	ret = find_wait(looper, row, time, &r);
	if (!ret)
		ret = pt_loop_returned(model, looper, loop, &r);
	pt_tally_empty(&looper->busy);
	pt_tally_empty(&looper->waiting);
	looper->waits = false;
	looper->busy_from = time;
	looper->returned = row->time;
	pt_latest_reset(looper, time);
	return ret;
}

int pt_turns_runs(struct pt_model *model, struct pt_model_task *task)
{
	struct pt_looper *looper = task->looper;
	uint64_t time;

	if (!looper)
		return 0;
	pt_looper_began_runs(looper, task->doing.since);
	if (!looper->is_early)
		return 0;
	looper->is_early = false;
	time = looper->early.time > task->doing.since ? looper->early.time : task->doing.since;
	return take_return(model, looper, &looper->early, time);
}

PT_HANDLER(turn)
{
	const struct pt_turn *row = record->row;
	struct pt_looper *looper;
	struct pt_model_task *task;
	int ret = pt_looper_of(model, row->tid, &looper);

	if (!looper)
		return ret;
	task = looper->task;
	ret = pt_turns_runs(model, task);
	if (ret || task->doing.phase == PT_PHASE_RUNNING || task->doing.phase == PT_PHASE_UNKNOWN)
		return ret ? ret : take_return(model, looper, row, row->time);
	looper->early = *row;
	looper->is_early = true;
	return 0;
}

void pt_looper_free(struct pt_looper *looper)
{
	unsigned int i;

	if (!looper)
		return;
	for (i = 0; i < PT_LOOP_DEPTH; i++)
		pt_tally_free(&looper->frames[i].tally);
	pt_latest_free(looper);
	pt_tally_free(&looper->busy);
	pt_tally_free(&looper->waiting);
	free(looper->loops);
	free(looper);
}
