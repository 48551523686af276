/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A clock that looks at each CPU now and then. Only turns that have become long are of interest: what they do, and that
 * somebody should time their system calls.
 */
#include "bpf/regs.h"

#define PT_SAMPLE_AGE 1000000 /* ns that a turn must have lasted */

struct bpf_perf_event_data {
	struct pt_regs regs;
} __attribute__((preserve_access_index));

static __always_inline __u64 pt_instruction(struct bpf_perf_event_data *context)
{
#if defined(__TARGET_ARCH_x86)
	return context->regs.ip;
#else
	return context->regs.user_regs.pc;
#endif
}

/* Half a stall on the CPU: where that time goes is worth the cost of timing system calls. */
static __always_inline void pt_sample_long_turn(void)
{
	__sync_fetch_and_add(&pt_control.long_turns, 1);
	if (!pt_control.timed)
		pt_nudge();
}

SEC("perf_event")
int pt_sample_turn(struct bpf_perf_event_data *ctx)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_loop_state *state;
	struct task_struct *task;
	__u64 now;

	if (!cpu || !cpu->turn)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - cpu->turn < PT_SAMPLE_AGE)
		return 0;
	task = bpf_get_current_task_btf();
	if (cpu->task != (__u64)task) /* it came unseen */
		return 0;
	state = pt_loop_state_at(cpu->loop);
	if (state)
		state->disturbed = 1;
	if (state && ++state->samples * pt_config.sample_period > pt_config.stall / 2)
		pt_sample_long_turn();
	PT_MESSAGE(sample);
	message->row = (struct pt_sample){
		.time = now,
		.period = pt_config.sample_period,
		.address = pt_instruction(ctx),
		.tid = task->pid,
		.cpu = bpf_get_smp_processor_id(),
		.syscall = -1,
	};
	/* Addresses of the kernel are those with the highest bit set, on x86-64 as on arm64. */
	if ((__s64)message->row.address >= 0)
		message->row.flags = PT_SAMPLE_USER;
	else
		message->row.syscall = pt_number_of(task, pt_regs_of(task));
	pt_commit(cpu, message);
	return 0;
}
