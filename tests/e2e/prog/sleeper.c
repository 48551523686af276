/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sleeper THREADS [late]: threads that sleep until stdin ends; says `ready` on stdout when they all do. `late`: when
 * stdin ends it first makes one more thread and one more process, which work for a moment.
 * A line for each task: pid= tid= comm=
 */
#include <pthread.h>

#include "truth.h"

static void *sleep_for_ever(void *arg)
{
	char name[24];

	snprintf(name, sizeof(name), "sleeper-%d", *(int *)arg);
	must(!prctl(PR_SET_NAME, name));
	truth("pid=%d tid=%d comm=%s\n", getpid(), own_tid(), name);
	*(volatile int *)arg = -1;
	for (;;)
		pause();
}

static void *work(void *arg)
{
	(void)arg;
	must(!prctl(PR_SET_NAME, "late-thread"));
	truth("pid=%d tid=%d comm=late-thread\n", getpid(), own_tid());
	spin_ms(5);
	return NULL;
}

static void make_late_ones(void)
{
	pthread_t thread;
	pid_t pid;

	must(!pthread_create(&thread, NULL, work, NULL) && !pthread_join(thread, NULL));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		must(!prctl(PR_SET_NAME, "late-process"));
		truth("pid=%d tid=%d comm=late-process\n", getpid(), own_tid());
		spin_ms(5);
		_exit(0);
	}
	must(waitpid(pid, NULL, 0) == pid);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;
	char c;

	truth("pid=%d tid=%d comm=sleeper\n", getpid(), own_tid());
	for (int i = 0; i < count; i++) {
		volatile int number = i;
		pthread_t thread;

		must(!pthread_create(&thread, NULL, sleep_for_ever, (void *)&number));
		while (number >= 0)
			sleep_us(1000);
	}
	must(write(STDOUT_FILENO, "ready\n", 6) == 6);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	if (argc > 2)
		make_late_ones();
	return 0;
}
