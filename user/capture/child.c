/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* After the change of user, which would undo it. */
static int bind_to(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return errno;
	return getppid() == parent ? 0 : ESRCH;
}

static void run(char *const *argv, const struct pt_invoker *invoker, const sigset_t *mask,
		pid_t bound_to, int report)
{
	int error;

	error = -pt_invoker_become(invoker);
	if (!error && bound_to)
		error = bind_to(bound_to);
	if (!error) {
		signal(SIGPIPE, SIG_DFL);
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(argv[0], argv);
		error = errno;
	}
	while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* errno of the exec, or 0: the pipe closes by itself when it succeeds. */
static int read_error(int report)
{
	int error = 0;
	ssize_t n;

	do
		n = read(report, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

int pt_child_start(struct pt_child *child, char *const *argv, const struct pt_invoker *invoker,
		   const sigset_t *mask, bool bound, struct pt_error *err)
{
	pid_t pid, self = getpid();
	int report[2];

	if (pipe2(report, O_CLOEXEC))
		return pt_error_errno(err, -errno, "cannot start '%s'", argv[0]);
	pid = fork();
	if (pid < 0) {
		int r = -errno;

		close(report[0]);
		close(report[1]);
		return pt_error_errno(err, r, "cannot start '%s'", argv[0]);
	}
	if (!pid)
		run(argv, invoker, mask, bound ? self : 0, report[1]);
	close(report[1]);
	child->pid = pid;
	child->error = read_error(report[0]);
	close(report[0]);
	if (!child->error)
		return 0;
	pt_child_reap(child, true);
	return pt_error_errno(err, -child->error, "cannot run '%s'", argv[0]);
}

void pt_child_reap(struct pt_child *child, bool wait)
{
	pid_t pid;

	if (!child->pid || child->gone)
		return;
	do
		pid = waitpid(child->pid, &child->status, wait ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	child->gone = pid != 0;
}

int pt_child_exit_status(const struct pt_child *child)
{
	if (child->error)
		return child->error == ENOENT ? 127 : 126;
	if (WIFSIGNALED(child->status))
		return 128 + WTERMSIG(child->status);
	return WEXITSTATUS(child->status);
}
