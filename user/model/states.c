/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine of a task. `doing.since` only ever moves forward, and whatever it moves over is
 * told as a span: that is why a task's parts always sum to its life, whatever the records say.
 */
#include "base/array.h"
#include "model/internal.h"

#include <errno.h>

static const enum pt_part part_of[] = {
	[PT_PHASE_UNKNOWN] = PT_PART_UNKNOWN,	[PT_PHASE_RUNNING] = PT_PART_CPU,
	[PT_PHASE_RUNNABLE] = PT_PART_RUNNABLE, [PT_PHASE_BLOCKED] = PT_PART_BLOCKED,
	[PT_PHASE_DEAD] = PT_PART_UNKNOWN,
};

/* Fills in the rest of the span, of which `part` is what can be said. In place: nearly all time goes by here. */
static int tell_span(struct pt_model *model, struct pt_span *span, enum pt_part part)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_SPAN];
	size_t i;
	int ret;

	if (span->from >= span->to)
		return 0;
	span->in_call = span->task->doing.in_call;
	if (part != PT_PART_BLOCKED)
		span->waker = NULL;
	if (span->part != PT_PART_BLOCKED) {
		span->reason = PT_REASON_UNKNOWN;
		span->syscall = -1;
	}
	span->part = part;
	ret = pt_turns_span(model, span);
	for (i = 0; !ret && i < audience->count; i++)
		ret = audience->observers[i].span(audience->observers[i].self, span);
	return ret;
}

static int tell_piece(struct pt_model *model, const struct pt_span *whole, enum pt_part part,
		      uint64_t from, uint64_t to)
{
	struct pt_span span = *whole;

	span.from = from;
	span.to = to;
	return tell_span(model, &span, part);
}

/* Where switches were lost, the task may have done anything: that time is unknown, and so is all
 * after it if !sure. */
static int tell_around_losses(struct pt_model *model, const struct pt_span *span, bool sure)
{
	const struct pt_interval *loss = pt_losses_after(model, span->from);
	const struct pt_interval *limit = model->losses + model->loss_count;
	uint64_t at = span->from, from, to;
	int ret = 0;

	for (; !ret && loss && loss < limit && loss->from < span->to; loss++) {
		from = loss->from > at ? loss->from : at;
		to = sure && loss->to < span->to ? loss->to : span->to;
		ret = tell_piece(model, span, span->part, at, from);
		if (!ret)
			ret = tell_piece(model, span, PT_PART_UNKNOWN, from, to);
		at = to;
	}
	if (ret || at >= span->to)
		return ret;
	if (!sure && at == span->from)
		return tell_piece(model, span, PT_PART_UNKNOWN, at, span->to);
	return tell_piece(model, span, span->part, at, span->to);
}

static int tell(struct pt_model *model, struct pt_span *span, bool sure)
{
	if (span->from >= span->to)
		return 0;
	if (model->loss_count)
		return tell_around_losses(model, span, sure);
	return tell_span(model, span, sure ? span->part : PT_PART_UNKNOWN);
}

static bool has_loss(const struct pt_model *model, uint64_t from, uint64_t to)
{
	const struct pt_interval *loss;

	if (!model->loss_count)
		return false;
	loss = pt_losses_after(model, from);
	return loss && loss->from < to;
}

/* A wait is known whole or not at all: what a loss cuts cannot be charged to anybody. */
static int tell_wait(struct pt_model *model, struct pt_model_task *task, uint64_t from, uint64_t to,
		     bool over)
{
	struct pt_span span = {.task = task, .from = from, .to = to, .part = PT_PART_RUNNABLE};
	struct pt_pending_wait *pending;
	int ret;

	if (has_loss(model, from, to))
		return tell_span(model, &span, PT_PART_UNKNOWN);
	ret = tell_span(model, &span, PT_PART_RUNNABLE);
	if (ret || (from == to && !over))
		return ret;
	if (!over)
		return pt_cpu_charge(
			model, &(struct pt_pending_wait){task, from, to, task->doing.cpu}, false);
	pending = pt_array_grow(model->pending, model->pending_count, &model->pending_room,
				sizeof(*pending));
	if (!pending)
		return -ENOMEM;
	model->pending = pending;
	pending += model->pending_count++;
	pending->task = task;
	pending->from = from;
	pending->to = to;
	pending->cpu = task->doing.cpu;
	if (to > model->pending_time)
		model->pending_time = to;
	return 0;
}

int pt_state_settle(struct pt_model *model)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < model->pending_count; i++)
		ret = pt_cpu_charge(model, &model->pending[i], true);
	model->pending_count = 0;
	return ret;
}

