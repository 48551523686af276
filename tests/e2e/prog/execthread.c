/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execthread: a thread that is not the first of its process runs another program, whose only task then has the pid as its
 * tid. Lines: pid= tid= comm= of the thread, then pid= comm= code= of what it became.
 */
#include <pthread.h>

#include "truth.h"

static void *run(void *arg)
{
	(void)arg;
	must(!prctl(PR_SET_NAME, "will-exec"));
	truth("pid=%d tid=%d comm=will-exec\n", getpid(), own_tid());
	sleep_us(5000);
	execl("/proc/self/exe", "execthread", "again", NULL);
	must(false);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	(void)argv;
	if (argc > 1) {
		must(!prctl(PR_SET_NAME, "has-execed"));
		truth("pid=%d comm=has-execed code=7\n", getpid());
		sleep_us(5000);
		_exit(7);
	}
	must(!pthread_create(&thread, NULL, run, NULL));
	for (;;)
		pause();
}
