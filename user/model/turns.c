/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns from the returns of wait calls. docs/loops.md has the rules and their reasons. */
#include "base/array.h"
#include "model/looper.h"

#include <errno.h>
#include <stdlib.h>

#define EINTR_RESULT (-EINTR)

/* So many waits on another object make it believable that a loop has been left for good. */
#define ABANDONED_WAITS 64
/* A loop is left for another by a task that had waited fewer times than this. */
#define LOOP_WAITS 3
/* An object that is waited on in so many turns of a loop belongs to that loop. */
#define COMPANION_USES 3
#define LOOPS_SEARCHED 64

static bool fills(const struct pt_turn *row)
{
	return row->limit > 1 && row->events > 0 && (uint32_t)row->events == row->limit;
}

static int fold(struct pt_looper *looper, struct pt_tally *tally, unsigned int frames)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < frames; i++)
		ret = pt_tally_add(&looper->frames[i].tally, tally);
	pt_tally_empty(tally);
	return ret;
}

/*
 * Of a thread that has had thousands of loops inside others, a new file each time, only those at both ends are looked
 * at: the loop around them, and the last ones.
 */
static struct pt_loop *known_loop(const struct pt_looper *looper, uint64_t object)
{
	size_t i;

	for (i = looper->depth; i > 0; i--) {
		if (looper->frames[i - 1].loop->object == object)
			return looper->frames[i - 1].loop;
	}
	for (i = looper->loop_count; i > 0; i--) {
		if (i > LOOPS_SEARCHED && i + LOOPS_SEARCHED < looper->loop_count)
			i = LOOPS_SEARCHED;
		if (looper->loops[i - 1]->object == object)
			return looper->loops[i - 1];
	}
	return NULL;
}

struct pt_loop *pt_loop_find(struct pt_model *model, struct pt_looper *looper,
			     const struct pt_turn *row)
{
	struct pt_loop *loop = known_loop(looper, row->loop), **grown;

	if (loop)
		return loop->with ? loop->with : loop;
	grown = pt_array_grow(looper->loops, looper->loop_count, &looper->loop_room,
			      sizeof(struct pt_loop *));
	if (!grown)
		return NULL;
	looper->loops = grown;
	loop = pt_pool_add(&model->loops);
	if (!loop)
		return NULL;
	loop->task = looper->task;
	loop->index = (uint32_t)(model->loops.count - 1);
	loop->object = row->loop;
	loop->syscall = row->syscall;
	looper->loops[looper->loop_count++] = loop;
	return loop;
}

static int tell_turn(struct pt_model *model, const struct pt_loop_turn *turn)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_TURNED];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < audience->count; i++)
		ret = audience->observers[i].turned(audience->observers[i].self, turn);
	return ret;
}

/* Records that were lost, or that contradict each other, may leave a gap: parts sum to the turn nevertheless. */
static void level(struct pt_tally *tally, uint64_t length)
{
	uint64_t sum = 0, over;
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		sum += tally->part[i];
	if (sum < length)
		tally->part[PT_PART_UNKNOWN] += length - sum;
	for (i = 0; sum > length && i < PT_PART_COUNT; i++) {
		over = sum - length < tally->part[i] ? sum - length : tally->part[i];
		tally->part[i] -= over;
		sum -= over;
	}
}

/* The frame's turn ends at `to`; the rest of `turn` has been filled in. */
static int end_turn(struct pt_model *model, struct pt_frame *frame, struct pt_loop_turn *turn)
{
	turn->loop = frame->loop;
	turn->from = frame->from;
	turn->inner = frame->inner;
	turn->inner_ns = frame->inner_ns;
	turn->poll_ns = frame->poll_ns;
	turn->inner_idle = frame->idle_inside;
	turn->tally = &frame->tally;
	if (turn->to < turn->from)
		turn->to = turn->from;
	level(turn->tally, turn->to - turn->from);
	return tell_turn(model, turn);
}

static void begin_turn(struct pt_frame *frame, const struct pt_return *r)
{
	const struct pt_turn *row = r->row;

	pt_tally_empty(&frame->tally);
	frame->from = r->to;
	frame->inner = NULL;
	frame->inner_ns = frame->poll_ns = frame->idle_inside = 0;
	frame->filled = fills(row);
	frame->empty = row->events == EINTR_RESULT || (row->events == 0 && row->timeout == 0);
}

