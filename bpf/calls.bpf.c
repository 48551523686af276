/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls. One probe serves all subjects that care for the end of a call, as each program costs every process of
 * the machine its 20 ns. A second one, at the beginning of calls, is attached only while loops stall: it lets the calls
 * of a turn be timed.
 */
#include "bpf/ipc.h"
#include "bpf/clock.h"
#include "bpf/loop.h"
#include "bpf/mapping.h"
#include "bpf/sleep.h"

struct pt_loop_map pt_loops SEC(".maps");
struct pt_endpoint_scratch_map pt_endpoint_scratch SEC(".maps");
struct pt_passing_map pt_passings SEC(".maps");
struct pt_described_map pt_described SEC(".maps");
struct pt_opposite_map pt_opposites SEC(".maps");
struct pt_fresh_map pt_fresh SEC(".maps");
struct pt_talk_scratch_map pt_talk_scratch SEC(".maps");
struct pt_eventfd_map pt_eventfds SEC(".maps");
struct pt_table_map pt_tables SEC(".maps");
struct pt_free_table_map pt_free_tables SEC(".maps");
struct pt_spare_table_map pt_spare_tables SEC(".maps");
struct pt_free_loop_state_map pt_free_loop_states SEC(".maps");
struct pt_free_turn_counter_map pt_free_turn_counters SEC(".maps");
struct pt_turn_counter_map pt_turn_counters SEC(".maps");

/* The task that is at a system call: the one whose registers these are. */
static __always_inline struct task_struct *pt_current(const struct pt_cpu *cpu)
{
	return pt_config.casts ? pt_cast(struct task_struct, cpu->task)
			       : bpf_get_current_task_btf();
}

