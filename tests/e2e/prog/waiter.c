/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waiter: three threads and one CPU: two compute, one sleeps again and again. Each reads at last what the scheduler counted
 * for it, and sleeps until the process ends, so that the scheduler has nothing more to count. A line for each: pid= tid= comm= cpu_ns= delay_ns=
 */
#include <pthread.h>

#include "truth.h"

struct figures {
	const char *comm;
	pid_t tid;
	unsigned long long cpu_ns;
	unsigned long long delay_ns;
	volatile bool done;
};

static void read_schedstat(struct figures *f)
{
	char buf[128];

	f->tid = own_tid();
	read_own("schedstat", buf, sizeof(buf));
	must(sscanf(buf, "%llu %llu", &f->cpu_ns, &f->delay_ns) == 2);
}

static void rest(struct figures *f)
{
	read_schedstat(f);
	f->done = true;
	for (;;)
		pause();
}

static void *compute(void *arg)
{
	struct figures *f = arg;

	must(!prctl(PR_SET_NAME, f->comm));
	spin_ms(150);
	rest(f);
	return NULL;
}

static void *doze(void *arg)
{
	struct figures *f = arg;

	must(!prctl(PR_SET_NAME, f->comm));
	for (int i = 0; i < 40; i++)
		sleep_us(5000);
	rest(f);
	return NULL;
}

int main(void)
{
	struct figures figures[3] = {{.comm = "spin-a"}, {.comm = "spin-b"}, {.comm = "dozer"}};
	pthread_t threads[3];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	must(!sched_setaffinity(0, sizeof(one), &one));
	for (int i = 0; i < 3; i++)
		must(!pthread_create(&threads[i], NULL, i < 2 ? compute : doze, &figures[i]));
	while (!figures[0].done || !figures[1].done || !figures[2].done)
		sleep_us(1000);
	for (int i = 0; i < 3; i++)
		truth("pid=%d tid=%d comm=%s cpu_ns=%llu delay_ns=%llu\n", getpid(), figures[i].tid,
		      figures[i].comm, figures[i].cpu_ns, figures[i].delay_ns);
	return 0;
}
