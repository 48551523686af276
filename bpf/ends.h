/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a task did with the ends of channels that it uses, on its way into the ring. */
#ifndef PT_BPF_ENDS_H
#define PT_BPF_ENDS_H

#include "bpf/core.h"

#define PT_TABLE_ENDS_LOG2 7
#define PT_TABLE_ENDS	   (1 << PT_TABLE_ENDS_LOG2)
#define PT_WINDOW_SHIFT	   4 /* of jiffies: 64 ms at 250 Hz */
#define EAGAIN		   11
#define SOCK_DGRAM	   2
#define PT_TABLE_WAYS	   4 /* places of the table that an end may take */
#define PT_TABLES	   512
#define PT_TOLD_MAX	   256

/* What a task did with an end of a channel, as far as it has not been told. The index 1 is for what was sent. */
struct pt_end_state {
	__u64 object; /* an inode, or what stands behind an anonymous one: an address, never followed */
	__u64 number; /* what tells it from others that were at this address before */
	__u64 id;     /* PT_ENDPOINT_OF(); 0: not a channel */
	__u64 bytes[2];
	__u32 window[2]; /* when something was last told */
	__u32 count[2];
	__u32 blocked[2];
	__u32 failed[2];
	__u32 empty[2];
	__u16 port;
	__u8 kind;
	__u8 type;
	__u16 told;  /* transfers told one by one in this window, with all that it talks to */
	__u8 summed; /* transfers are told in sums */
	__u8 open;   /* a datagram socket without a peer: each message has an address */
};

/*
 * The ends that a task has in use. Not in its task storage, which is made at every birth and costs by its size: a task
 * takes a table when it first uses a channel, and gives it back when it exits.
 */
struct pt_table {
	struct pt_end_state ends[PT_TABLE_ENDS];
};

struct pt_table_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_TABLES);
	__type(key, __u32);
	__type(value, struct pt_table);
};
extern struct pt_table_map pt_tables SEC(".maps");

struct pt_free_table_map {
	PT_FREE_MAP(PT_TABLES);
};
extern struct pt_free_table_map pt_free_tables SEC(".maps");

/* For the calls of tasks for which there was no table. */
struct pt_spare_table_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_table);
};
extern struct pt_spare_table_map pt_spare_tables SEC(".maps");

/* A call that moved something, or did not. Plain figures without padding: functions that are verified by themselves take it. */
struct pt_ipc {
	__u64 now;    /* CLOCK_MONOTONIC, 0: not read yet */
	__s64 result; /* of the call */
	__s64 bytes;  /* moved through the end at hand, or -errno */
	__u32 count;  /* messages */
	__u32 value;  /* of an eventfd */
	__u32 tid;
	__s16 number;
	__u16 flags; /* PT_ENDPOINT_*, of the end at hand */
	__u8 end;    /* enum pt_call_end */
	__u8 spare;  /* the table is not the task's: nothing may be left untold in it */
	__u8 sent;   /* 1: sent through the end at hand, 0: received */
	__u8 padding;
	__u32 plain;	   /* of several messages those without an address */
	__u64 plain_bytes; /* and what went with these */
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
	bool talks = PT_ENDPOINT_CLASS(end->id) == PT_CLASS_TALK;
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu)
		return 0;
	PT_MESSAGE(transfer);
	message->row = (struct pt_transfer){
		.time = pt_ipc_now(call),
		.end = talks ? PT_ENDPOINT_OF(PT_CLASS_SOCKET, end->number) : end->id,
		.bytes = bytes,
		.tid = call->tid,
		.count = count,
		.syscall = number,
		.value = end->kind == PT_CHANNEL_EVENTFD ? call->value : 0,
		.flags = (sent ? PT_TRANSFER_SENT : 0) |
			 (call->end == PT_END_TEE ? PT_TRANSFER_COPIED : 0),
		.with = talks ? end->id : 0,
	};
	pt_commit(cpu, message);
	return 0;
}

