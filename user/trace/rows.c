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

static bool has_room(struct pt_rows *rows, uint32_t text_len)
{
	bool room = pt_bytes_reserve(&rows->rows, rows->schema->row_size) &&
		    pt_bytes_reserve(&rows->times, sizeof(uint64_t));

	if (room && rows->text)
		room = pt_bytes_reserve(&rows->text_at, sizeof(uint64_t)) &&
		       pt_bytes_reserve(&rows->texts, (size_t)text_len + 1);
	/* Memory may come back; what is there stays usable. */
	if (!room)
		rows->rows.failed = rows->times.failed = rows->text_at.failed = rows->texts.failed =
			false;
	return room;
}

static void add_text(struct pt_rows *rows, uint8_t *at, const char *text, uint32_t text_len)
{
	uint64_t text_at = rows->texts.len;

	memcpy(at + rows->text->offset, &text_len, sizeof(text_len));
	pt_bytes_append(&rows->text_at, &text_at, sizeof(text_at));
	pt_bytes_append(&rows->texts, text, text_len);
}

int pt_rows_add(struct pt_rows *rows, const void *row, uint64_t time, const char *text,
		uint32_t text_len)
{
	size_t size = rows->schema->row_size;
	uint8_t *at;

	if (!has_room(rows, text_len))
		return -ENOMEM;
	at = rows->rows.data + rows->rows.len;
	memcpy(at, &time, sizeof(time));
	/* Rows are short, and of whole words. */
	for (size_t i = sizeof(time); i < size; i += sizeof(uint64_t))
		memcpy(at + i, (const uint8_t *)row + i, sizeof(uint64_t));
	memcpy(rows->times.data + rows->times.len, &time, sizeof(time));
	rows->rows.len += size;
	rows->times.len += sizeof(time);
	rows->count++;
	if (time > rows->last)
		rows->last = time;
	if (rows->text)
		add_text(rows, at, text, text_len);
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

/* Row `from` takes the place `to`, which is not behind it. */
static void pull_row(struct pt_rows *rows, size_t to, size_t from)
{
	size_t size = rows->schema->row_size;
	uint64_t *times = (uint64_t *)rows->times.data;
	uint64_t *text_at = (uint64_t *)rows->text_at.data;

	if (to == from)
		return;
	memcpy(rows->rows.data + to * size, rows->rows.data + from * size, size);
	times[to] = times[from];
	if (rows->text)
		text_at[to] = text_at[from];
}

int pt_rows_split(struct pt_rows *rows, uint64_t until, struct pt_rows *to)
{
	const uint64_t *times = pt_rows_times(rows);
	size_t kept = 0;
	int err = 0;

	if (rows->last <= until)
		return 0;
	while (kept < rows->count && times[kept] <= until)
		kept++;
	for (size_t i = kept; i < rows->count; i++) {
		if (!err && times[i] > until)
			err = move_row(rows, i, times[i], to);
		if (err || times[i] <= until)
			pull_row(rows, kept++, i);
	}
	rows->count = kept;
	rows->rows.len = kept * rows->schema->row_size;
	rows->times.len = kept * sizeof(uint64_t);
	rows->text_at.len = rows->text ? kept * sizeof(uint64_t) : 0;
	return err;
}

void pt_rows_clear(struct pt_rows *rows)
{
	rows->count = rows->rows.len = rows->text_at.len = rows->texts.len = rows->times.len = 0;
	rows->last = 0;
}

void pt_rows_free(struct pt_rows *rows)
{
	pt_bytes_free(&rows->rows);
	pt_bytes_free(&rows->text_at);
	pt_bytes_free(&rows->texts);
	pt_bytes_free(&rows->times);
}
