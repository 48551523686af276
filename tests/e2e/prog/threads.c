/* SPDX-License-Identifier: BSD-2-Clause */
/* threads N: N threads, one after the other, each with a name of its own. A line for each: pid= tid= comm= */
#include <pthread.h>

#include "truth.h"

static void *run(void *arg)
{
	char name[24];

	snprintf(name, sizeof(name), "thread-%05d", *(int *)arg);
	must(!prctl(PR_SET_NAME, name));
	truth("pid=%d tid=%d comm=%s\n", getpid(), own_tid(), name);
	return NULL;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 10;

	for (int i = 0; i < count; i++) {
		pthread_t thread;

		must(!pthread_create(&thread, NULL, run, &i));
		must(!pthread_join(thread, NULL));
	}
	return 0;
}
