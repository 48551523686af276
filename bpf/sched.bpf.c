/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Switches and wake-ups. A wake-up is not a record of its own in the ring: its waker is noted in
 * the woken task, and the kernel itself notes when the task joined its queue (sched_info), so that
 * the switch to it tells all, with no clock read at the wake-up and one message for both.
 */
#include "bpf/clock.h"
#include "bpf/peer.h"
#include "bpf/reason.h"
#include "bpf/slot.h"

#define PT_SLEEP_LONG 1000000 /* ns */

struct pt_peer_map pt_peers SEC(".maps");

/* include/linux/preempt.h. The rest of the softirq bits only say that bottom halves are switched
 * off. */
#define PREEMPT_HARDIRQ_NMI 0x00ff0000
#define PREEMPT_SOFTIRQ	    0x00000100

/* The switch that is being recorded. */
struct pt_switching {
	struct pt_cpu *cpu;
	struct task_struct *prev, *next;
	struct pt_target *to;	  /* NULL if next is not a target */
	struct pt_target *unseen; /* of prev, if it is a target that was not seen to come */
	__u64 clock, time;
	__u32 prev_tid; /* whom the last switch gave this CPU */
	__u64 nvcsw;	/* of prev, when it took the CPU; valid if that was seen */
	__u32 state;	/* prev->__state as the scheduler saw it */
	__s16 number;	/* the system call that prev is in, -1: none */
	__u8 in_call;	/* pt_reason for which that call would block */
	__u64 in_turn;	/* prev is in a turn of a loop */
	__u32 loop;	/* 1 + the number of prev's pt_loop_state, 0: it has none */
	bool from;	/* prev is a target */
	bool late;	/* nobody saw prev take the CPU */
	bool left;	/* the last that was seen to take it was a target */
	bool seen;	/* and was one when it took the CPU */
	bool preempt;
};

static __always_inline void pt_history_add(struct pt_cpu *cpu, struct task_struct *next,
					   __u64 clock)
{
	struct pt_history *entry = &cpu->history[cpu->history_count % PT_HISTORY];

	if (!cpu->history_count)
		cpu->history_first = clock;
	cpu->history_count++;
	entry->clock = clock;
	entry->tid = next->pid;
	entry->pid = next->tgid;
	pt_comm_copy(&entry->comm, next->comm);
}

/* entry NULL: not known any more. Not inlined, as pt_history_flush(): the verifier goes through it
 * once. */
__noinline int pt_occupant_emit(struct pt_cpu *cpu, const struct pt_history *entry, __u64 time,
				__u64 ago)
{
	if (!cpu)
		return 0;
	PT_MESSAGE(occupant);
	message->row = (struct pt_occupant){
		.time = time,
		.ago = ago,
		.tid = entry ? entry->tid : ~0u,
		.pid = entry ? entry->pid : ~0u,
		.cpu = bpf_get_smp_processor_id(),
	};
	if (entry)
		message->row.comm = entry->comm;
	pt_commit(cpu, message);
	return 0;
}

/* What of a CPU's history is to be told. */
struct pt_history_span {
	__u64 clock, time; /* now, by both clocks */
	__u64 since;	   /* rq->clock: what had ended before is not told */
	__u32 first;	   /* its place in the history, */
	__u32 held;	   /* and how many follow, itself included */
};

/* The entry that is the i-th of a span. A function of its own, so that the loop around it is short to the verifier. */
__noinline int pt_history_tell(struct pt_cpu *cpu, const struct pt_history_span *span, __u32 i)
{
	struct pt_history *entry, *next;
	__u64 until;

	if (!cpu || !span)
		return 0;
	entry = &cpu->history[(span->first + i) % PT_HISTORY];
	next = &cpu->history[(span->first + i + 1) % PT_HISTORY];
	until = i + 1 < span->held ? next->clock : span->clock;
	if (until > span->since)
		pt_occupant_emit(cpu, entry, span->time, span->clock - entry->clock);
	return 0;
}

