/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Turns of event loops, as far as probes must know them; which waits make a loop, which turns belong together and what
 * is a stall is for the reader to decide, who sees all records.
 *
 * Only ends of calls are looked at: a probe at every beginning would cost each process of the machine as much again. A
 * wait that blocks begins, to a fraction of a microsecond, when its task leaves the CPU; one that does not, when it ends.
 */
#ifndef PT_BPF_LOOP_H
#define PT_BPF_LOOP_H

#include "bpf/reason.h"

#define IORING_ENTER_GETEVENTS	     1
#define IORING_ENTER_REGISTERED_RING 16

#define PT_TIMEOUT_UNKNOWN (-2)
/* So many waits on others in a row, and the loop that a task had is not its loop any more. */
#define PT_LOOP_ABANDONED 64
/* So many waits on one object in a row, and its turns are worth adding up. */
#define PT_COUNT_AFTER 16
/* So many waits on a ring that did not sleep, with no other between, and it is a loop nevertheless. */
#define PT_RING_WAITS 3
/* What lies between a poll that found nothing and the wait behind it is no turn if it is shorter, ns: docs/loops.md */
#define PT_TURN_TRIFLE 100000
#define EINTR	       4

struct pt_loop_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);   /* struct file of an epoll instance */
	__type(value, __u64); /* its name: unlike the address, never used again */
};
extern struct pt_loop_map pt_loops SEC(".maps");

/* A wait call that has ended. */
struct pt_waited_call {
	struct pt_cpu *cpu;
	__u64 now;
	__u64 loop; /* PT_LOOP_OF_TASK: none of its own */
	__s64 result;
	__u32 tid;
	__u32 limit;
	__s32 timeout;
	__s16 number;
};

struct pt_free_loop_state_map {
	PT_FREE_MAP(PT_LOOP_STATES);
};
extern struct pt_free_loop_state_map pt_free_loop_states SEC(".maps");

/* The recorder gives back, when it has read the last of the sums of a task that has exited. */
struct pt_free_turn_counter_map {
	PT_FREE_MAP(PT_TURN_COUNTERS);
};
extern struct pt_free_turn_counter_map pt_free_turn_counters SEC(".maps");

/* By 1 + its number, NULL for 0. */
static __always_inline struct pt_turn_counter *pt_turn_counter_at(__u32 number)
{
	__u32 index = number - 1;

	return bpf_map_lookup_elem(&pt_turn_counters, &index);
}

/* A loop state for the current task, which has none. NULL if all are taken: its turns are counted as lost. */
static __always_inline struct pt_loop_state *pt_loop_state_take(struct pt_cpu *cpu)
{
	struct pt_target *target = pt_target_of(bpf_get_current_task_btf());
	struct pt_loop_state *state;
	__u32 index;

	if (!target)
		return NULL;
	index = pt_number_take(&pt_free_loop_states, &pt_control.loop_states, PT_LOOP_STATES);
	state = bpf_map_lookup_elem(&pt_loop_states, &index);
	if (!state) {
		cpu->lost[PT_KIND_turn]++;
		return NULL;
	}
	target->loop = cpu->loop = index + 1;
	return state;
}

/* The current task exits. */
static __always_inline void pt_loop_state_give(struct pt_cpu *cpu, struct pt_target *target)
{
	struct pt_loop_state *state = pt_loop_state_at(target->loop);
	__u32 index = target->loop - 1;
	struct pt_turn_counter *counter;

	if (!state)
		return;
	counter = pt_turn_counter_at(state->counter);
	if (counter)
		counter->over = 1;
	__builtin_memset(state, 0, sizeof(*state));
	cpu->turn = 0;
	target->loop = cpu->loop = 0;
	bpf_map_push_elem(&pt_free_loop_states, &index, BPF_ANY);
}

static __always_inline __u64 pt_loop_new_id(void)
{
	return __sync_fetch_and_add(&pt_control.epoll_files, 1) + 1;
}

/* A file made just now has the address of one that is gone, perhaps, but is another. */
static __always_inline void pt_epoll_created(struct task_struct *task, __s64 fd)
{
	__u64 file, id;

	if (fd < 0)
		return;
	file = (__u64)pt_file_of(task, fd);
	id = pt_loop_new_id();
	bpf_map_update_elem(&pt_loops, &file, &id, BPF_ANY);
}

static __always_inline __u64 pt_loop_of_fd(struct task_struct *task, struct pt_loop_state *state,
					   __u32 fd)
{
	__u64 file = (__u64)pt_file_of(task, fd), id, *known;

	if (file == state->file && state->epoll_files == pt_control.epoll_files)
		return state->file_id;
	known = bpf_map_lookup_elem(&pt_loops, &file);
	if (known) {
		id = *known;
	} else {
		id = pt_loop_new_id();
		bpf_map_update_elem(&pt_loops, &file, &id, BPF_ANY);
	}
	state->file = file;
	state->file_id = id;
	state->epoll_files = pt_control.epoll_files;
	return id;
}

