/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/bytes.h"

#include <stdlib.h>

#include "base/leb.h"

uint8_t *pt_bytes_grow(struct pt_bytes *bytes, size_t n)
{
	size_t cap = bytes->cap ? bytes->cap : 256;
	uint8_t *data;

	if (bytes->failed)
		return NULL;
	while (cap - bytes->len < n && cap <= SIZE_MAX / 2)
		cap *= 2;
	data = cap - bytes->len < n ? NULL : realloc(bytes->data, cap);
	if (!data) {
		bytes->failed = true;
		return NULL;
	}
	bytes->data = data;
	bytes->cap = cap;
	return data + bytes->len;
}

uint8_t *pt_bytes_extend(struct pt_bytes *bytes, size_t n)
{
	uint8_t *p = pt_bytes_reserve(bytes, n);

	if (p)
		bytes->len += n;
	return p;
}

void pt_bytes_append(struct pt_bytes *bytes, const void *data, size_t n)
{
	uint8_t *p = n ? pt_bytes_extend(bytes, n) : NULL;

	if (p)
		memcpy(p, data, n);
}

void pt_bytes_put(struct pt_bytes *bytes, uint64_t value, size_t size)
{
	uint8_t *p = pt_bytes_extend(bytes, size);

	if (p)
		pt_store(p, value, size);
}

void pt_bytes_put_varint(struct pt_bytes *bytes, uint64_t value)
{
	uint8_t coded[PT_LEB_MAX];

	pt_bytes_append(bytes, coded, pt_leb_put(coded, value));
}

void pt_bytes_free(struct pt_bytes *bytes)
{
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

const uint8_t *pt_cursor_take(struct pt_cursor *cursor, size_t n)
{
	const uint8_t *p = cursor->at;

	if (cursor->failed || n > pt_cursor_left(cursor)) {
		cursor->failed = true;
		return NULL;
	}
	cursor->at += n;
	return p;
}

uint64_t pt_cursor_get(struct pt_cursor *cursor, size_t size)
{
	const uint8_t *p = pt_cursor_take(cursor, size);

	return p ? pt_load(p, size) : 0;
}

uint64_t pt_cursor_get_varint(struct pt_cursor *cursor)
{
	uint64_t value;
	size_t n = cursor->failed ? 0 : pt_leb_get(cursor->at, pt_cursor_left(cursor), &value);

	cursor->at += n;
	cursor->failed |= !n;
	return n ? value : 0;
}
