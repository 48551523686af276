/* SPDX-License-Identifier: BSD-2-Clause */
/* The command that is recorded. */
#ifndef PT_CAPTURE_CHILD_H
#define PT_CAPTURE_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/invoker.h"

struct pt_child {
	pid_t pid;  /* 0: not started */
	int status; /* as wait(2) gives it, once `gone` */
	bool gone;
	int error; /* errno of the exec that failed, 0 if it did not */
};

/*
 * Starts argv (ended by NULL, searched in PATH) as the invoking user, with the signal mask `mask`; `bound`: it dies with
 * the calling thread. Returns once the new program has taken over; -errno if it could not (child->error is set and the
 * child has been reaped).
 */
int pt_child_start(struct pt_child *child, char *const *argv, const struct pt_invoker *invoker,
		   const sigset_t *mask, bool bound, struct pt_error *err);

/* Looks whether it has ended, or waits for it. */
void pt_child_reap(struct pt_child *child, bool wait);

/* What a shell would say of how it ended: its status, 128 + signal, 126 or 127 if it could not be run. */
int pt_child_exit_status(const struct pt_child *child);

#endif
