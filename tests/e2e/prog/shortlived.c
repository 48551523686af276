/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shortlived N: N processes that are gone within a millisecond, each with a name of its own; every other one runs this
 * program anew before it takes its name. A line for each: pid= comm= exec=0|1
 */
#include "truth.h"

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;

	if (argc == 3) {
		must(!prctl(PR_SET_NAME, argv[2]));
		_exit(0);
	}
	for (int i = 0; i < count; i++) {
		char name[24];
		pid_t pid;

		snprintf(name, sizeof(name), "short-%05d", i);
		pid = fork();
		must(pid >= 0);
		if (!pid && i % 2)
			execl("/proc/self/exe", "shortlived", "gone", name, NULL);
		if (!pid) {
			must(!prctl(PR_SET_NAME, name));
			_exit(0);
		}
		must(waitpid(pid, NULL, 0) == pid);
		truth("pid=%d comm=%s exec=%d\n", pid, name, i % 2);
	}
	return 0;
}
