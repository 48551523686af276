/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the test programs share: a place for the truth, and ways to learn it. The truth goes to the file that the
 * environment variable TRUTH names, or to stdout: one line for each task, `key=value` words.
 */
#ifndef E2E_TRUTH_H
#define E2E_TRUTH_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Ends the program with 99, a broken harness, unless the condition holds. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition,         \
				strerror(errno));                                                  \
			_exit(99);                                                                 \
		}                                                                                  \
	} while (0)

static inline pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static inline void sleep_us(long us)
{
	struct timespec ts = {us / 1000000, us % 1000000 * 1000};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static inline uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	must(!clock_gettime(clock, &ts));
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Computes for so long, counted in the caller's own CPU time. */
static inline void spin_ms(unsigned int ms)
{
	uint64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ms * 1000000ull;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

/* Appends one line to the truth. */
__attribute__((format(printf, 1, 2))) static inline void truth(const char *format, ...)
{
	const char *path = getenv("TRUTH");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : STDOUT_FILENO;
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	must(fd >= 0 && n > 0 && (size_t)n < sizeof(line));
	must(write(fd, line, (size_t)n) == n);
	if (path)
		close(fd);
}

/* Memory that children share, so that a task can leave its figures behind without a system call. */
static inline void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

/* Reads a file of the calling task below /proc/self/task/TID. */
static inline void read_own(const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", own_tid(), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	n = read(fd, buf, size - 1);
	must(n > 0);
	buf[n] = '\0';
	close(fd);
}

struct switches {
	pid_t pid;
	pid_t tid;
	unsigned long voluntary;
	unsigned long involuntary;
};

/* The kernel's own counters of the calling task. Whoever calls this last has only to store the result and exit. */
static inline void read_switches(struct switches *s)
{
	char buf[4096];
	const char *at;

	s->pid = getpid();
	s->tid = own_tid();
	read_own("status", buf, sizeof(buf));
	at = strstr(buf, "\nvoluntary_ctxt_switches:");
	must(at);
	must(sscanf(at, "\nvoluntary_ctxt_switches: %lu nonvoluntary_ctxt_switches: %lu",
		    &s->voluntary, &s->involuntary) == 2);
}

/* Ends the calling thread with nothing of libc in between. */
__attribute__((noreturn)) static inline void exit_thread(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

#endif