/* The wake-up that should have ended the sleep did not come. */
static int drop_held(struct pt_model *model, struct pt_model_task *task)
{
	struct pt_doing *d = &task->doing;
	struct pt_span span = {.task = task,
			       .from = d->held_from,
			       .to = d->since,
			       .part = PT_PART_BLOCKED,
			       .reason = d->held_reason,
			       .syscall = d->held_syscall};

	d->held = false;
	/* How it left that CPU was not shown. Nobody woke it, so it had not gone to sleep. */
	if (d->held_unseen)
		return tell_wait(model, task, span.from, span.to, true);
	model->contradictions += task->target;
	return tell(model, &span, false);
}

static int account(struct pt_model *model, struct pt_model_task *task, uint64_t to, bool sure,
		   bool over)
{
	struct pt_doing *d = &task->doing;
	struct pt_span span = {
		.task = task, .from = d->since, .to = to, .part = part_of[d->phase], .cpu = d->cpu};
	int ret = 0;

	if (d->held)
		ret = drop_held(model, task);
	if (ret)
		return ret;
	if (to < d->since)
		to = span.to = d->since;
	if (!sure && d->phase != PT_PHASE_UNKNOWN)
		model->contradictions += task->target;
	d->since = to;
	if (d->phase == PT_PHASE_RUNNABLE && !sure)
		span.part = PT_PART_UNKNOWN;
	else if (d->phase == PT_PHASE_RUNNABLE)
		return tell_wait(model, task, span.from, to, over);
	if (d->phase == PT_PHASE_BLOCKED) {
		span.reason = d->reason;
		span.syscall = d->syscall;
		span.waker = d->waker;
		span.woken_by_irq = d->woken_by_irq;
	}
	return tell(model, &span, sure);
}

int pt_state_become(struct pt_model *model, struct pt_model_task *task, enum pt_phase phase,
		    uint64_t time, bool sure)
{
	int ret = account(model, task, time, sure, phase == PT_PHASE_RUNNING);

	task->doing.phase = (uint8_t)phase;
	task->doing.waker = NULL;
	return ret;
}

int pt_state_runs(struct pt_model *model, struct pt_model_task *task, uint64_t time)
{
	struct pt_doing *d = &task->doing;

	if ((d->phase != PT_PHASE_RUNNING && d->phase != PT_PHASE_UNKNOWN) || d->ahead)
		return 0;
	if (time > d->since)
		return pt_state_become(model, task, d->phase, time, true);
	return d->held ? drop_held(model, task) : 0;
}

int pt_state_end(struct pt_model *model, struct pt_model_task *task, uint64_t time, bool sure)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_ENDED];
	size_t i;
	int ret = pt_state_become(model, task, PT_PHASE_DEAD, time, sure);

	if (!ret)
		ret = pt_turns_end(model, task, task->doing.since, task->exited);
	task->end_ns = task->doing.since;
	for (i = 0; !ret && i < audience->count; i++)
		ret = audience->observers[i].ended(audience->observers[i].self, task);
	return ret;
}

/*
 * Whether the waker only is who was interrupted. A softirq mostly does what the task that it stands in has caused, as when
 * it sends to another on the same machine; but disks complete whenever they like.
 */
static bool by_interrupt(uint16_t flags, uint8_t reason)
{
	if (flags & PT_WAKEUP_SOFTIRQ)
		return reason == PT_REASON_DISK || reason == PT_REASON_FAULT;
	return flags & PT_WAKEUP_IRQ;
}

static int end_sleep(struct pt_model *model, struct pt_model_task *task, uint64_t time,
		     struct pt_model_task *waker, uint16_t flags)
{
	task->doing.waker = waker;
	task->doing.woken_by_irq = by_interrupt(flags, task->doing.reason);
	return pt_state_become(model, task, PT_PHASE_RUNNABLE, time, true);
}

/* The task runs already; now it is told when it was woken from the sleep before. */
static int end_held(struct pt_model *model, struct pt_model_task *task, uint64_t time,
		    struct pt_model_task *waker, uint16_t flags)
{
	struct pt_doing *d = &task->doing;
	struct pt_span span = {.task = task,
			       .from = d->held_from,
			       .part = PT_PART_BLOCKED,
			       .reason = d->held_reason,
			       .syscall = d->held_syscall,
			       .waker = waker,
			       .woken_by_irq = by_interrupt(flags, d->held_reason)};
	int ret;

	d->held = false;
	span.to = time < d->held_from ? d->held_from : time < d->since ? time : d->since;
	ret = tell(model, &span, true);
	return ret ? ret : tell_wait(model, task, span.to, d->since, true);
}

