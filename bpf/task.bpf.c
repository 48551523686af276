/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The life of tasks: birth, exec, name, exit; and the iterator that marks those that are there
 * already. */
#include "bpf/loop.h"
#include "bpf/memory.h"
#include "bpf/peer.h"
#include "bpf/reason.h"

struct pt_wanted_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u8);
};
struct pt_wanted_map pt_wanted SEC(".maps");

/* An exec record, its command record, and the arguments: too big for the stack. */
struct pt_exec_message {
	struct pt_header exec_header;
	struct pt_exec exec;
	struct pt_header command_header;
	struct pt_command command;
	char text[PT_TEXT_MAX + 8]; /* the rest for padding */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_exec_message);
} pt_scratch SEC(".maps");

static __always_inline bool pt_is_wanted(__u64 key)
{
	return bpf_map_lookup_elem(&pt_wanted, &key) != NULL;
}

static __always_inline void pt_want(__u64 key)
{
	__u8 one = 1;

	bpf_map_update_elem(&pt_wanted, &key, &one, BPF_ANY);
}

/* Makes a task a target; NULL if there is no memory for it. */
static __always_inline struct pt_target *pt_mark(struct task_struct *task)
{
	struct pt_target *target =
		bpf_task_storage_get(&pt_targets, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!target)
		return NULL;
	target->migrations = task->se.nr_migrations;
	target->run_delay = task->sched_info.run_delay;
	target->fresh = 1;
	__sync_fetch_and_add(&pt_control.live, 1);
	return target;
}

/* Called when it exits, and when it is marked too late for that. */
static __always_inline void pt_count_out(struct pt_target *target)
{
	if (!__sync_lock_test_and_set(&target->exited, 1))
		__sync_fetch_and_add(&pt_control.live, -1);
}

/*
 * A child of a target is one from birth. The process is looked up as well, since the iterator may
 * not yet have come to the thread that calls.
 */
static __always_inline bool pt_inherits(struct task_struct *parent)
{
	if (pt_config.all)
		return (__u32)parent->tgid != pt_config.recorder_pid ||
		       (__u32)parent->pid == pt_control.launcher;
	return pt_target_of(parent) || pt_is_wanted(PT_WANTED_PID(parent->tgid)) ||
	       (__u32)parent->pid == pt_control.launcher;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(pt_task_newtask, struct task_struct *task, __u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct pt_cpu *cpu = pt_this_cpu();

	/* The iterator may have been faster. */
	if (!cpu || !pt_inherits(parent) || pt_target_of(task))
		return 0;
	if (!pt_mark(task)) {
		cpu->lost[PT_KIND_fork]++;
		return 0;
	}
	PT_MESSAGE(fork);
	message->row = (struct pt_fork){
		.time = bpf_ktime_get_ns(),
		.clone_flags = clone_flags,
		.start = task->start_boottime,
		.tid = task->pid,
		.pid = task->tgid,
		.parent_tid = parent->pid,
		.parent_pid = parent->tgid,
		.syscall =
			parent->flags & PF_KTHREAD ? -1 : pt_number_of(parent, pt_regs_of(parent)),
	};
	pt_comm_copy(&message->row.comm, task->comm);
	pt_commit(cpu, message);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(pt_sched_process_exec, struct task_struct *task, pid_t old_tid)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_exec_message *message;
	unsigned long start, length;
	__u32 zero = 0, index = bpf_get_smp_processor_id();
	struct pt_target *target = pt_target_of(task);
	struct mm_struct *mm;
	void *ring;

	if (!cpu || !target)
		return 0;
	pt_loop_state_give(cpu, target); /* the new program has loops of its own */
	message = bpf_map_lookup_elem(&pt_scratch, &zero);
	ring = bpf_map_lookup_elem(&pt_rings, &index);
	if (!message || !ring)
		return 0;
	mm = pt_follow(struct task_struct, task, mm);
	start = mm->arg_start;
	length = mm->arg_end - start;
	if (length > PT_TEXT_MAX)
		length = PT_TEXT_MAX;
	if (bpf_probe_read_user(message->text, length, (void *)start))
		length = 0;
	message->exec_header = PT_HEADER(exec);
	message->exec.time = bpf_ktime_get_ns();
	message->exec.tid = task->pid;
	message->exec.old_tid = old_tid;
	pt_comm_copy(&message->exec.comm, task->comm);
	message->command_header = PT_HEADER(command);
	message->command_header.size += length;
	message->command = (struct pt_command){
		.time = message->exec.time,
		.pid = task->tgid,
		.text = length,
	};
	if (bpf_ringbuf_output(ring, message,
			       sizeof(*message) - sizeof(message->text) + ((length + 7) & ~7UL),
			       BPF_RB_NO_WAKEUP)) {
		cpu->lost[PT_KIND_exec]++;
		cpu->lost[PT_KIND_command]++;
	}
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(pt_task_rename, struct task_struct *task, const char *comm)
{
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu || !pt_target_of(task))
		return 0;
	PT_MESSAGE(rename);
	message->row.time = bpf_ktime_get_ns();
	message->row.tid = task->pid;
	message->row.reserved = 0;
	__builtin_memset(&message->row.comm, 0, sizeof(message->row.comm));
	bpf_probe_read_kernel_str(&message->row.comm, sizeof(message->row.comm), comm);
	pt_commit(cpu, message);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pt_sched_process_exit, struct task_struct *task)
{
	struct pt_target *target = pt_target_of(task);
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu || !target)
		return 0;
	pt_count_out(target);
	pt_loop_state_give(cpu, target);
	PT_MESSAGE(exit);
	message->row = (struct pt_exit){
		.time = bpf_ktime_get_ns(),
		.voluntary = task->nvcsw,
		.involuntary = task->nivcsw,
		.minor_faults = task->min_flt,
		.major_faults = task->maj_flt,
		.user_time = task->utime,
		.kernel_time = task->stime,
		.tid = task->pid,
		.pid = task->tgid,
		.code = task->exit_code,
		.flags = pt_follow(struct task_struct, task, signal)->live.counter ? 0
										   : PT_EXIT_GROUP,
	};
	pt_commit(cpu, message);
	return 0;
}

