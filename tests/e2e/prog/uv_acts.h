/* SPDX-License-Identifier: BSD-2-Clause */
/* What keeps the loop of uv_stalls busy, or asleep, for about LENGTH_US: one function for each sort of stall. */
#ifndef E2E_UV_ACTS_H
#define E2E_UV_ACTS_H

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <uv.h>

#include "truth.h"

#define LENGTH_US 80000
#define MB	  (1u << 20)
#define BALLAST	  (1024ul * MB)

/* What an act leaves behind for the truth. */
static struct {
	char object[128];    /* which the loop blocks on */
	pid_t waker;	     /* who ends that, a tid; 0: nobody */
	pid_t child;	     /* to be reaped, 0: none */
	uint64_t handler[2]; /* when a signal handler began and ended */
} left;

static const char *file_path;
static char *buffer; /* of 64 MB */

/* A thread that does something to the loop's thread a while later. */
static struct {
	sem_t asked;
	void (*act)(void);
	pid_t tid;
} helper;

static void *run_helper(void *unused)
{
	(void)unused;
	helper.tid = own_tid();
	for (;;) {
		while (sem_wait(&helper.asked))
			;
		sleep_us(LENGTH_US);
		helper.act();
	}
	return NULL;
}

static void later(void (*act)(void))
{
	helper.act = act;
	left.waker = helper.tid;
	must(!sem_post(&helper.asked));
}

/* A child that does something a while later, and exits. */
static void child_later(void (*act)(void))
{
	left.child = fork();
	must(left.child >= 0);
	if (!left.child) {
		sleep_us(LENGTH_US + 60000); /* the stall begins a gap after its preparation */
		act();
		_exit(0);
	}
	left.waker = left.child;
}

static void busy(void)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + LENGTH_US * 1000ull;

	while (now_ns(CLOCK_MONOTONIC) < end)
		;
}

/* One call after the other that works in the kernel only. */
static void zero(void)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + LENGTH_US * 1000ull;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	while (now_ns(CLOCK_MONOTONIC) < end)
		must(read(fd, buffer, 8 * MB) == 8 * MB);
	close(fd);
}

static int file_fd = -1;

static void open_file(void)
{
	file_fd = open(file_path, O_RDWR | O_CLOEXEC);
	must(file_fd >= 0);
	snprintf(left.object, sizeof(left.object), "%s", file_path);
}

static void forget_file(void)
{
	open_file();
	must(!fsync(file_fd));
	must(!posix_fadvise(file_fd, 0, 0, POSIX_FADV_DONTNEED));
}

static void read_file(void)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + LENGTH_US * 1000ull;

	do {
		for (off_t at = 0; at < 64 * MB; at += 16 * MB)
			must(pread(file_fd, buffer, 16 * MB, at) == 16 * MB);
	} while (now_ns(CLOCK_MONOTONIC) < end);
	close(file_fd);
}

static void dirty_file(void)
{
	open_file();
	for (off_t at = 0; at < 64 * MB; at += 16 * MB)
		must(pwrite(file_fd, buffer, 16 * MB, at) == 16 * MB);
}

static void sync_file(void)
{
	must(!fsync(file_fd));
	close(file_fd);
}

