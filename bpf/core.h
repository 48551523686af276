/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What all probes share: who is a target, the state of a CPU, and the way of a record into the ring
 * of its CPU.
 *
 * A target is a task that has task storage. It gets it before its first record: from the iterator
 * when recording starts, or at its birth. Storage is never created in a scheduler hook, where the
 * allocator could recurse into it.
 */
#ifndef PT_BPF_CORE_H
#define PT_BPF_CORE_H

#include "bpf/read.h"
#include <bpf/bpf_tracing.h>

#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000

/* include/linux/sched.h */
#define TASK_RUNNING	     0x0000
#define TASK_INTERRUPTIBLE   0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_STOPPED_TRACED  0x000c
#define TASK_EXIT	     0x0030
#define TASK_DEAD	     0x0080
#define TASK_NOLOAD	     0x0400

#define PT_TURN_CALLS 16 /* different system calls of a turn that are told apart; a power of two */

/* How often a turn made one system call, and for how long. */
struct pt_turn_call {
	__u64 length; /* ns, if calls are timed */
	__u32 count;
	__s32 number;
};

#define PT_LOOP_STATES 8192

/*
 * The loop that a target runs, once it has returned from a wait call, and its sleeps in the middle of a turn. Not in its task
 * storage: what is found by a number that its CPU keeps costs each system call no look-up.
 */
struct pt_loop_state {
	__u64 turn;	   /* CLOCK_MONOTONIC when the turn began that it is in */
	__u64 loop;	   /* its wait object */
	__u64 file;	   /* struct file that it waited on last: an address, never followed */
	__u64 file_id;	   /* and the wait object's name */
	__u64 epoll_files; /* pt_control.epoll_files when that was found */
	__u64 entered; /* CLOCK_MONOTONIC when the call that it is in began, if calls are timed */
	__u64 slept;   /* since when it sleeps in the middle of a turn; else 0 */
	__u64 asleep;  /* when it first fell asleep in the wait call that it is in; else 0 */
	__u64 woke;    /* when the longest sleep of the system call that it is in ended */
	__u64 sleep;   /* and its length in ns, 0: none that was long */
	__u64 calls;   /* ns in others than wait calls in this turn */
	__u32 call_count;
	__u32 foreign; /* waits on other objects since the last on this one */
	__u32 timed;   /* calls were timed all through the turn */
	__u32 others;  /* calls that found no place in the table */
	__u32 samples; /* how often the sampler met it in this turn */
	__u32 counter; /* 1 + the number of its loop's pt_turn_counter, 0: it has none */
	__u32 waits;   /* in a row on this loop, up to PT_COUNT_AFTER */
	__u8 disturbed; /* it left its CPU in this turn, other than to wait for events, or was sampled */
	__u8 empty; /* the last wait was a poll that found nothing */
	__u8 filled; /* it returned as many events as it could: a poll behind it belongs to the same turn */
	__u8 went_to_sleep; /* when it last left its CPU */
	struct pt_turn_call table[PT_TURN_CALLS];
};

/* A target's own state. What it had when it took its CPU stands in pt_cpu, which is cheaper to reach. */
struct pt_target {
	__u64 migrations; /* se.nr_migrations when it last took a CPU */
	__u64 run_delay;  /* sched_info.run_delay once it had taken that CPU */
	__u32 waker;	  /* who woke it last */
	__u16 waker_flags;
	__u16 cpu;	 /* where it ran last */
	__u64 has_waker; /* it was woken since it last took a CPU */
	__u64 fresh;	 /* it has not been seen to take or leave a CPU */
	__u64 exited;	 /* it does not count in pt_control.live any more */
	__u32 table;	 /* 1 + the number of its table of ends, 0: it has none */
	__u32 loop;	 /* 1 + the number of its pt_loop_state, 0: it has none */
};

struct pt_target_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pt_target);
};
extern struct pt_target_map pt_targets SEC(".maps");

struct pt_cpu_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_cpu);
};
extern struct pt_cpu_map pt_cpus SEC(".maps");

struct pt_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 12);
};

struct pt_ring_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct pt_ring);
};
extern struct pt_ring_map pt_rings SEC(".maps");

struct pt_slot_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_slot);
};
extern struct pt_slot_map pt_slots SEC(".maps");

struct pt_consumed_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_consumed);
};
extern struct pt_consumed_map pt_consumed SEC(".maps");