/* Tells who had this CPU up to now, as far as those switches were not recorded, and forgets it. */
__noinline int pt_history_flush(struct pt_cpu *cpu, struct pt_history_span *span)
{
	__u32 count, held;

	if (!cpu || !span)
		return 0;
	count = cpu->history_count;
	held = count > PT_HISTORY ? PT_HISTORY : count;
	span->first = count - held;
	span->held = held;
	cpu->history_count = 0;
	if (count > PT_HISTORY)
		pt_occupant_emit(cpu, NULL, span->time, span->clock - cpu->history_first);
	for (__u32 i = 0; i < PT_HISTORY && i < held; i++)
		pt_history_tell(cpu, span, i);
	return 0;
}

/* ns that a task which takes the CPU now has waited for one; what it waited on other CPUs' queues
 * included. */
static __always_inline __u64 pt_waited(const struct pt_switching *s)
{
	__u64 queued = s->next->sched_info.last_queued;
	__u64 run_delay = s->next->sched_info.run_delay;
	__u64 wait = run_delay - s->to->run_delay, last = 0;

	if (queued && s->clock > queued)
		last = s->clock - queued;
	s->to->run_delay = run_delay + last; /* as the kernel will have it in a moment */
	return wait + last;
}

/*
 * Whether the kernel counted the switch in nvcsw: it does so also for a task that wanted to sleep and had a signal
 * waiting, which its state does not tell. The state must do for a task that nobody saw take the CPU.
 */
static __always_inline bool pt_voluntary(const struct pt_switching *s)
{
	return s->seen ? s->nvcsw != s->prev->nvcsw : !s->preempt && s->state;
}

static __always_inline void pt_fill_switch(const struct pt_switching *s, struct pt_switch *row)
{
	__u8 state = s->preempt ? PT_STATE_RUNNABLE : pt_state_of(s->state);
	bool blocked = s->from && state != PT_STATE_RUNNABLE && state != PT_STATE_DEAD;

	row->time = s->time;
	row->prev_tid = s->prev->pid;
	row->next_tid = s->next->pid;
	row->cpu = bpf_get_smp_processor_id();
	row->syscall = blocked ? s->number : -1;
	row->prev_state = state;
	row->reason = blocked ? pt_reason_of(s->prev, s->state, s->number, s->in_call) : 0;
	row->flags = (s->preempt ? PT_SWITCH_PREEMPT : 0) |
		     (s->from && pt_voluntary(s) ? PT_SWITCH_VOLUNTARY : 0) |
		     (s->number < 0 ? PT_SWITCH_USER : 0);
}

/* The kernel skips a probe now and then: that it slept is known of loops, and how long it then waited, not who woke it. */
static __always_inline void pt_woken_unseen(struct pt_target *to)
{
	struct pt_loop_state *state =
		to->loop && !to->has_waker ? pt_loop_state_at(to->loop) : NULL;

	if (!state || !state->went_to_sleep)
		return;
	to->waker = ~0u;
	to->waker_flags = 0;
	to->has_waker = 1;
}

/* wait counts only if next is a target. */
static __always_inline void pt_emit_switch(const struct pt_switching *s, __u64 wait)
{
	struct pt_slot *slot = pt_slot_claim(s->cpu);
	__u16 parts = 0;

	if (!slot) {
		s->cpu->lost[PT_KIND_switch]++;
		return;
	}
	pt_fill_switch(s, &slot->row);
	if (s->to)
		pt_woken_unseen(s->to);
	if (s->to && s->to->has_waker) {
		parts = PT_SLOT_WAKEUP;
		slot->row.waker = s->to->waker;
		slot->row.wakeup = s->to->waker_flags;
		slot->wait = wait > ~0u ? ~0u : wait;
	}
	if (s->to && s->to->migrations != s->next->se.nr_migrations) {
		parts |= PT_SLOT_MIGRATE;
		slot->from_cpu = s->to->cpu;
		slot->moves = s->next->se.nr_migrations - s->to->migrations;
	}
	slot->parts = parts;
	pt_slot_publish(s->cpu, slot);
}

/*
 * prev leaves a CPU that nobody saw it take: some kernels switch now and then without calling a tracer. The kernel has
 * noted when it came, and that is told now, if prev is a target or had the CPU from one.
 */
