/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pollers HOW: waits on epoll files in ways that are not one file, one thread, one loop. Tells tid= waits= stalls= of the main
 * thread: waits that could sleep, and turns of 30 ms.
 *   alternate   two files by turns
 *   inside      an epoll file inside another: the inner one is asked once the outer one says so
 *   reused      five files one after the other, each with the descriptor of the last
 *   shared      four threads on one file, as Go's; waits= and stalls= are those of all
 *   once        a single endless wait, of a thread
 *   at-once     one file; before each wait a ring is handed requests that are done at once, and waited for (error= without rings)
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "ring.h"

#define TURNS 40

static uint64_t waits, stalls;

static int new_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	must(fd >= 0);
	return fd;
}

static void add(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	must(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

static int wait_on(int epoll, int timeout)
{
	struct epoll_event event;
	int n = epoll_wait(epoll, &event, 1, timeout);

	must(n >= 0);
	if (timeout)
		__atomic_fetch_add(&waits, 1, __ATOMIC_RELAXED);
	return n;
}

static void work(int turn)
{
	bool stalls_now = turn % 10 == 5;

	spin_ms(stalls_now ? 30 : 1);
	if (stalls_now)
		__atomic_fetch_add(&stalls, 1, __ATOMIC_RELAXED);
}

static void alternate(void)
{
	int a = new_epoll(), b = new_epoll();

	for (int turn = 0; turn < TURNS; turn++) {
		wait_on(turn % 2 ? a : b, 10);
		spin_ms(1);
	}
}

static void inside(void)
{
	int outer = new_epoll(), inner = new_epoll(), event = eventfd(0, EFD_CLOEXEC);
	uint64_t value = 1;

	add(inner, event, EPOLLIN);
	add(outer, inner, EPOLLIN);
	for (int turn = 0; turn < TURNS; turn++) {
		must(wait_on(outer, 10) == 0);
		must(write(event, &value, sizeof(value)) == sizeof(value));
		must(wait_on(outer, 10) == 1);
		must(wait_on(inner, 0) == 1);
		must(read(event, &value, sizeof(value)) == sizeof(value));
		work(turn);
	}
}

static void reused(void)
{
	int last = -1;

	for (int file = 0; file < 5; file++) {
		int fd = new_epoll();

		must(last < 0 || fd == last);
		for (int turn = 0; turn < TURNS / 5; turn++) {
			wait_on(fd, 10);
			work(turn);
		}
		close(fd);
		last = fd;
	}
}

static int shared_file;

static void *share(void *unused)
{
	(void)unused;
	for (int turn = 0; turn < TURNS; turn++) {
		wait_on(shared_file, 10);
		work(turn);
	}
	return NULL;
}

static void shared(void)
{
	pthread_t threads[4];

	shared_file = new_epoll();
	for (int i = 0; i < 4; i++)
		must(!pthread_create(&threads[i], NULL, share, NULL));
	for (int i = 0; i < 4; i++)
		must(!pthread_join(threads[i], NULL));
}

static void *wait_once(void *unused)
{
	struct epoll_event event;

	(void)unused;
	(void)epoll_wait(new_epoll(), &event, 1, -1);
	return NULL;
}

static void once(void)
{
	pthread_t thread;

	must(!pthread_create(&thread, NULL, wait_once, NULL));
	sleep_us(300000);
}

static void at_once(void)
{
	struct io_uring_sqe nothing = {.opcode = IORING_OP_NOP};
	int epoll = new_epoll(), error;
	struct io_uring_cqe done;
	struct ring ring;

	error = ring_open(&ring, 8, 0);
	if (error) {
		truth("error=%s\n", strerrorname_np(error));
		exit(0);
	}
	for (int turn = 0; turn < TURNS; turn++) {
		for (int i = 0; i < 2; i++) {
			ring_queue(&ring, &nothing);
			ring_enter(&ring, 1);
			must(ring_take(&ring, &done));
		}
		wait_on(epoll, 10);
		work(turn);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*act)(void);
	} ways[] = {{"alternate", alternate}, {"inside", inside}, {"reused", reused},
		    {"shared", shared},	      {"once", once},	  {"at-once", at_once}};

	must(argc == 2);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		if (!strcmp(ways[i].name, argv[1]))
			ways[i].act();
	}
	truth("tid=%d waits=%lu stalls=%lu\n", getpid(), waits, stalls);
	return 0;
}
