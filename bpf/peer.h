/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Names for those who are not targets but occur in a target's records. Each is recorded when it is
 * first seen and when its name has changed. A small table per CPU answers nearly always; the shared
 * one keeps two names that fall on the same slot from pushing each other out for ever.
 */
#ifndef PT_BPF_PEER_H
#define PT_BPF_PEER_H

#include "bpf/core.h"

struct pt_peer_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct pt_peer_map pt_peers SEC(".maps");

static __always_inline int pt_peer_emit(struct pt_cpu *cpu, struct task_struct *task, __u64 time)
{
	PT_MESSAGE(task);
	message->row = (struct pt_task){
		.time = time,
		.start = task->start_boottime,
		.tid = task->pid,
		.pid = task->tgid,
		.syscall = -1,
		.state = PT_STATE_RUNNING,
		.flags = PT_TASK_PEER | (task->flags & PF_KTHREAD ? PT_TASK_KTHREAD : 0),
	};
	pt_comm_copy(&message->row.comm, task->comm);
	pt_commit(cpu, message);
	return 0;
}

static __always_inline void pt_peer_name(struct pt_cpu *cpu, struct task_struct *task, __u64 time)
{
	__u32 tid = task->pid;
	__u64 hash = *(__u64 *)task->comm ^ task->start_boottime ^ tid;
	__u64 *slot = &cpu->peers[tid % PT_PEER_CACHE], *known;

	if (!tid || *slot == hash)
		return;
	*slot = hash;
	known = bpf_map_lookup_elem(&pt_peers, &tid);
	if (known && *known == hash)
		return;
	bpf_map_update_elem(&pt_peers, &tid, &hash, BPF_ANY);
	pt_peer_emit(cpu, task, time);
}

#endif
