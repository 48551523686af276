/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints docs/records.md from the catalogue. */
#include <stdio.h>

#include "trace/schema.h"

static void print_values(const char *title)
{
	printf("\n## %s\n\n| value | name | meaning |\n|---|---|---|\n", title);
}

static void print_kind(const struct pt_schema *schema)
{
	printf("\n## %u `%s`\n\n%s %u bytes.\n\n", schema->kind, schema->name, schema->doc,
	       schema->row_size);
	printf("| offset | field | type | class | unit | meaning |\n|---|---|---|---|---|---|\n");
	for (size_t f = 0; f < schema->field_count; f++) {
		const struct pt_field *field = &schema->fields[f];

		printf("| %u | `%s` | %s | %s | %s | %s |\n", field->offset, field->name,
		       pt_field_type(field), pt_class_name(field->class),
		       pt_class_unit(field->class), field->doc);
	}
}

int main(void)
{
	printf("# The records\n\n"
	       "Made from bpf/records.h by `make docs/records.md`; do not edit. Ids and names are "
	       "for ever. What the\n"
	       "classes mean is written at the top of bpf/records.h, how records stand in a file "
	       "in trace-format.md.\n"
	       "Sizes and offsets are those of the structs in memory. Times in a file count from "
	       "the start of recording.\n");
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (pt_schema_of(kind))
			print_kind(pt_schema_of(kind));
	print_values("States of a task (`pt_task_state`)");
#define S(value, name, doc) printf("| %d | %s | %s |\n", value, #name, doc);
	PT_TASK_STATES(S)
	print_values("Reasons for being blocked (`pt_reason`)");
	PT_REASONS(S)
#undef S
	print_values("Bits of the fields `flags`");
#define S(value, name, doc) printf("| %d | PT_%s | %s |\n", value, #name, doc);
	PT_FLAG_BITS(S)
#undef S
	return 0;
}