static __always_inline void pt_emit_unseen(const struct pt_switching *s)
{
	__u64 run_delay = s->prev->sched_info.run_delay;
	struct pt_target *target = s->unseen;
	struct pt_slot *slot;

	if (!s->late || (!s->left && (!target || target->fresh)))
		return;
	slot = pt_slot_claim(s->cpu);
	if (!slot) {
		s->cpu->lost[PT_KIND_switch]++;
		return;
	}
	slot->row = (struct pt_switch){
		.time = pt_clock_round(s->prev->sched_info.last_arrival + s->cpu->clock_offset),
		.prev_tid = s->prev_tid,
		.next_tid = s->prev->pid,
		.cpu = bpf_get_smp_processor_id(),
		.syscall = -1,
		.flags = PT_SWITCH_UNSEEN,
	};
	slot->parts = 0;
	if (target) {
		pt_woken_unseen(target);
		slot->parts = target->has_waker ? PT_SLOT_WAKEUP : 0;
		slot->row.waker = target->waker;
		slot->row.wakeup = target->waker_flags;
		slot->wait = run_delay - target->run_delay;
		target->has_waker = 0;
		target->run_delay = run_delay;
	}
	pt_slot_publish(s->cpu, slot);
}

/* A target leaves the CPU in a turn: to wait for events as loops do, or in its middle. */
static __always_inline void pt_turn_leaves(const struct pt_switching *s)
{
	struct pt_loop_state *state = pt_loop_state_at(s->loop);
	bool sleeps = s->state && !s->preempt;

	if (!state)
		return;
	state->went_to_sleep = sleeps;
	if (!sleeps || s->in_call != PT_REASON_POLL)
		state->disturbed = 1;
	if (sleeps && s->in_call != PT_REASON_POLL)
		state->slept = s->time;
	else if (sleeps && !state->asleep)
		state->asleep = s->time;
}

static __always_inline void pt_sleep_ends(const struct pt_switching *s)
{
	struct pt_loop_state *state = pt_loop_state_at(s->to->loop);
	__u64 length;

	if (!state)
		return;
	s->cpu->turn = state->turn;
	if (!state->slept)
		return;
	length = s->time - state->slept;
	state->slept = 0;
	if (length >= PT_SLEEP_LONG && length > state->sleep) {
		state->sleep = length;
		state->woke = s->time;
	}
}

/* A target takes the CPU. */
static __always_inline void pt_arrived(const struct pt_switching *s)
{
	s->to->has_waker = 0;
	s->to->fresh = 0;
	s->to->migrations = s->next->se.nr_migrations;
	s->to->cpu = bpf_get_smp_processor_id();
	if (s->to->loop)
		pt_sleep_ends(s);
}

static __always_inline void pt_tell_history(const struct pt_switching *s, __u64 wait,
					    const struct rq *rq)
{
	struct pt_history_span span = {.clock = s->clock, .time = s->time, .since = s->clock};

	if (s->to)
		span.since = s->clock - wait;
	else if (rq->nr_running >
		 1) /* others may be waiting for this CPU, and will ask who had it */
		span.since = 0;
	pt_history_flush(s->cpu, &span);
}

/*
 * Whether prev is a target: it was when it took the CPU, or it has been marked since, or the kernel did not show the
 * switch to it.
 */
static __always_inline bool pt_find_prev(struct pt_switching *s)
{
	s->late = s->prev->sched_info.last_arrival > s->cpu->switched;
	s->left = s->cpu->target;
	s->seen = s->cpu->target && !s->late;
	s->nvcsw = s->cpu->nvcsw;
	s->in_turn = s->cpu->turn;
	s->loop = s->cpu->loop;
	if (s->seen)
		return true;
	s->unseen = pt_target_of(s->prev);
	if (s->unseen) {
		struct pt_loop_state *state = pt_loop_state_at(s->unseen->loop);

		s->loop = s->unseen->loop;
		s->in_turn = state ? state->turn : 0;
	}
	return s->unseen != NULL;
}

/* What system calls and the sampler want to know of the task that now has the CPU. */
static __always_inline void pt_note_next(const struct pt_switching *s)
{
	struct pt_cpu *cpu = s->cpu;

	cpu->target = s->to != NULL;
	cpu->here = s->to != NULL;
	cpu->tid = s->next->pid;
	cpu->switched = s->clock;
	cpu->nvcsw = s->next->nvcsw;
	cpu->turn = 0; /* pt_sleep_ends() knows more */
	cpu->task = (__u64)s->next;
	cpu->registers = pt_control.registers ? (__u64)s->next->stack + pt_control.registers : 0;
	cpu->loop = s->to ? s->to->loop : 0;
	cpu->table = s->to ? s->to->table : 0;
}

