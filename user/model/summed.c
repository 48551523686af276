/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns that are not told one by one: the probes add up those that were short and in which nothing happened. The next
 * turn that is told says for how long it had lasted, so that what is known of the present has to be cut at a moment in
 * the past. Whatever a task did since it last came out of a sleep in a wait call, but for computing, belongs to the turn
 * that is under way: else that turn, or an earlier one, would have been told.
 */
#include "model/looper.h"

#include <errno.h>

#include "base/histogram.h"
#include "base/leb.h"

void pt_latest_start(struct pt_looper *looper)
{
	looper->latest.busy = &looper->latest.turns[0];
	looper->latest.ran = &looper->latest.turns[1];
}

static void fall_asleep(struct pt_latest *latest, const struct pt_span *span)
{
	struct pt_tally *busy = latest->busy;

	latest->busy = latest->ran;
	latest->ran = busy;
	pt_tally_empty(latest->ran);
	pt_tally_empty(&latest->waiting);
	latest->busy_from = latest->ran_from;
	latest->wait_from = span->from;
	latest->syscall = span->syscall;
	latest->runs = false;
	latest->sleeps++;
}

static struct pt_tally *present(struct pt_latest *latest)
{
	return latest->sleeps && !latest->runs ? &latest->waiting : latest->ran;
}

static void run(struct pt_latest *latest, uint64_t since)
{
	if (!latest->sleeps || latest->runs)
		return;
	latest->runs = true;
	latest->ran_from = since;
}

struct pt_tally *pt_latest_present(struct pt_looper *looper)
{
	const struct pt_doing *doing = &looper->task->doing;

	/* That it runs is told as a span only when it has ceased to. */
	if (doing->phase == PT_PHASE_RUNNING)
		run(&looper->latest, doing->since);
	return present(&looper->latest);
}

struct pt_tally *pt_latest_at(struct pt_looper *looper, uint64_t time)
{
	struct pt_latest *latest = &looper->latest;

	return latest->sleeps && latest->runs && time <= latest->ran_from ? &latest->waiting
									  : present(latest);
}

int pt_latest_span(struct pt_looper *looper, const struct pt_span *span, bool polls)
{
	struct pt_latest *latest = &looper->latest;

	if (polls)
		fall_asleep(latest, span);
	else if (span->part == PT_PART_CPU)
		run(latest, span->from);
	return pt_tally_span(present(latest), span);
}

void pt_latest_reset(struct pt_looper *looper, uint64_t time)
{
	struct pt_latest *latest = &looper->latest;

	pt_tally_empty(latest->busy);
	pt_tally_empty(&latest->waiting);
	pt_tally_empty(latest->ran);
	latest->ran_from = time;
	latest->sleeps = 0;
	latest->runs = false;
}

void pt_latest_free(struct pt_looper *looper)
{
	pt_tally_free(looper->latest.busy);
	pt_tally_free(&looper->latest.waiting);
	pt_tally_free(looper->latest.ran);
}

static void restart_frame(struct pt_frame *frame, uint64_t from, bool empty)
{
	pt_tally_empty(&frame->tally);
	frame->from = from;
	frame->inner = NULL;
	frame->inner_ns = frame->poll_ns = frame->idle_inside = 0;
	frame->filled = false;
	frame->empty = empty;
}

/* All of `length` that is nothing else was computing. */
static void fill_with_cpu(struct pt_tally *tally, uint64_t length)
{
	uint64_t others = 0;
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		others += i == PT_PART_CPU ? 0 : tally->part[i];
	tally->part[PT_PART_CPU] = others < length ? length - others : 0;
}

/* The present turn began at `from`, and what it waits in now, if it does, at `wait_from`. */
static int take_latest(struct pt_looper *looper, uint64_t from, uint64_t wait_from, int syscall,
		       uint64_t now)
{
	struct pt_latest *latest = &looper->latest;
	bool waits = wait_from && latest->sleeps;
	uint64_t to = waits ? wait_from : now;
	int ret;

	pt_tally_empty(&looper->busy);
	pt_tally_empty(&looper->waiting);
	looper->busy_from = from;
	looper->waits = waits;
	looper->wait_from = wait_from;
	looper->wait_until = 0;
	looper->wait_syscall = syscall;
	ret = pt_tally_add(&looper->busy, waits ? latest->busy : latest->ran);
	if (!ret && waits)
		ret = pt_tally_add(&looper->waiting, &latest->waiting);
	if (!ret && waits)
		ret = pt_tally_add(&looper->waiting, latest->ran);
	fill_with_cpu(&looper->busy, to > from ? to - from : 0);
	return ret;
}