PT_HANDLER(wakeup)
{
	const struct pt_wakeup *w = record->row;
	struct pt_model_task *task = pt_task_mention(model, w->tid);
	struct pt_model_task *waker = pt_task_mention(model, w->waker);
	struct pt_doing *d;

	if (!task || !waker)
		return -ENOMEM;
	if (task == model->idle || task == model->nobody)
		return 0;
	d = &task->doing;
	task->target = true;
	task->wakeups++;
	switch (d->phase) {
	case PT_PHASE_BLOCKED:
		return end_sleep(model, task, w->time, waker, w->flags);
	case PT_PHASE_UNKNOWN:
		return pt_state_become(model, task, PT_PHASE_RUNNABLE, w->time, true);
	case PT_PHASE_RUNNING:
		if (d->held && (w->time <= d->since || !w->wait))
			return end_held(model, task, w->time, waker, w->flags);
		/* Clocks of two CPUs: it is about to fall asleep, and then has been woken already.
		 */
		d->wake_time = w->time;
		d->wake_end = w->wait == PT_WAIT_UNKNOWN ? UINT64_MAX : w->time + w->wait;
		d->wake_waker = waker;
		d->wake_flags = w->flags;
		return 0;
	default:
		return 0;
	}
}

static int enter(struct pt_model *model, struct pt_model_task *task, const struct pt_switch *s)
{
	struct pt_doing *d = &task->doing;
	uint64_t time = s->time > d->since ? s->time : d->since;
	int ret = 0;

	if (d->phase == PT_PHASE_BLOCKED) {
		d->held_from = d->since;
		d->held_reason = d->reason;
		d->held_syscall = d->syscall;
		d->held = time > d->since;
		d->held_unseen = d->unseen;
		d->since = time;
		d->phase = PT_PHASE_RUNNING;
	} else if (d->phase == PT_PHASE_RUNNING) {
		struct pt_cpu *other = pt_cpu_get(model, d->cpu);

		if (!d->ahead && d->cpu != s->cpu && other && other->current == task) {
			d->ahead = true;
			d->ahead_cpu = s->cpu;
			d->ahead_from = time;
			return 0;
		}
		d->ahead = false;
		if (other && other->current == task) {
			other->current = model->nobody;
			pt_cpu_doubt(other, model->nobody);
		}
		ret = pt_state_become(model, task, PT_PHASE_RUNNING, time, false);
	} else {
		d->cpu = s->cpu;
		ret = pt_state_become(model, task, PT_PHASE_RUNNING, time, true);
	}
	d->cpu = s->cpu;
	return ret ? ret : pt_turns_runs(model, task);
}

static int tell_switched(struct pt_model *model, struct pt_model_task *task, uint64_t time,
			 bool voluntary)
{
	const struct pt_audience *audience = &model->audiences[PT_HEARD_SWITCHED];
	size_t i;
	int ret = 0;

	if (voluntary)
		task->counts.voluntary++;
	else
		task->counts.involuntary++;
	for (i = 0; !ret && i < audience->count; i++)
		ret = audience->observers[i].switched(audience->observers[i].self, task, time,
						      voluntary);
	return ret;
}

/*
 * A CPU stamps a switch when it begins, and may then take over a task that leaves another CPU a little later: the task
 * comes before it goes. It cannot have waited or slept in between.
 */
static int catch_up(struct pt_model *model, struct pt_model_task *task, uint64_t time, bool sure)
{
	int ret = pt_state_become(model, task, PT_PHASE_RUNNABLE, time, sure);

	task->doing.cpu = task->doing.ahead_cpu;
	return ret ? ret : pt_state_become(model, task, PT_PHASE_RUNNING, time, true);
}

/* It leaves the CPU it came to ahead, so that it left the one before was never told. */
static int give_up_ahead(struct pt_model *model, struct pt_model_task *task)
{
	struct pt_doing *d = &task->doing;
	int ret = pt_state_become(model, task, PT_PHASE_RUNNING, d->ahead_from, false);

	d->cpu = d->ahead_cpu;
	return ret;
}

static int block(struct pt_model *model, struct pt_model_task *task, const struct pt_switch *s,
		 bool sure)
{
	struct pt_doing *d = &task->doing;
	bool woken = d->wake_end >= s->time && d->wake_end;
	int ret = pt_state_become(model, task, PT_PHASE_BLOCKED, s->time, sure);

	d->wake_end = 0;
	d->unseen = false;
	d->reason = s->reason < PT_REASON_COUNT ? s->reason : PT_REASON_UNKNOWN;
	d->syscall = s->syscall;
	return ret || !woken ? ret : end_sleep(model, task, s->time, d->wake_waker, d->wake_flags);
}

