/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of one kind on their way to a block. */
#ifndef PT_TRACE_ROWS_H
#define PT_TRACE_ROWS_H

#include "trace/bytes.h"
#include "trace/schema.h"

struct pt_rows {
	const struct pt_schema *schema;
	const struct pt_field *text; /* NULL: the kind has none */
	size_t count;
	struct pt_bytes rows;
	struct pt_bytes text_at; /* uint64_t per row: offset of its text in texts */
	struct pt_bytes texts;
	struct pt_bytes times; /* uint64_t per row: what is looked through most, by itself */
	uint64_t last;	       /* highest of them */
};

/* schema may be NULL for a kind that is a hole in the catalogue. */
void pt_rows_init(struct pt_rows *rows, const struct pt_schema *schema);

/* Copies a row, with another time. 0 or -ENOMEM, and then nothing has been added. */
int pt_rows_add(struct pt_rows *rows, const void *row, uint64_t time, const char *text,
		uint32_t text_len);

/* Moves the rows later than `until` to `to`. 0 or -ENOMEM, and then the rest of them stays. */
int pt_rows_split(struct pt_rows *rows, uint64_t until, struct pt_rows *to);

static inline size_t pt_rows_bytes(const struct pt_rows *rows)
{
	return rows->rows.len + rows->text_at.len + rows->texts.len;
}

static inline const uint64_t *pt_rows_times(const struct pt_rows *rows)
{
	return (const uint64_t *)rows->times.data;
}

/* Forgets the rows, keeps the memory. */
void pt_rows_clear(struct pt_rows *rows);

void pt_rows_free(struct pt_rows *rows);

#endif
