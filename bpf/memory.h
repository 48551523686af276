/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is kept of a target for the sake of its memory, beside what all probes keep. */
#ifndef PT_BPF_MEMORY_H
#define PT_BPF_MEMORY_H

#include "bpf/rss.h"

/* What was told last of the resident memory of a process. */
struct pt_growth {
	__s64 counts[PT_MM_COUNTERS]; /* as pt_rss_count() has them */
	__u64 space;		      /* the mm_struct: an address, never followed */
	__s64 step;		      /* pages by which one must move to be worth telling again */
	__u64 told;		      /* CLOCK_MONOTONIC ns when that was */
	__u64 tokens;		      /* how often more may be told */
	__u64 refilled;		      /* CLOCK_MONOTONIC ns when tokens were last added */
};

struct pt_memory_task {
	__u64 cow_faults;
	__u64 others_cow_faults; /* of a leader: those of its process's other tasks, dead ones too */
	__u64 fork_begun;	 /* when the address space for a child was made, 0: not now */
	__u64 forked;		 /* it shares memory with the parent that it has from fork */
	__u64 left;		 /* the memory of its process at the end is told */
	struct pt_growth growth; /* of its process, if it is the leader */
};

struct pt_memory_task_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pt_memory_task);
};
extern struct pt_memory_task_map pt_memory_tasks SEC(".maps");

/* NULL if nothing has happened that is kept. */
static __always_inline struct pt_memory_task *pt_memory_peek(struct task_struct *task)
{
	return bpf_task_storage_get(&pt_memory_tasks, task, NULL, 0);
}

static __always_inline struct pt_memory_task *pt_memory_of(struct task_struct *task)
{
	return bpf_task_storage_get(&pt_memory_tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* What the task has had of copy-on-write faults, if any. */
static __always_inline int pt_memory_faults(struct pt_cpu *cpu, struct task_struct *task)
{
	struct pt_memory_task *own = pt_memory_peek(task);

	if (!own || !own->cow_faults)
		return 0;
	PT_MESSAGE(memory_faults);
	message->row = (struct pt_memory_faults){
		.time = bpf_ktime_get_ns(),
		.cow_faults = own->cow_faults,
		.tid = task->pid,
		.pid = task->tgid,
	};
	pt_commit(cpu, message);
	return 0;
}

#endif
