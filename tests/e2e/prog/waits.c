/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waits KIND...: a thread with a loop for each of these wait calls. A turn computes for a moment, one of them for 60 ms. When
 * all are done each tells, by its own clock:
 *   name= tid= waits= idle=        waits that could sleep, and their time in all, ns
 *   start= length=                 of the long turn's computing, CLOCK_MONOTONIC
 *   cpu= wait= user= kernel=       what the scheduler gave it meanwhile
 * and at last it waits for ever. A kind that the kernel does not have tells error= instead.
 */
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "truth.h"

#define TURNS	  40
#define LONG_TURN 20
#define WAIT_MS	  20

struct loop {
	const char *name;
	void (*wait)(struct loop *loop, bool for_ever);
	int (*open)(struct loop *loop); /* 0 or errno */
	int fd, pipe[2];
	struct io_uring_params params;
	char *rings;
	struct io_uring_sqe *entries;
	struct __kernel_timespec timeout;
	/* the truth */
	int error;
	pid_t tid;
	uint64_t waits, idle, start, length, cpu, delay, user, kernel;
	pthread_t thread;
};

static volatile int left;

static int open_pipe(struct loop *loop)
{
	return pipe(loop->pipe) ? errno : 0;
}

static int open_epoll(struct loop *loop)
{
	struct epoll_event event = {.events = EPOLLIN};

	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd < 0 || open_pipe(loop))
		return errno;
	return epoll_ctl(loop->fd, EPOLL_CTL_ADD, loop->pipe[0], &event) ? errno : 0;
}

static int open_ring(struct loop *loop)
{
	size_t size;

	loop->fd = (int)syscall(SYS_io_uring_setup, 4, &loop->params);
	if (loop->fd < 0)
		return errno;
	if (!(loop->params.features & IORING_FEAT_SINGLE_MMAP))
		return ENOSYS;
	size = loop->params.cq_off.cqes + loop->params.cq_entries * sizeof(struct io_uring_cqe);
	if (size < loop->params.sq_off.array + loop->params.sq_entries * sizeof(uint32_t))
		size = loop->params.sq_off.array + loop->params.sq_entries * sizeof(uint32_t);
	loop->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, loop->fd,
			   IORING_OFF_SQ_RING);
	loop->entries =
		mmap(NULL, loop->params.sq_entries * sizeof(struct io_uring_sqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, loop->fd, IORING_OFF_SQES);
	return loop->rings == MAP_FAILED || loop->entries == MAP_FAILED ? errno : 0;
}

static int timeout_of(bool for_ever)
{
	return for_ever ? -1 : WAIT_MS;
}

static const struct timespec wait_time = {0, WAIT_MS * 1000000};

static void by_epoll_wait(struct loop *loop, bool for_ever)
{
	struct epoll_event event;

	must(syscall(SYS_epoll_wait, loop->fd, &event, 1, timeout_of(for_ever)) >= 0);
}

static void by_epoll_pwait(struct loop *loop, bool for_ever)
{
	struct epoll_event event;

	must(syscall(SYS_epoll_pwait, loop->fd, &event, 1, timeout_of(for_ever), NULL, 8) >= 0);
}

static void by_epoll_pwait2(struct loop *loop, bool for_ever)
{
	struct epoll_event event;

	must(syscall(SYS_epoll_pwait2, loop->fd, &event, 1, for_ever ? NULL : &wait_time, NULL,
		     8) >= 0);
}

static void by_poll(struct loop *loop, bool for_ever)
{
	struct pollfd fd = {.fd = loop->pipe[0], .events = POLLIN};

	must(syscall(SYS_poll, &fd, 1, timeout_of(for_ever)) >= 0);
}

static void by_ppoll(struct loop *loop, bool for_ever)
{
	struct pollfd fd = {.fd = loop->pipe[0], .events = POLLIN};
	struct timespec time = wait_time;

	must(syscall(SYS_ppoll, &fd, 1, for_ever ? NULL : &time, NULL, 8) >= 0);
}

static void by_select(struct loop *loop, bool for_ever)
{
	struct timeval time = {0, WAIT_MS * 1000};
	fd_set fds;

	FD_ZERO(&fds);
	FD_SET(loop->pipe[0], &fds);
	must(syscall(SYS_select, loop->pipe[0] + 1, &fds, NULL, NULL, for_ever ? NULL : &time) >=
	     0);
}

