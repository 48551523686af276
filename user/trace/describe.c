/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/describe.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "trace/format.h"

/* For people to read: a byte that is not UTF-8 is not worth failing for. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text ? text : "");
	char *copy;

	if (json || !text)
		return json;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

/* A command longer than `max` ends in "...". */
static json_t *command_json(char *const *command, size_t max)
{
	json_t *array = json_array();
	size_t len = 0;

	for (; command && *command; command++) {
		len += strlen(*command) + 1;
		json_array_append_new(array, text_json(len > max ? "..." : *command));
		if (len > max)
			break;
	}
	return array;
}

static json_t *field_json(const struct pt_field *field)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", field->name, "type",
			 pt_field_type(field), "class", pt_class_name(field->class), "unit",
			 pt_class_unit(field->class), "doc", field->doc);
}

static json_t *kind_json(const struct pt_schema *schema)
{
	json_t *fields = json_array();

	for (size_t f = 0; f < schema->field_count; f++)
		json_array_append_new(fields, field_json(&schema->fields[f]));
	return json_pack("{s:i, s:s, s:s, s:o}", "kind", (int)schema->kind, "name", schema->name,
			 "doc", schema->doc, "fields", fields);
}

static json_t *schema_json(void)
{
	json_t *kinds = json_array();

	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (pt_schema_of(kind))
			json_array_append_new(kinds, kind_json(pt_schema_of(kind)));
	return kinds;
}

static json_t *enums_json(void)
{
	json_t *states = json_object();
	json_t *reasons = json_object();

#define S(value, name, doc) json_object_set_new(states, #value, json_string(#name));
	PT_TASK_STATES(S)
#undef S
#define S(value, name, doc) json_object_set_new(reasons, #value, json_string(doc));
	PT_REASONS(S)
#undef S
	return json_pack("{s:o, s:o}", "pt_task_state", states, "pt_reason", reasons);
}

/* All but the schema. */
static json_t *facts_json(const struct pt_meta *meta, size_t command_max)
{
	return json_pack("{s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}",
			 "format", PT_FORMAT_VERSION, "version", text_json(meta->version), "host",
			 text_json(meta->host), "kernel", text_json(meta->kernel), "arch",
			 text_json(meta->arch), "cpus", (json_int_t)meta->cpus, "start_mono",
			 (json_int_t)meta->start_mono, "start_wall", (json_int_t)meta->start_wall,
			 "start_boot", (json_int_t)meta->start_boot, "stall_ns",
			 (json_int_t)meta->stall_ns, "recorder_pid", (json_int_t)meta->recorder_pid,
			 "sees_io_uring", meta->sees_io_uring, "target", text_json(meta->target),
			 "command", command_json(meta->command, command_max));
}

