/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is kept of a target for the sake of its memory, beside what all probes keep. */
#ifndef PT_BPF_MEMORY_H
#define PT_BPF_MEMORY_H

#include "bpf/core.h"

struct pt_memory_task {
	__u64 cow_faults;
	__u64 fork_begun; /* when the address space for a child was made, 0: not now */
	__u64 forked;	  /* it shares memory with the parent that it has from fork */
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
