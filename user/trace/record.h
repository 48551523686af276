/* SPDX-License-Identifier: BSD-2-Clause */
/* One record, as the decoder hands it to the writer and the reader to the model. */
#ifndef PT_TRACE_RECORD_H
#define PT_TRACE_RECORD_H

#include "base/types.h"
#include "bpf/records.h"

struct pt_record {
	uint32_t kind;	   /* enum pt_kind */
	uint32_t text_len; /* bytes at text; 0 for a kind without TEXT */
	const void
		*row; /* the kind's struct, aligned to 8; valid until the next call on its source */
	const char *text; /* not terminated */
};

/* The time of any record: TIME is the first field of every kind. */
static inline uint64_t pt_record_time(const struct pt_record *record)
{
	return *(const uint64_t *)record->row;
}

#endif