static void count_wait(struct pt_loop *loop, const struct pt_return *r)
{
	if (!loop->waits)
		loop->first_ns = r->from;
	loop->waits++;
	loop->end_ns = r->to;
	loop->idle_ns += r->idle ? r->to - r->from : 0;
}

/* A wait of a loop, as the loops around it see it. */
static int wait_inside(struct pt_looper *looper, const struct pt_return *r,
		       const struct pt_loop *loop, unsigned int frames)
{
	unsigned int i;

	for (i = 0; i < frames; i++) {
		struct pt_frame *frame = &looper->frames[i];

		frame->inner = loop;
		frame->inner_ns += r->to - r->from;
		frame->poll_ns += loop->object == PT_LOOP_OF_TASK ? r->to - r->from : 0;
		frame->idle_inside += r->idle ? r->to - r->from : 0;
	}
	/* Waits are not among the calls whose time is told. */
	looper->waiting.off_asleep = looper->waiting.off_preempted = 0;
	return fold(looper, &looper->waiting, frames);
}

/* Does the turn go on across this wait? */
static bool same_iteration(const struct pt_frame *frame, const struct pt_return *r)
{
	return r->row->timeout == 0 && (frame->filled || r->row->events == EINTR_RESULT);
}

static int turn_boundary(struct pt_model *model, struct pt_looper *looper,
			 const struct pt_return *r)
{
	struct pt_frame *frame = &looper->frames[looper->depth - 1];
	struct pt_loop_turn turn = {
		.to = r->from,
		.idle = r->idle ? r->to - r->from : 0,
		.returned = r->row->time,
		.end = PT_TURN_WAITED,
		.timed = r->row->flags & PT_TURN_TIMED,
		.calls_ns = r->row->calls,
		.call_count = r->row->call_count,
	};
	bool trifle = frame->empty && r->row->timeout != 0 && r->from - frame->from <= PT_TRIFLE_NS;
	int ret;

	if (same_iteration(frame, r)) {
		frame->filled = fills(r->row);
		count_wait(frame->loop, r);
		looper->waiting.off_asleep = looper->waiting.off_preempted = 0;
		return fold(looper, &looper->waiting, looper->depth);
	}
	ret = trifle ? 0 : end_turn(model, frame, &turn);
	if (ret)
		return ret;
	count_wait(frame->loop, r);
	ret = wait_inside(looper, r, frame->loop, looper->depth - 1);
	begin_turn(frame, r);
	return ret;
}

/* A loop that this task has not been in before, or the first one. */
static int enter_loop(struct pt_looper *looper, struct pt_loop *loop, const struct pt_return *r)
{
	int ret = fold(looper, &looper->busy, looper->depth);
	struct pt_frame *frame;

	count_wait(loop, r);
	if (!ret)
		ret = wait_inside(looper, r, loop, looper->depth);
	if (looper->depth < PT_LOOP_DEPTH) {
		frame = &looper->frames[looper->depth++];
		frame->since = r->from;
	} else {
		/* Nobody runs loops that deep: the innermost has been left for this one. */
		frame = &looper->frames[looper->depth - 1];
		if (loop->waits == 1)
			loop->before = frame->loop;
	}
	frame->loop = loop;
	begin_turn(frame, r);
	return ret;
}

/* A loop ran inside one more turn of another. */
static void note_use(struct pt_loop *outer, struct pt_loop *inner)
{
	inner->uses++;
	inner->nested = true;
	if (inner->uses < COMPANION_USES || inner->object == PT_LOOP_OF_TASK || !inner->idle_ns)
		return;
	inner->with = outer;
	outer->idle_ns += inner->idle_ns;
}

/* Likewise those whose place it took. */
static void note_uses(struct pt_loop *outer, struct pt_loop *inner)
{
	struct pt_loop *before;

	for (; inner; inner = before) {
		before = inner->before;
		inner->before = NULL;
		note_use(outer, inner);
	}
}

/*
 * poll() and select() have no object by which to tell one loop from another: what a program polled for when it started
 * is not the loop around all that came later.
 */
