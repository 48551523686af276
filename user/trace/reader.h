/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a trace file, whole, unfinished or damaged. Records of the wanted kinds come merged in
 * ascending time. Frames are decoded by several threads ahead of the caller; memory is bounded by a
 * few intervals.
 */
#ifndef PT_TRACE_READER_H
#define PT_TRACE_READER_H

#include "base/error.h"
#include "trace/meta.h"
#include "trace/schema.h"
#include "base/record.h"

struct pt_reader;

struct pt_reader_options {
	pt_kinds kinds;	      /* wanted; 0: all. Others are not even
				 unpacked */
	unsigned int threads; /* that decode, the caller's included; 0: one for each CPU */
};

/* A part of the file that could not be used. */
struct pt_damage {
	uint64_t offset; /* in the file, bytes */
	uint64_t length; /* 0: up to the end, or not known */
	const char *reason;
};

struct pt_reader_summary {
	uint64_t file_bytes;
	bool complete;			 /* it was finished by the recorder: `end` is valid */
	uint64_t ends_at;		 /* time of the last readable record, ns since the start */
	uint64_t records[PT_KIND_LIMIT]; /* in the file, of known kinds, wanted or not, as far as
					    readable */
	uint64_t bytes[PT_KIND_LIMIT];	 /* compressed */
	uint64_t unknown_records;	 /* of kinds this version does not know */
	const struct pt_damage *damages; /* owned by the reader */
	size_t damage_count;
};

/* -EBADMSG if it is no trace, -EPROTO if a newer format that cannot be read. */
int pt_reader_open(struct pt_reader **out, const char *path,
		   const struct pt_reader_options *options, struct pt_error *err);

const struct pt_meta *pt_reader_meta(const struct pt_reader *reader);

/* Whether the file's records of a kind have a field: one that was written by an older version may not. */
bool pt_reader_has_field(const struct pt_reader *reader, uint32_t kind,
			 const struct pt_field *field);

/* NULL if the trace is not complete. */
const struct pt_end *pt_reader_end(const struct pt_reader *reader);

/* 1 and a record, 0 at the end, or a negative errno. Damage is not an error: it is skipped and
 * listed. The record is valid until the next call. */
int pt_reader_next(struct pt_reader *reader, struct pt_record *record, struct pt_error *err);

/* Valid after pt_reader_next() has returned 0; before, it counts what has been seen so far. */
void pt_reader_summary(const struct pt_reader *reader, struct pt_reader_summary *summary);

void pt_reader_free(struct pt_reader *reader);

#endif
