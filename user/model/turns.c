/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns from the returns of wait calls. docs/loops.md has the rules and their reasons.
 *
 * What a task does between two returns is tallied in two halves: until it falls asleep in a wait call, and from there.
 * Which halves belong to which turn is decided when the wait returns.
 */
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

#define EINTR_RESULT (-EINTR)

/* A poll that found nothing and the wait behind it: what lies between them is no turn. */
#define TRIFLE_NS 100000
/* Loops inside loops. */
#define DEPTH_MAX 4
/* So many waits on another object make it believable that a loop has been left for good. */
#define ABANDONED_WAITS 64
/* A loop is left for another by a task that had waited fewer times than this. */
#define LOOP_WAITS 3
/* An object that is waited on in so many turns of a loop belongs to that loop. */
#define COMPANION_USES 3
#define SYSCALL_ANY    (-2)

/* A loop whose turn is under way; those above the first run inside it. */
struct frame {
	struct pt_loop *loop;
	uint64_t from; /* when the turn began */
	struct pt_tally tally;
	const struct pt_loop *inner;
	uint64_t inner_ns, poll_ns;
	uint64_t idle_inside; /* in waits of loops inside that could sleep */
	bool filled;	      /* the wait before it returned as many events as it could */
	bool empty;	      /* that wait returned none and slept for none */
};

struct pt_looper {
	struct pt_model_task *task;
	struct frame frames[DEPTH_MAX];
	unsigned int depth;
	struct pt_tally busy, waiting; /* since the last return: until the wait began, and then */
	uint64_t busy_from, wait_from,
		wait_until; /* wait_until: its sleep, if that is unknown, else 0 */
	int wait_syscall;   /* SYSCALL_ANY: what it did then is not known */
	bool waits;	    /* wait_from is valid */
	bool over;
	/* Clocks of switches and of other records differ by microseconds: a return may be told before its task comes to
	 * its CPU. */
	bool is_early;
	struct pt_turn early;
	struct pt_loop **loops; /* all that the task ever waited on */
	size_t loop_count, loop_room;
};

/* The return that is being looked at, and the wait before it. */
struct ret {
	const struct pt_turn *row;
	uint64_t from, to; /* of the wait */
	bool idle;	   /* it could sleep */
};

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

/* What looked like the beginning of a wait was none. */
static int no_wait(struct pt_looper *looper)
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
	int ret = no_wait(looper);

	looper->waits = true;
	looper->wait_until = 0;
	looper->wait_from = from;
	looper->wait_syscall = syscall;
	return ret;
}

int pt_turns_span(struct pt_model *model, const struct pt_span *span)
{
	struct pt_looper *looper = span->task->looper;
	bool blocks = span->part == PT_PART_BLOCKED, unknown = span->part == PT_PART_UNKNOWN;
	bool polls = (blocks || unknown) && span->reason == PT_REASON_POLL;
	struct pt_span cut = *span;
	int ret = 0;

	if (!looper) {
		struct pt_model_task *task = pt_model_task(model, span->task->index);

		if (polls) {
			task->doing.poll_from = span->from;
			task->doing.poll_syscall = (int16_t)span->syscall;
		}
		return 0;
	}
	if (looper->over || span->to <= looper->busy_from)
		return 0;
	if (cut.from < looper->busy_from) {
		/* A return was told in the middle of it: what it was after that is not what it was before. */
		cut.from = looper->busy_from;
		cut.part = PT_PART_UNKNOWN;
		return pt_tally_span(looper->waits ? &looper->waiting : &looper->busy, &cut);
	}
	if (polls && (!looper->waits || looper->wait_syscall == SYSCALL_ANY))
		ret = begin_wait(looper, cut.from, span->syscall);
	else if (unknown && !looper->waits)
		ret = begin_wait(looper, cut.from, SYSCALL_ANY);
	if (ret)
		return ret;
	if (polls && unknown && looper->wait_from == cut.from)
		looper->wait_until = cut.to;
	return pt_tally_span(looper->waits ? &looper->waiting : &looper->busy, &cut);
}