static bool is_outer(const struct pt_looper *looper, unsigned int i)
{
	const struct pt_loop *loop = looper->frames[i].loop;

	if (loop->object != PT_LOOP_OF_TASK || i + 1 == looper->depth)
		return true;
	return loop->waits >= LOOP_WAITS && loop->waits >= looper->frames[i + 1].loop->waits;
}

static void remove_frame(struct pt_looper *looper, unsigned int i)
{
	struct pt_frame removed = looper->frames[i];

	for (; i + 1 < looper->depth; i++)
		looper->frames[i] = looper->frames[i + 1];
	pt_tally_empty(&removed.tally);
	looper->frames[i] = removed;
	looper->depth--;
}

int pt_loop_returned(struct pt_model *model, struct pt_looper *looper, struct pt_loop *loop,
		     const struct pt_return *r)
{
	unsigned int i = looper->depth;
	int ret;

	while (i > 0 && looper->frames[i - 1].loop != loop)
		i--;
	if (i > 0 && !is_outer(looper, i - 1)) {
		remove_frame(looper, i - 1);
		i = 0;
	}
	if (!i)
		return enter_loop(looper, loop, r);
	ret = fold(looper, &looper->busy, looper->depth);
	while (looper->depth > i)
		note_uses(loop, looper->frames[--looper->depth].loop);
	return ret ? ret : turn_boundary(model, looper, r);
}

/* The task sleeps in its innermost loop to the end. */
static int end_asleep(struct pt_model *model, struct pt_looper *looper, uint64_t time)
{
	struct pt_frame *frame = &looper->frames[looper->depth - 1];
	struct pt_loop_turn turn = {.to = looper->wait_from,
				    .idle = time - looper->wait_from,
				    .returned = time,
				    .end = PT_TURN_WAITED};
	int ret = fold(looper, &looper->busy, looper->depth);

	frame->loop->idle_ns += turn.idle;
	frame->loop->end_ns = time;
	if (!ret && !(frame->empty && turn.to - frame->from <= PT_TRIFLE_NS))
		ret = end_turn(model, frame, &turn);
	return ret ? ret : fold(looper, &looper->waiting, looper->depth - 1);
}

static int end_awake(struct pt_model *model, struct pt_frame *frame, uint64_t time, bool exits)
{
	struct pt_loop_turn turn = {.to = time, .returned = time};

	turn.end = exits ? PT_TURN_EXITED : PT_TURN_RUNNING;
	if (exits && time - frame->from < PT_EXIT_TURN_NS)
		return 0;
	frame->loop->end_ns = time;
	return end_turn(model, frame, &turn);
}

/* Has the task left this loop for the one above it, rather than that it runs inside? */
static bool has_left(const struct pt_looper *looper, unsigned int i, uint64_t time)
{
	const struct pt_frame *frame = &looper->frames[i];
	const struct pt_loop *above = looper->frames[i + 1].loop;

	return frame->loop->waits < LOOP_WAITS || above->waits >= ABANDONED_WAITS ||
	       time - looper->frames[i + 1].since > frame->from - frame->loop->first_ns;
}

int pt_turns_end(struct pt_model *model, struct pt_model_task *task, uint64_t time, bool exits)
{
	struct pt_looper *looper = task->looper;
	struct pt_loop *inner;
	unsigned int i;
	int ret = 0;

	if (!looper || looper->over)
		return 0;
	looper->over = true;
	if (!looper->depth || time < looper->busy_from)
		return 0;
	ret = pt_looper_settle(looper, time);
	if (ret)
		return ret;
	i = looper->depth - 1;
	if (looper->waits && looper->wait_syscall == looper->frames[i].loop->syscall) {
		ret = end_asleep(model, looper, time);
	} else {
		ret = pt_looper_no_wait(looper);
		if (!ret)
			ret = fold(looper, &looper->busy, looper->depth);
		/* Of a recording that breaks off, the last turns that were only added up are not known. */
		if (!ret && !(looper->summed && model->broken_off && !exits))
			ret = end_awake(model, &looper->frames[i], time, exits);
	}
	while (!ret && i-- > 0) {
		if (has_left(looper, i, time))
			continue;
		for (inner = looper->frames[i + 1].loop; inner; inner = inner->before)
			inner->nested = true;
		ret = end_awake(model, &looper->frames[i], time, exits);
	}
	return ret;
}
