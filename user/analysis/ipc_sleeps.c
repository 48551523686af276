/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc_sleeps.h"

/* For what reason a task sleeps in a call on a channel of a kind. */
#define SLEEPS(S)                                                                                  \
	S(PIPE, PIPE)                                                                              \
	S(FIFO, PIPE)                                                                              \
	S(UNIX, UNIX)                                                                              \
	S(TCP, TCP)                                                                                \
	S(UDP, UDP)                                                                                \
	S(EVENTFD, EVENTFD)                                                                        \
	S(POSIX_QUEUE, IPC)                                                                        \
	S(SYSV_QUEUE, IPC)

/* UNKNOWN: it does not sleep. */
static const uint8_t reason_of_kind[PT_CHANNEL_COUNT] = {
#define S(kind, reason) [PT_CHANNEL_##kind] = PT_REASON_##reason,
	SLEEPS(S)
#undef S
};

static bool is_of_channels(enum pt_reason reason)
{
#define S(kind, reason) | 1ull << PT_REASON_##reason
	const uint64_t reasons = 0 SLEEPS(S);
#undef S

	return reasons >> reason & 1;
}

/* What there is of this call and reason, else an empty one in place of what has been quiet for longest. */
static struct pt_ipc_sleep *entry_for(struct pt_ipc_sleeps *sleeps, int16_t syscall, uint8_t reason,
				      uint64_t time)
{
	struct pt_ipc_sleep *oldest = &sleeps->list[0];
	size_t i;

	for (i = 0; i < PT_SLEEP_CALLS; i++) {
		struct pt_ipc_sleep *sleep = &sleeps->list[i];

		if (sleep->reason == reason && sleep->syscall == syscall) {
			sleep->touched = time;
			return sleep;
		}
		if (sleep->touched < oldest->touched)
			oldest = sleep;
	}
	*oldest = (struct pt_ipc_sleep){.touched = time, .syscall = syscall, .reason = reason};
	return oldest;
}

void pt_ipc_sleeps_add(struct pt_ipc_sleeps *sleeps, const struct pt_span *span)
{
	uint64_t ns = span->to - span->from;
	struct pt_ipc_sleep *sleep;

	if (span->syscall < 0 || !is_of_channels(span->reason))
		return;
	sleep = entry_for(sleeps, (int16_t)span->syscall, (uint8_t)span->reason, span->to);
	if (!sleep->ns)
		sleep->from = span->from;
	sleep->ns += ns;
	sleep->until = span->to;
	if (ns > sleep->longest)
		sleep->longest = ns;
}

static void charge(struct pt_ipc_sleep *sleep, struct pt_traffic *traffic, uint64_t longest,
		   const struct pt_model_task *task)
{
	traffic->blocked_ns += sleep->ns;
	if (longest > traffic->blocked_max) {
		traffic->blocked_max = longest;
		traffic->blocked_max_at = sleep->until;
		traffic->blocked_max_task = task;
	}
	sleep->ns = sleep->longest = 0;
}

uint64_t pt_ipc_sleeps_moved(struct pt_ipc_sleeps *sleeps, struct pt_traffic *traffic, uint8_t kind,
			     const struct pt_model_task *task, int16_t syscall, uint64_t time)
{
	uint8_t reason = kind < PT_CHANNEL_COUNT ? reason_of_kind[kind] : PT_REASON_UNKNOWN;
	struct pt_ipc_sleep *sleep;

	if (reason == PT_REASON_UNKNOWN)
		return 0;
	sleep = entry_for(sleeps, syscall, reason, time);
	sleep->last = traffic;
	if (!sleep->ns)
		return 0;
	/* One call may sleep several times. */
	charge(sleep, traffic, sleep->ns, task);
	return sleep->from;
}

void pt_ipc_sleeps_summed(struct pt_ipc_sleeps *sleeps, struct pt_traffic *traffic,
			  const struct pt_model_task *task)
{
	size_t i;

	for (i = 0; i < PT_SLEEP_CALLS; i++) {
		struct pt_ipc_sleep *sleep = &sleeps->list[i];

		/* Nobody knows where one call ended and the next began. */
		if (sleep->last == traffic && sleep->ns)
			charge(sleep, traffic, sleep->longest, task);
	}
}

void pt_ipc_sleeps_finish(struct pt_ipc_sleeps *sleeps, const struct pt_model_task *task)
{
	size_t i;

	for (i = 0; i < PT_SLEEP_CALLS; i++) {
		struct pt_ipc_sleep *sleep = &sleeps->list[i];

		if (sleep->last && sleep->ns)
			charge(sleep, sleep->last, sleep->longest, task);
	}
}
