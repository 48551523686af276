/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 32-bit x86 program that needs no library: a loop, to which a child writes ROUNDS bytes, one every 4 ms, and which
 * computes for 50 ms once. Built by the test itself: cc -m32 -nostdlib -static.
 */
#define ROUNDS 60

enum {
	EXIT = 1,
	FORK = 2,
	READ = 3,
	WRITE = 4,
	PIPE = 42,
	GETTIMEOFDAY = 78,
	WAIT4 = 114,
	NANOSLEEP = 162
};
enum { EPOLL_CTL = 255, EPOLL_WAIT = 256, EPOLL_CREATE1 = 329 };

static long call(long number, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory");
	return result;
}

static long long now_us(void)
{
	long time[2];

	call(GETTIMEOFDAY, (long)time, 0, 0, 0);
	return time[0] * 1000000ll + time[1];
}

static void child(int fd)
{
	long pause[2] = {0, 4000000};

	for (int i = 0; i < ROUNDS; i++) {
		call(NANOSLEEP, (long)pause, 0, 0, 0);
		call(WRITE, fd, (long)"x", 1, 0);
	}
	call(EXIT, 0, 0, 0, 0);
}

static int run(void)
{
	struct {
		unsigned int events;
		unsigned long long data;
	} __attribute__((packed)) event = {1, 0}, got[8];
	long epoll = call(EPOLL_CREATE1, 0, 0, 0, 0);
	int fds[2], seen = 0;
	long long end;
	char byte;

	if (epoll < 0 || call(PIPE, (long)fds, 0, 0, 0) ||
	    call(EPOLL_CTL, epoll, 1, fds[0], (long)&event))
		return 1;
	if (!call(FORK, 0, 0, 0, 0))
		child(fds[1]);
	while (seen < ROUNDS) {
		if (call(EPOLL_WAIT, epoll, (long)got, 8, -1) != 1 ||
		    call(READ, fds[0], (long)&byte, 1, 0) != 1)
			return 2;
		if (++seen == ROUNDS / 2) {
			end = now_us() + 50000;
			while (now_us() < end)
				;
		}
	}
	call(WAIT4, -1, 0, 0, 0);
	return 0;
}

void _start(void)
{
	call(EXIT, run(), 0, 0, 0);
}