static __always_inline __s32 pt_timeout_of_timespec(__u64 pointer)
{
	struct {
		__u64 seconds, nanoseconds;
	} time = {};

	if (!pointer)
		return -1;
	if (bpf_probe_read_user(&time, sizeof(time), (void *)pointer))
		return PT_TIMEOUT_UNKNOWN;
	if (time.seconds > 1000000)
		return 1000000000;
	return time.seconds * 1000 + (time.nanoseconds + 999999) / 1000000;
}

/* One of the calls that the turn consisted of, or those without a place. Global, so that the loop around it is short. */
__noinline int pt_turn_call_emit(struct pt_cpu *cpu, struct pt_loop_state *state, __u64 time,
				 __u32 tid, __u32 i)
{
	struct pt_turn_call *call;
	__u32 count;

	if (!cpu || !state)
		return 0;
	call = &state->table[i % PT_TURN_CALLS];
	count = i < PT_TURN_CALLS ? call->count : state->others;
	if (!count)
		return 0;
	PT_MESSAGE(call);
	message->row = (struct pt_call){
		.time = time,
		.length = i < PT_TURN_CALLS ? call->length : 0,
		.tid = tid,
		.count = count,
		.syscall = i < PT_TURN_CALLS ? call->number : -1,
		.flags = state->timed ? PT_TURN_TIMED : 0,
	};
	pt_commit(cpu, message);
	return 0;
}

/* Emits what the turn consisted of, a record for each call. */
__noinline int pt_turn_calls_emit(struct pt_cpu *cpu, struct pt_loop_state *state, __u64 time,
				  __u32 tid)
{
	for (__u32 i = 0; i <= PT_TURN_CALLS; i++)
		pt_turn_call_emit(cpu, state, time, tid, i);
	return 0;
}

static __always_inline void pt_turn_begin(struct pt_loop_state *state, __u64 loop, __u64 now)
{
	state->turn = now;
	state->loop = loop;
	state->calls = 0;
	state->call_count = 0;
	state->foreign = 0;
	state->others = 0;
	state->samples = 0;
	state->timed = pt_control.timed;
	for (int i = 0; i < PT_TURN_CALLS; i++)
		state->table[i].count = 0;
}

static __always_inline int pt_turn_emit(const struct pt_waited_call *wait,
					struct pt_loop_state *state, bool nested)
{
	struct pt_cpu *cpu = wait->cpu;

	PT_MESSAGE(turn);
	message->row = (struct pt_turn){
		.time = wait->now,
		.loop = wait->loop,
		.calls = state->calls,
		.wait = state->entered ? wait->now - state->entered : 0,
		.tid = wait->tid,
		.call_count = state->call_count,
		.timeout = wait->timeout,
		.events = wait->result,
		.limit = wait->limit,
		.syscall = wait->number,
		.flags = (state->timed ? PT_TURN_TIMED : 0) | (nested ? PT_TURN_NESTED : 0) |
			 (state->empty ? PT_TURN_AFTER_EMPTY : 0),
		.age = state->turn ? wait->now - state->turn : 0,
		.slept = state->asleep ? wait->now - state->asleep : 0,
	};
	pt_commit(cpu, message);
	return 0;
}

/* The bucket of a turn shorter than 2^PT_TURN_MAX_LOG2. */
static __always_inline __u32 pt_turn_bucket(__u64 length)
{
	__u32 group = 0;

	/* A length of b bits, b > PT_TURN_SUB_LOG2, is in group b - PT_TURN_SUB_LOG2. */
	if (length >> (PT_TURN_SUB_LOG2 + 8))
		group += 8;
	if (length >> (PT_TURN_SUB_LOG2 + group + 4))
		group += 4;
	if (length >> (PT_TURN_SUB_LOG2 + group + 2))
		group += 2;
	if (length >> (PT_TURN_SUB_LOG2 + group + 1))
		group += 1;
	if (length >> (PT_TURN_SUB_LOG2 + group))
		group += 1;
	if (group)
		length >>= group - 1;
	return group << PT_TURN_SUB_LOG2 | (length & ((1 << PT_TURN_SUB_LOG2) - 1));
}

/* The sum in which a loop's turns are added up, if there are to be any and one is left. */
static __always_inline struct pt_turn_counter *pt_turn_counter_of(const struct pt_waited_call *wait,
								  struct pt_loop_state *state)
{
	struct pt_turn_counter *counter = pt_turn_counter_at(state->counter);
	__u32 index;

