/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands below /proc of files and sockets that others have: hostile, and perhaps slow. */
#ifndef PT_CAPTURE_PEERS_PROC_H
#define PT_CAPTURE_PEERS_PROC_H

#include <sys/types.h>

#include "base/types.h"

/*
 * Hands the lines of /proc/TID/net/NAME to `take` until `deadline` (CLOCK_MONOTONIC ns), or until that does not return 0,
 * which is returned. A task that has ended has none.
 */
int pt_net_lines(uint32_t tid, const char *name, uint64_t deadline,
		 int (*take)(void *context, const char *line), void *context);

/*
 * The file of a type (S_IFIFO, ...) that a name stands for: its inode, and its device as records have it (major << 20 | minor).
 * Nothing is mounted for that, and no server asked. False: there is none.
 */
bool pt_file_of_type(int folder, const char *name, mode_t type, uint64_t *inode, uint32_t *device);

#endif
