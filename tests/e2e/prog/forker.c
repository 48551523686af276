/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forker MIB CHILD_MIB PARENT_MIB MS: fills so much memory, forks, and both sides write to a part of it; then all hold
 * still for so long. Two lines: pid= child= call_ns= (of fork, on the caller), and pid= rss= (bytes, of the child
 * right before its end) written= (pages that it wrote to).
 */
#include "truth.h"

static void touch(char *memory, size_t mib)
{
	size_t at, page = (size_t)sysconf(_SC_PAGESIZE);

	for (at = 0; at < mib << 20; at += page)
		memory[at]++;
}

/* Page tables and all are touched before, so that reading changes nothing any more. */
static unsigned long resident(void)
{
	unsigned long size, pages;
	char buf[4096];
	int i;

	for (i = 0; i < 2; i++)
		read_own("statm", buf, sizeof(buf));
	must(sscanf(buf, "%lu %lu", &size, &pages) == 2);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

static void child(char *memory, size_t mib, long ms)
{
	touch(memory, mib);
	sleep_us(ms * 1000);
	truth("pid=%d rss=0 written=0\n", getpid());
	truth("pid=%d rss=%lu written=%lu\n", getpid(), resident(),
	      (unsigned long)(mib << 20) / (unsigned long)sysconf(_SC_PAGESIZE));
	_exit(0);
}

int main(int argc, char **argv)
{
	size_t size;
	uint64_t begun, ended;
	char *memory;
	pid_t pid;

	must(argc == 5);
	size = (size_t)atoi(argv[1]) << 20;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED);
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	begun = now_ns(CLOCK_MONOTONIC);
	pid = fork();
	if (!pid)
		child(memory, (size_t)atoi(argv[2]), atol(argv[4]));
	ended = now_ns(CLOCK_MONOTONIC);
	must(pid > 0);
	touch(memory + size / 2, (size_t)atoi(argv[3]));
	must(waitpid(pid, NULL, 0) == pid);
	truth("pid=%d child=%d call_ns=%llu\n", getpid(), pid, (unsigned long long)(ended - begun));
	return 0;
}
