/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/decode.h"

#include <errno.h>

static const uint32_t row_sizes[PT_KIND_LIMIT] = {
#define K(id, name, doc) [id] = sizeof(struct pt_##name),
	PT_KINDS(K)
#undef K
};

int pt_decode_next(const void *message, size_t size, size_t *offset, struct pt_record *record)
{
	const char *at = (const char *)message + *offset;
	const struct pt_header *header = (const void *)at;
	size_t left = size - *offset;

	if (!left ||
	    (size == sizeof(*header) && !header->kind)) /* the latter only wakes the reader */
		return 0;
	if (left < sizeof(*header) || header->kind >= PT_KIND_LIMIT || !row_sizes[header->kind] ||
	    header->size > left - sizeof(*header) || header->size < row_sizes[header->kind])
		return -EBADMSG;
	record->kind = header->kind;
	record->row = at + sizeof(*header);
	record->text = at + sizeof(*header) + row_sizes[header->kind];
	record->text_len = header->size - row_sizes[header->kind];
	left = (sizeof(*header) + header->size + 7) & ~(size_t)7;
	*offset += left < size - *offset ? left : size - *offset;
	return 1;
}