static void by_pselect6(struct loop *loop, bool for_ever)
{
	struct timespec time = wait_time;
	fd_set fds;

	FD_ZERO(&fds);
	FD_SET(loop->pipe[0], &fds);
	must(syscall(SYS_pselect6, loop->pipe[0] + 1, &fds, NULL, NULL, for_ever ? NULL : &time,
		     NULL) >= 0);
}

/* Submits a timeout and waits for it, in one call. */
static void by_ring(struct loop *loop, bool for_ever)
{
	volatile uint32_t *tail = (void *)(loop->rings + loop->params.sq_off.tail);
	volatile uint32_t *head = (void *)(loop->rings + loop->params.cq_off.head);
	uint32_t *array = (void *)(loop->rings + loop->params.sq_off.array);
	uint32_t at = *tail & (loop->params.sq_entries - 1);

	loop->timeout.tv_sec = for_ever ? 1000 : 0;
	loop->timeout.tv_nsec = WAIT_MS * 1000000;
	loop->entries[at] = (struct io_uring_sqe){
		.opcode = IORING_OP_TIMEOUT, .addr = (uintptr_t)&loop->timeout, .len = 1};
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, loop->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 8) == 1);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

static struct loop loops[] = {
	{.name = "epoll_wait", .open = open_epoll, .wait = by_epoll_wait},
	{.name = "epoll_pwait", .open = open_epoll, .wait = by_epoll_pwait},
	{.name = "epoll_pwait2", .open = open_epoll, .wait = by_epoll_pwait2},
	{.name = "poll", .open = open_pipe, .wait = by_poll},
	{.name = "ppoll", .open = open_pipe, .wait = by_ppoll},
	{.name = "select", .open = open_pipe, .wait = by_select},
	{.name = "pselect6", .open = open_pipe, .wait = by_pselect6},
	{.name = "io_uring_enter", .open = open_ring, .wait = by_ring},
};

/* Adds what the scheduler gave, or takes it away. */
static void look(struct loop *loop, int sign)
{
	struct rusage usage;
	char buf[128];
	uint64_t wait;

	read_own("schedstat", buf, sizeof(buf));
	must(sscanf(buf, "%*u %lu", &wait) == 1);
	must(!getrusage(RUSAGE_THREAD, &usage));
	loop->user += (uint64_t)sign *
		      (uint64_t)(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec);
	loop->kernel += (uint64_t)sign *
			(uint64_t)(usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec);
	loop->delay += (uint64_t)sign * wait;
	loop->cpu += (uint64_t)sign * now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void compute(uint64_t ms)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + ms * 1000000;

	while (now_ns(CLOCK_MONOTONIC) < end)
		;
}

static void *run(void *arg)
{
	struct loop *loop = arg;

	loop->tid = own_tid();
	loop->error = loop->open(loop);
	for (int turn = 0; !loop->error && turn < TURNS; turn++) {
		uint64_t before = now_ns(CLOCK_MONOTONIC);

		loop->wait(loop, false);
		loop->waits++;
		loop->idle += now_ns(CLOCK_MONOTONIC) - before;
		if (turn != LONG_TURN) {
			compute(1);
			continue;
		}
		look(loop, -1);
		loop->start = now_ns(CLOCK_MONOTONIC);
		compute(60);
		loop->length = now_ns(CLOCK_MONOTONIC) - loop->start;
		look(loop, 1);
	}
	__atomic_fetch_sub(&left, 1, __ATOMIC_RELEASE);
	if (!loop->error)
		loop->wait(loop, true);
	return NULL;
}

static void tell(const struct loop *loop)
{
	if (loop->error)
		truth("name=%s error=%s\n", loop->name, strerrorname_np(loop->error));
	else
		truth("name=%s tid=%d waits=%lu idle=%lu start=%lu length=%lu cpu=%lu wait=%lu "
		      "user=%lu "
		      "kernel=%lu\n",
		      loop->name, loop->tid, loop->waits, loop->idle, loop->start, loop->length,
		      loop->cpu, loop->delay, loop->user, loop->kernel);
}

int main(int argc, char **argv)
{
	left = argc - 1;
	for (int i = 1; i < argc; i++) {
		for (size_t j = 0; j < sizeof(loops) / sizeof(*loops); j++) {
			if (!strcmp(loops[j].name, argv[i]))
				must(!pthread_create(&loops[j].thread, NULL, run, &loops[j]));
		}
	}
	while (left)
		sleep_us(10000);
	sleep_us(50000);
	for (size_t j = 0; j < sizeof(loops) / sizeof(*loops); j++) {
		if (loops[j].thread)
			tell(&loops[j]);
	}
	return 0;
}
