/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints every record of a trace, one per line: `kind field=value ...`. For tests, and to look into
 * a file by hand. */
#include <inttypes.h>
#include <stdio.h>

#include "trace/bytes.h"
#include "trace/reader.h"
#include "trace/schema.h"

static void print_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c > ' ' && c < 0x7f && c != '\\')
			putchar(c);
		else
			printf("\\x%02x", c);
	}
}

static void print_int(const struct pt_field *field, const uint8_t *at)
{
	uint64_t value = pt_load(at, field->size);
	unsigned int unused = (unsigned int)(64 - 8 * field->size);

	if (field->is_signed)
		printf("%" PRId64, (int64_t)(value << unused) >> unused);
	else
		printf("%" PRIu64, value);
}

static void print_record(const struct pt_reader *reader, const struct pt_record *record)
{
	const struct pt_schema *schema = pt_schema_of(record->kind);

	fputs(schema->name, stdout);
	for (size_t f = 0; f < schema->field_count; f++) {
		const struct pt_field *field = &schema->fields[f];
		const uint8_t *at = (const uint8_t *)record->row + field->offset;

		if (!pt_reader_has_field(reader, record->kind, field))
			continue;
		printf(" %s=", field->name);
		if (field->class == PT_CLASS_NAME)
			print_text((const char *)at, strnlen((const char *)at, PT_COMM_LEN));
		else if (field->class == PT_CLASS_TEXT)
			print_text(record->text, record->text_len);
		else
			print_int(field, at);
	}
	putchar('\n');
}

static void print_damages(const struct pt_reader *reader)
{
	struct pt_reader_summary summary;

	pt_reader_summary(reader, &summary);
	for (size_t d = 0; d < summary.damage_count; d++)
		fprintf(stderr, "damage at %" PRIu64 ", %" PRIu64 " bytes: %s\n",
			summary.damages[d].offset, summary.damages[d].length,
			summary.damages[d].reason);
	if (!summary.complete)
		fprintf(stderr, "ends abruptly at %" PRIu64 " ns\n", summary.ends_at);
	if (summary.unknown_records)
		fprintf(stderr, "%" PRIu64 " records of unknown kinds\n", summary.unknown_records);
}

int main(int argc, char **argv)
{
	struct pt_reader *reader = NULL;
	struct pt_record record;
	struct pt_error err;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	ret = pt_reader_open(&reader, argv[1], NULL, &err);
	while (!ret) {
		ret = pt_reader_next(reader, &record, &err);
		if (ret <= 0)
			break;
		print_record(reader, &record);
		ret = 0;
	}
	if (ret < 0)
		fprintf(stderr, "%s\n", err.text);
	else
		print_damages(reader);
	pt_reader_free(reader);
	return ret < 0;
}
