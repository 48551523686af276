/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls. One probe serves all subjects that care for the end of a call, as each program costs every process of
 * the machine its 20 ns. A second one, at the beginning of calls, is attached only while loops stall: it lets the calls
 * of a turn be timed.
 */
#include "bpf/ipc.h"
#include "bpf/clock.h"
#include "bpf/loop.h"
#include "bpf/sleep.h"

struct pt_loop_map pt_loops SEC(".maps");
struct pt_endpoint_scratch_map pt_endpoint_scratch SEC(".maps");
struct pt_described_map pt_described SEC(".maps");
struct pt_eventfd_map pt_eventfds SEC(".maps");
struct pt_table_map pt_tables SEC(".maps");
struct pt_free_table_map pt_free_tables SEC(".maps");
struct pt_spare_table_map pt_spare_tables SEC(".maps");

static __always_inline void pt_wait_end(struct pt_cpu *cpu, struct pt_target *target,
					struct pt_regs *regs, __s64 result, __s16 number, __u8 end)
{
	struct pt_waited_call wait = {
		.cpu = cpu,
		.task = bpf_get_current_task_btf(),
		.regs = regs,
		.now = pt_clock_now(cpu),
		.loop = PT_LOOP_OF_TASK,
		.result = result,
		.number = number,
	};
	__s32 timeout = PT_TIMEOUT_UNKNOWN;
	__u32 limit = 0;

	switch (end) {
	case PT_END_EPOLL:
		timeout = pt_syscall_fourth(regs);
		limit = pt_syscall_third(regs);
		wait.loop = pt_loop_of_fd(wait.task, &target->loop, pt_syscall_first(regs));
		break;
	case PT_END_EPOLL_PWAIT2:
		timeout = pt_timeout_of_timespec(pt_syscall_fourth(regs));
		limit = pt_syscall_third(regs);
		wait.loop = pt_loop_of_fd(wait.task, &target->loop, pt_syscall_first(regs));
		break;
	case PT_END_POLL:
		timeout = pt_syscall_third(regs);
		break;
	case PT_END_URING:
		if (!(pt_syscall_fourth(regs) & IORING_ENTER_GETEVENTS) || !pt_syscall_third(regs))
			return;
		if (!(pt_syscall_fourth(regs) & IORING_ENTER_REGISTERED_RING))
			wait.loop = pt_loop_of_fd(wait.task, &target->loop, pt_syscall_first(regs));
		break;
	}
	pt_wait_ended(&wait, &target->loop, timeout, limit);
}

/* A call of a task in a turn that is not a wait. */
static __always_inline void pt_call_end(struct pt_loop_state *state, __s16 number)
{
	__u64 length = 0;

	if (pt_control.timed && state->entered) {
		length = bpf_ktime_get_ns() - state->entered;
		state->entered = 0;
	}
	pt_turn_call(state, number, length);
}

/*
 * Whether the current task can be left alone: what was seen to take this CPU is no target, and nobody has come unseen
 * since, as happens on some kernels; a byte that such a target moves counts like any other.
 */
static __always_inline bool pt_is_bystander(const struct pt_cpu *cpu, struct task_struct *task)
{
	return !cpu->target && task->sched_info.last_arrival <= cpu->switched;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(pt_sys_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_target *target;
	__u64 index;
	__u8 end;

	if (!cpu || pt_is_bystander(cpu, task))
		return 0;
	index = (__u16)pt_syscall_number(regs);
	barrier_var(index); /* the verifier must see the value that is tested used */
	if (index >= PT_SYSCALL_LIMIT)
		return 0;
	end = pt_config.call_end[index];
	if (end == PT_END_NOTHING && !cpu->turn)
		return 0;
	target = pt_target_of(task);
	if (!target)
		return 0;
	if (end >= PT_END_EPOLL && end <= PT_END_URING) {
		pt_wait_end(cpu, target, regs, result, index, end);
		return 0;
	}
	if (end == PT_END_EPOLL_CREATE)
		pt_epoll_created(task, result);
	if (end >= PT_END_READ &&
	    (end > PT_END_WRITE ||
	     !pt_ipc_summed(target, task, pt_syscall_first(regs), result, end == PT_END_WRITE))) {
		struct pt_ipc_call call = {
			.is = {.result = result, .tid = task->pid, .number = index, .end = end},
			.table = pt_table_take(target),
			.task = task,
			.regs = regs,
		};

		call.is.spare = !target->table;
		if (call.table)
			pt_ipc_ended(&call);
	}
	if (cpu->turn)
		pt_call_end(&target->loop, index);
	if (target->sleep) {
		pt_sleep_emit(cpu, target->woke, target->sleep);
		target->sleep = 0;
	}
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(pt_sys_enter, struct pt_regs *regs, long number)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_target *target;

	if (!cpu || !cpu->turn)
		return 0;
	target = pt_target_of(bpf_get_current_task_btf());
	if (target)
		target->loop.entered = bpf_ktime_get_ns();
	return 0;
}