static __always_inline struct pt_regs *pt_current_regs(const struct pt_cpu *cpu)
{
	return pt_config.casts ? pt_cast(struct pt_regs, cpu->registers)
			       : (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/*
 * The current task, whose registers the CPU has just noted, was not seen to come to it, as happens on some kernels, or
 * recording has just begun. Not inlined: it happens rarely.
 */
__noinline int pt_come_unseen(struct pt_cpu *cpu)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_target *target = pt_target_of(task);
	struct pt_loop_state *state;

	if (!cpu)
		return 0;
	pt_control.registers = cpu->registers - (__u64)task->stack;
	cpu->task = (__u64)task;
	cpu->here = target != NULL;
	cpu->turn = 0;
	if (!target)
		return 0;
	cpu->loop = target->loop;
	cpu->table = target->table;
	state = pt_loop_state_at(target->loop);
	if (state)
		cpu->turn = state->turn;
	return 0;
}

/* The number of a call as an index, to be held against PT_SYSCALL_LIMIT. */
static __always_inline __u64 pt_call_index(__s32 number)
{
	__u64 index = (__u16)number;

	barrier_var(index); /* the verifier must see the value that is tested used */
	return index;
}

/* The call was none that waits, though one of its name may be: what looked like sleep in a wait was in the turn. */
static __always_inline int pt_no_wait(const struct pt_cpu *cpu)
{
	struct pt_loop_state *state = pt_loop_state_at(cpu->loop);

	if (state && state->asleep) {
		state->asleep = 0;
		state->disturbed = 1;
	}
	return 1;
}

/*
 * A wait call has returned; 1: it was none. Not inlined, so that it is verified once, for all calls that are waits.
 */
__noinline int pt_wait_end(struct pt_cpu *cpu, __s64 result, __u32 number, __u32 end)
{
	struct pt_loop_state *state;
	struct task_struct *task;
	struct pt_waited_call wait = {.cpu = cpu, .timeout = PT_TIMEOUT_UNKNOWN};
	struct pt_regs *regs;

	if (!cpu)
		return 0;
	task = pt_current(cpu);
	regs = pt_current_regs(cpu);
	if (end == PT_END_URING && (!(pt_argument_of(task, regs, 3) & IORING_ENTER_GETEVENTS) ||
				    !pt_argument_of(task, regs, 2)))
		return pt_no_wait(cpu);
	state = pt_loop_state_at(cpu->loop);
	if (!state)
		state = pt_loop_state_take(cpu);
	if (!state)
		return 0;
	switch (end) {
	case PT_END_EPOLL:
		wait.timeout = pt_argument_of(task, regs, 3);
		wait.limit = pt_argument_of(task, regs, 2);
		wait.loop = pt_loop_of_fd(task, state, pt_argument_of(task, regs, 0));
		break;
	case PT_END_EPOLL_PWAIT2:
		wait.timeout = pt_timeout_of_timespec(pt_argument_of(task, regs, 3));
		wait.limit = pt_argument_of(task, regs, 2);
		wait.loop = pt_loop_of_fd(task, state, pt_argument_of(task, regs, 0));
		break;
	case PT_END_POLL:
		wait.timeout = pt_argument_of(task, regs, 2);
		break;
	case PT_END_URING:
		if (!(pt_argument_of(task, regs, 3) & IORING_ENTER_REGISTERED_RING))
			wait.loop = pt_loop_of_fd(task, state, pt_argument_of(task, regs, 0));
		/* Requests were done at once, in the turn of another loop. */
		if (state->turn && !state->asleep && wait.loop != state->loop)
			return pt_no_wait(cpu);
		break;
	}
	wait.tid = task->pid;
	wait.now = pt_clock_now(cpu);
	wait.result = result;
	wait.number = number;
	pt_wait_ended(&wait, state);
	return 0;
}

/* A call of a task in a turn that is not a wait. */
static __always_inline void pt_call_end(struct pt_cpu *cpu, __s16 number)
{
	struct pt_loop_state *state = pt_loop_state_at(cpu->loop);
	__u64 length = 0;

	if (!state)
		return;
	if (pt_control.timed && state->entered) {
		length = bpf_ktime_get_ns() - state->entered;
		state->entered = 0;
	}
	pt_turn_call(state, number, length);
	if (state->sleep) {
		pt_sleep_emit(cpu, state->woke, state->sleep);
		state->sleep = 0;
	}
}

/* The end of a call that has no number: a signal handler returns. Its beginning was that of no other. */
static __always_inline void pt_call_forget(struct pt_cpu *cpu)
{
	struct pt_loop_state *state = cpu->turn ? pt_loop_state_at(cpu->loop) : NULL;

	if (state)
		state->entered = 0;
}

/*
 * Says of a process, once, that it makes calls of another ABI. The key is the process's own, though its pid may have been
 * another's before.
 */
static __always_inline int pt_compat_tell(struct pt_cpu *cpu, struct task_struct *task)
{
	__u64 age = pt_follow(struct task_struct, task, group_leader)->start_boottime >> 20;
	__u64 key = PT_ENDPOINT_OF(PT_CLASS_COMPAT, age << 24 ^ task->tgid);
	__u32 told = PT_DESCRIBED;

	if (bpf_map_lookup_elem(&pt_described, &key))
		return 0;
	bpf_map_update_elem(&pt_described, &key, &told, BPF_ANY);
	PT_MESSAGE(compat);
	message->row = (struct pt_compat){
		.time = bpf_ktime_get_ns(),
		.pid = task->tgid,
		.tid = task->pid,
	};
	pt_commit(cpu, message);
	return 0;
}

/*
 * The end of a call of another ABI. Loops are followed, as waits look alike but for registers and numbers; what such calls
 * move through channels is not, as structures are others and most come through multiplexers (socketcall, ipc).
 */
__noinline int pt_foreign_call(struct pt_cpu *cpu, __s64 result)
{
	struct task_struct *task;
	__u64 index;
	__u8 end;

	if (!cpu)
		return 0;
	task = pt_current(cpu);
	pt_compat_tell(cpu, task);
	index = pt_call_index(pt_foreign_number(task, pt_current_regs(cpu)));
	if (index >= PT_SYSCALL_LIMIT) {
		pt_call_forget(cpu);
		return 0;
	}
	end = pt_config.call_end[index];
	if (end >= PT_END_EPOLL && end <= PT_END_URING && !pt_wait_end(cpu, result, index, end))
		return 0;
	if (end == PT_END_EPOLL_CREATE)
		pt_epoll_created(task, result);
	if (cpu->turn)
		pt_call_end(cpu, index);
	return 0;
}

int pt_sys_exit_channel(unsigned long long *context);
int pt_sys_exit_mapping(unsigned long long *context);

enum pt_sys_exit_part {
	PT_PART_CHANNEL,
	PT_PART_MAPPING,
	PT_PART_COUNT,
};

/* Where pt_sys_exit() goes on, in place of returning. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PT_PART_COUNT);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} pt_sys_exit_rest SEC(".maps") = {.values = {
					   [PT_PART_CHANNEL] = (void *)&pt_sys_exit_channel,
					   [PT_PART_MAPPING] = (void *)&pt_sys_exit_mapping,
				   }};

SEC("tp_btf/sys_exit")
int BPF_PROG(pt_sys_exit, struct pt_regs *regs, long result)
{
	struct pt_cpu *cpu = pt_this_cpu();
	__u64 index;
	__u8 end;

	if (!cpu)
		return 0;
	if (cpu->registers != (__u64)regs) {
		cpu->registers = (__u64)regs;
		pt_come_unseen(cpu);
	}
	if (!cpu->here)
		return 0;
	if (pt_is_foreign(pt_current(cpu), regs))
		return pt_foreign_call(cpu, result);
	index = pt_call_index(pt_syscall_number(regs));
	if (index >= PT_SYSCALL_LIMIT) {
		pt_call_forget(cpu);
		return 0;
	}
	end = pt_config.call_end[index];
	if (end >= PT_END_EPOLL && end <= PT_END_URING && !pt_wait_end(cpu, result, index, end))
		return 0;
	if (end == PT_END_EPOLL_CREATE) {
		pt_epoll_created(pt_current(cpu), result);
	} else if (end >= PT_END_PREAD) {
		if (result == -ESPIPE && !pt_control.last)
			bpf_tail_call(ctx, &pt_sys_exit_rest, PT_PART_CHANNEL);
	} else if (end >= PT_END_MMAP) {
		if (pt_maps_shared(regs, end, result) && !pt_control.last)
			bpf_tail_call(ctx, &pt_sys_exit_rest, PT_PART_MAPPING);
	} else if (end >= PT_END_READ && !pt_control.last &&
		   !pt_ipc_summed(cpu, pt_current(cpu), regs, result, end))
		bpf_tail_call(ctx, &pt_sys_exit_rest, PT_PART_CHANNEL);
	if (cpu->turn)
		pt_call_end(cpu, index);
	return 0;
}

/*
 * The end of a call that has to do with channels, and was not one of those that are only added up. pt_sys_exit() ends in
 * it: a call would have to share its stack.
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(pt_sys_exit_channel, struct pt_regs *regs, long result)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_ipc_call call = {};
	__u64 index;

	if (!cpu)
		return 0;
	index = pt_call_index(pt_syscall_number(regs));
	if (index >= PT_SYSCALL_LIMIT)
		return 0;
	call.task = pt_current(cpu);
	call.regs = pt_current_regs(cpu);
	call.table = pt_table_take(cpu);
	call.is.result = result;
	call.is.tid = call.task->pid;
	call.is.number = index;
	call.is.end = pt_config.call_end[index];
	call.is.spare = !cpu->table;
	if (call.table) {
		pt_table_turn(&call.is, call.table);
		pt_ipc_ended(&call);
	}
	if (cpu->turn)
		pt_call_end(cpu, index);
	return 0;
}

/* The end of a call that maps memory which may be shared, or undoes that. pt_sys_exit() ends in it, too. */
SEC("tp_btf/sys_exit")
int BPF_PROG(pt_sys_exit_mapping, struct pt_regs *regs, long result)
{
	struct pt_cpu *cpu = pt_this_cpu();
	__u64 index;

	if (!cpu)
		return 0;
	index = pt_call_index(pt_syscall_number(regs));
	if (index >= PT_SYSCALL_LIMIT)
		return 0;
	pt_mapping_ended(cpu, regs, pt_config.call_end[index], result);
	if (cpu->turn)
		pt_call_end(cpu, index);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(pt_sys_enter, struct pt_regs *regs, long number)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_loop_state *state;

	if (!cpu || !cpu->turn || cpu->registers != (__u64)regs)
		return 0;
	state = pt_loop_state_at(cpu->loop);
	if (state)
		state->entered = bpf_ktime_get_ns();
	return 0;
}