/* Asked for by itself, or a descendant of who was. Descendants of what the iterator comes to later
 * need a second pass. */
static __always_inline bool pt_iter_wants(struct task_struct *task)
{
	struct task_struct *parent = pt_follow(struct task_struct, task, real_parent);

	if ((__u32)task->tgid == pt_config.recorder_pid)
		return false;
	if (pt_config.all || pt_is_wanted(PT_WANTED_PID(task->tgid)) ||
	    pt_is_wanted(PT_WANTED_TID(task->pid)) || pt_is_wanted(PT_WANTED_ALONE(task->pid)))
		return true;
	if (!pt_is_wanted(PT_WANTED_PID(parent->tgid)) && !pt_is_wanted(PT_WANTED_TID(parent->pid)))
		return false;
	pt_want(PT_WANTED_PID(task->tgid));
	return true;
}

static __always_inline int pt_snapshot(struct pt_cpu *cpu, struct task_struct *task, __u64 now)
{
	struct task_struct *parent = pt_follow(struct task_struct, task, real_parent);
	__u32 raw = task->__state;
	struct pt_regs *regs = pt_regs_of(task);
	struct rq *rq = pt_rq_of(task);
	__s16 number = -1;
	__u8 state = PT_STATE_RUNNABLE, reason = 0;
	__u64 since = 0;

	if (task->on_cpu) {
		state = PT_STATE_RUNNING;
	} else if (raw) {
		state = pt_state_of(raw | task->exit_state);
		if (!(task->flags & PF_KTHREAD))
			number = pt_number_of(task, regs);
		if (state != PT_STATE_DEAD)
			reason = pt_reason_of(task, raw, number,
					      pt_reason_of_call(task, regs, number));
	} else if (rq && task->sched_info.last_queued) {
		since = rq->clock - task->sched_info.last_queued;
	}
	PT_MESSAGE(task);
	message->row = (struct pt_task){
		.time = now,
		.start = task->start_boottime,
		.since = since,
		.voluntary = task->nvcsw,
		.involuntary = task->nivcsw,
		.minor_faults = task->min_flt,
		.major_faults = task->maj_flt,
		.user_time = task->utime,
		.kernel_time = task->stime,
		.tid = task->pid,
		.pid = task->tgid,
		.ppid = parent->tgid,
		.syscall = number,
		.state = state,
		.reason = reason,
		.flags = (task->flags & PF_KTHREAD ? PT_TASK_KTHREAD : 0) |
			 (pt_control.last      ? PT_TASK_LAST
			  : pt_control.joining ? PT_TASK_JOINED
					       : 0),
	};
	pt_comm_copy(&message->row.comm, task->comm);
	pt_commit(cpu, message);
	return 0;
}

/* The CPU that a task has does not know yet that it is a target: at its next system call it will be looked at. */
static __always_inline void pt_forget_current(struct task_struct *task)
{
	struct rq *rq = pt_rq_of(task);
	__u32 index = rq ? rq->cpu : ~0u;
	struct pt_cpu *cpu = bpf_map_lookup_elem(&pt_cpus, &index);

	if (cpu)
		cpu->registers = 0;
}

SEC("iter/task")
int pt_iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_target *target;
	__u64 now;

	if (!task || !cpu)
		return 0;
	target = pt_target_of(task);
	if (pt_control.last) {
		if (target) {
			pt_memory_faults(cpu, task);
			pt_snapshot(cpu, task, bpf_ktime_get_ns());
		}
		return 0;
	}
	/* A zombie has nothing left to do, and would never exit. */
	if (target || task->flags & PF_EXITING || !pt_iter_wants(task))
		return 0;
	/* Before it is a target: no other record of it is to be older. */
	now = bpf_ktime_get_ns();
	target = pt_mark(task);
	if (!target)
		return 0;
	__sync_fetch_and_add(&pt_control.marked, 1);
	if (task->on_cpu)
		pt_forget_current(task);
	if (task->flags & PF_EXITING)
		pt_count_out(target);
	return pt_snapshot(cpu, task, now);
}
