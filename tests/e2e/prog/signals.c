/* SPDX-License-Identifier: BSD-2-Clause */
/* signals: children that end by exit codes and by signals. A line for each: pid= code= signal= */
#include <sys/resource.h>

#include "truth.h"

static const int codes[] = {0, 1, 42, 255};
static const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGUSR1};

static void run_child(int code, int sig)
{
	const struct rlimit no_core = {0, 0};
	pid_t pid = fork();
	int status;

	must(pid >= 0);
	if (!pid) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(sig ? sig : SIGUSR2, SIG_DFL);
		if (sig)
			kill(getpid(), sig);
		_exit(code);
	}
	must(waitpid(pid, &status, 0) == pid);
	truth("pid=%d code=%d signal=%d\n", pid, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	      WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		run_child(codes[i], 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		run_child(0, signals[i]);
	return 0;
}