static int leave(struct pt_model *model, struct pt_model_task *task, const struct pt_switch *s)
{
	struct pt_doing *d = &task->doing;
	bool ahead = d->ahead && d->cpu == s->cpu, sure;
	int ret = 0;

	/* While it exits it may be preempted, and it leaves at last: nobody can see that in its counters. */
	if (!task->exited)
		ret = tell_switched(model, task, s->time, s->flags & PT_SWITCH_VOLUNTARY);
	if (!ret && d->ahead && !ahead)
		ret = give_up_ahead(model, task);
	if (ret)
		return ret;
	sure = d->phase == PT_PHASE_UNKNOWN || (d->phase == PT_PHASE_RUNNING && d->cpu == s->cpu);
	d->ahead = false;
	d->cpu = s->cpu;
	d->in_call = !(s->flags & PT_SWITCH_USER);
	if (s->prev_state != PT_STATE_RUNNABLE && s->prev_state != PT_STATE_DEAD && !ahead)
		return block(model, task, s, sure);
	d->wake_end = 0;
	if (s->prev_state == PT_STATE_DEAD)
		return pt_state_end(model, task, s->time, sure);
	if (ahead)
		return catch_up(model, task, s->time, sure);
	return pt_state_become(model, task, PT_PHASE_RUNNABLE, s->time, sure);
}

/* Somebody else than we believed leaves the CPU. A task that is no target may come and go unseen.
 */
static int dislodge(struct pt_model *model, struct pt_cpu *cpu, const struct pt_model_task *prev,
		    const struct pt_switch *s)
{
	struct pt_model_task *task = cpu->current;

	pt_cpu_doubt(cpu, prev);
	cpu->current = model->nobody;
	if (task == model->nobody || task == model->idle || task->doing.phase != PT_PHASE_RUNNING ||
	    task->doing.cpu != s->cpu)
		return 0;
	if (!(s->flags & PT_SWITCH_UNSEEN))
		return pt_state_become(model, task, PT_PHASE_UNKNOWN, s->time, false);
	/* When it left is known, why is not: taken for asleep, until it comes back unwoken. */
	task->doing.unseen = true;
	task->doing.reason = PT_REASON_UNKNOWN;
	task->doing.syscall = -1;
	return pt_state_become(model, task, PT_PHASE_BLOCKED, s->time, true);
}

/*
 * Who leaves. In exec a thread takes over its leader's tid while it runs, before any record says
 * so; and the leader, if it has not left its CPU yet, dies under the thread's.
 */
static struct pt_model_task *find_prev(struct pt_model *model, struct pt_cpu *cpu,
				       const struct pt_switch *s)
{
	struct pt_model_task *current = cpu->current, *task;

	if (!s->prev_tid)
		return model->idle;
	if (current->tid == s->prev_tid)
		return current;
	if (current->exited && s->prev_state == PT_STATE_DEAD)
		return current;
	task = pt_model_find(model, s->prev_tid);
	if (task && current->process->pid == s->prev_tid &&
	    (task->exited || task->doing.phase == PT_PHASE_DEAD))
		return pt_task_take_tid(model, current, s->prev_tid) ? NULL : current;
	if (task && task->doing.phase != PT_PHASE_DEAD)
		return task;
	return s->prev_tid == PT_TID_UNKNOWN ? model->nobody : pt_task_new(model, s->prev_tid);
}

static struct pt_model_task *find_next(struct pt_model *model, uint32_t tid)
{
	struct pt_model_task *task;

	if (!tid)
		return model->idle;
	if (tid == PT_TID_UNKNOWN)
		return model->nobody;
	task = pt_idmap_get(&model->by_tid, tid);
	return task && task->doing.phase != PT_PHASE_DEAD ? task : pt_task_new(model, tid);
}

/* The switch tells of the wake-up that led to it. */
static int woken_at(struct pt_model *model, const struct pt_switch *s)
{
	struct pt_wakeup wakeup = {.time = s->time,
				   .tid = s->next_tid,
				   .waker = s->waker,
				   .cpu = s->cpu,
				   .flags = s->wakeup};

	return pt_on_wakeup(model, &(struct pt_record){.kind = PT_KIND_wakeup, .row = &wakeup});
}

PT_HANDLER(switch)
{
	const struct pt_switch *s = record->row;
	struct pt_cpu *cpu = pt_cpu_get(model, s->cpu);
	struct pt_model_task *prev, *next;
	int ret = 0;

	if (!cpu)
		return 0;
	if (s->flags & PT_SWITCH_WOKEN)
		ret = woken_at(model, s);
	if (ret)
		return ret;
	next = find_next(model, s->next_tid);
	if (!next)
		return -ENOMEM;
	if (s->flags & PT_SWITCH_UNSEEN) {
		if (cpu->current != next)
			ret = dislodge(model, cpu, next, s);
	} else {
		prev = find_prev(model, cpu, s);
		if (!prev)
			return -ENOMEM;
		if (prev != cpu->current)
			ret = dislodge(model, cpu, prev, s);
		if (!ret && prev != model->idle && prev != model->nobody)
			ret = leave(model, prev, s);
	}
	if (ret)
		return ret;
	if (next != model->idle && next != model->nobody)
		ret = enter(model, next, s);
	cpu->current = next;
	pt_cpu_push(cpu, s->time, next);
	return ret;
}
