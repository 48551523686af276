/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log split: within an octave the low bits of a duration are noise, which no compressor shrinks
 * and every one spends time on. They are packed raw; only the symbols, which have a shape, are left
 * to the compressor.
 */
#include "trace/plain.h"

#define STREAMS	     (PT_LOG_CONTEXTS + 1)
#define SAMPLE	     2048 /* values from which a cost is estimated */
#define FINDER_LOG   6
#define FINDER_SLOTS (1u << FINDER_LOG)

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
	uint32_t step = 1 + n / SAMPLE;
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

/* Finds the stream of a key. */
struct finder {
	uint64_t keys[FINDER_SLOTS];
	uint8_t streams[FINDER_SLOTS]; /* + 1, 0: free */
};

static uint32_t finder_slot(const struct finder *finder, uint64_t key)
{
	uint32_t slot = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> (64 - FINDER_LOG));

	while (finder->streams[slot] && finder->keys[slot] != key)
		slot = (slot + 1) % FINDER_SLOTS;
	return slot;
}

static void part(struct pt_parting *parting, const uint64_t *values, uint32_t n,
		 const struct pt_log_contexts *contexts, const uint64_t *key)
{
	struct finder finder = {0};
	uint32_t at[STREAMS + 1] = {0};

	for (uint32_t s = contexts->count; s > 0; s--) {
		uint32_t slot = finder_slot(&finder, contexts->values[s - 1]);

		finder.keys[slot] = contexts->values[s - 1];
		finder.streams[slot] = (uint8_t)s;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint8_t found = finder.streams[finder_slot(&finder, key[i])];

		parting->stream[i] = (uint8_t)(found ? found - 1u : contexts->count);
		at[parting->stream[i] + 1]++;
	}
	for (uint32_t s = 0; s < STREAMS; s++)
		at[s + 1] += at[s];
	memcpy(parting->begin, at, sizeof(at));
	for (uint32_t i = 0; i < n; i++)
		parting->values[at[parting->stream[i]]++] = values[i];
}

/* A k that was chosen from few values is chosen anew when there are many. */
static void choose_k(const struct pt_parting *parting, struct pt_log_contexts *contexts)
{
	unsigned int k;

	for (uint32_t s = 0; s <= contexts->count; s++) {
		uint32_t rows = parting->begin[s + 1] - parting->begin[s];

		if (rows <= 4 * contexts->rows[s])
			continue;
		pt_log_cost(parting->values + parting->begin[s], rows, &k);
		contexts->k[s] = (uint8_t)k;
		contexts->rows[s] = rows;
	}
}

static void put_header(struct pt_out *out, const struct pt_log_contexts *contexts)
{
	pt_bytes_put(&out->bytes, contexts->count, 1);
	if (contexts->count) {
		pt_bytes_put(&out->bytes, contexts->field, 2);
		pt_bytes_put(&out->bytes, contexts->lag, 1);
	}
	for (uint32_t s = 0; s < contexts->count; s++)
		pt_bytes_put(&out->bytes, contexts->values[s], 8);
	pt_bytes_append(&out->bytes, contexts->k, contexts->count + 1);
}

static void put_symbols(struct pt_out *out, const struct pt_parting *parting,
			const struct pt_log_contexts *contexts, struct pt_bytes *escapes)
{
	for (uint32_t s = 0; s <= contexts->count; s++) {
		const uint64_t *values = parting->values + parting->begin[s];
		uint32_t n = parting->begin[s + 1] - parting->begin[s];
		uint8_t *symbols = pt_bytes_extend(&out->bytes, n);

		for (uint32_t i = 0; symbols && i < n; i++) {
			symbols[i] = (uint8_t)pt_log_symbol(values[i], contexts->k[s]);
			if (symbols[i] == PT_LOG_ESCAPE)
				pt_bytes_put(escapes, values[i], 8);
		}
		pt_out_cut(out);
	}
}

/* In the order of the streams, too, packed from the lowest bit of the first byte upwards. */
static void put_bits(struct pt_out *out, const struct pt_parting *parting,
		     const struct pt_log_contexts *contexts, const uint8_t *symbols)
{
	uint8_t *start = out->bytes.data + out->bytes.len;
	uint8_t *at = start;
	uint64_t word = 0;
	unsigned int used = 0;

	for (uint32_t s = 0; s <= contexts->count; s++) {
		for (uint32_t i = parting->begin[s]; i < parting->begin[s + 1]; i++) {
			unsigned int bits = pt_log_bits(symbols[i], contexts->k[s]);

			if (symbols[i] == PT_LOG_ESCAPE)
				continue;
			word |= (parting->values[i] & ((1ull << bits) - 1)) << used;
			used += bits;
			pt_store(at, word, sizeof(word));
			at += used / 8;
			word >>= used & ~7u;
			used %= 8;
		}
	}
	if (used)
		*at++ = (uint8_t)word;
	out->bytes.len += (size_t)(at - start);
}

void pt_log_encode(struct pt_out *out, const uint64_t *values, uint32_t n,
		   struct pt_log_contexts *contexts, const uint64_t *key)
{
	struct pt_parting *parting = out->parting;
	struct pt_bytes escapes = {0};
	size_t symbols;

	if (contexts->count) {
		part(parting, values, n, contexts, key);
	} else {
		parting->begin[0] = 0;
		parting->begin[1] = n;
		memcpy(parting->values, values, n * sizeof(*values));
	}
	choose_k(parting, contexts);
	put_header(out, contexts);
	pt_out_cut(out);
	symbols = out->bytes.len;
	put_symbols(out, parting, contexts, &escapes);
	pt_bytes_put(&out->bytes, escapes.len / 8, 4);
	pt_bytes_append(&out->bytes, escapes.data, escapes.len);
	if (pt_bytes_reserve(&out->bytes, (size_t)n * 8 + 8))
		put_bits(out, parting, contexts, out->bytes.data + symbols);
	pt_out_cut(out);
	out->bytes.failed |= escapes.failed;
	pt_bytes_free(&escapes);
}