static __always_inline int pt_attempt_emit(struct pt_ipc *call, struct pt_end_state *end)
{
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu)
		return 0;
	PT_MESSAGE(attempt);
	message->row = (struct pt_attempt){
		.time = pt_ipc_now(call),
		.end = end->id,
		.tid = call->tid,
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

/* Global, as others below: so they are verified once, and by themselves. */
__noinline int pt_end_flush(struct pt_ipc *call, struct pt_end_state *end)
{
	if (!call || !end)
		return 0;
	pt_sum_flush(call, end, 0);
	pt_sum_flush(call, end, 1);
	pt_attempts_flush(call, end);
	return 0;
}

/* A call that moved nothing. */
static __always_inline void pt_attempted(struct pt_ipc *call, struct pt_end_state *end, __u32 sent)
{
	if (!call->bytes)
		end->empty[sent]++;
	else if (call->bytes == -EAGAIN)
		end->blocked[sent]++;
	else
		end->failed[sent]++;
	if (call->spare)
		pt_attempts_flush(call, end);
}

/* Is told in sums only while it is used more than PT_TOLD_MAX times in a window. */
static __always_inline bool pt_may_hurry(const struct pt_end_state *end)
{
	return end->kind == PT_CHANNEL_PIPE ||
	       (end->kind == PT_CHANNEL_UNIX && end->type != SOCK_DGRAM) ||
	       (end->kind == PT_CHANNEL_UDP && end->open);
}

/* Messages that are kept apart may be empty and are some nevertheless. But of SOCK_SEQPACKET that looks like the end. */
static __always_inline bool pt_has_empty(const struct pt_end_state *end)
{
	return end->type == SOCK_DGRAM || end->kind == PT_CHANNEL_POSIX_QUEUE ||
	       end->kind == PT_CHANNEL_SYSV_QUEUE;
}

/* Notes what a call did with an end. */
__noinline int pt_end_count(struct pt_ipc *call, struct pt_end_state *end)
{
	__u32 sent, window;

	if (!call || !end)
		return 0;
	sent = call->sent & 1;

	if (call->bytes < 0 || (!call->bytes && !pt_has_empty(end))) {
		pt_attempted(call, end, sent);
		return 0;
	}
	window = bpf_jiffies64() >> PT_WINDOW_SHIFT;
	if (call->spare) {
		end->window[sent] = window;
	} else if (window != end->window[sent]) {
		end->window[sent] = window;
		end->told = 0;
		if (pt_may_hurry(end))
			end->summed = 0;
		pt_attempts_flush(call, end);
	} else if (end->summed) {
		end->bytes[sent] += call->bytes;
		end->count[sent] += call->count;
		return 0;
	}
	pt_sum_flush(call, end, sent);
	if (pt_may_hurry(end) && ++end->told >= PT_TOLD_MAX)
		end->summed = 1;
	return pt_transfer_emit(call, end, sent, call->bytes, call->count, call->number);
}

/* Where an object's end stands in a table, or will: beside others of the same hash, or instead of one of them. */
static __always_inline __u32 pt_end_search(const struct pt_table *table, __u64 object)
{
	__u32 hash = object * 0x9e3779b97f4a7c15ULL >> (64 - PT_TABLE_ENDS_LOG2);
	__u32 free = hash;

	for (__u32 way = 0; way < PT_TABLE_WAYS; way++) {
		__u32 place = (hash ^ way) % PT_TABLE_ENDS;

		if (table->ends[place].object == object)
			return place;
		if (!table->ends[place].object)
			free = place;
	}
	return free;
}

__noinline int pt_end_place(struct pt_table *table, __u64 object)
{
	return table ? pt_end_search(table, object) : 0;
}

static __always_inline struct pt_end_state *pt_end_slot(struct pt_table *table, __u64 object)
{
	return &table->ends[(__u32)pt_end_place(table, object) % PT_TABLE_ENDS];
}

/* All that a task has not told yet: it exits, or recording ends. */
static __always_inline void pt_table_flush(struct pt_ipc *call, struct pt_table *table)
{
	for (int i = 0; i < PT_TABLE_ENDS; i++) {
		if (table->ends[i].id)
			pt_end_flush(call, &table->ends[i]);
	}
}

/* By 1 + its number, NULL for 0. */
static __always_inline struct pt_table *pt_table_at(__u32 number)
{
	__u32 index = number - 1;

	return bpf_map_lookup_elem(&pt_tables, &index);
}

/*
 * The table of the current task, which it may only now be given. Where there are none left, the CPU's spare one: who used
 * it before has told all, since each call with it is told at once.
 */
static __always_inline struct pt_table *pt_table_take(struct pt_cpu *cpu)
{
	struct pt_table *table = pt_table_at(cpu->table);
	struct pt_target *target;
	__u32 index = 0;

	if (table)
		return table;
	target = pt_target_of(bpf_get_current_task_btf());
	if (!target)
		return NULL;
	index = pt_number_take(&pt_free_tables, &pt_control.tables, PT_TABLES);
	table = bpf_map_lookup_elem(&pt_tables, &index);
	if (!table) {
		index = 0;
		return bpf_map_lookup_elem(&pt_spare_tables, &index);
	}
	target->table = cpu->table = index + 1;
	return table;
}

/* Gives back the table of a task that exits. */
static __always_inline void pt_table_give(struct pt_target *target, struct pt_table *table)
{
	__u32 index = target->table - 1;

	for (int i = 0; i < PT_TABLE_ENDS; i++)
		table->ends[i].object = table->ends[i].id = 0;
	target->table = 0;
	bpf_map_push_elem(&pt_free_tables, &index, BPF_ANY);
}

#endif