/* What it then waits for is not the pipe that it uses next. */
static void touch_file(void)
{
	char *map = mmap(NULL, 64 * MB, PROT_READ, MAP_PRIVATE, file_fd, 0);
	int ends[2];

	must(map != MAP_FAILED && !madvise(map, 64 * MB, MADV_RANDOM) && !pipe(ends));
	for (size_t at = 0; at < 64 * MB; at += 4 * MB)
		must(map[at] == *(volatile char *)&map[at]);
	must(write(ends[1], "x", 1) == 1);
	for (size_t at = 1 * MB; at < 64 * MB; at += 4096 * 5)
		must(map[at] == *(volatile char *)&map[at]);
	munmap(map, 64 * MB);
	close(ends[0]);
	close(ends[1]);
	close(file_fd);
	left.object[0] = '\0';
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t holds, never;

static void hold_mutex(void)
{
	must(!pthread_mutex_lock(&mutex));
	must(!sem_post(&holds));
	sleep_us(2 * LENGTH_US);
	must(!pthread_mutex_unlock(&mutex));
}

static void have_mutex_held(void)
{
	later(hold_mutex);
	while (sem_wait(&holds))
		;
}

static void lock_mutex(void)
{
	snprintf(left.object, sizeof(left.object), "futex %p", (void *)&mutex);
	must(!pthread_mutex_lock(&mutex));
	must(!pthread_mutex_unlock(&mutex));
}

static void lock_in_vain(void)
{
	struct timespec until;

	must(!clock_gettime(CLOCK_REALTIME, &until));
	until.tv_nsec += LENGTH_US * 1000l;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	must(sem_timedwait(&never, &until) && errno == ETIMEDOUT);
}

static void unlock_file(void)
{
	must(!flock(file_fd, LOCK_UN));
}

static void hold_file(void)
{
	open_file();
	must(!flock(file_fd, LOCK_EX));
	child_later(unlock_file); /* the lock is of both */
}

static void lock_file(void)
{
	int fd = open(file_path, O_RDWR | O_CLOEXEC);

	must(fd >= 0 && !flock(fd, LOCK_EX));
	close(fd);
	close(file_fd);
}

static int ends[2];

static void name_object(int fd)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, left.object, sizeof(left.object) - 1);
	must(n > 0);
	left.object[n] = '\0';
}

static void drain_pipe(void)
{
	close(ends[1]);
	while (read(ends[0], buffer, MB) > 0)
		;
}

static void make_full_pipe(void)
{
	must(!pipe(ends));
	name_object(ends[1]);
	child_later(drain_pipe);
}

static void write_pipe(void)
{
	close(ends[0]);
	must(write(ends[1], buffer, 200000) == 200000);
	close(ends[1]);
}

static void feed_pipe(void)
{
	must(write(ends[1], "x", 1) == 1);
}

static void read_pipe(void)
{
	char c;

	must(!pipe(ends));
	name_object(ends[0]);
	later(feed_pipe);
	must(read(ends[0], &c, 1) == 1);
	close(ends[0]);
	close(ends[1]);
}

static int terminal;

static void drain_terminal(void)
{
	size_t sum = 0;

	while (sum < 100000) {
		ssize_t n = read(terminal, buffer, MB);

		must(n > 0);
		sum += (size_t)n;
	}
}

