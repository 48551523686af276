/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a trace file. Records go in by pt_writer_add() in nearly ascending time; pt_writer_cut()
 * ends an interval, whose records are sorted, coded and written by the writer's own thread, so that
 * a slow disk does not hold up the rings. The file has its final name only after
 * pt_writer_finish(); what was there before is kept as NAME.old.
 */
#ifndef PT_TRACE_WRITER_H
#define PT_TRACE_WRITER_H

#include <sys/types.h>

#include "base/error.h"
#include "trace/meta.h"
#include "base/record.h"

struct pt_writer;

struct pt_writer_options {
	const char *path; /* final name */
	uid_t uid;	  /* owner of the file; -1: leave it */
	gid_t gid;
	size_t queue_bytes; /* rows that may wait for the disk before pt_writer_cut() blocks; 0: 64
			       MiB */
};

struct pt_writer_stats {
	uint64_t file_bytes; /* so far */
	uint64_t records[PT_KIND_LIMIT];
	uint64_t bytes[PT_KIND_LIMIT]; /* compressed */
};

/* Creates the partial file (0600, no symlink followed, O_EXCL) and writes the metadata frame. Fails
 * before anything that was there is touched. */
int pt_writer_open(struct pt_writer **out, const struct pt_writer_options *options,
		   const struct pt_meta *meta, struct pt_error *err);

/* Copies one record. `record->row` has CLOCK_MONOTONIC time; the writer subtracts meta->start_mono
 * (earlier times become 0). Never blocks. -ENOMEM or 0. */
int pt_writer_add(struct pt_writer *writer, const struct pt_record *record);

/* Whether records wait for the next cut. */
bool pt_writer_pending(const struct pt_writer *writer);

/* Ends the interval at `until` (CLOCK_MONOTONIC ns): later records stay for the next one. May block
 * while the queue is full. An error of the writing thread (a full disk) is returned here, once and
 * for ever. */
int pt_writer_cut(struct pt_writer *writer, uint64_t until, struct pt_error *err);

/* Writes what is left, the index and the seek table, syncs, renames. The writer is only good for
 * stats and free afterwards. */
int pt_writer_finish(struct pt_writer *writer, const struct pt_end *end, struct pt_error *err);

/* Removes the partial file: nothing has happened. */
void pt_writer_abandon(struct pt_writer *writer);

void pt_writer_stats(struct pt_writer *writer, struct pt_writer_stats *stats);

/* Name of the partial file while recording; owned by the writer. */
const char *pt_writer_partial_path(const struct pt_writer *writer);

/* NULL is accepted. A file that was neither finished nor abandoned stays, readable, under its
 * partial name. */
void pt_writer_free(struct pt_writer *writer);

#endif
