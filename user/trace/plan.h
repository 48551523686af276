/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds, for each column, which other columns tell most about it. A plan is a guess made from a
 * sample: a bad one costs bytes, never a value.
 */
#ifndef PT_TRACE_PLAN_H
#define PT_TRACE_PLAN_H

#include "trace/plain.h"
#include "trace/schema.h"

struct pt_key {
	uint16_t field;
	uint8_t lag; /* rows back, 0: the same row */
};

#define PT_KEYED_KEYS 2

struct pt_column_plan {
	uint8_t keys; /* how many; 0: plain */
	struct pt_key key[PT_KEYED_KEYS];
	struct pt_log_contexts contexts; /* of a log split; key[0] is theirs */
};

struct pt_plan {
	uint32_t blocks; /* that have used it */
	uint32_t rows;	 /* it was made from */
	struct pt_column_plan columns[PT_FIELDS_MAX];
};

/* The columns of a block as planning and coding see them, in coded order. */
struct pt_columns {
	uint32_t count; /* rows */
	uint64_t **
		values; /* by field, PT_KEYED_MAX_LAG zeros before the first; NULL: a NAME or TEXT */
	uint16_t field[PT_FIELDS_MAX]; /* in the order of coding */
	uint32_t coded; /* how many of `field` come before the one at hand, and may be keys */
};

/* Memory of pt_keyed_predict(). */
struct pt_keyed {
	uint64_t predicted[PT_KEYED_SLOTS];
	uint8_t misses[PT_BLOCK_ROWS / 8]; /* a bit for each row */
	uint64_t missed[PT_BLOCK_ROWS];	   /* what those rows hold */
};

/* Says which of the column's first n rows are not as predicted from its keys. How many are not. */
uint32_t pt_keyed_predict(struct pt_keyed *keyed, const struct pt_columns *columns,
			  const struct pt_column_plan *plan, const uint64_t *values, uint32_t n);

void pt_plan_keyed(struct pt_column_plan *plan, const struct pt_columns *columns, uint16_t field,
		   size_t size, struct pt_dict *dict, struct pt_keyed *keyed);

/* For a log split of `values`, which belong to `columns`. */
void pt_plan_contexts(struct pt_column_plan *plan, const struct pt_columns *columns,
		      const uint64_t *values, struct pt_dict *dict);

#endif
