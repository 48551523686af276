/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * switches: threads and processes that sleep, yield, compute and play ping-pong over pipes, each a known mix. As the last
 * thing before it ends each reads the kernel's counters of its own context switches.
 * A line for each: pid= tid= voluntary= involuntary= mix=
 */
#include <pthread.h>

#include "truth.h"

#define ROUNDS 200

enum mix { SLEEP, YIELD, COMPUTE, PING, PONG, ALL, MIXES };

static const char *const mix_names[MIXES] = {"sleep", "yield", "compute", "ping", "pong", "all"};

static struct switches *slots;
static int pipes[2][2];

static void do_sleep(void)
{
	for (int i = 0; i < ROUNDS / 10; i++)
		sleep_us(500);
}

static void do_yield(void)
{
	for (int i = 0; i < ROUNDS; i++)
		sched_yield();
}

static void do_pingpong(bool first)
{
	char c = 'x';

	for (int i = 0; i < ROUNDS; i++) {
		if (first)
			must(write(pipes[0][1], &c, 1) == 1 && read(pipes[1][0], &c, 1) == 1);
		else
			must(read(pipes[0][0], &c, 1) == 1 && write(pipes[1][1], &c, 1) == 1);
	}
}

static void do_mix(enum mix mix)
{
	if (mix == PING || mix == PONG)
		do_pingpong(mix == PING);
	if (mix == SLEEP || mix == ALL)
		do_sleep();
	if (mix == YIELD || mix == ALL)
		do_yield();
	if (mix == COMPUTE || mix == ALL)
		spin_ms(60);
}

static void *run_thread(void *arg)
{
	struct switches *slot = arg;

	do_mix((enum mix)((slot - slots) % MIXES));
	read_switches(slot);
	exit_thread();
}

/* One process with a thread for each mix; its first slot is its own. */
static void run_process(struct switches *own, struct switches *first)
{
	pthread_t threads[MIXES];

	must(!pipe(pipes[0]) && !pipe(pipes[1]));
	for (int i = 0; i < MIXES; i++)
		must(!pthread_create(&threads[i], NULL, run_thread, &first[i]));
	for (int i = 0; i < MIXES; i++)
		must(!pthread_join(threads[i], NULL));
	do_mix(ALL);
	read_switches(own);
}

int main(void)
{
	enum { CHILDREN = 2, SLOTS = (CHILDREN + 1) * MIXES };
	struct switches own[CHILDREN + 1] = {0}, *leaders;
	struct switches start;

	read_switches(&start);
	slots = shared_memory((SLOTS + CHILDREN) * sizeof(*slots));
	leaders = slots + SLOTS;
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (!pid) {
			run_process(&leaders[i], &slots[i * MIXES]);
			_exit(0);
		}
	}
	run_process(&own[0], &slots[CHILDREN * MIXES]);
	for (int i = 0; i < CHILDREN; i++)
		must(wait(NULL) > 0);
	for (int i = 0; i < SLOTS + CHILDREN; i++)
		truth("pid=%d tid=%d voluntary=%lu involuntary=%lu mix=%s\n", slots[i].pid,
		      slots[i].tid, slots[i].voluntary, slots[i].involuntary,
		      i < SLOTS ? mix_names[i % MIXES] : "leader");
	truth("pid=%d tid=%d voluntary=%lu involuntary=%lu mix=start\n", start.pid, start.tid,
	      start.voluntary, start.involuntary);
	read_switches(&own[0]);
	truth("pid=%d tid=%d voluntary=%lu involuntary=%lu mix=end\n", own[0].pid, own[0].tid,
	      own[0].voluntary, own[0].involuntary);
	_exit(0);
}
