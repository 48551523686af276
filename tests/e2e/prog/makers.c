/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * makers: a task made in every way there is. A line for each: pid= tid= parent= made= model=, where made is the system
 * call, or libc-fork for what libc makes of fork().
 */
#include <linux/sched.h>
#include <pthread.h>

#include "truth.h"

static void say(const char *made, pid_t pid, pid_t tid, const char *model)
{
	truth("pid=%d tid=%d parent=%d made=%s model=%s\n", pid, tid, getpid(), made, model);
}

static void reap(const char *made, pid_t pid)
{
	must(pid > 0 && waitpid(pid, NULL, __WALL) == pid);
	say(made, pid, pid, "process");
}

static void *note_tid(void *arg)
{
	*(pid_t *)arg = own_tid();
	return NULL;
}

static int child(void *arg)
{
	(void)arg;
	syscall(SYS_exit_group, 0);
	return 0;
}

static pid_t raw_clone3(uint64_t flags)
{
	struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		child(NULL);
	return pid;
}

static pid_t raw_fork(void)
{
#ifdef SYS_fork
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (!pid)
		child(NULL);
	return pid;
#else
	return 0;
#endif
}

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pthread_t thread;
	pid_t pid;

	pid = raw_fork();
	if (pid)
		reap("fork", pid);
	pid = fork();
	if (!pid)
		_exit(0);
	reap("libc-fork", pid);
	pid = vfork();
	if (!pid)
		_exit(0);
	reap("vfork", pid);
	reap("clone", clone(child, stack + sizeof(stack), CLONE_VM | CLONE_FS | SIGCHLD, NULL));
	reap("clone3", raw_clone3(CLONE_FILES));
	must(!pthread_create(&thread, NULL, note_tid, &pid) && !pthread_join(thread, NULL));
	say("thread", getpid(), pid, "thread");
	return 0;
}
