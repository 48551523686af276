/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/plan.h"

#include <math.h>

#define SAMPLE	  2048 /* rows */
#define KEYED_MIN 64   /* rows below which the tables are not worth their setting up */
#define CONTEXT_K 3    /* fine enough to compare contexts by */

struct trial {
	const struct pt_columns *columns;
	const uint64_t *values; /* of the column at hand */
	uint32_t rows;
	uint16_t field;
	size_t size;
	struct pt_dict *dict;
	struct pt_keyed *keyed;
};

/* Bits of the sample under a plan: which rows miss, and what they hold instead. */
static double keyed_cost(struct trial *trial, const struct pt_column_plan *plan)
{
	uint32_t misses =
		pt_keyed_predict(trial->keyed, trial->columns, plan, trial->values, trial->rows);
	uint32_t others = 0;
	uint32_t hit_miss[2];

	pt_dict_clear(trial->dict);
	for (uint32_t i = 0; i < misses; i++)
		others += pt_dict_index(trial->dict, trial->keyed->missed[i]) < 0;
	hit_miss[0] = trial->rows - misses;
	hit_miss[1] = misses;
	/* Eight hits or misses share a byte, so that the floor of one bit per symbol does not
	 * apply. */
	return 2 * pt_entropy_bits(hit_miss, 2) - (misses ? trial->rows : 0) + trial->rows / 16.0 +
	       pt_entropy_bits(trial->dict->seen, trial->dict->count) +
	       8.0 * (double)trial->size * others;
}

static double plain_cost(struct trial *trial)
{
	unsigned int k;

	pt_dict_clear(trial->dict);
	for (uint32_t i = 0; i < trial->rows; i++)
		if (pt_dict_index(trial->dict, trial->values[i]) < 0)
			return pt_log_cost(trial->values, trial->rows, &k);
	return pt_entropy_bits(trial->dict->seen, trial->dict->count);
}

/* Tries every key in place `at` of the plan, and keeps the best if it is better than `best`. */
static double try_keys(struct trial *trial, struct pt_column_plan *plan, uint8_t at, double best)
{
	struct pt_column_plan candidate = *plan;

	candidate.keys = at + 1;
	for (uint32_t c = 0; c <= trial->columns->coded; c++) {
		bool own = c == trial->columns->coded;
		uint16_t field = own ? trial->field : trial->columns->field[c];

		if (!own && !trial->columns->values[field])
			continue;
		for (uint8_t lag = own; lag <= PT_KEYED_MAX_LAG; lag++) {
			double cost;

			candidate.key[at] = (struct pt_key){.field = field, .lag = lag};
			cost = keyed_cost(trial, &candidate);
			if (cost < best) {
				best = cost;
				*plan = candidate;
			}
		}
	}
	return best;
}

void pt_plan_keyed(struct pt_column_plan *plan, const struct pt_columns *columns, uint16_t field,
		   size_t size, struct pt_dict *dict, struct pt_keyed *keyed)
{
	struct trial trial = {
		.columns = columns,
		.values = columns->values[field],
		.rows = columns->count < SAMPLE ? columns->count : SAMPLE,
		.field = field,
		.size = size,
		.dict = dict,
		.keyed = keyed,
	};
	double best;

	plan->keys = 0;
	if (columns->count < KEYED_MIN)
		return;
	best = plain_cost(&trial);
	if (best <= 0)
		return;
	best = try_keys(&trial, plan, 0, best);
	if (plan->keys)
		try_keys(&trial, plan, 1, best);
}

/* A key tells about a row by itself: rows from all over the block will do. */
static uint32_t sample_step(const struct pt_columns *columns)
{
	return 1 + columns->count / SAMPLE;
}

/* Bits of the sample if its symbols are parted by the key. */
static double context_cost(const struct pt_columns *columns, const struct pt_key *key,
			   const uint64_t *values, struct pt_dict *dict)
{
	const uint64_t *keys = columns->values[key->field] - key->lag;
	uint32_t step = sample_step(columns);
	uint32_t seen[PT_LOG_CONTEXTS + 1][256] = {0};
	double bits = 0;

	pt_dict_clear(dict);
	for (uint32_t i = 0; i < columns->count; i += step) {
		int c = pt_dict_index(dict, keys[i]);

		if (c < 0 || c > PT_LOG_CONTEXTS)
			c = PT_LOG_CONTEXTS;
		seen[c][pt_log_symbol(values[i], CONTEXT_K)]++;
	}
	for (uint32_t c = 0; c <= PT_LOG_CONTEXTS; c++) {
		bits += pt_entropy_bits(seen[c], 256);
		for (uint32_t s = 0; s < 256; s++)
			bits += seen[c][s] ? 3 : 0;
	}
	return bits;
}

void pt_plan_contexts(struct pt_column_plan *plan, const struct pt_columns *columns,
		      const uint64_t *values, struct pt_dict *dict)
{
	uint32_t step = sample_step(columns);
	uint32_t seen[256] = {0};
	double best;

	plan->keys = 0;
	if (columns->count < KEYED_MIN)
		return;
	for (uint32_t i = 0; i < columns->count; i += step)
		seen[pt_log_symbol(values[i], CONTEXT_K)]++;
	best = pt_entropy_bits(seen, 256);
	for (uint32_t c = 0; c < columns->coded; c++) {
		for (uint8_t lag = 0; columns->values[columns->field[c]] && lag <= 1; lag++) {
			struct pt_key key = {.field = columns->field[c], .lag = lag};
			double cost = context_cost(columns, &key, values, dict);

			if (cost < best) {
				best = cost;
				plan->keys = 1;
				plan->key[0] = key;
			}
		}
	}
}
