/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/plain.h"

#include <math.h>

#define DICT_MIN    64 /* values below which a dictionary of bytes saves nothing */
#define TABLE_SHARE 8
#define CUT_MIN	    512 /* bytes below which a table of its own costs more than it saves */

void pt_out_cut(struct pt_out *out)
{
	uint32_t at = (uint32_t)out->bytes.len;
	uint32_t last = 0;

	if (out->cuts.len)
		memcpy(&last, out->cuts.data + out->cuts.len - sizeof(last), sizeof(last));
	if (at - last >= CUT_MIN)
		pt_bytes_append(&out->cuts, &at, sizeof(at));
}

void pt_dict_clear(struct pt_dict *dict)
{
	dict->count = 0;
	memset(dict->slots, 0, sizeof(dict->slots));
}

int pt_dict_index(struct pt_dict *dict, uint64_t value)
{
	uint32_t slot = (uint32_t)((value * 0x9e3779b97f4a7c15u) >> 54);
	uint32_t index;

	while ((index = dict->slots[slot])) {
		if (dict->values[index - 1] == value) {
			dict->seen[index - 1]++;
			return (int)index - 1;
		}
		slot = (slot + 1) % PT_ARRAY_SIZE(dict->slots);
	}
	if (dict->count == PT_DICT_MAX)
		return -1;
	index = dict->count++;
	dict->values[index] = value;
	dict->seen[index] = 1;
	dict->slots[slot] = (uint16_t)(index + 1);
	return (int)index;
}

double pt_entropy_bits(const uint32_t *seen, size_t symbols)
{
	double total = 0, bits = 0;

	for (size_t i = 0; i < symbols; i++)
		total += seen[i];
	for (size_t i = 0; i < symbols; i++)
		if (seen[i])
			bits += seen[i] * log2(total / seen[i]);
	/* Huffman spends a bit on each symbol, unless zstd finds repetitions in what is nearly
	 * constant. */
	return bits < total ? (bits + total * (bits > 0)) / 2 : bits;
}

bool pt_dict_fill(struct pt_dict *dict, const uint64_t *values, uint32_t n)
{
	int index = 0;

	pt_dict_clear(dict);
	for (uint32_t i = 0; i < n; i++) {
		if (i && values[i] == values[i - 1])
			dict->seen[index]++;
		else
			index = pt_dict_index(dict, values[i]);
		if (index < 0)
			return false;
		dict->indices[i] = (uint8_t)index;
	}
	return true;
}

static void dict_encode(struct pt_out *out, const struct pt_dict *dict, uint32_t n, size_t size)
{
	pt_bytes_put(&out->bytes, dict->count, 2);
	for (uint32_t i = 0; i < dict->count; i++)
		pt_bytes_put(&out->bytes, dict->values[i], size);
	pt_out_cut(out);
	pt_bytes_append(&out->bytes, dict->indices, n);
	pt_out_cut(out);
}

static size_t planes_needed(const uint64_t *values, uint32_t n)
{
	uint64_t all = 0;
	size_t planes = 1;

	for (uint32_t i = 0; i < n; i++)
		all |= values[i];
	while (planes < 8 && all >> (8 * planes))
		planes++;
	return planes;
}

static double planes_cost(const uint64_t *values, uint32_t n, size_t planes)
{
	double bits = 0;

	for (size_t p = 0; p < planes; p++) {
		uint32_t seen[256] = {0};

		for (uint32_t i = 0; i < n; i++)
			seen[(values[i] >> (8 * p)) & 0xff]++;
		bits += pt_entropy_bits(seen, 256);
	}
	return bits;
}

static void planes_encode(struct pt_out *out, const uint64_t *values, uint32_t n, size_t planes)
{
	pt_bytes_put(&out->bytes, planes, 1);
	for (size_t p = 0; p < planes; p++) {
		uint8_t *plane = pt_bytes_extend(&out->bytes, n);

		for (uint32_t i = 0; plane && i < n; i++)
			plane[i] = (uint8_t)(values[i] >> (8 * p));
		pt_out_cut(out);
	}
}

enum pt_encoding pt_plain_encode(struct pt_out *out, struct pt_dict *dict, const uint64_t *values,
				 uint32_t n, size_t size)
{
	bool few = pt_dict_fill(dict, values, n);
	double log_bits, table_bits = 8.0 * (double)size * dict->count;
	unsigned int k;
	size_t planes;

	if (few && dict->count == 1) {
		pt_bytes_put(&out->bytes, values[0], size);
		return PT_ENC_CONST;
	}
	planes = planes_needed(values, n);
	if (planes == 1 && n < DICT_MIN) {
		planes_encode(out, values, n, planes);
		return PT_ENC_PLANES;
	}
	/* A table that weighs next to nothing needs no comparison. */
	if (few && table_bits * TABLE_SHARE <= n) {
		dict_encode(out, dict, n, size);
		return PT_ENC_DICT;
	}
	log_bits = pt_log_cost(values, n, &k);
	if (few && pt_entropy_bits(dict->seen, dict->count) + table_bits <= log_bits) {
		dict_encode(out, dict, n, size);
		return PT_ENC_DICT;
	}
	if (planes == 1 || planes_cost(values, n, planes) <= log_bits) {
		planes_encode(out, values, n, planes);
		return PT_ENC_PLANES;
	}
	pt_log_encode(out, values, n, &(struct pt_log_contexts){.k = {(uint8_t)k}, .rows = {n}},
		      NULL);
	return PT_ENC_LOG;
}
