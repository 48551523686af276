/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a task did with the ends of channels that it uses, on its way into the ring. */
#ifndef PT_BPF_ENDS_H
#define PT_BPF_ENDS_H

#include "bpf/core.h"
#include "bpf/sequence.h"

#define PT_TABLE_ENDS_LOG2 7
#define PT_TABLE_ENDS	   (1 << PT_TABLE_ENDS_LOG2)
#define EAGAIN		   11
#define SOCK_DGRAM	   2
#define PT_TABLE_WAYS	   4 /* places of the table that an end may take */
#define PT_TABLES	   512
#define PT_TOLD_MAX	   255
/* Calls on IP sockets that a task tells one by one: so many more with each window, and so many at once after a rest. */
#define PT_BUDGET_WINDOW 64
#define PT_BUDGET_MAX	 2048
/* Whoever has summed up more than so many in a window tells few of the next by themselves: it would hardly be more than a sample. */
#define PT_BUDGET_RUSH	 128
#define PT_BUDGET_RUSHED 8

/* pt_end_state.summed: whether transfers are told in sums. */
enum pt_summed {
	PT_SUMMED_NOT,
	PT_SUMMED_BUSY, /* of an IP socket: when the task has spent its budget */
	PT_SUMMED_HURRIED /* of another end: while it is used more than PT_TOLD_MAX times in a window */
};

/* What a task did with an end of a channel, as far as it has not been told. The index 1 is for what was sent. */
struct pt_end_state {
	__u64 object; /* an inode, or what stands behind an anonymous one: an address, never followed */
	__u64 number; /* what tells it from others that were at this address before */
	__u64 id;     /* PT_ENDPOINT_OF(); 0: not a channel */
	__u64 bytes[2];
	__u32 window[2]; /* when something was last told */
	__u32 last[2];	 /* jiffies at the last call that is in a sum */
	__u32 count[2];
	__u32 blocked[2];
	__u32 failed[2];
	__u32 empty[2];
	__u16 port;
	__u8 kind;
	__u8 type;
	__u8 told;	/* transfers told one by one in this window, with all that it talks to */
	__u8 summed;	/* enum pt_summed */
	__u8 sequences; /* PT_SEQUENCES_* */
	__u8 open;	/* a datagram socket without a peer: each message has an address */
};

#define PT_SEQUENCES_UNTOLD(sent) (PT_SEQUENCE_RECEIVED << (sent)) /* where that direction began */
#define PT_SEQUENCES_KEPT	  4				   /* it has them: plain TCP */

/*
 * The ends that a task has in use. Not in its task storage, which is made at every birth and costs by its size: a task
 * takes a table when it first uses a channel, and gives it back when it exits.
 */
struct pt_table {
	__u64 state; /* the window of the task's latest call that was told, and above it what is left of its budget */
	__u32 untold; /* there may be sums */
	__u32 closed; /* its task exits, or recording ends: whoever sets it tells all */
	struct pt_end_state ends[PT_TABLE_ENDS];
	__u64 uring_window; /* when it was last told what the task completed by io_uring */
	__u32 uring_told;   /* and since: what is in other records */
	__u32 uring_untold; /* and what may have moved something, not known through what */
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

/* Ends that have been described: PT_DESCRIBED*. */
struct pt_described_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, __u32);
};
extern struct pt_described_map pt_described SEC(".maps");

/* Sockets at the other sides of TCP connections, which no target has used: told when recording has ended. */
struct pt_opposite_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
	__uint(map_flags, BPF_F_NO_PREALLOC);
};
extern struct pt_opposite_map pt_opposites SEC(".maps");

#define PT_DESCRIBED		    1
#define PT_DESCRIBED_SEQUENCE(sent) (2 << (sent)) /* where that direction began is told */

