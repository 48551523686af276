/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/unpack.h"

#include <endian.h>

static const char ends_early[] = "a column ends early";
static const char bad_key[] = "a column depends on one that comes later or is not there";

static uint64_t size_mask(size_t size)
{
	return size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

static const char *unpack_const(struct pt_cursor *in, uint32_t n, size_t size, uint64_t *values)
{
	uint64_t value = pt_cursor_get(in, size);

	for (uint32_t i = 0; i < n; i++)
		values[i] = value;
	return in->failed ? ends_early : NULL;
}

static const char *unpack_runs(struct pt_cursor *in, uint32_t n, size_t size, uint64_t *values)
{
	uint32_t done = 0;

	while (done < n) {
		uint64_t length = pt_cursor_get(in, 4);
		uint64_t value = pt_cursor_get(in, size);

		if (in->failed || !length || length > n - done)
			return "a run has an impossible length";
		for (uint64_t i = 0; i < length; i++)
			values[done++] = value;
	}
	return NULL;
}

static const char *unpack_planes(struct pt_cursor *in, uint32_t n, size_t size, uint64_t *values)
{
	uint64_t planes = pt_cursor_get(in, 1);
	const uint8_t *plane;

	if (!planes || planes > size)
		return "a column has more planes than bytes";
	for (uint64_t p = 0; p < planes; p++) {
		plane = pt_cursor_take(in, n);
		if (!plane)
			return ends_early;
		for (uint32_t i = 0; i < n; i++)
			values[i] = (p ? values[i] : 0) | (uint64_t)plane[i] << (8 * p);
	}
	return NULL;
}

static const char *unpack_dict(struct pt_cursor *in, uint32_t n, size_t size, uint64_t *values)
{
	uint64_t dict[256];
	uint64_t count = pt_cursor_get(in, 2);
	const uint8_t *indices;

	if (!count || count > PT_ARRAY_SIZE(dict))
		return "a dictionary has an impossible size";
	for (uint64_t d = 0; d < count; d++)
		dict[d] = pt_cursor_get(in, size);
	indices = pt_cursor_take(in, n);
	if (!indices)
		return ends_early;
	for (uint32_t i = 0; i < n; i++) {
		if (indices[i] >= count)
			return "an index lies outside its dictionary";
		values[i] = dict[indices[i]];
	}
	return NULL;
}

static const char *unpack_plain(unsigned int encoding, struct pt_cursor *in, uint32_t n,
				size_t size, uint64_t *values)
{
	switch (encoding) {
	case PT_ENC_CONST:
		return unpack_const(in, n, size, values);
	case PT_ENC_RUNS:
		return unpack_runs(in, n, size, values);
	case PT_ENC_PLANES:
		return unpack_planes(in, n, size, values);
	case PT_ENC_DICT:
		return unpack_dict(in, n, size, values);
	default:
		return "a column has an unknown encoding";
	}
}

/* The rows of a log split, parted into streams by a key. */
struct parting {
	uint32_t streams;
	uint32_t begin[PT_LOG_CONTEXTS + 2];
	unsigned int k[PT_LOG_CONTEXTS + 1];
};

static void part_rows(const struct pt_unpacked *columns, struct parting *parting,
		      const uint64_t *key, uint32_t lag, const uint64_t *listed, uint32_t n)
{
	uint32_t last = parting->streams - 1;
	uint8_t *streams = columns->streams;

	memset(parting->begin, 0, sizeof(parting->begin));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t value = i < lag ? 0 : key[i - lag];
		uint32_t s = 0;

		while (s < last && value != listed[s])
			s++;
		streams[i] = (uint8_t)s;
		parting->begin[s + 1]++;
	}
	for (uint32_t s = 0; s < parting->streams; s++)
		parting->begin[s + 1] += parting->begin[s];
}

static const char *read_parting(const struct pt_unpacked *columns, struct pt_cursor *in, uint32_t n,
				struct parting *parting)
{
	uint64_t listed[PT_LOG_CONTEXTS];
	uint64_t contexts = pt_cursor_get(in, 1);
	uint64_t field = 0, lag = 0;

