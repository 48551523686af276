/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log split: within an octave the low bits of a duration are noise, which no compressor shrinks
 * and every one spends time on. They are packed raw; only the symbols, which have a shape, are left
 * to the compressor.
 */
#include "trace/plain.h"

#include <stdlib.h>

#define STREAMS (PT_LOG_CONTEXTS + 1)

/* Rows parted into streams. */
struct parting {
	uint32_t streams;
	uint32_t begin[STREAMS + 1];
	unsigned int k[STREAMS];
	uint8_t stream[PT_BLOCK_ROWS];	/* of each row */
	uint64_t values[PT_BLOCK_ROWS]; /* stream by stream */
};

/* Bits of symbols that occur as often as `seen` says, and of the bits behind them. */
static double split_cost(const uint32_t *seen, unsigned int k)
{
	double bits = pt_entropy_bits(seen, 256) + 64.0 * seen[PT_LOG_ESCAPE];

	for (unsigned int s = 0; s < PT_LOG_ESCAPE; s++)
		bits += (double)seen[s] * pt_log_bits(s, k);
	/* About what the compressor's table takes. */
	for (unsigned int s = 0; s < 256; s++)
		bits += seen[s] ? 3 : 0;
	return bits;
}

double pt_log_cost(const uint64_t *values, uint32_t n, unsigned int *best)
{
	uint32_t step = 1 + n / 4096;
	double low = 0;

	*best = 0;
	for (unsigned int k = 0; k <= PT_LOG_MAX_K; k++) {
		uint32_t seen[256] = {0};
		double cost;

		for (uint32_t i = 0; i < n; i += step)
			seen[pt_log_symbol(values[i], k)]++;
		cost = split_cost(seen, k);
		if (!k || cost < low) {
			low = cost;
			*best = k;
		}
	}
	return low * step;
}

static uint8_t stream_of(const struct pt_log_contexts *contexts, uint32_t row)
{
	uint8_t s = 0;

	while (s < contexts->count && contexts->key[row] != contexts->values[s])
		s++;
	return s;
}

static void part(struct parting *parting, const uint64_t *values, uint32_t n,
		 const struct pt_log_contexts *contexts)
{
	uint32_t at[STREAMS + 1] = {0};

	parting->streams = contexts && contexts->count ? contexts->count + 1 : 1;
	for (uint32_t i = 0; i < n; i++) {
		parting->stream[i] = parting->streams > 1 ? stream_of(contexts, i) : 0;
		at[parting->stream[i] + 1]++;
	}
	for (uint32_t s = 0; s < STREAMS; s++)
		at[s + 1] += at[s];
	memcpy(parting->begin, at, sizeof(at));
	for (uint32_t i = 0; i < n; i++)
		parting->values[at[parting->stream[i]]++] = values[i];
	for (uint32_t s = 0; s < parting->streams; s++)
		pt_log_cost(parting->values + parting->begin[s],
			    parting->begin[s + 1] - parting->begin[s], &parting->k[s]);
}

static void put_header(struct pt_out *out, const struct parting *parting,
		       const struct pt_log_contexts *contexts)
{
	uint32_t listed = parting->streams - 1;

	pt_bytes_put(&out->bytes, listed, 1);
	if (listed) {
		pt_bytes_put(&out->bytes, contexts->field, 2);
		pt_bytes_put(&out->bytes, contexts->lag, 1);
	}
	for (uint32_t s = 0; s < listed; s++)
		pt_bytes_put(&out->bytes, contexts->values[s], 8);
	for (uint32_t s = 0; s < parting->streams; s++)
		pt_bytes_put(&out->bytes, parting->k[s], 1);
}

static void put_symbols(struct pt_out *out, const struct parting *parting, struct pt_bytes *escapes)
{
	for (uint32_t s = 0; s < parting->streams; s++) {
		uint32_t n = parting->begin[s + 1] - parting->begin[s];
		uint8_t *symbols = pt_bytes_extend(&out->bytes, n);

		for (uint32_t i = 0; symbols && i < n; i++) {
			uint64_t value = parting->values[parting->begin[s] + i];

			symbols[i] = (uint8_t)pt_log_symbol(value, parting->k[s]);
			if (symbols[i] == PT_LOG_ESCAPE)
				pt_bytes_put(escapes, value, 8);
		}
		pt_out_cut(out);
	}
}

/* In the order of the streams, too, packed from the lowest bit of the first byte upwards. */
static void put_bits(struct pt_out *out, const struct parting *parting, const uint8_t *symbols,
		     uint32_t n)
{
	uint8_t *start = pt_bytes_reserve(&out->bytes, (size_t)n * 8 + 8);
	uint8_t *at = start;
	uint64_t word = 0;
	unsigned int used = 0, bits;

	if (!start)
		return;
	for (uint32_t s = 0; s < parting->streams; s++) {
		for (uint32_t i = parting->begin[s]; i < parting->begin[s + 1]; i++) {
			if (symbols[i] == PT_LOG_ESCAPE)
				continue;
			bits = pt_log_bits(symbols[i], parting->k[s]);
			word |= (parting->values[i] & ((1ull << bits) - 1)) << used;
			used += bits;
			for (; used >= 8; used -= 8, word >>= 8)
				*at++ = (uint8_t)word;
		}
	}
	if (used)
		*at++ = (uint8_t)word;
	out->bytes.len += (size_t)(at - start);
}

void pt_log_encode(struct pt_out *out, const uint64_t *values, uint32_t n,
		   const struct pt_log_contexts *contexts)
{
	struct parting *parting = malloc(sizeof(*parting));
	struct pt_bytes escapes = {0};
	size_t symbols;

	if (!parting) {
		out->bytes.failed = true;
		return;
	}
	part(parting, values, n, contexts);
	put_header(out, parting, contexts);
	pt_out_cut(out);
	symbols = out->bytes.len;
	put_symbols(out, parting, &escapes);
	pt_bytes_put(&out->bytes, escapes.len / 8, 4);
	pt_bytes_append(&out->bytes, escapes.data, escapes.len);
	pt_bytes_reserve(&out->bytes, (size_t)n * 8 + 8);
	if (!out->bytes.failed)
		put_bits(out, parting, out->bytes.data + symbols, n);
	pt_out_cut(out);
	out->bytes.failed |= escapes.failed;
	pt_bytes_free(&escapes);
	free(parting);
}
