/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a file lays out its kinds: what its own schema says, matched with the catalogue of this
 * program. The files of other versions may lack fields we know and have fields we do not.
 */
#ifndef PT_TRACE_LAYOUT_H
#define PT_TRACE_LAYOUT_H

#include "base/error.h"
#include "trace/schema.h"

enum pt_shape {
	PT_SHAPE_UNKNOWN, /* cannot be decoded, only skipped */
	PT_SHAPE_INT,
	PT_SHAPE_NAME, /* 16 bytes */
	PT_SHAPE_TEXT,
};

struct pt_layout_field {
	const struct pt_field *ours; /* NULL: not known here */
	enum pt_shape shape;
	uint8_t size; /* bytes in the file */
	bool is_signed;
	bool is_time;
};

struct pt_layout {
	const struct pt_schema *schema;
	size_t field_count;
	struct pt_layout_field fields[PT_FIELDS_MAX];
};

struct pt_layouts {
	struct pt_layout kinds[PT_KIND_LIMIT]; /* schema is NULL where the file does not have the
						  kind, or means another */
};

/* The layout of files that this program writes. */
void pt_layout_ours(struct pt_layout *layout, const struct pt_schema *schema);

#endif
