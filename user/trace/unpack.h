/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes one column of integers. Input is hostile: nothing is believed but what has been checked
 * here. */
#ifndef PT_TRACE_UNPACK_H
#define PT_TRACE_UNPACK_H

#include "trace/bytes.h"
#include "trace/format.h"

/* Columns of a block that are decoded so far, in coded order. PT_KEYED_MAX_LAG zeros stand before each. */
struct pt_unpacked {
	uint32_t count;		 /* rows */
	uint32_t fields;	 /* entries in values[] */
	uint64_t *const *values; /* by field; NULL: not decoded */
	const uint64_t *group;	 /* the group's column, NULL: none */
	uint64_t *scratch;	 /* PT_BLOCK_ROWS values, for the decoder at hand */
	uint8_t *streams;	 /* PT_BLOCK_ROWS bytes, likewise */
	uint64_t *predicted;	 /* PT_KEYED_SLOTS values, likewise */
};

/*
 * Fills `values` (count of them, `size` significant bytes each, such zeros before them) from the payload of field `field`,
 * which may be a key of itself. NULL, or what is wrong.
 */
const char *pt_unpack(const struct pt_unpacked *columns, uint32_t field, unsigned int encoding,
		      struct pt_cursor *payload, size_t size, uint64_t *values);

#endif