int pt_looper_catch_up(struct pt_looper *looper, const struct pt_turn *row)
{
	/* One that began before the recording is not behind others that are not told. */
	uint64_t from = row->age < row->time ? row->time - row->age : 0, asleep = 0;

	if (!row->age || from <= looper->returned || !looper->depth)
		return 0;
	if (row->slept && row->slept < row->age)
		asleep = row->time - row->slept;
	restart_frame(&looper->frames[looper->depth - 1], from, row->flags & PT_TURN_AFTER_EMPTY);
	return take_latest(looper, from, asleep, row->syscall, row->time);
}

int pt_looper_settle(struct pt_looper *looper, uint64_t time)
{
	struct pt_latest *latest = &looper->latest;
	struct pt_frame *frame = looper->depth ? &looper->frames[looper->depth - 1] : NULL;

	/* One sleep is that of the wait in which it is. */
	if (!looper->summed || !frame || latest->sleeps < 2)
		return 0;
	restart_frame(frame, latest->runs ? latest->ran_from : latest->busy_from, false);
	return take_latest(looper, frame->from, latest->runs ? 0 : latest->wait_from,
			   latest->syscall, time);
}

/* A turn of the loop is known to have begun. */
static void turn_began(struct pt_looper *looper, const struct pt_began *began, uint64_t time)
{
	struct pt_frame *frame = looper->depth ? &looper->frames[looper->depth - 1] : NULL;

	if (began->time <= looper->returned)
		return;
	looper->returned = began->time;
	if (!frame || frame->loop != began->loop)
		return;
	restart_frame(frame, time, began->empty);
	pt_tally_empty(&looper->busy);
	pt_tally_empty(&looper->waiting);
	looper->waits = false;
	looper->busy_from = time;
	pt_latest_reset(looper, time);
}

void pt_looper_began_runs(struct pt_looper *looper, uint64_t since)
{
	struct pt_began *began = &looper->began;

	if (!began->loop)
		return;
	turn_began(looper, began, began->time > since ? began->time : since);
	began->loop = NULL;
}

static int tell_turns(struct pt_model *model, const struct pt_loop *loop,
		      const struct pt_record *record)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_TURNED_MANY];
	const uint8_t *text = (const uint8_t *)record->text;
	size_t at = 0, step, i;
	uint64_t bucket = 0, further, count;
	int ret = 0;

	while (!ret && at < record->text_len) {
		step = pt_leb_get(text + at, record->text_len - at, &further);
		at += step;
		step = step ? pt_leb_get(text + at, record->text_len - at, &count) : 0;
		at += step;
		if (!step || further >= PT_TURN_BUCKETS || bucket + further >= PT_TURN_BUCKETS ||
		    count > UINT32_MAX)
			return 0;
		bucket += further;
		for (i = 0; !ret && i < audience->count; i++)
			ret = audience->observers[i].turned_many(
				audience->observers[i].self, loop,
				pt_histogram_bucket((unsigned int)bucket), count);
	}
	return ret;
}

static void count_waits(struct pt_loop *loop, const struct pt_turn_sum *sum)
{
	if (!loop->waits)
		loop->first_ns = sum->first < sum->time ? sum->time - sum->first : 0;
	loop->waits += sum->waits;
	loop->idle_ns += sum->idle;
	if (sum->time > loop->end_ns)
		loop->end_ns = sum->time;
}

PT_HANDLER(turn_sum)
{
	const struct pt_turn_sum *row = record->row;
	const struct pt_turn wait = {.loop = row->loop, .syscall = row->syscall};
	struct pt_model_task *task;
	struct pt_looper *looper;
	struct pt_loop *loop;
	int ret = pt_looper_of(model, row->tid, &looper);

	if (!looper)
		return ret;
	task = looper->task;
	ret = pt_turns_runs(model, task);
	if (!ret)
		ret = pt_state_runs(model, task, row->time);
	if (ret)
		return ret;
	loop = pt_loop_find(model, looper, &wait);
	if (!loop)
		return -ENOMEM;
	looper->summed = true;
	count_waits(loop, row);
	if (!looper->over) {
		looper->began = (struct pt_began){
			.loop = loop, .time = row->time, .empty = row->flags & PT_TURN_SUM_EMPTY};
		if (task->doing.phase == PT_PHASE_RUNNING || task->doing.phase == PT_PHASE_UNKNOWN)
			pt_looper_began_runs(looper, row->time);
	}
	return tell_turns(model, loop, record);
}
