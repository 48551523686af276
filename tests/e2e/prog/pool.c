/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool starved|easy|idle [SLEEPS]: four threads that wait on one condition for work, and a loop that gives it to them and is told by
 * an eventfd when some is done. With `starved` there are twelve jobs of 40 ms at once, with `easy` three, again and again; with
 * `idle` one after the other. SLEEPS: the jobs are no computations, but sleeps. Tells
 *   tid= of each thread, and at last waited=: for how long there was work that no thread had taken, ns
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "truth.h"

#define WORKERS 4
#define JOB_MS	40

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static int jobs, free_workers, event;
static bool sleeps;
static uint64_t waiting_since, waited;
static pid_t tids[WORKERS];

/* With the mutex held: does work wait, as of now? */
static void note(void)
{
	bool waits = jobs > 0 && !free_workers;
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	if (waits && !waiting_since)
		waiting_since = now;
	if (!waits && waiting_since) {
		waited += now - waiting_since;
		waiting_since = 0;
	}
}

static void *work(void *arg)
{
	uint64_t one = 1;

	*(pid_t *)arg = own_tid();
	must(!pthread_mutex_lock(&mutex));
	for (;;) {
		free_workers++;
		while (!jobs) {
			note();
			must(!pthread_cond_wait(&more, &mutex));
		}
		free_workers--;
		jobs--;
		note();
		must(!pthread_mutex_unlock(&mutex));
		if (sleeps)
			sleep_us(JOB_MS * 1000);
		else
			spin_ms(JOB_MS);
		must(write(event, &one, sizeof(one)) == sizeof(one));
		must(!pthread_mutex_lock(&mutex));
	}
	return NULL;
}

static void give(int count)
{
	must(!pthread_mutex_lock(&mutex));
	jobs += count;
	note();
	must(!pthread_cond_broadcast(&more));
	must(!pthread_mutex_unlock(&mutex));
}

/* Until so many jobs have been done. */
static void run_loop(int epoll, int count)
{
	struct epoll_event got;
	uint64_t done;

	while (count > 0) {
		must(epoll_wait(epoll, &got, 1, -1) >= 0);
		if (read(event, &done, sizeof(done)) == sizeof(done))
			count -= (int)done;
	}
}

int main(int argc, char **argv)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), burst;
	struct epoll_event in = {.events = EPOLLIN};
	pthread_t thread;

	must(argc > 1);
	sleeps = argc > 2;
	burst = !strcmp(argv[1], "starved") ? 12 : !strcmp(argv[1], "easy") ? 3 : 1;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(epoll >= 0 && event >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, event, &in));
	for (int i = 0; i < WORKERS; i++)
		must(!pthread_create(&thread, NULL, work, &tids[i]));
	sleep_us(50000);
	for (int round = 0; round < 12 / burst; round++) {
		give(burst);
		run_loop(epoll, burst);
	}
	sleep_us(50000);
	for (int i = 0; i < WORKERS; i++)
		truth("tid=%d\n", tids[i]);
	truth("waited=%lu\n", waited);
	return 0;
}
