/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/plan.h"

uint32_t pt_keyed_predict(struct pt_keyed *keyed, const struct pt_columns *columns,
			  const struct pt_column_plan *plan, const uint64_t *values, uint32_t n)
{
	const uint64_t *key0 = columns->values[plan->key[0].field] - plan->key[0].lag;
	const uint64_t *key1 = columns->values[plan->key[1].field] - plan->key[1].lag;
	uint64_t second = plan->keys > 1 ? ~0ull : 0;
	uint64_t *missed = keyed->missed;

	memset(keyed->predicted, 0, sizeof(keyed->predicted));
	/* Without branches, which nobody could foretell. */
	for (uint32_t i = 0; i < n; i += 8) {
		uint32_t rows = n - i < 8 ? n - i : 8;
		uint32_t byte = 0;

		for (uint32_t bit = 0; bit < rows; bit++) {
			uint64_t value = values[i + bit];
			uint64_t *slot = &keyed->predicted[pt_keyed_slot(key0[i + bit],
									 key1[i + bit] & second)];
			uint32_t miss = *slot != value;

			*slot = *missed = value;
			missed += miss;
			byte |= miss << bit;
		}
		keyed->misses[i / 8] = (uint8_t)byte;
	}
	return (uint32_t)(missed - keyed->missed);
}
