/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The time of a switch. Reading a clock costs more than all else that a switch needs, and the
 * scheduler has just read one: __schedule() calls update_rq_clock() before it picks the next task.
 * So a switch takes rq->clock, and only once in PT_CLOCK_SYNC asks for CLOCK_MONOTONIC as well, to
 * know how the two stand to each other.
 *
 * The difference is measured too big by however long ago rq->clock was read, which is an interrupt
 * or a stolen CPU at worst. The smallest is the truest: a bigger one is believed only as far as
 * clocks may drift apart (NTP slews by at most 500 ppm, that is 1/2048).
 */
#ifndef PT_BPF_CLOCK_H
#define PT_BPF_CLOCK_H

#include "bpf/core.h"

#define PT_CLOCK_SYNC	    1000000 /* ns */
#define PT_CLOCK_FIRST	    16	    /* so many times in a row at first, for one to be good */
#define PT_CLOCK_SLACK_MAX  1000000 /* ns */
#define PT_CLOCK_DRIFT_LOG2 11
#define PT_CLOCK_GRAIN	    16 /* ns */

/* rq->clock as CLOCK_MONOTONIC, never before a time that was given out on this CPU. */
static __always_inline __u64 pt_clock_convert(struct pt_cpu *cpu, __u64 clock)
{
	__u64 age = clock - cpu->clock_synced, time;

	if (age > PT_CLOCK_SYNC || cpu->clock_syncs < PT_CLOCK_FIRST) {
		__u64 offset = bpf_ktime_get_ns() - clock;
		__u64 slack = age >> PT_CLOCK_DRIFT_LOG2;

		if (slack > PT_CLOCK_SLACK_MAX)
			slack = PT_CLOCK_SLACK_MAX;
		if (!cpu->clock_synced || (__s64)(offset - cpu->clock_offset) < (__s64)slack)
			cpu->clock_offset = offset;
		else
			cpu->clock_offset += slack;
		cpu->clock_synced = clock;
		cpu->clock_syncs++;
	}
	time = clock + cpu->clock_offset;
	if (time < cpu->clock_last)
		time = cpu->clock_last;
	cpu->clock_last = time;
	return time;
}

/*
 * CLOCK_MONOTONIC, never before a time that was given out on this CPU. If one was, the difference had been measured too
 * big, as it may be the first time.
 */
static __always_inline __u64 pt_clock_now(struct pt_cpu *cpu)
{
	__u64 now = bpf_ktime_get_ns();

	if (now < cpu->clock_last)
		cpu->clock_offset -= cpu->clock_last - now;
	else
		cpu->clock_last = now;
	return cpu->clock_last;
}

/*
 * Times of switches have a grain: it is less than reading a clock takes, and less than the clock is off, and four bits of
 * noise for each switch would be a fifth of the file. Upwards, so that what the task did before stays before.
 */
static __always_inline __u64 pt_clock_round(__u64 time)
{
	return (time + PT_CLOCK_GRAIN - 1) & ~(PT_CLOCK_GRAIN - 1ULL);
}

#endif
