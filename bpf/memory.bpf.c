/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory by the kernel's own counters: what a process has when it exits, what a fork copies and
 * hands to the child to share, and the copy-on-write faults that follow.
 */
#include "bpf/memory.h"

#define CLONE_VM 0x00000100

/* x86: pages were present, and written to. */
#define PT_FAULT_COW 3

__u64 pt_memory_bases[PT_CPUS_MAX] = {};

struct pt_memory_task_map pt_memory_tasks SEC(".maps");

/* settled: no task of the process holds back any of what plain counters count. */
static __always_inline int pt_memory_at_exit(struct pt_cpu *cpu, struct task_struct *task,
					     bool settled)
{
	struct mm_struct *mm = pt_follow(struct task_struct, task, mm);
	struct pt_rss rss = {};
	__u64 total;

	PT_MESSAGE(memory_exit);
	message->row = (struct pt_memory_exit){
		.time = bpf_ktime_get_ns(),
		.peak = (__u64)pt_follow(struct task_struct, task, signal)->maxrss
			<< pt_config.page_shift,
		.pid = task->tgid,
		.flags = PT_MEMORY_EXIT_ONLY_PEAK,
	};
	if (pt_rss_read(&rss, mm)) {
		total = pt_rss_total(&rss);
		message->row.anon = pt_rss_bytes(&rss, PT_MM_ANON);
		message->row.file = pt_rss_bytes(&rss, PT_MM_FILE);
		message->row.shmem = pt_rss_bytes(&rss, PT_MM_SHMEM);
		message->row.swap = pt_rss_bytes(&rss, PT_MM_SWAP);
		message->row.page_tables = mm->pgtables_bytes.counter;
		message->row.peak = (__u64)mm->hiwater_rss << pt_config.page_shift;
		if (message->row.peak < total)
			message->row.peak = total;
		message->row.flags =
			rss.rough && !(settled && rss.plain) ? PT_MEMORY_EXIT_ROUGH : 0;
	}
	pt_commit(cpu, message);
	return 0;
}

/* Copy-on-write faults of the other tasks of its process. */
static __always_inline __u64 pt_memory_others(struct task_struct *task, __u64 own_faults)
{
	struct pt_memory_task *leader = pt_memory_peek(task->group_leader);

	return leader ? leader->cow_faults + leader->others_cow_faults - own_faults : 0;
}

/* The end of what a forked child shared with the task that made it. */
static __always_inline int pt_memory_part(struct pt_cpu *cpu, struct task_struct *task,
					  struct pt_memory_task *own, __u32 flags)
{
	struct task_struct *parent = task->real_parent;
	struct pt_memory_task *theirs;

	own->forked = 0;
	PT_MESSAGE(memory_parted);
	message->row = (struct pt_memory_parted){
		.time = bpf_ktime_get_ns(),
		.cow_faults = own->cow_faults,
		.minor_faults = task->min_flt,
		.pid = task->tgid,
		.flags = flags | PT_PARTED_NO_PARENT,
		.others_cow_faults = pt_memory_others(task, own->cow_faults),
	};
	theirs = pt_memory_peek(parent);
	if (theirs) {
		message->row.parent_cow_faults = theirs->cow_faults;
		message->row.parent_minor_faults = parent->min_flt;
		message->row.parent_others_cow_faults =
			pt_memory_others(parent, theirs->cow_faults);
		message->row.flags = flags;
	}
	pt_commit(cpu, message);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pt_memory_exit, struct task_struct *task)
{
	struct pt_memory_task *own;
	struct pt_cpu *cpu = pt_this_cpu();
	bool last = !pt_follow(struct task_struct, task, signal)->live.counter;

	if (!cpu || !pt_target_of(task))
		return 0;
	pt_memory_faults(cpu, task);
	if (!last)
		return 0;
	own = pt_memory_peek(task->group_leader);
	if (own && own->forked)
		pt_memory_part(cpu, task->group_leader, own, 0);
	own = pt_memory_peek(task);
	if (!own || !own->left)
		pt_memory_at_exit(cpu, task, false);
	return 0;
}

/*
 * Up to 6.15 a task has no address space any more when sched_process_exit fires, but still has it
 * here, with all counts that its tasks had held back added up.
 */