static void write_terminal(void)
{
	char *text = calloc(1, 100000);
	int fd;

	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(text && terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
	snprintf(left.object, sizeof(left.object), "%s", ptsname(terminal));
	fd = open(left.object, O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(fd >= 0);
	memset(text, 'x', 100000);
	later(drain_terminal);
	for (size_t sum = 0; sum < 100000;) {
		ssize_t n = write(fd, text + sum, 100000 - sum);

		must(n > 0);
		sum += (size_t)n;
	}
	left.waker = 0; /* a worker of the kernel's, perhaps */
	close(fd);
	close(terminal);
	free(text);
}

static int listener;

static void accept_all(void)
{
	for (int i = 0; i < 3; i++)
		close(accept(listener, NULL, NULL));
}

static void connect_unix(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0partrace-e2e"};
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 24;
	int fds[3];

	snprintf(address.sun_path + 1, 23, "partrace-e2e-%d", getpid());
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !bind(listener, (struct sockaddr *)&address, size));
	must(!listen(listener, 1));
	later(accept_all);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (i == 2)
			name_object(fds[i]);
		must(!connect(fds[i], (struct sockaddr *)&address, size));
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static int tcp[2];

static void make_tcp(struct sockaddr_in *address, int backlog)
{
	socklen_t size = sizeof(*address);

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !bind(listener, (struct sockaddr *)address, size));
	must(!listen(listener, backlog));
	must(!getsockname(listener, (struct sockaddr *)address, &size));
	snprintf(left.object, sizeof(left.object), "127.0.0.1:%u from port ",
		 ntohs(address->sin_port));
}

/* The queue of one is full: the handshake is tried again after a second. */
static void connect_tcp(void)
{
	struct sockaddr_in address;
	int fds[3];

	make_tcp(&address, 1);
	later(accept_all);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		must(!connect(fds[i], (struct sockaddr *)&address, sizeof(address)));
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	close(listener);
	left.waker = 0;
}

static void send_tcp(void)
{
	must(send(tcp[1], "x", 1, 0) == 1);
}

static void receive_tcp(void)
{
	struct sockaddr_in address;
	char c;

	make_tcp(&address, 1);
	tcp[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(!connect(tcp[0], (struct sockaddr *)&address, sizeof(address)));
	tcp[1] = accept(listener, NULL, NULL);
	later(send_tcp);
	must(recv(tcp[0], &c, 1, 0) == 1);
	close(tcp[0]);
	close(tcp[1]);
	close(listener);
	left.waker = 0; /* the network's softirq, on behalf of the sender */
}

static void doze(void)
{
	sleep_us(LENGTH_US);
}

static char *ballast;

static void grow(void)
{
	ballast = mmap(NULL, BALLAST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(ballast != MAP_FAILED && !madvise(ballast, BALLAST, MADV_NOHUGEPAGE));
	for (size_t at = 0; at < BALLAST; at += 4096)
		ballast[at] = 1;
}

static void fork_big(void)
{
	left.child = fork();
	must(left.child >= 0);
	if (!left.child)
		_exit(0);
	snprintf(left.object, sizeof(left.object), "%d", left.child);
}

static void nothing(void)
{
}

static void have_child(void)
{
	child_later(nothing);
	snprintf(left.object, sizeof(left.object), "uv_stalls %d", left.child);
}

static void wait_child(void)
{
	must(waitpid(left.child, NULL, 0) == left.child);
	left.child = 0;
}

static void stop_parent(void)
{
	must(!kill(getppid(), SIGSTOP));
	sleep_us(100000);
	must(!kill(getppid(), SIGCONT));
}

static void expect_stop(void)
{
	left.child = fork();
	must(left.child >= 0);
	left.waker = left.child;
	if (!left.child) {
		sleep_us(80000); /* in the middle of the stall, a gap from here */
		stop_parent();
		_exit(0);
	}
}

/* It is stopped in the middle of this. */
static void work_on(void)
{
	spin_ms(LENGTH_US / 2000);
}

static void on_alarm(int number)
{
	(void)number;
	left.handler[0] = now_ns(CLOCK_MONOTONIC);
	busy();
	left.handler[1] = now_ns(CLOCK_MONOTONIC);
}

/* Its handler runs while the loop waits. */
static void expect_alarm(void)
{
	struct itimerval timer = {.it_value.tv_usec = 10000};

	must(signal(SIGALRM, on_alarm) != SIG_ERR);
	must(!setitimer(ITIMER_REAL, &timer, NULL));
}

static void on_inner(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

static void run_inner(void)
{
	uv_loop_t inner;
	uv_timer_t timer;

	must(!uv_loop_init(&inner) && !uv_timer_init(&inner, &timer));
	must(!uv_timer_start(&timer, on_inner, LENGTH_US / 1000, 0));
	uv_run(&inner, UV_RUN_DEFAULT);
	must(!uv_loop_close(&inner));
}

static void poll_once(void)
{
	struct pollfd fd = {.events = POLLIN};

	must(!pipe(ends));
	fd.fd = ends[0];
	must(!poll(&fd, 1, LENGTH_US / 1000));
	close(ends[0]);
	close(ends[1]);
}

#endif
