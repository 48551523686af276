/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grower MIB MS: a thread fills so much anonymous memory, all sleep so long, the main task unmaps
 * it, all sleep again, and then it fills half as much shared memory. One line: pid= tid= (of the
 * thread) anon= shared= (bytes).
 */
#include <pthread.h>

#include "truth.h"

static size_t size;
static char *memory;
static pid_t filler;

static char *fill(size_t bytes, int flags)
{
	char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	must(map != MAP_FAILED);
	madvise(map, bytes, MADV_NOHUGEPAGE);
	memset(map, 1, bytes);
	return map;
}

static void *body(void *arg)
{
	filler = (pid_t)syscall(SYS_gettid);
	memory = fill(size, MAP_PRIVATE);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	long pause;

	must(argc == 3);
	size = (size_t)atoi(argv[1]) << 20;
	pause = atol(argv[2]) * 1000;
	sleep_us(pause);
	must(pthread_create(&thread, NULL, body, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
	sleep_us(pause);
	must(munmap(memory, size) == 0);
	sleep_us(pause);
	memory = fill(size / 2, MAP_SHARED);
	sleep_us(pause);
	truth("pid=%d tid=%d anon=%zu shared=%zu\n", getpid(), filler, size, size / 2);
	return 0;
}
