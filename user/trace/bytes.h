/* SPDX-License-Identifier: BSD-2-Clause */
/* Little-endian bytes: a buffer that grows, and a cursor that never leaves its bounds. */
#ifndef PT_TRACE_BYTES_H
#define PT_TRACE_BYTES_H

#include <endian.h>
#include <string.h>

#include "base/types.h"

/* A failed allocation sets `failed`, after which nothing is appended: check once, at the end. */
struct pt_bytes {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool failed;
};

uint8_t *pt_bytes_grow(struct pt_bytes *bytes, size_t n);

/* Makes room for n more bytes. NULL if there is none; else where they go. len is not changed. */
static inline uint8_t *pt_bytes_reserve(struct pt_bytes *bytes, size_t n)
{
	if (n <= bytes->cap - bytes->len && !bytes->failed)
		return bytes->data + bytes->len;
	return pt_bytes_grow(bytes, n);
}

/* As above, and they count as appended: the caller fills them. */
uint8_t *pt_bytes_extend(struct pt_bytes *bytes, size_t n);

void pt_bytes_append(struct pt_bytes *bytes, const void *data, size_t n);

/* The low `size` bytes of value. */
void pt_bytes_put(struct pt_bytes *bytes, uint64_t value, size_t size);

/* Seven bits per byte, lowest first, the top bit set on all but the last. */
void pt_bytes_put_varint(struct pt_bytes *bytes, uint64_t value);

void pt_bytes_free(struct pt_bytes *bytes);

/* Reading past the end sets `failed` and gives zeros. */
struct pt_cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline size_t pt_cursor_left(const struct pt_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* NULL if fewer than n bytes are left. */
const uint8_t *pt_cursor_take(struct pt_cursor *cursor, size_t n);

uint64_t pt_cursor_get(struct pt_cursor *cursor, size_t size);

uint64_t pt_cursor_get_varint(struct pt_cursor *cursor);

static inline uint64_t pt_load(const void *data, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, data, size);
	return le64toh(value);
}

static inline void pt_store(void *data, uint64_t value, size_t size)
{
	value = htole64(value);
	memcpy(data, &value, size);
}

#endif