/*
 * The time of the switch. After a wake-up that asked for it, the scheduler does without an update
 * of rq->clock, which then is as old as that wake-up. It cannot be older than the system call that
 * prev is in, as the way back to user mode lets the other run; so for calls that are over soon, if
 * they do not block, the age is that of microseconds. A task that exits may still have the number of
 * such a call, and has told meanwhile that it exits.
 */
static __always_inline __u64 pt_switch_time(const struct pt_switching *s)
{
	__u64 time = pt_clock_convert(s->cpu, s->clock);

	if (s->prev->pid && (s->number >= 0 || s->state) &&
	    (s->in_call >= PT_REASON_DISK || s->prev->flags & PF_EXITING))
		time = pt_clock_now(s->cpu);
	return s->cpu->clock_last = pt_clock_round(time);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(pt_sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct pt_switching s = {
		.cpu = pt_this_cpu(),
		.prev = prev,
		.next = next,
		.number = -1,
		.preempt = preempt,
	};
	struct rq *rq = pt_rq_of(prev);
	__u64 wait = 0;

	if (!s.cpu || !rq)
		return 0;
	s.from = pt_find_prev(&s);
	s.to = pt_target_of(next);
	s.clock = rq->clock;
	s.prev_tid = s.cpu->tid;
	pt_note_next(&s);
	pt_emit_unseen(&s);
	if (!s.from && !s.to) {
		pt_history_add(s.cpu, next, s.clock);
		return 0;
	}
	/* Since 5.19 the state is an argument: a waker on another CPU may have changed the task's
	 * own by now. */
	s.state = pt_config.switch_state_argument ? ctx[3] : prev->__state;
	if (!(prev->flags & PF_KTHREAD)) {
		struct pt_regs *regs = pt_regs_of(prev);

		s.number = pt_number_of(prev, regs);
		s.in_call = pt_reason_of_call(prev, regs, s.number);
	}
	s.time = pt_switch_time(&s);
	if (s.unseen)
		s.unseen->fresh = 0;
	if (s.in_turn)
		pt_turn_leaves(&s);
	if (s.to)
		wait = pt_waited(&s);
	if (s.cpu->history_count)
		pt_tell_history(&s, wait, rq);
	pt_emit_switch(&s, wait);
	if (s.to)
		pt_arrived(&s);
	if (!s.from || !s.to)
		pt_peer_name(s.cpu, s.from ? next : prev, s.time);
	return 0;
}

/*
 * Whether an interrupt, not the current task by itself, is at work here. x86 keeps the preemption
 * count in a per-CPU variable; its distance from this CPU's run queue, another one, is known from
 * BTF. arm64 keeps it in the task.
 */
static __always_inline __u16 pt_waker_flags(struct task_struct *current)
{
	__u32 count = 0;

	if (!current->pid)
		return PT_WAKEUP_IRQ;
	if (pt_config.preempt_count == PT_NO_OFFSET)
		return 0;
#if defined(__TARGET_ARCH_arm64)
	count = current->thread_info.preempt_count;
#else
	count = pt_read_word(pt_rq_address(current) + pt_config.preempt_count);
#endif
	if (count & PREEMPT_HARDIRQ_NMI)
		return PT_WAKEUP_IRQ;
	return count & PREEMPT_SOFTIRQ ? PT_WAKEUP_SOFTIRQ : 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(pt_sched_waking, struct task_struct *task)
{
	struct pt_target *target = pt_target_of(task);
	struct task_struct *current;
	struct pt_cpu *cpu;

	if (!target)
		return 0;
	current = bpf_get_current_task_btf();
	target->waker = current->pid;
	target->waker_flags = pt_waker_flags(current);
	target->has_waker = 1;
	cpu = pt_this_cpu();
	if (cpu && !cpu->target && !target->waker_flags)
		pt_peer_name(cpu, current, bpf_ktime_get_ns());
	return 0;
}
