/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/layout.h"

#include <string.h>

void pt_layout_ours(struct pt_layout *layout, const struct pt_schema *schema)
{
	memset(layout, 0, sizeof(*layout));
	layout->schema = schema;
	layout->field_count = schema->field_count;
	for (size_t f = 0; f < schema->field_count; f++) {
		const struct pt_field *field = &schema->fields[f];
		struct pt_layout_field *at = &layout->fields[f];

		at->ours = field;
		at->size = field->size;
		at->is_signed = field->is_signed;
		at->is_time = field->class == PT_CLASS_TIME;
		at->shape = field->class == PT_CLASS_NAME   ? PT_SHAPE_NAME
			    : field->class == PT_CLASS_TEXT ? PT_SHAPE_TEXT
							    : PT_SHAPE_INT;
	}
}
