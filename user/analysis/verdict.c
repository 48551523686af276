/* SPDX-License-Identifier: BSD-2-Clause */
/* Why was a turn long? The greatest of what it consisted of decides. */
#include "analysis/stalls.h"

/* The part of the waits for a CPU that speaks for a quota: that it held the task back, or if that is not known that the
 * CPU was idle. */
#define QUOTA_SHARE 0.5

/* What a child costs on the way to its own life: system calls that make processes. */
static bool makes_processes(const struct pt_stall *stall, int syscall)
{
	uint32_t i;

	for (i = 0; i < stall->tally.child_count && i < PT_TALLY_CHILDREN; i++) {
		if (stall->tally.children[i]->made_by == syscall)
			return true;
	}
	return false;
}

static bool is_child(const struct pt_stall *stall, const struct pt_model_task *task)
{
	uint32_t i;

	for (i = 0; i < stall->tally.child_count && i < PT_TALLY_CHILDREN; i++) {
		if (stall->tally.children[i] == task)
			return true;
	}
	return false;
}

/*
 * spawn() waits on a pipe until its child runs another program, which first frees what was copied for it. That takes
 * about as long as the copying did; what is longer is the child's own affair.
 */
static uint64_t freeing_ns(const struct pt_stall *stall, uint64_t copying)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < stall->tally.sleep_count; i++) {
		const struct pt_slept *slept = &stall->tally.sleeps[i];

		if (slept->reason == PT_REASON_PIPE && is_child(stall, slept->waker))
			sum += slept->ns;
	}
	return sum < copying ? sum : copying;
}

static uint64_t slept_ns(const struct pt_stall *stall, int syscall)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < stall->tally.sleep_count; i++)
		sum += stall->tally.sleeps[i].syscall == syscall ? stall->tally.sleeps[i].ns : 0;
	return sum;
}

static uint64_t polled_ns(const struct pt_stall *stall)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < stall->tally.sleep_count; i++)
		sum += stall->tally.sleeps[i].reason == PT_REASON_POLL ? stall->tally.sleeps[i].ns
								       : 0;
	return sum;
}

static uint64_t without(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

/* poll() inside a turn is a blocking call like others, unless it waits for a child made in the same turn. */
static uint64_t nested_ns(const struct pt_stall *stall)
{
	if (stall->tally.child_count)
		return stall->inner_ns;
	return without(stall->inner_ns, stall->poll_ns);
}

/* Sleeps are sorted; those of a loop inside are that loop's. */
static const struct pt_slept *worst_sleep(const struct pt_stall *stall, bool nested)
{
	uint32_t i;

	for (i = 0; i < stall->tally.sleep_count; i++) {
		if (!nested || stall->tally.sleeps[i].reason != PT_REASON_POLL)
			return &stall->tally.sleeps[i];
	}
	return NULL;
}

/* What the kernel says of quotas. A process that was moved meanwhile may have been looked at too late. */
static bool find_quota(struct pt_stall *stall)
{
	const struct pt_cgroup_of *group =
		stall->cgroup ? stall->cgroup : stall->loop->task->process->cgroup;

	stall->held_ns = pt_cgroup_held(group, stall->from, stall->to, &stall->held_by);
	if (stall->held_ns > stall->part[PT_PART_RUNNABLE])
		stall->held_ns = stall->part[PT_PART_RUNNABLE];
	return pt_cgroup_is_read(group);
}

static enum pt_contender contender_of(const struct pt_stall *stall, const struct pt_model *model,
				      bool quota_known)
{
	const struct pt_process *own = stall->loop->task->process;
	uint64_t idle = 0, mine = 0, all = 0;
	uint32_t i;

	for (i = 0; i < stall->tally.taker_count; i++) {
		const struct pt_taker *taker = &stall->tally.takers[i];

		all += taker->ns;
		idle += taker->task == pt_model_idle(model) ? taker->ns : 0;
		mine += taker->task->process == own ? taker->ns : 0;
	}
	if ((double)stall->held_ns >= QUOTA_SHARE * (double)stall->part[PT_PART_RUNNABLE])
		return PT_CONTENDER_QUOTA;
	if (!all)
		return PT_CONTENDER_NONE;
	if ((double)idle >= QUOTA_SHARE * (double)all)
		return quota_known ? PT_CONTENDER_IDLE : PT_CONTENDER_QUOTA;
	return mine * 2 > all - idle ? PT_CONTENDER_OWN : PT_CONTENDER_OTHERS;
}

/* The call that kept it longest in the kernel on a CPU. */
static const struct pt_stall_call *worst_call(const struct pt_stall *stall)
{
	const struct pt_stall_call *worst = NULL;
	uint64_t most = stall->part[PT_PART_KERNEL] / 4, ns;
	uint32_t i;

	for (i = 0; i < stall->call_count; i++) {
		ns = without(stall->calls[i].ns, slept_ns(stall, stall->calls[i].syscall));
		if (ns > most) {
			most = ns;
			worst = &stall->calls[i];
		}
	}
	return worst;
}

void pt_stall_judge(struct pt_stall *stall, const struct pt_model *model)
{
	uint64_t weight[PT_VERDICT_COUNT] = {0}, forked = 0, slept = 0, freeing;
	uint64_t nested = nested_ns(stall);
	bool quota_known = find_quota(stall);
	uint32_t i;

	for (i = 0; i < stall->call_count; i++) {
		if (makes_processes(stall, stall->calls[i].syscall)) {
			forked += stall->calls[i].ns;
			slept += slept_ns(stall, stall->calls[i].syscall);
		}
	}
	weight[PT_VERDICT_UNKNOWN] = stall->part[PT_PART_UNKNOWN];
	weight[PT_VERDICT_COMPUTING] = stall->part[PT_PART_USER];
	/* Whoever waits for a child in vfork() copies nothing: that is a sleep like others. */
	forked = without(forked, slept);
	freeing = freeing_ns(stall, forked);
	weight[PT_VERDICT_KERNEL] = without(stall->part[PT_PART_KERNEL], forked);
	weight[PT_VERDICT_CPU] = stall->part[PT_PART_RUNNABLE];
	weight[PT_VERDICT_BLOCKED] =
		without(stall->part[PT_PART_BLOCKED], freeing + (nested ? polled_ns(stall) : 0));
	weight[PT_VERDICT_NESTED] = nested;
	weight[PT_VERDICT_FORK] = forked + freeing;
	for (i = 0; i < PT_VERDICT_COUNT; i++) {
		if (weight[i] >= stall->verdict_ns) {
			stall->verdict = i;
			stall->verdict_ns = weight[i];
		}
	}
	stall->slept = stall->verdict == PT_VERDICT_BLOCKED ? worst_sleep(stall, nested) : NULL;
	stall->call = stall->verdict == PT_VERDICT_KERNEL ? worst_call(stall) : NULL;
	stall->contender = stall->verdict == PT_VERDICT_CPU
				   ? contender_of(stall, model, quota_known)
				   : PT_CONTENDER_NONE;
}
