/* SPDX-License-Identifier: BSD-2-Clause */
/* One record, as it passes from the decoder to the writer, and from the reader to the model. */
#ifndef PT_BASE_RECORD_H
#define PT_BASE_RECORD_H

#include "base/types.h"
#include "bpf/records.h"

struct pt_record {
	uint32_t kind;	   /* enum pt_kind */
	uint32_t text_len; /* bytes at text; 0 for a kind without TEXT */
	const void
		*row; /* the kind's struct, aligned to 8; valid until the next call on its source */
	const char *text; /* not terminated */
};

/* A set of kinds: bit PT_KIND_BIT(kind) for each. Ids have holes, so 64 bits would not do. */
typedef unsigned __int128 pt_kinds;
#define PT_KIND_BIT(kind) ((pt_kinds)1 << (kind))

/* The time of any record: TIME is the first field of every kind. */
static inline uint64_t pt_record_time(const struct pt_record *record)
{
	return *(const uint64_t *)record->row;
}

#endif
