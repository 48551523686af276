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
	struct pt_parting *parting; /* scratch of pt_log_encode() */
};

/* Rows of a log split, parted into streams. */
struct pt_parting {
	uint32_t streams;
	uint32_t begin[PT_LOG_CONTEXTS + 2];
	uint8_t stream[PT_BLOCK_ROWS];	/* of each row */
	uint64_t values[PT_BLOCK_ROWS]; /* stream by stream */
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
	uint8_t indices[PT_BLOCK_ROWS];	 /* of the values last given to pt_dict_fill() */
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

/*
 * How a log split is made: rows whose key is values[i] go into stream i, all others into the last. What is chosen for
 * one block mostly suits the next ones, and choosing costs more than coding.
 */
struct pt_log_contexts {
	uint16_t field; /* where the key comes from, for the reader */
	uint8_t lag;
	uint32_t count; /* 0: one stream */
	uint64_t values[PT_LOG_CONTEXTS];
	uint8_t k[PT_LOG_CONTEXTS + 1];
	uint32_t rows[PT_LOG_CONTEXTS +
		      1]; /* k was chosen from so many; 0: it is still to be chosen */
};

/* Appends a log split of n values. `key` is the key of each, NULL without streams. */
void pt_log_encode(struct pt_out *out, const uint64_t *values, uint32_t n,
		   struct pt_log_contexts *contexts, const uint64_t *key);

/* Bits of a log split of n values with the best k, which is stored in *best. */
double pt_log_cost(const uint64_t *values, uint32_t n, unsigned int *best);

#endif
