/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/schema.h"

#include <string.h>

#define IS_SIGNED(type)                                                                            \
	_Generic((type *)0, __s8 *                                                                 \
		 : true, __s16 *                                                                   \
		 : true, __s32 *                                                                   \
		 : true, __s64 *                                                                   \
		 : true, default                                                                   \
		 : false)

#define FIELD(type_, name_, class_, doc_)                                                          \
	{.name = #name_,                                                                           \
	 .doc = doc_,                                                                              \
	 .class = PT_CLASS_##class_,                                                               \
	 .offset = offsetof(row, name_),                                                           \
	 .size = sizeof(type_),                                                                    \
	 .is_signed = IS_SIGNED(type_)},

/* One function per kind, because FIELD() is not told the struct's name and needs a scope in which
 * `row` is it. */
#define KIND(id_, name_, doc_)                                                                     \
	static const struct pt_schema *schema_##name_(void)                                        \
	{                                                                                          \
		typedef struct pt_##name_ row;                                                     \
		static const struct pt_field fields[] = {PT_FIELDS_##name_(FIELD)};                \
		static const struct pt_schema schema = {                                           \
			.kind = id_,                                                               \
			.row_size = sizeof(row),                                                   \
			.name = #name_,                                                            \
			.doc = doc_,                                                               \
			.fields = fields,                                                          \
			.field_count = PT_ARRAY_SIZE(fields),                                      \
		};                                                                                 \
		_Static_assert(PT_ARRAY_SIZE(fields) <= PT_FIELDS_MAX, "too many fields");         \
		_Static_assert(id_ < 8 * sizeof(pt_kinds), "a set of kinds must hold it");         \
		return &schema;                                                                    \
	}
PT_KINDS(KIND)

const struct pt_schema *pt_schema_of(uint32_t kind)
{
	switch (kind) {
#define KIND_CASE(id, name, doc)                                                                   \
	case id:                                                                                   \
		return schema_##name();
		PT_KINDS(KIND_CASE)
	}
	return NULL;
}

const struct pt_field *pt_schema_field(const struct pt_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->field_count; i++)
		if (!strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	return NULL;
}

static const char *const class_names[] = {
	[PT_CLASS_TIME] = "time",   [PT_CLASS_NS] = "ns",	[PT_CLASS_ID] = "id",
	[PT_CLASS_CHAIN] = "chain", [PT_CLASS_ENUM] = "enum",	[PT_CLASS_FLAGS] = "flags",
	[PT_CLASS_COUNT] = "count", [PT_CLASS_BYTES] = "bytes", [PT_CLASS_HASH] = "hash",
	[PT_CLASS_NAME] = "name",   [PT_CLASS_TEXT] = "text",
};

const char *pt_class_name(enum pt_class class)
{
	return class_names[class];
}

const char *pt_class_unit(enum pt_class class)
{
	switch (class) {
	case PT_CLASS_TIME:
	case PT_CLASS_NS:
		return "ns";
	case PT_CLASS_BYTES:
	case PT_CLASS_TEXT:
		return "bytes";
	default:
		return "";
	}
}

const char *pt_field_type(const struct pt_field *field)
{
	switch (field->size) {
	case 1:
		return field->is_signed ? "s8" : "u8";
	case 2:
		return field->is_signed ? "s16" : "u16";
	case 4:
		return field->is_signed ? "s32" : "u32";
	case 8:
		return field->is_signed ? "s64" : "u64";
	default:
		return "char16";
	}
}
