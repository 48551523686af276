/* SPDX-License-Identifier: BSD-2-Clause */
/* The catalogue of records as a table: for the writer, the reader and the documentation. */
#ifndef PT_TRACE_SCHEMA_H
#define PT_TRACE_SCHEMA_H

#include "base/record.h"

#define PT_FIELDS_MAX 64  /* fields of one kind */
#define PT_KINDS_MAX  128 /* ids of kinds: pt_kinds has a bit for each */

enum pt_class {
	PT_CLASS_TIME,
	PT_CLASS_NS,
	PT_CLASS_ID,
	PT_CLASS_CHAIN,
	PT_CLASS_ENUM,
	PT_CLASS_FLAGS,
	PT_CLASS_COUNT,
	PT_CLASS_BYTES,
	PT_CLASS_HASH,
	PT_CLASS_NAME,
	PT_CLASS_TEXT,
};

struct pt_field {
	const char *name;
	const char *doc;
	enum pt_class class;
	uint16_t offset; /* in the kind's struct */
	uint8_t size;	 /* bytes */
	bool is_signed;
};

struct pt_schema {
	uint32_t kind;
	uint32_t row_size;
	const char *name;
	const char *doc;
	const struct pt_field *fields;
	size_t field_count;
};

/* NULL for a kind that is not in the catalogue. */
const struct pt_schema *pt_schema_of(uint32_t kind);

/* NULL if the kind has no such field. */
const struct pt_field *pt_schema_field(const struct pt_schema *schema, const char *name);

/* "time", "id", ...: the class as files and docs spell it. */
const char *pt_class_name(enum pt_class class);

/* "ns", "bytes" or "". */
const char *pt_class_unit(enum pt_class class);

/* "u8" to "u64", "s8" to "s64", "char16": the field's type as files and docs spell it. */
const char *pt_field_type(const struct pt_field *field);

#endif
