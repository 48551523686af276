/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a task did with the ends of channels that it uses, on its way into the ring. */
#ifndef PT_BPF_ENDS_H
#define PT_BPF_ENDS_H

#include "bpf/core.h"

/* A call that moved something, or did not. */
struct pt_ipc {
	struct pt_cpu *cpu;
	struct pt_target *target;
	struct task_struct *task;
	struct pt_regs *regs;
	__u64 now;    /* CLOCK_MONOTONIC, 0: not read yet */
	__s64 result; /* of the call */
	__s64 bytes;  /* moved through the end at hand, or -errno */
	__u32 count;  /* messages */
	__u32 value;  /* of an eventfd */
	__u16 flags;  /* PT_ENDPOINT_*, of the end at hand */
	__s16 number;
	__u8 end;  /* enum pt_call_end */
	__u8 sent; /* 1: sent through the end at hand, 0: received */
};

static __always_inline __u64 pt_ipc_now(struct pt_ipc *call)
{
	if (!call->now)
		call->now = bpf_ktime_get_ns();
	return call->now;
}

static __always_inline int pt_transfer_emit(struct pt_ipc *call, const struct pt_end_state *end,
					    __u8 sent, __u64 bytes, __u32 count, __s16 number)
{
	struct pt_cpu *cpu = call->cpu;

	PT_MESSAGE(transfer);
	message->row = (struct pt_transfer){
		.time = pt_ipc_now(call),
		.end = end->id,
		.bytes = bytes,
		.tid = call->task->pid,
		.count = count,
		.syscall = number,
		.value = end->kind == PT_CHANNEL_EVENTFD ? call->value : 0,
		.flags = (sent ? PT_TRANSFER_SENT : 0) |
			 (call->end == PT_END_TEE ? PT_TRANSFER_COPIED : 0),
	};
	pt_commit(cpu, message);
	return 0;
}

static __always_inline int pt_attempt_emit(struct pt_ipc *call, struct pt_end_state *end)
{
	struct pt_cpu *cpu = call->cpu;

	PT_MESSAGE(attempt);
	message->row = (struct pt_attempt){
		.time = pt_ipc_now(call),
		.end = end->id,
		.tid = call->task->pid,
		.send_blocked = end->blocked[1],
		.send_failed = end->failed[1],
		.send_empty = end->empty[1],
		.receive_blocked = end->blocked[0],
		.receive_failed = end->failed[0],
		.receive_empty = end->empty[0],
	};
	pt_commit(cpu, message);
	return 0;
}

/* Tells what has been summed up of one direction. */
static __always_inline void pt_sum_flush(struct pt_ipc *call, struct pt_end_state *end, __u32 sent)
{
	if (!end->count[sent])
		return;
	pt_transfer_emit(call, end, sent, end->bytes[sent], end->count[sent], -1);
	end->bytes[sent] = 0;
	end->count[sent] = 0;
}

static __always_inline void pt_attempts_flush(struct pt_ipc *call, struct pt_end_state *end)
{
	if (!(end->blocked[0] | end->blocked[1] | end->failed[0] | end->failed[1] | end->empty[0] |
	      end->empty[1]))
		return;
	pt_attempt_emit(call, end);
	for (int sent = 0; sent < 2; sent++)
		end->blocked[sent] = end->failed[sent] = end->empty[sent] = 0;
}

static __noinline int pt_end_flush(struct pt_ipc *call, struct pt_end_state *end)
{
	pt_sum_flush(call, end, 0);
	pt_sum_flush(call, end, 1);
	pt_attempts_flush(call, end);
	return 0;
}

/* All that a task has not told yet: it exits, or recording ends. */
static __always_inline void pt_ends_flush(struct pt_ipc *call)
{
	for (int i = 0; i < PT_TABLE_ENDS; i++) {
		if (call->target->ends[i].id)
			pt_end_flush(call, &call->target->ends[i]);
	}
}

#endif