struct pt_loop_state_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_LOOP_STATES);
	__type(key, __u32);
	__type(value, struct pt_loop_state);
};
extern struct pt_loop_state_map pt_loop_states SEC(".maps");

struct pt_turn_counter_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PT_TURN_COUNTERS);
	__type(key, __u32);
	__type(value, struct pt_turn_counter);
};
extern struct pt_turn_counter_map pt_turn_counters SEC(".maps");

/* Numbers below a limit that were given back, to be used again. */
#define PT_FREE_MAP(limit)                                                                         \
	__uint(type, BPF_MAP_TYPE_STACK);                                                          \
	__uint(max_entries, limit);                                                                \
	__type(value, __u32)

extern struct pt_control pt_control;

static __always_inline struct pt_target *pt_target_of(struct task_struct *task)
{
	return bpf_task_storage_get(&pt_targets, task, NULL, 0);
}

static __always_inline struct pt_cpu *pt_this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&pt_cpus, &cpu);
}

/* A number that was given back, or that nobody has had yet; the limit: all are taken. */
static __always_inline __u32 pt_number_take(void *free, __u32 *handed_out, __u32 limit)
{
	__u32 number = 0;

	if (!bpf_map_pop_elem(free, &number))
		return number;
	return *handed_out < limit ? __sync_fetch_and_add(handed_out, 1) : limit;
}

/* By 1 + its number, NULL for 0. */
static __always_inline struct pt_loop_state *pt_loop_state_at(__u32 number)
{
	__u32 index = number - 1;

	return bpf_map_lookup_elem(&pt_loop_states, &index);
}

/* The run queue that a task is on, or was last; NULL if this kernel does not let it be found. */
static __always_inline struct rq *pt_rq_of(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->se.cfs_rq))
		return NULL;
	return pt_config.casts ? pt_cast(struct task_struct, task)->se.cfs_rq->rq
			       : task->se.cfs_rq->rq;
}

static __always_inline __u64 pt_rq_address(struct task_struct *task)
{
	__u64 queue = pt_read_address(struct task_struct, task, se.cfs_rq);

	return pt_read_address(struct cfs_rq, queue, rq);
}

/*
 * Space for a message, or NULL, when the loss is counted for `kind`. The ring belongs to the CPU,
 * so its records are in order of time but for those of an interrupt that came between clock and
 * reservation.
 */
static __always_inline void *pt_reserve(struct pt_cpu *cpu, __u32 kind, __u64 size)
{
	__u32 index = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&pt_rings, &index);
	void *message = ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;

	if (!message)
		cpu->lost[kind]++;
	return message;
}

/* The reader polls; it is woken only when the ring fills, which is looked at once in 64 messages.
 */
static __always_inline void pt_commit(struct pt_cpu *cpu, void *message)
{
	__u32 index = bpf_get_smp_processor_id();
	__u64 flags = BPF_RB_NO_WAKEUP;
	void *ring;

	if (!(++cpu->messages & 63)) {
		ring = bpf_map_lookup_elem(&pt_rings, &index);
		if (ring && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > pt_config.ring_wakeup)
			flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(message, flags);
}

/* Wakes the reader by a message without a record. */
static __always_inline void pt_nudge(void)
{
	__u32 index = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&pt_rings, &index);
	struct pt_header nudge = {};

	if (ring)
		bpf_ringbuf_output(ring, &nudge, sizeof(nudge), BPF_RB_FORCE_WAKEUP);
}

#define PT_HEADER(name)                                                                            \
	(struct pt_header)                                                                         \
	{                                                                                          \
		.kind = PT_KIND_##name, .size = sizeof(struct pt_##name)                           \
	}

/* One record of a fixed size: declares `message`, or counts the loss and returns from the program.
 */
#define PT_MESSAGE(name)                                                                           \
	struct {                                                                                   \
		struct pt_header header;                                                           \
		struct pt_##name row;                                                              \
	} *message = pt_reserve(cpu, PT_KIND_##name, sizeof(*message));                            \
	if (!message)                                                                              \
		return 0;                                                                          \
	message->header = PT_HEADER(name)

static __always_inline void pt_comm_copy(struct pt_comm *to, const char *from)
{
	*(__u64 *)to->s = *(const __u64 *)from;
	*(__u64 *)(to->s + 8) = *(const __u64 *)(from + 8);
}

#endif
