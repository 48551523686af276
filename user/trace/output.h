/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a trace goes. A regular file grows under a partial name and gets its final one when it is
 * finished; a device, a FIFO or "-" (standard output) is written straight away.
 */
#ifndef PT_TRACE_OUTPUT_H
#define PT_TRACE_OUTPUT_H

#include <sys/types.h>

#include "base/error.h"
#include "base/types.h"

struct pt_output;

/* uid, gid: (uid_t)-1, (gid_t)-1 leave the owner. */
int pt_output_open(struct pt_output **out, const char *path, uid_t uid, gid_t gid,
		   struct pt_error *err);

/* The name to look under if the recorder dies; the final one for what has no partial name. */
const char *pt_output_path(const struct pt_output *output);

/* Writes all of it, or fails; after a failure nothing more can be written. */
int pt_output_write(struct pt_output *output, const void *data, size_t len, struct pt_error *err);

/* As fdatasync(); 0 for what cannot be synced. */
int pt_output_sync(struct pt_output *output, struct pt_error *err);

/* Syncs and gives the file its name; what had it becomes NAME.old. */
int pt_output_finish(struct pt_output *output, struct pt_error *err);

/* Removes the partial file. */
void pt_output_abandon(struct pt_output *output);

/* NULL is accepted. An unfinished file stays under its partial name. */
void pt_output_free(struct pt_output *output);

#endif
