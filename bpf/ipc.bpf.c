/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Channels: what a task has summed up is told when it exits and when recording ends. */
#include "bpf/ends.h"
#include "bpf/reason.h"

static __always_inline void pt_task_flush(struct task_struct *task, bool exits)
{
	struct pt_target *target = pt_target_of(task);
	struct pt_ipc call = {.tid = task->pid};
	struct pt_table *table;

	if (!target || !target->table)
		return;
	table = pt_table_at(target->table);
	if (!table)
		return;
	pt_table_flush(&call, table);
	if (exits)
		pt_table_give(target, table);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pt_ipc_exit, struct task_struct *task)
{
	pt_task_flush(task, true);
	return 0;
}

SEC("iter/task")
int pt_ipc_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		pt_task_flush(task, false);
	return 0;
}

struct pt_learn {
	__u32 eventfd; /* a descriptor of the caller */
};

/* Learns by an example how an eventfd is known from other files without an inode of their own. */
SEC("syscall")
int pt_ipc_learn(struct pt_learn *example)
{
	struct file *file = pt_file_of(bpf_get_current_task_btf(), example->eventfd);

	if (!file)
		return 0;
	pt_control.eventfd_operations = (__u64)BPF_CORE_READ(file, f_op);
	pt_control.anonymous_inode = (__u64)BPF_CORE_READ(file, f_inode);
	return 0;
}
