/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who grows or shrinks, when, by the kernel's own RSS events. The event comes with every page or
 * two; told is what is worth it: a mebibyte after some quiet, so that it is known when a change
 * began, and a thirty-second part of the whole while it goes on. One that goes up and down by that
 * all the time has its tokens, which bound what it may cost.
 */
#include "bpf/memory.h"

#define PT_GROWTH_STEP	 (1ULL << 20) /* bytes */
#define PT_GROWTH_PART	 5	      /* log2 */
#define PT_GROWTH_QUIET	 100000000ULL /* ns */
#define PT_GROWTH_TOKENS 384	      /* enough for 0 to 256 GiB in one go */
#define PT_GROWTH_REFILL 10000000ULL  /* ns */

/*
 * What the last event on a CPU was about. Counters move once in 32 pages or more, so that nearly
 * all events say nothing new, be it of a target or a bystander, and end here.
 */
struct pt_glance {
	__u64 space;
	__s64 counts[PT_MM_COUNTERS];
} __attribute__((aligned(64)));

static struct pt_glance pt_glances[PT_CPUS_MAX];

static __always_inline bool pt_glance_is_old(struct mm_struct *mm, __u32 member, __s64 count)
{
	struct pt_glance *glance = &pt_glances[bpf_get_smp_processor_id() & (PT_CPUS_MAX - 1)];

	if (glance->space == (__u64)mm && glance->counts[member] == count)
		return true;
	glance->space = (__u64)mm;
	glance->counts[member] = count;
	return false;
}

static __always_inline bool pt_growth_allowed(struct pt_growth *growth, __u64 now)
{
	__u64 more = (now - growth->refilled) / PT_GROWTH_REFILL;

	if (more) {
		growth->refilled = now;
		growth->tokens += more;
		if (growth->tokens > PT_GROWTH_TOKENS)
			growth->tokens = PT_GROWTH_TOKENS;
	}
	if (!growth->tokens)
		return false;
	growth->tokens--;
	return true;
}

static __always_inline void pt_growth_note(struct pt_growth *growth, struct mm_struct *mm,
					   __u64 now, __u64 total)
{
	__u64 step = total >> PT_GROWTH_PART;

	growth->counts[PT_MM_FILE] = pt_rss_count(mm, PT_MM_FILE);
	growth->counts[PT_MM_ANON] = pt_rss_count(mm, PT_MM_ANON);
	growth->counts[PT_MM_SWAP] = pt_rss_count(mm, PT_MM_SWAP);
	growth->counts[PT_MM_SHMEM] = pt_rss_count(mm, PT_MM_SHMEM);
	growth->told = now;
	growth->step = (step > PT_GROWTH_STEP ? step : PT_GROWTH_STEP) >> pt_config.page_shift;
}

static __always_inline int pt_growth_tell(struct task_struct *task, struct mm_struct *mm,
					  struct pt_growth *growth, __s64 moved)
{
	bool fresh = growth->space != (__u64)mm;
	__u64 now = bpf_ktime_get_ns();
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_rss rss = {};

	if (!fresh && moved < growth->step && now - growth->told < PT_GROWTH_QUIET)
		return 0;
	if (!cpu || !pt_growth_allowed(growth, now) || !pt_rss_read(&rss, mm))
		return 0;
	growth->space = (__u64)mm;
	pt_growth_note(growth, mm, now, pt_rss_total(&rss));
	PT_MESSAGE(memory_rss);
	message->row = (struct pt_memory_rss){
		.time = now,
		.anon = pt_rss_bytes(&rss, PT_MM_ANON),
		.file = pt_rss_bytes(&rss, PT_MM_FILE),
		.shmem = pt_rss_bytes(&rss, PT_MM_SHMEM),
		.swap = pt_rss_bytes(&rss, PT_MM_SWAP),
		.page_tables = mm->pgtables_bytes.counter,
		.pid = task->tgid,
		.tid = task->pid,
		.flags = (rss.rough ? PT_MEMORY_EXIT_ROUGH : 0) | (fresh ? PT_MEMORY_RSS_FIRST : 0),
	};
	pt_commit(cpu, message);
	return 0;
}

/* Not while a program is loaded, a child is made or another process is reclaimed from: that is another mm. */
SEC("tp_btf/rss_stat")
int BPF_PROG(pt_memory_grow, struct mm_struct *mm, int member)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 counter = (__u32)member;
	struct pt_memory_task *leader;
	__s64 count, moved;

	if (counter >= PT_MM_COUNTERS)
		return 0;
	count = pt_rss_count(mm, counter);
	if (pt_glance_is_old(mm, counter, count) ||
	    pt_read_address(struct task_struct, task, mm) != (__u64)mm || !pt_target_of(task))
		return 0;
	leader = pt_memory_of(task->group_leader);
	if (!leader)
		return 0;
	moved = count - leader->growth.counts[counter];
	if (moved < 0)
		moved = -moved;
	if (moved < (__s64)(PT_GROWTH_STEP >> pt_config.page_shift) &&
	    leader->growth.space == (__u64)mm)
		return 0;
	return pt_growth_tell(task, mm, &leader->growth, moved);
}