int pt_turns_wait(struct pt_model *model, const struct pt_wait *wait)
{
	struct pt_looper *looper = wait->task->looper;

	(void)model;
	/* It may be told after the return that it led to. */
	if (!looper || looper->over || wait->to <= looper->busy_from)
		return 0;
	return pt_tally_wait(looper->waits ? &looper->waiting : &looper->busy, wait);
}

/* Where what is told of the present belongs; NULL: nowhere. */
static struct pt_tally *present(const struct pt_model_task *task)
{
	struct pt_looper *looper = task->looper;

	if (!looper || looper->over)
		return NULL;
	return looper->waits ? &looper->waiting : &looper->busy;
}

void pt_turns_child(const struct pt_model_task *parent, const struct pt_model_task *child)
{
	struct pt_tally *tally = present(parent);

	if (tally)
		pt_tally_child(tally, child);
}

PT_HANDLER(sample)
{
	const struct pt_sample *s = record->row;
	struct pt_model_task *task = pt_task_mention(model, s->tid);
	struct pt_tally *tally = task ? present(task) : NULL;

	if (!task)
		return -ENOMEM;
	if (tally)
		pt_tally_sample(tally, &(struct pt_sampled){.syscall = s->syscall,
							    .user = s->flags & PT_SAMPLE_USER,
							    .ns = s->period});
	return 0;
}

PT_HANDLER(sleep)
{
	const struct pt_sleep *s = record->row;
	struct pt_model_task *task = pt_task_mention(model, s->tid);
	struct pt_tally *tally = task ? present(task) : NULL;

	if (!task)
		return -ENOMEM;
	if (tally)
		pt_tally_explain(tally, record);
	return 0;
}