char *pt_describe_meta(const struct pt_meta *meta)
{
	json_t *json = facts_json(meta, PT_META_COMMAND);
	char *text = NULL;

	if (json && !json_object_set_new(json, "schema", schema_json()) &&
	    !json_object_set_new(json, "enums", enums_json()))
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

char *pt_describe_facts(const struct pt_meta *meta)
{
	json_t *json = facts_json(meta, PT_END_COMMAND);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

char *pt_describe_end(const struct pt_end *end, const char *facts)
{
	json_t *meta = json_loads(facts ? facts : "{}", 0, NULL);
	json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:o, s:i, s:o}", "duration_ns",
				 (json_int_t)end->duration_ns, "recorder_cpu_ns",
				 (json_int_t)end->recorder_cpu_ns, "recorder_rss",
				 (json_int_t)end->recorder_rss, "bpf_ns", (json_int_t)end->bpf_ns,
				 "ended_by", text_json(end->ended_by), "command_status",
				 end->command_status, "meta", meta);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static char *get_text(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return strdup(text ? text : "");
}

static uint64_t get_int(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

static int get_command(const json_t *array, char ***command)
{
	size_t n = json_array_size(array);

	if (!n)
		return 0;
	*command = calloc(n + 1, sizeof(char *));
	for (size_t i = 0; *command && i < n; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		(*command)[i] = strdup(text ? text : "");
		if (!(*command)[i])
			return -ENOMEM;
	}
	return *command ? 0 : -ENOMEM;
}

static enum pt_shape shape_of(const char *type, const char *class, uint8_t *size, bool *is_signed)
{
	static const char *const types[] = {"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"};

	*size = PT_COMM_LEN;
	if (!strcmp(type, "char16"))
		return PT_SHAPE_NAME;
	for (size_t t = 0; t < PT_ARRAY_SIZE(types); t++) {
		if (strcmp(type, types[t]) != 0)
			continue;
		*size = (uint8_t)(1 << t % 4);
		*is_signed = t >= 4;
		return strcmp(class, "text") ? PT_SHAPE_INT : PT_SHAPE_TEXT;
	}
	return PT_SHAPE_UNKNOWN;
}

static enum pt_shape our_shape(const struct pt_field *field)
{
	if (field->class == PT_CLASS_NAME)
		return PT_SHAPE_NAME;
	return field->class == PT_CLASS_TEXT ? PT_SHAPE_TEXT : PT_SHAPE_INT;
}

static bool parse_field(const json_t *json, const struct pt_schema *schema,
			struct pt_layout_field *field)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *type = json_string_value(json_object_get(json, "type"));
	const char *class = json_string_value(json_object_get(json, "class"));

	if (!name || !type || !class)
		return false;
	field->shape = shape_of(type, class, &field->size, &field->is_signed);
	field->ours = pt_schema_field(schema, name);
	if (field->ours && our_shape(field->ours) != field->shape)
		return false;
	field->is_time = field->ours && field->ours->class == PT_CLASS_TIME;
	return !field->is_time || field->size == 8;
}

static bool parse_kind(const json_t *json, struct pt_layouts *layouts)
{
	json_int_t kind = json_integer_value(json_object_get(json, "kind"));
	const char *name = json_string_value(json_object_get(json, "name"));
	const json_t *fields = json_object_get(json, "fields");
	const struct pt_schema *schema;
	struct pt_layout *layout;

	if (!name || !json_is_array(fields))
		return false;
	schema = kind > 0 && kind < PT_KIND_LIMIT ? pt_schema_of((uint32_t)kind) : NULL;
	if (!schema || strcmp(name, schema->name) != 0)
		return true;
	layout = &layouts->kinds[kind];
	layout->field_count = json_array_size(fields);
	if (layout->schema || !layout->field_count || layout->field_count > PT_FIELDS_MAX)
		return false;
	layout->schema = schema;
	for (size_t f = 0; f < layout->field_count; f++) {
		if (!parse_field(json_array_get(fields, f), schema, &layout->fields[f]))
			return false;
		for (size_t g = 0; g < f; g++)
			if (layout->fields[f].ours &&
			    layout->fields[g].ours == layout->fields[f].ours)
				return false;
	}
	return true;
}

static int parse_layouts(const json_t *kinds, struct pt_layouts *layouts, struct pt_error *err)
{
	memset(layouts, 0, sizeof(*layouts));
	if (!json_is_array(kinds))
		return pt_error_set(err, -EBADMSG, "the metadata has no schema");
	for (size_t k = 0; k < json_array_size(kinds); k++)
		if (!parse_kind(json_array_get(kinds, k), layouts))
			return pt_error_set(err, -EBADMSG, "the schema is not valid (entry %zu)",
					    k);
	return 0;
}

static int parse_facts(const json_t *json, struct pt_meta *meta)
{
	memset(meta, 0, sizeof(*meta));
	meta->version = get_text(json, "version");
	meta->host = get_text(json, "host");
	meta->kernel = get_text(json, "kernel");
	meta->arch = get_text(json, "arch");
	meta->cpus = (uint32_t)get_int(json, "cpus");
	meta->start_mono = get_int(json, "start_mono");
	meta->start_wall = get_int(json, "start_wall");
	meta->start_boot = get_int(json, "start_boot");
	meta->stall_ns = get_int(json, "stall_ns");
	meta->recorder_pid = (uint32_t)get_int(json, "recorder_pid");
	meta->sees_io_uring = json_is_true(json_object_get(json, "sees_io_uring"));
	meta->target = get_text(json, "target");
	if (!meta->version || !meta->host || !meta->kernel || !meta->arch || !meta->target)
		return -ENOMEM;
	return get_command(json_object_get(json, "command"), &meta->command);
}

int pt_parse_meta(const char *text, size_t len, struct pt_meta *meta, struct pt_layouts *layouts,
		  struct pt_error *err)
{
	json_error_t json_err;
	json_t *json = json_loadb(text, len, 0, &json_err);
	int ret;

	memset(meta, 0, sizeof(*meta));
	if (!json)
		return pt_error_set(err, -EBADMSG, "the metadata is not JSON: %s", json_err.text);
	ret = parse_facts(json, meta);
	if (!ret)
		ret = parse_layouts(json_object_get(json, "schema"), layouts, err);
	else
		pt_error_errno(err, ret, "cannot read the metadata");
	json_decref(json);
	if (ret)
		pt_meta_clear(meta);
	return ret;
}

int pt_parse_end(const char *text, size_t len, struct pt_end *end, struct pt_meta *meta,
		 struct pt_error *err)
{
	json_error_t json_err;
	json_t *json = json_loadb(text, len, 0, &json_err);
	int ret = 0;

	memset(end, 0, sizeof(*end));
	if (!json)
		return pt_error_set(err, -EBADMSG, "the end is not JSON: %s", json_err.text);
	end->duration_ns = get_int(json, "duration_ns");
	end->recorder_cpu_ns = get_int(json, "recorder_cpu_ns");
	end->recorder_rss = get_int(json, "recorder_rss");
	end->bpf_ns = get_int(json, "bpf_ns");
	end->ended_by = get_text(json, "ended_by");
	end->command_status = (int)json_integer_value(json_object_get(json, "command_status"));
	if (meta)
		ret = parse_facts(json_object_get(json, "meta"), meta);
	json_decref(json);
	return end->ended_by && !ret ? 0 : pt_error_errno(err, -ENOMEM, "cannot read the end");
}
