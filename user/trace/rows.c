/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/rows.h"

#include <errno.h>

void pt_rows_init(struct pt_rows *rows, const struct pt_schema *schema)
{
	memset(rows, 0, sizeof(*rows));
	rows->schema = schema;
	for (size_t f = 0; schema && f < schema->field_count; f++)
		if (schema->fields[f].class == PT_CLASS_TEXT)
			rows->text = &schema->fields[f];
}

int pt_rows_add(struct pt_rows *rows, const void *row, uint64_t time, const char *text,
		uint32_t text_len)
{
	size_t size = rows->schema->row_size;
	uint64_t text_at = rows->texts.len;
	uint8_t *at = pt_bytes_reserve(&rows->rows, size);

	if (rows->text && (!pt_bytes_reserve(&rows->text_at, sizeof(text_at)) ||
			   !pt_bytes_reserve(&rows->texts, (size_t)text_len + 1)))
		at = NULL;
	if (!at) {
		/* Memory may come back; what is there stays usable. */
		rows->rows.failed = rows->text_at.failed = rows->texts.failed = false;
		return -ENOMEM;
	}
	memcpy(at, row, size);
	memcpy(at, &time, sizeof(time));
	rows->rows.len += size;
	if (rows->text) {
		memcpy(at + rows->text->offset, &text_len, sizeof(text_len));
		pt_bytes_append(&rows->text_at, &text_at, sizeof(text_at));
		pt_bytes_append(&rows->texts, text, text_len);
	}
	if (time > rows->last)
		rows->last = time;
	return 0;
}

static int move_row(struct pt_rows *rows, size_t i, uint64_t time, struct pt_rows *to)
{
	const uint8_t *row = rows->rows.data + i * rows->schema->row_size;
	const char *text = NULL;
	uint32_t text_len = 0;

	if (rows->text) {
		memcpy(&text_len, row + rows->text->offset, sizeof(text_len));
		text = (const char *)rows->texts.data + ((const uint64_t *)rows->text_at.data)[i];
	}
	return pt_rows_add(to, row, time, text, text_len);
}

int pt_rows_split(struct pt_rows *rows, uint64_t until, struct pt_rows *to)
{
	size_t size = rows->schema->row_size;
	size_t count = pt_rows_count(rows);
	size_t kept = 0;
	int err = 0;

	if (rows->last <= until)
		return 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t *row = rows->rows.data + i * size;
		uint64_t time = pt_load(row, sizeof(time));

		if (!err && time > until)
			err = move_row(rows, i, time, to);
		if (!err && time > until)
			continue;
		if (kept != i) {
			memmove(rows->rows.data + kept * size, row, size);
			if (rows->text)
				memmove(rows->text_at.data + kept * sizeof(uint64_t),
					rows->text_at.data + i * sizeof(uint64_t),
					sizeof(uint64_t));
		}
		kept++;
	}
	rows->rows.len = kept * size;
	rows->text_at.len = rows->text ? kept * sizeof(uint64_t) : 0;
	return err;
}

void pt_rows_clear(struct pt_rows *rows)
{
	rows->rows.len = rows->text_at.len = rows->texts.len = 0;
	rows->last = 0;
}

void pt_rows_free(struct pt_rows *rows)
{
	pt_bytes_free(&rows->rows);
	pt_bytes_free(&rows->text_at);
	pt_bytes_free(&rows->texts);
}