static struct pt_loop *find_loop(struct pt_model *model, struct pt_looper *looper,
				 const struct pt_turn *row)
{
	struct pt_loop *loop, **grown;
	size_t i;

	for (i = looper->loop_count; i > 0; i--) {
		loop = looper->loops[i - 1];
		if (loop->object == row->loop)
			return loop->with ? loop->with : loop;
	}
	grown = pt_model_grow(looper->loops, looper->loop_count, &looper->loop_room,
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
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < model->observer_count; i++) {
		if (model->observers[i].turned)
			ret = model->observers[i].turned(model->observers[i].self, turn);
	}
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
static int end_turn(struct pt_model *model, struct frame *frame, struct pt_loop_turn *turn)
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

static void begin_turn(struct frame *frame, const struct ret *r)
{
	const struct pt_turn *row = r->row;

	pt_tally_empty(&frame->tally);
	frame->from = r->to;
	frame->inner = NULL;
	frame->inner_ns = frame->poll_ns = frame->idle_inside = 0;
	frame->filled = fills(row);
	frame->empty = row->events == EINTR_RESULT || (row->events == 0 && row->timeout == 0);
}

static void count_wait(struct pt_loop *loop, const struct ret *r)
{
	if (!loop->waits)
		loop->first_ns = r->from;
	loop->waits++;
	loop->end_ns = r->to;
	loop->idle_ns += r->idle ? r->to - r->from : 0;
}

/* A wait of a loop, as the loops around it see it. */
static int wait_inside(struct pt_looper *looper, const struct ret *r, const struct pt_loop *loop,
		       unsigned int frames)
{
	unsigned int i;

	for (i = 0; i < frames; i++) {
		struct frame *frame = &looper->frames[i];

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
static bool same_iteration(const struct frame *frame, const struct ret *r)
{
	return r->row->timeout == 0 && (frame->filled || r->row->events == EINTR_RESULT);
}

static int turn_boundary(struct pt_model *model, struct pt_looper *looper, const struct ret *r)
{
	struct frame *frame = &looper->frames[looper->depth - 1];
	struct pt_loop_turn turn = {
		.to = r->from,
		.idle = r->idle ? r->to - r->from : 0,
		.returned = r->row->time,
		.end = PT_TURN_WAITED,
		.timed = r->row->flags & PT_TURN_TIMED,
		.calls_ns = r->row->calls,
		.call_count = r->row->call_count,
	};
	bool trifle = frame->empty && r->row->timeout != 0 && r->from - frame->from <= TRIFLE_NS;
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
static int enter_loop(struct pt_looper *looper, struct pt_loop *loop, const struct ret *r)
{
	int ret = fold(looper, &looper->busy, looper->depth);

	count_wait(loop, r);
	if (!ret)
		ret = wait_inside(looper, r, loop, looper->depth);
	if (looper->depth < DEPTH_MAX) {
		looper->frames[looper->depth].loop = loop;
		begin_turn(&looper->frames[looper->depth++], r);
	}
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
	struct frame removed = looper->frames[i];

	for (; i + 1 < looper->depth; i++)
		looper->frames[i] = looper->frames[i + 1];
	pt_tally_empty(&removed.tally);
	looper->frames[i] = removed;
	looper->depth--;
}

static int return_to(struct pt_model *model, struct pt_looper *looper, struct pt_loop *loop,
		     const struct ret *r)
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
		note_use(loop, looper->frames[--looper->depth].loop);
	return ret ? ret : turn_boundary(model, looper, r);
}

/* Where the wait began that has now returned. */
static int find_wait(struct pt_looper *looper, const struct pt_turn *row, uint64_t time,
		     struct ret *r)
{
	bool sleeps = looper->waits && (looper->wait_syscall == row->syscall ||
					(looper->wait_syscall == SYSCALL_ANY && row->timeout != 0));
	uint64_t begin, cut;
	int ret = 0;

	*r = (struct ret){row, time, time, row->timeout != 0};
	if (sleeps)
		r->from = looper->wait_from;
	else
		ret = no_wait(looper);
	begin = row->flags & PT_TURN_TIMED && row->wait < row->time ? row->time - row->wait
								    : r->from;
	if (begin < r->from && begin >= looper->busy_from) {
		cut = r->from - begin;
		if (cut > looper->busy.part[PT_PART_CPU])
			cut = looper->busy.part[PT_PART_CPU];
		looper->busy.part[PT_PART_CPU] -= cut;
		looper->waiting.part[PT_PART_CPU] += cut;
		r->from -= cut;
	}
	return ret;
}

static struct pt_looper *new_looper(struct pt_model_task *task)
{
	struct pt_looper *looper = calloc(1, sizeof(*looper));

	if (!looper)
		return NULL;
	looper->task = task;
	looper->waits = task->doing.poll_from > 0 || task->doing.poll_syscall;
	looper->wait_from = task->doing.poll_from;
	looper->wait_syscall = task->doing.poll_syscall;
	task->looper = looper;
	return looper;
}

/*
 * The kernel may skip the probes of a moment: the task was seen to fall asleep in its loop, then to run, and then to
 * return from another wait, which began later. Where it was seen to run again stands for the return between.
 */
static bool missed_return(const struct pt_looper *looper, const struct pt_turn *row)
{
	const struct frame *frame = looper->depth ? &looper->frames[looper->depth - 1] : NULL;

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
	struct ret r = {&row, looper->wait_from, looper->wait_until, true};
	uint64_t slept = r.to - r.from, *unknown = &looper->waiting.part[PT_PART_UNKNOWN];
	struct pt_tally after = looper->waiting;
	int ret;

	looper->waiting = (struct pt_tally){.part[PT_PART_UNKNOWN] = slept};
	ret = return_to(model, looper, loop, &r);
	pt_tally_free(&looper->waiting);
	looper->waiting = after;
	*unknown -= slept < *unknown ? slept : *unknown;
	pt_tally_empty(&looper->busy);
	looper->busy_from = r.to;
	return ret ? ret : no_wait(looper);
}

/* `time` is when it returned, but for what clocks disagree about. */
static int take_return(struct pt_model *model, struct pt_looper *looper, const struct pt_turn *row,
		       uint64_t time)
{
	struct pt_loop *loop;
	struct ret r;
	int ret = pt_state_runs(model, looper->task, time);

	if (ret || looper->over || time < looper->busy_from)
		return ret;
	if (missed_return(looper, row))
		ret = make_up_return(model, looper);
	if (ret)
		return ret;
	loop = find_loop(model, looper, row);
	if (!loop)
		return -ENOMEM;
	ret = find_wait(looper, row, time, &r);
	if (!ret)
		ret = return_to(model, looper, loop, &r);
	pt_tally_empty(&looper->busy);
	pt_tally_empty(&looper->waiting);
	looper->waits = false;
	looper->busy_from = time;
	return ret;
}

int pt_turns_runs(struct pt_model *model, struct pt_model_task *task)
{
	struct pt_looper *looper = task->looper;
	uint64_t time;

	if (!looper || !looper->is_early)
		return 0;
	looper->is_early = false;
	time = looper->early.time > task->doing.since ? looper->early.time : task->doing.since;
	return take_return(model, looper, &looper->early, time);
}

PT_HANDLER(turn)
{
	const struct pt_turn *row = record->row;
	struct pt_model_task *task = pt_task_mention(model, row->tid);
	struct pt_looper *looper;
	int ret;

	if (!task)
		return -ENOMEM;
	if (!task->tid || task->tid == PT_TID_UNKNOWN || task->doing.phase == PT_PHASE_DEAD)
		return 0;
	task->target = true;
	looper = task->looper ? task->looper : new_looper(task);
	if (!looper)
		return -ENOMEM;
	ret = pt_turns_runs(model, task);
	if (ret || task->doing.phase == PT_PHASE_RUNNING || task->doing.phase == PT_PHASE_UNKNOWN)
		return ret ? ret : take_return(model, looper, row, row->time);
	looper->early = *row;
	looper->is_early = true;
	return 0;
}

/* The task sleeps in its innermost loop to the end. */
static int end_asleep(struct pt_model *model, struct pt_looper *looper, uint64_t time)
{
	struct frame *frame = &looper->frames[looper->depth - 1];
	struct pt_loop_turn turn = {.to = looper->wait_from,
				    .idle = time - looper->wait_from,
				    .returned = time,
				    .end = PT_TURN_WAITED};
	int ret = fold(looper, &looper->busy, looper->depth);

	frame->loop->idle_ns += turn.idle;
	frame->loop->end_ns = time;
	if (!ret && !(frame->empty && turn.to - frame->from <= TRIFLE_NS))
		ret = end_turn(model, frame, &turn);
	return ret ? ret : fold(looper, &looper->waiting, looper->depth - 1);
}

static int end_awake(struct pt_model *model, struct frame *frame, uint64_t time, bool exits)
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
	const struct frame *frame = &looper->frames[i];
	const struct pt_loop *above = looper->frames[i + 1].loop;

	return frame->loop->waits < LOOP_WAITS || above->waits >= ABANDONED_WAITS ||
	       time - above->first_ns > frame->from - frame->loop->first_ns;
}

int pt_turns_end(struct pt_model *model, struct pt_model_task *task, uint64_t time, bool exits)
{
	struct pt_looper *looper = task->looper;
	unsigned int i;
	int ret = 0;

	if (!looper || looper->over)
		return 0;
	looper->over = true;
	if (!looper->depth || time < looper->busy_from)
		return 0;
	i = looper->depth - 1;
	if (looper->waits && looper->wait_syscall == looper->frames[i].loop->syscall) {
		ret = end_asleep(model, looper, time);
	} else {
		ret = no_wait(looper);
		if (!ret)
			ret = fold(looper, &looper->busy, looper->depth);
		if (!ret)
			ret = end_awake(model, &looper->frames[i], time, exits);
	}
	while (!ret && i-- > 0) {
		if (has_left(looper, i, time))
			continue;
		looper->frames[i + 1].loop->nested = true;
		ret = end_awake(model, &looper->frames[i], time, exits);
	}
	return ret;
}

void pt_looper_free(struct pt_looper *looper)
{
	unsigned int i;

	if (!looper)
		return;
	for (i = 0; i < DEPTH_MAX; i++)
		pt_tally_free(&looper->frames[i].tally);
	pt_tally_free(&looper->busy);
	pt_tally_free(&looper->waiting);
	free(looper->loops);
	free(looper);
}
