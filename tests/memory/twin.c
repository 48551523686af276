/* SPDX-License-Identifier: BSD-2-Clause */
/* Two processes in one address space, as vfork makes them for a while: prints the child's pid, ends
 * with stdin. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 65536

static int child(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

int main(void)
{
	static char stack[STACK_BYTES], ballast[8 << 20];
	char byte;
	pid_t pid;

	memset(ballast, 1, sizeof(ballast));
	pid = clone(child, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
	if (pid < 0)
		return 99;
	printf("%d\n", pid);
	fflush(stdout);
	if (read(0, &byte, 1) < 0)
		return 99;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
