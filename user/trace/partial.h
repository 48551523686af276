/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds what a recorder that died has left. */
#ifndef PT_TRACE_PARTIAL_H
#define PT_TRACE_PARTIAL_H

/*
 * The youngest partial file of the trace `path`: *found is its path, owned by the caller. Symbolic
 * links do not count. 0, -ENOENT if there is none, or another negative errno; *found is NULL then.
 */
int pt_partial_find(const char *path, char **found);

#endif
