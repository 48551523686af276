/* SPDX-License-Identifier: BSD-2-Clause */
/* getppid N: N system calls that do next to nothing; prints the CPU time of one in ns. For tools/bench. */
#include "truth.h"

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1000000;
	uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);

	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	truth("%.2f\n", (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)count);
	return 0;
}