	if (contexts > PT_LOG_CONTEXTS)
		return "a column has too many streams";
	parting->streams = (uint32_t)contexts + 1;
	if (contexts) {
		field = pt_cursor_get(in, 2);
		lag = pt_cursor_get(in, 1);
		if (field >= columns->fields || !columns->values[field] || lag > PT_KEYED_MAX_LAG)
			return bad_key;
	}
	for (uint64_t s = 0; s < contexts; s++)
		listed[s] = pt_cursor_get(in, 8);
	for (uint32_t s = 0; s < parting->streams; s++) {
		parting->k[s] = (unsigned int)pt_cursor_get(in, 1);
		if (parting->k[s] > PT_LOG_MAX_K)
			return "a column has an impossible split";
	}
	if (contexts)
		part_rows(columns, parting, columns->values[field], (uint32_t)lag, listed, n);
	else
		parting->begin[0] = 0, parting->begin[1] = n;
	return NULL;
}

/* What the bits and escapes behind the symbols must amount to. False: a symbol is none. */
static bool count_symbols(const struct parting *parting, const uint8_t *symbols, uint64_t *bits,
			  uint64_t *escapes)
{
	*bits = *escapes = 0;
	for (uint32_t s = 0; s < parting->streams; s++) {
		uint32_t seen[256] = {0};

		for (uint32_t i = parting->begin[s]; i < parting->begin[s + 1]; i++)
			seen[symbols[i]]++;
		for (unsigned int symbol = 0; symbol < PT_LOG_ESCAPE; symbol++) {
			unsigned int each = pt_log_bits(symbol, parting->k[s]);

			if (seen[symbol] && each > PT_LOG_MAX_BITS)
				return false;
			*bits += (uint64_t)seen[symbol] * each;
		}
		*escapes += seen[PT_LOG_ESCAPE];
	}
	return true;
}

/* PT_DECODE_SLACK lets the loads run past the last bit. */
static void unpack_bits(const struct parting *parting, const uint8_t *symbols, const uint8_t *bits,
			struct pt_cursor *escapes, uint64_t *values)
{
	uint64_t position = 0;

	for (uint32_t s = 0; s < parting->streams; s++) {
		uint32_t end = parting->begin[s + 1];
		uint64_t base[256];
		uint8_t width[256];

		for (unsigned int symbol = 0; symbol < 256; symbol++) {
			width[symbol] = (uint8_t)pt_log_bits(symbol, parting->k[s]);
			base[symbol] = width[symbol] > PT_LOG_MAX_BITS
					       ? 0
					       : pt_log_base(symbol, parting->k[s]);
		}
		for (uint32_t i = parting->begin[s]; i < end; i++) {
			unsigned int n = width[symbols[i]];
			uint64_t word;

			if (symbols[i] == PT_LOG_ESCAPE) {
				values[i] = pt_cursor_get(escapes, 8);
				continue;
			}
			memcpy(&word, bits + position / 8, sizeof(word));
			word = le64toh(word) >> position % 8;
			values[i] = base[symbols[i]] + (word & ((1ull << n) - 1));
			position += n;
		}
	}
}

static const char *unpack_log(const struct pt_unpacked *columns, struct pt_cursor *in, uint32_t n,
			      uint64_t *values)
{
	struct parting parting;
	struct pt_cursor escapes;
	const uint8_t *symbols, *bits, *streams = columns->streams;
	uint64_t bit_count, escape_count;
	const char *reason = read_parting(columns, in, n, &parting);
	uint64_t *parted;

	if (reason)
		return reason;
	parted = parting.streams > 1 ? columns->scratch : values;
	if (parting.streams > 1 && values == columns->scratch)
		return "values outside their rows are parted into streams";
	symbols = pt_cursor_take(in, n);
	if (!symbols)
		return ends_early;
	if (!count_symbols(&parting, symbols, &bit_count, &escape_count))
		return "a symbol has too many bits";
	if (pt_cursor_get(in, 4) != escape_count)
		return "a column has escapes without values, or values without escapes";
	escapes = *in;
	pt_cursor_take(in, escape_count * 8);
	bits = pt_cursor_take(in, (bit_count + 7) / 8);
	if (!bits)
		return ends_early;
	unpack_bits(&parting, symbols, bits, &escapes, parted);
	for (uint32_t i = 0; parting.streams > 1 && i < n; i++)
		values[i] = parted[parting.begin[streams[i]]++];
	return NULL;
}