/* A call that moved something, or did not. Plain figures without padding: functions that are verified by themselves take it. */
struct pt_ipc {
	__u64 now;    /* CLOCK_MONOTONIC, 0: not read yet */
	__s64 result; /* of the call */
	__s64 bytes;  /* moved through the end at hand, or -errno */
	__u64 file;   /* behind the end at hand: an address; 0: none */
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

/* Windows are equal for all tasks and of about 64 ms, whatever the kernel's tick. */
static __always_inline __u32 pt_window_of(__u64 jiffies)
{
	return jiffies >> pt_config.window_shift;
}

/* What is told of a transfer, beside its end. */
struct pt_told {
	__u64 bytes;
	__u64 age;
	__u32 count;
	__u32 sent;
	__s32 number;
	__u32 reserved;
	struct pt_level level;
};

static __always_inline int pt_transfer_emit(struct pt_ipc *call, const struct pt_end_state *end,
					    const struct pt_told *told)
{
	bool talks = PT_ENDPOINT_CLASS(end->id) == PT_CLASS_TALK;
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu)
		return 0;
	PT_MESSAGE(transfer);
	message->row = (struct pt_transfer){
		.time = pt_ipc_now(call),
		.end = talks ? PT_ENDPOINT_OF(PT_CLASS_SOCKET, end->number) : end->id,
		.bytes = told->bytes,
		.tid = call->tid,
		.count = told->count,
		.syscall = told->number,
		.value = end->kind == PT_CHANNEL_EVENTFD ? call->value : 0,
		.flags = (told->sent ? PT_TRANSFER_SENT : 0) |
			 (call->end == PT_END_TEE ? PT_TRANSFER_COPIED : 0),
		.age = told->age,
		.level = told->level.bytes,
		.unsent = told->level.unsent,
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

static __always_inline int pt_sequence_emit(struct pt_ipc *call, __u64 id, __u32 flags,
					    const struct pt_sequences *is)
{
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu)
		return 0;
	PT_MESSAGE(sequence);
	message->row = (struct pt_sequence){
		.time = pt_ipc_now(call) - 1, /* before the transfer */
		.end = id,
		.received = is->copied,
		.sent = is->written,
		.tid = call->tid,
		.flags = flags,
	};
	pt_commit(cpu, message);
	return 0;
}

/*
 * Where a direction stood before the call at hand, the first of it on record: only who uses a direction can tell, as
 * somebody else may be at the other.
 */
static __always_inline void pt_sequence_tell(struct pt_ipc *call, struct pt_end_state *end,
					     __u32 sent)
{
	__u32 bit = PT_SEQUENCES_UNTOLD(sent), *told;
	struct pt_sequences is = {};
	__u64 id = end->id;

	end->sequences &= ~bit;
	told = bpf_map_lookup_elem(&pt_described, &id);
	if (!told || *told & PT_DESCRIBED_SEQUENCE(sent))
		return;
	*told |= PT_DESCRIBED_SEQUENCE(sent);
	pt_sequences_read(&is, pt_tcp_behind(call->file));
	is.copied -= call->bytes;
	is.written -= call->bytes;
	if (is.open)
		pt_sequence_emit(call, id, bit, &is);
}

/* Tells what has been summed up of one direction. */
static __always_inline void pt_sum_flush(struct pt_ipc *call, struct pt_end_state *end, __u32 sent)
{
	struct pt_told sum = {
		.bytes = end->bytes[sent],
		.count = end->count[sent],
		.sent = sent,
		.number = -1,
	};

	if (!sum.count)
		return;
	sum.age = (__u64)((__u32)bpf_jiffies64() - end->last[sent]) * pt_config.tick;
	pt_transfer_emit(call, end, &sum);
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

/* What a task has completed of io_uring's requests. */
static __always_inline int pt_uring_emit(struct pt_ipc *call, __u32 tid, __u32 told, __u32 untold)
{
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu || !(told | untold))
		return 0;
	PT_MESSAGE(uring);
	message->row = (struct pt_uring){
		.time = pt_ipc_now(call),
		.tid = tid,
		.told = told,
		.untold = untold,
	};
	pt_commit(cpu, message);
	return 0;
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

/* The calls that a task has left to tell one by one. */
static __always_inline bool pt_budget_spend(struct pt_table *table)
{
	if (!(table->state >> 32))
		return false;
	table->state -= 1ULL << 32;
	return true;
}

static __always_inline void pt_sum_up(struct pt_table *table, struct pt_end_state *end, __u32 sent,
				      __u64 bytes, __u32 count, __u64 jiffies)
{
	end->bytes[sent] += bytes;
	end->count[sent] += count;
	end->last[sent] = jiffies;
	table->untold = 1;
}

/* Is a transfer to be summed up? If not, the end is made ready to tell it. */
static __always_inline bool pt_is_summed(struct pt_ipc *call, struct pt_table *table,
					 struct pt_end_state *end, __u32 sent, __u32 window)
{
	bool spends = end->summed == PT_SUMMED_BUSY && !call->spare && pt_budget_spend(table);

	if (call->spare) {
		end->window[sent] = window;
	} else if (window != end->window[sent]) {
		end->window[sent] = window;
		end->told = 0;
		if (pt_may_hurry(end))
			end->summed = PT_SUMMED_NOT;
		pt_attempts_flush(call, end);
	} else if (end->summed && !spends) {
		return true;
	}
	return false;
}

/* Notes what a call did with an end. */
__noinline int pt_end_count(struct pt_ipc *call, struct pt_table *table, struct pt_end_state *end)
{
	struct pt_told told = {};
	__u64 jiffies;
	__u32 sent;

	if (!call || !table || !end)
		return 0;
	sent = call->sent & 1;

	if (call->bytes < 0 || (!call->bytes && !pt_has_empty(end))) {
		pt_attempted(call, end, sent);
		return 0;
	}
	jiffies = bpf_jiffies64();
	if (pt_is_summed(call, table, end, sent, pt_window_of(jiffies))) {
		pt_sum_up(table, end, sent, call->bytes, call->count, jiffies);
		return 0;
	}
	pt_sum_flush(call, end, sent);
	if (pt_may_hurry(end) && ++end->told >= PT_TOLD_MAX)
		end->summed = PT_SUMMED_HURRIED;
	if (end->sequences & PT_SEQUENCES_UNTOLD(sent))
		pt_sequence_tell(call, end, sent);
	told.bytes = call->bytes;
	told.count = call->count;
	told.sent = sent;
	told.number = call->number;
	if (end->sequences)
		pt_level_read(&told.level, call->file, sent);
	return pt_transfer_emit(call, end, &told);
}

#define PT_FLUSH_STEP 16

/*
 * Tells what a task has not told yet of some of its ends: what is summed up, or, if `all`, also what did not succeed. How
 * many calls were in the sums. Some ends at a time, as the verifier goes through each round of a loop.
 */
__noinline __u32 pt_ends_flush(struct pt_ipc *call, struct pt_table *table, __u32 from, bool all)
{
	__u32 count = 0;

	if (!call || !table)
		return 0;
	for (__u32 i = 0; i < PT_FLUSH_STEP; i++) {
		struct pt_end_state *end = &table->ends[(from + i) % PT_TABLE_ENDS];
		__u32 calls = end->count[0] + end->count[1];

		count += calls;
		if (calls || (all && end->id))
			pt_end_flush(call, end);
	}
	return count;
}

/* Tells the sums of all its ends; how many calls were in them. */
static __always_inline __u32 pt_sums_tell(struct pt_ipc *call, struct pt_table *table)
{
	__u32 count = 0;

	for (__u32 from = 0; from < PT_TABLE_ENDS; from += PT_FLUSH_STEP)
		count += pt_ends_flush(call, table, from, false);
	return count;
}

/*
 * The first call of a task in a new window that is not merely added up: what older windows left is told, so that it is not
 * told much later than it happened, and the task may tell more again. But not much, if it would be spent at once.
 */
__noinline int pt_table_turn(struct pt_ipc *call, struct pt_table *table)
{
	__u32 window, passed, budget, summed = 0;

	if (!call || !table)
		return 0;
	window = pt_window_of(bpf_jiffies64());
	passed = window - (__u32)table->state;
	if (!passed)
		return 0;
	if (table->untold)
		summed = pt_sums_tell(call, table);
	table->untold = 0;
	if (passed > PT_BUDGET_MAX / PT_BUDGET_WINDOW)
		passed = PT_BUDGET_MAX / PT_BUDGET_WINDOW;
	budget = summed / passed > PT_BUDGET_RUSH
			 ? PT_BUDGET_RUSHED
			 : (table->state >> 32) + passed * PT_BUDGET_WINDOW;
	if (budget > PT_BUDGET_MAX)
		budget = PT_BUDGET_MAX;
	table->state = (__u64)budget << 32 | window;
	return 0;
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
	for (__u32 from = 0; from < PT_TABLE_ENDS; from += PT_FLUSH_STEP)
		pt_ends_flush(call, table, from, true);
	pt_uring_emit(call, call->tid, table->uring_told, table->uring_untold);
	table->uring_told = table->uring_untold = 0;
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
	table->closed = 0;
	target->table = 0;
	bpf_map_push_elem(&pt_free_tables, &index, BPF_ANY);
}

#endif
