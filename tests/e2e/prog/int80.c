/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 64-bit program that makes 32-bit system calls: getpid has the number of writev there, and the register with the
 * descriptor is the writing end of a pipe, through which 5 bytes really go. Exits with 77 where the kernel has no such calls.
 */
#include <sys/stat.h>

#include "truth.h"

#if defined(__x86_64__)
static void die(int signal)
{
	(void)signal;
	_exit(77);
}

static long call_32(long number, long fd)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "D"(fd)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

int main(void)
{
	struct stat st;
	int fds[2];

	must(!pipe(fds) && !fstat(fds[0], &st));
	signal(SIGSEGV, die);
	if (call_32(20, fds[1]) != getpid())
		return 77;
	for (int i = 0; i < 9; i++)
		must(call_32(20, fds[1]) == getpid());
	must(write(fds[1], "hello", 5) == 5);
	truth("pid=%d inode=%llu\n", getpid(), (unsigned long long)st.st_ino);
	return 0;
}
#else
int main(void)
{
	return 77;
}
#endif