static const char *unpack_delta(const struct pt_unpacked *columns, struct pt_cursor *in,
				unsigned int shift, uint64_t *values)
{
	uint64_t base = pt_cursor_get(in, 8);
	const char *reason = unpack_log(columns, in, columns->count, values);
	uint64_t last = base;

	if (reason)
		return reason;
	for (uint32_t i = 0; i < columns->count; i++) {
		if (i && columns->group && columns->group[i] != columns->group[i - 1])
			last = base;
		values[i] = last += values[i] << shift;
	}
	return NULL;
}

static const char *unpack_shifted(const struct pt_unpacked *columns, struct pt_cursor *in,
				  uint64_t *values)
{
	uint64_t shift = pt_cursor_get(in, 1);

	return shift < 64 ? unpack_delta(columns, in, (unsigned int)shift, values)
			  : "a column is shifted too far";
}

/* Where the key of each row stands: its lag leads into the zeros before the first row. NULL: there is no such key. */
static const uint64_t *read_key(const struct pt_unpacked *columns, struct pt_cursor *in,
				uint32_t own, const uint64_t *values)
{
	uint64_t field = pt_cursor_get(in, 2), lag = pt_cursor_get(in, 1);
	const uint64_t *key;

	if (field >= columns->fields || lag > PT_KEYED_MAX_LAG)
		return NULL;
	if (field == own && !lag)
		return NULL;
	key = field == own ? values : columns->values[field];
	return key ? key - lag : NULL;
}

static uint32_t count_misses(const uint8_t *bitmap, uint32_t n)
{
	uint32_t misses = 0, i;

	for (i = 0; i + 64 <= n; i += 64)
		misses += (uint32_t)__builtin_popcountll(pt_load(bitmap + i / 8, 8));
	for (; i < n; i++)
		misses += bitmap[i / 8] >> i % 8 & 1;
	return misses;
}

static const char *unpack_keyed(const struct pt_unpacked *columns, struct pt_cursor *in,
				uint32_t own, size_t size, uint64_t *values)
{
	const uint64_t *key0, *key1;
	uint64_t keys = pt_cursor_get(in, 1), second = keys > 1 ? ~0ull : 0;
	uint64_t *missed = columns->scratch, *predicted = columns->predicted;
	uint32_t n = columns->count;
	const uint8_t *bitmap;
	const char *reason;
	uint32_t misses;

	if (keys < 1 || keys > 2)
		return "a column has too many keys";
	key0 = read_key(columns, in, own, values);
	key1 = second ? read_key(columns, in, own, values) : key0;
	if (!key0 || !key1)
		return bad_key;
	bitmap = pt_cursor_take(in, (n + 7) / 8);
	if (!bitmap)
		return ends_early;
	misses = count_misses(bitmap, n);
	if (misses) {
		unsigned int nested = (unsigned int)pt_cursor_get(in, 1);

		reason = nested == PT_ENC_LOG ? unpack_log(columns, in, misses, missed)
					      : unpack_plain(nested, in, misses, size, missed);
		if (reason)
			return reason;
	}
	memset(predicted, 0, PT_KEYED_SLOTS * sizeof(uint64_t));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t *slot = &predicted[pt_keyed_slot(key0[i], key1[i] & second)];

		if (bitmap[i / 8] >> i % 8 & 1)
			*slot = *missed++;
		values[i] = *slot;
	}
	return NULL;
}

const char *pt_unpack(const struct pt_unpacked *columns, uint32_t field, unsigned int encoding,
		      struct pt_cursor *payload, size_t size, uint64_t *values)
{
	const char *reason;
	uint64_t mask = size_mask(size);
	uint32_t n = columns->count;
	bool wide = size < 8; /* some values may be wider than the field */

	switch (encoding) {
	case PT_ENC_LOG:
		reason = unpack_log(columns, payload, columns->count, values);
		break;
	case PT_ENC_DELTA:
		reason = unpack_delta(columns, payload, 0, values);
		break;
	case PT_ENC_SHIFTED:
		reason = unpack_shifted(columns, payload, values);
		break;
	case PT_ENC_KEYED:
		reason = unpack_keyed(columns, payload, field, size, values);
		break;
	default:
		reason = unpack_plain(encoding, payload, n, size, values);
		wide = false;
	}
	if (!reason && pt_cursor_left(payload))
		return "a column is longer than its rows";
	for (uint32_t i = 0; !reason && wide && i < n; i++)
		values[i] &= mask;
	return reason;
}