	if (counter || state->waits < PT_COUNT_AFTER)
		return counter;
	index = pt_number_take(&pt_free_turn_counters, &pt_control.turn_counters, PT_TURN_COUNTERS);
	counter = bpf_map_lookup_elem(&pt_turn_counters, &index);
	if (!counter)
		return NULL;
	state->counter = index + 1;
	counter->loop = wait->loop;
	counter->syscall = wait->number;
	counter->first = counter->last = state->turn;
	counter->tid = wait->tid;
	return counter;
}

/*
 * Adds the turn that has ended to the sum of its loop, if nothing happened in it that is told otherwise: it was short,
 * kept its CPU, and no other loop ran inside. False: it needs a record of its own.
 */
static __always_inline bool pt_turn_add(const struct pt_waited_call *wait,
					struct pt_loop_state *state)
{
	__u64 from = state->asleep ? state->asleep : wait->now, length = from - state->turn;
	struct pt_turn_counter *counter;
	__u32 bucket;

	if (pt_config.every_turn || state->timed || state->disturbed || state->filled ||
	    state->foreign || length >= pt_config.stall || length >> PT_TURN_MAX_LOG2)
		return false;
	counter = pt_turn_counter_of(wait, state);
	if (!counter)
		return false;
	if (!state->empty || !wait->timeout || length > PT_TURN_TRIFLE) {
		bucket = pt_turn_bucket(length);
		if (bucket < PT_TURN_BUCKETS)
			counter->turns[bucket]++;
		counter->busy += length;
	}
	if (wait->timeout)
		counter->idle += wait->now - from;
	counter->waits++;
	counter->empty = !wait->timeout && !wait->result;
	counter->last = wait->now;
	return true;
}

/* The task has left a loop for another one. */
static __always_inline void pt_loop_left(struct pt_loop_state *state)
{
	struct pt_turn_counter *counter = pt_turn_counter_at(state->counter);

	if (counter)
		counter->over = 1;
	state->counter = 0;
	state->waits = 0;
	pt_control.loops = 1;
}

/*
 * Whether the ring of a loop has been waited on at all, or only been handed requests that were done at once: as libuv does before
 * it waits by epoll.
 */
static __always_inline __u8 pt_immediate(const struct pt_waited_call *wait,
					 const struct pt_loop_state *state, bool same)
{
	if (wait->number != PT_CALL_URING || state->asleep)
		return 0;
	if (!same)
		return 1;
	return state->immediate && state->immediate < PT_RING_WAITS - 1 ? state->immediate + 1 : 0;
}

/*
 * A poll that was interrupted, or follows a wait that returned as many events as it could, is in the same iteration: the
 * turn goes on. So it does behind a wait on another object, which then is a loop inside this one.
 */
static __always_inline void pt_wait_ended(const struct pt_waited_call *wait,
					  struct pt_loop_state *state)
{
	bool same = state->turn && wait->loop == state->loop;
	bool nested =
		state->turn && !same && !state->immediate && ++state->foreign < PT_LOOP_ABANDONED;
	bool filled = wait->limit > 1 && wait->result == wait->limit;
	bool interrupted = wait->result == -EINTR;
	bool goes_on = same && !wait->timeout && (state->filled || interrupted);
	bool added = same && !filled && !interrupted && pt_turn_add(wait, state);
	__u8 immediate = pt_immediate(wait, state, same);

	if (!added)
		pt_turn_emit(wait, state, nested);
	state->entered = state->asleep = 0;
	state->disturbed = 0;
	if (nested)
		return;
	state->immediate = immediate;
	state->filled = filled;
	if (goes_on)
		return;
	if (!added && state->turn && wait->now - state->turn >= pt_config.stall)
		pt_turn_calls_emit(wait->cpu, state, wait->now, wait->tid);
	/* The model takes an interrupted wait for a poll that found nothing. */
	state->empty = interrupted || (!wait->timeout && !wait->result);
	if (!same)
		pt_loop_left(state);
	else if (state->waits < PT_COUNT_AFTER)
		state->waits++;
	pt_turn_begin(state, wait->loop, wait->now);
	wait->cpu->turn = wait->now;
}

/* Notes a call that is not a wait in the table of the turn. */
static __always_inline void pt_turn_call(struct pt_loop_state *state, __s16 number, __u64 length)
{
	state->call_count++;
	state->calls += length;
	for (__u32 i = 0; i < PT_TURN_CALLS; i++) {
		struct pt_turn_call *call = &state->table[((__u16)number + i) % PT_TURN_CALLS];

		if (!call->count) {
			call->number = number;
			call->length = 0;
		} else if (call->number != number) {
			continue;
		}
		call->count++;
		call->length += length;
		return;
	}
	state->others++;
}

#endif
