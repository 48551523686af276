/* SPDX-License-Identifier: BSD-2-Clause */
/* Codes one column of integers without regard to other columns, and estimates what that costs. */
#ifndef PT_TRACE_PLAIN_H
#define PT_TRACE_PLAIN_H

#include "trace/bytes.h"
#include "trace/format.h"

/* Coded bytes, and the offsets at which their statistics change (uint32_t each). */
struct pt_out {
	struct pt_bytes bytes;
	struct pt_bytes cuts;
};

/* Marks the end of what has been appended so far as a change of statistics. */
void pt_out_cut(struct pt_out *out);

#define PT_DICT_MAX 256

/* Distinct values in the order of their first appearance, and how often each has been seen. */
struct pt_dict {
	uint32_t count;
	uint64_t values[PT_DICT_MAX];
	uint32_t seen[PT_DICT_MAX];
	uint16_t slots[4 * PT_DICT_MAX]; /* index + 1, 0: free */
};

void pt_dict_clear(struct pt_dict *dict);

/* Index of the value, which is added if it is new; -1 if there is no room. */
int pt_dict_index(struct pt_dict *dict, uint64_t value);

/* Clears, then adds n values. False if there are more than PT_DICT_MAX distinct ones. */
bool pt_dict_fill(struct pt_dict *dict, const uint64_t *values, uint32_t n);

/* Bits that n symbols take in the end, given how often each occurs. */
double pt_entropy_bits(const uint32_t *seen, size_t symbols);

/* Appends the cheapest plain coding of n > 0 values of `size` bytes and returns its name. */
enum pt_encoding pt_plain_encode(struct pt_out *out, struct pt_dict *dict, const uint64_t *values,
				 uint32_t n, size_t size);

/* By what the symbols of a log split are parted into streams: rows whose key is values[i] go into
 * stream i. */
struct pt_log_contexts {
	const uint64_t *key; /* per row */
	uint32_t count;	     /* 0: one stream */
	uint16_t field;	     /* where the key comes from, for the reader */
	uint8_t lag;
	uint64_t values[PT_LOG_CONTEXTS];
};

/* Appends a log split of n values; contexts may be NULL. */
void pt_log_encode(struct pt_out *out, const uint64_t *values, uint32_t n,
		   const struct pt_log_contexts *contexts);

/* Bits of a log split of n values with the best k, which is stored in *best. */
double pt_log_cost(const uint64_t *values, uint32_t n, unsigned int *best);

#endif