SEC("kprobe/taskstats_exit")
int pt_memory_leave(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_memory_task *own;
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu || !pt_target_of(task) || task->signal->live.counter || !task->mm)
		return 0;
	own = pt_memory_of(task);
	if (own)
		own->left = 1;
	return pt_memory_at_exit(cpu, task, true);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(pt_memory_exec, struct task_struct *task)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_memory_task *own = cpu && pt_target_of(task) ? pt_memory_peek(task) : NULL;

	if (!own)
		return 0;
	own->fork_begun = 0;
	if (own->forked)
		pt_memory_part(cpu, task, own, PT_PARTED_EXEC);
	return 0;
}

/*
 * Since 6.2 every new address space allocates per-CPU counters before anything is copied into it,
 * and hardly anything else that a program does allocates such memory: this tells when fork began
 * its work, and costs nothing where nobody forks.
 */
SEC("tp_btf/percpu_alloc_percpu")
int BPF_PROG(pt_memory_alloc)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_memory_task *own;

	if (task->flags & PF_KTHREAD || !pt_target_of(task))
		return 0;
	own = pt_memory_of(task);
	if (own)
		own->fork_begun = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(pt_memory_newtask, struct task_struct *task, __u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct pt_memory_task *own, *child;
	struct pt_cpu *cpu = pt_this_cpu();
	struct mm_struct *mm = pt_follow(struct task_struct, task, mm);
	struct pt_rss rss = {};

	if (!cpu || clone_flags & CLONE_VM || !pt_target_of(parent))
		return 0;
	own = pt_memory_of(parent);
	child = pt_memory_of(task);
	if (!own || !child) {
		cpu->lost[PT_KIND_memory_fork]++;
		return 0;
	}
	child->forked = 1;
	PT_MESSAGE(memory_fork);
	message->row = (struct pt_memory_fork){
		.time = bpf_ktime_get_ns(),
		.cow_faults = own->cow_faults,
		.minor_faults = parent->min_flt,
		.pid = task->tgid,
		.parent_tid = parent->pid,
		.parent_pid = parent->tgid,
		.flags = PT_MEMORY_EXIT_ONLY_PEAK,
		.others_cow_faults = pt_memory_others(parent, own->cow_faults),
	};
	if (own->fork_begun && bpf_core_field_exists(mm->rss_stat[0].counters))
		message->row.copying = message->row.time - own->fork_begun;
	own->fork_begun = 0;
	if (pt_rss_read(&rss, mm)) {
		message->row.anon = pt_rss_bytes(&rss, PT_MM_ANON);
		message->row.file = pt_rss_bytes(&rss, PT_MM_FILE);
		message->row.shmem = pt_rss_bytes(&rss, PT_MM_SHMEM);
		message->row.page_tables = mm->pgtables_bytes.counter;
		message->row.flags = rss.rough ? PT_MEMORY_EXIT_ROUGH : 0;
	}
	pt_commit(cpu, message);
	return 0;
}

/* Every CPU has tasks of its own, which lead to its run queue, and that to what lies beside it. */
SEC("iter/task")
int pt_iter_cpus(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct rq *rq;
	__u64 base = 0;
	__u32 cpu;

	if (!task || pt_config.cpu_offset == PT_NO_OFFSET)
		return 0;
	rq = pt_rq_of(task);
	if (!rq)
		return 0;
	cpu = rq->cpu;
	if (cpu >= PT_CPUS_MAX || pt_memory_bases[cpu])
		return 0;
	bpf_probe_read_kernel(&base, sizeof(base), (const char *)rq + pt_config.cpu_offset);
	pt_memory_bases[cpu] = base;
	return 0;
}

#if defined(__TARGET_ARCH_x86)
/* A write to a present page is a write to a protected one: copy-on-write, nearly always. */
SEC("tp_btf/page_fault_user")
int BPF_PROG(pt_memory_fault, unsigned long address, struct pt_regs *regs, unsigned long error_code)
{
	struct task_struct *task;
	struct pt_memory_task *own;

	if ((error_code & PT_FAULT_COW) != PT_FAULT_COW)
		return 0;
	task = bpf_get_current_task_btf();
	if (!pt_target_of(task))
		return 0;
	own = pt_memory_of(task);
	if (own)
		own->cow_faults++;
	if (task->pid == task->tgid)
		return 0;
	own = pt_memory_of(task->group_leader);
	if (own)
		own->others_cow_faults++;
	return 0;
}
#endif
