/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tidreuse N: N processes one after the other, all with the same pid, which clone3() lets the privileged choose. Each has a
 * name and an exit code of its own. A line for each: pid= comm= code=
 */
#include <linux/sched.h>

#include "truth.h"

static pid_t clone_as(pid_t wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = wanted ? (uint64_t)(uintptr_t)&wanted : 0,
		.set_tid_size = wanted ? 1 : 0,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 3;
	pid_t pid = 0;

	for (int i = 0; i < count; i++) {
		char name[24];
		int status;

		snprintf(name, sizeof(name), "reuse-%d", i);
		pid = clone_as(pid);
		must(pid >= 0);
		if (!pid) {
			must(!prctl(PR_SET_NAME, name));
			sleep_us(2000);
			_exit(10 + i);
		}
		must(waitpid(pid, &status, 0) == pid);
		truth("pid=%d comm=%s code=%d\n", pid, name, WEXITSTATUS(status));
	}
	return 0;
}
