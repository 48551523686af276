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

/* smaps_rollup counts pages; the counters behind statm are some pages off. */
static unsigned long resident(void)
{
	unsigned long kib;
	char buf[4096];
	const char *at;

	read_own("smaps_rollup", buf, sizeof(buf));
	at = strstr(buf, "Rss:");
	must(at && sscanf(at, "Rss: %lu", &kib) == 1);
	return kib * 1024;
}

/* Said twice: the first time touches all pages that it takes to say so. */
static void child(char *memory, size_t mib, long ms)
{
	touch(memory, mib);
	sleep_us(ms * 1000);
	truth("pid=%d rss=%lu written=0\n", getpid(), resident());
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
