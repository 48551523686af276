/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop MIB SECONDS: an event loop under load in a process with so much resident memory. Every turn maps, touches and
 * unmaps a little, as an allocator does, which needs mmap_lock for writing. Prints for each quarter of a second when it
 * began (CLOCK_MONOTONIC ns), how many turns it had, and the time between two turns: the 999th of 1000, and the
 * longest, in ns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_NS 250000000ULL
#define SMALL	  65536
#define BUCKETS	  4096 /* of 4 us */
#define BUCKET_NS 4096

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void turn(int epoll, int event)
{
	struct epoll_event ready;
	uint64_t one = 1;
	char *map;

	if (write(event, &one, sizeof(one)) < 0 || epoll_wait(epoll, &ready, 1, -1) < 0 ||
	    read(event, &one, sizeof(one)) < 0)
		_exit(99);
	map = mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map[0] = 1;
	munmap(map, SMALL);
}

static void window(int epoll, int event)
{
	static unsigned int buckets[BUCKETS];
	uint64_t begun = now(), last = begun, longest = 0, turns = 0, above = 0, time;
	unsigned int i = BUCKETS;

	memset(buckets, 0, sizeof(buckets));
	while (last - begun < WINDOW_NS) {
		turn(epoll, event);
		time = now();
		if (time - last > longest)
			longest = time - last;
		i = (unsigned int)((time - last) / BUCKET_NS);
		buckets[i < BUCKETS ? i : BUCKETS - 1]++;
		last = time;
		turns++;
	}
	for (i = BUCKETS; i && above <= turns / 1000; i--)
		above += buckets[i - 1];
	printf("%llu %llu %llu %llu\n", (unsigned long long)begun, (unsigned long long)turns,
	       (unsigned long long)(i + 1) * BUCKET_NS, (unsigned long long)longest);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? (size_t)atoi(argv[1]) << 20 : 0;
	uint64_t length = (argc > 2 ? (uint64_t)atoi(argv[2]) : 1) * 1000000000ULL, end;
	int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_CLOEXEC);
	struct epoll_event in = {.events = EPOLLIN};
	char *memory =
		mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || epoll < 0 || event < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, event, &in))
		return 99;
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	end = now() + length;
	puts("ready");
	fflush(stdout);
	while (now() < end)
		window(epoll, event);
	return 0;
}
