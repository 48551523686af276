/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/section.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define DOCUMENT_FORMAT 1

static const char *const part_names[] = {
#define P(name, text) text,
	PT_PARTS(P)
#undef P
};

static const char *const reason_names[] = {
#define S(value, name, text) [value] = text,
	PT_REASONS(S)
#undef S
};

int pt_json_put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new_nocheck(object, key, value);
}

json_t *pt_json_int(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *text_of(const char *text, size_t length)
{
	char *valid = pt_utf8_valid(text, length);
	json_t *json = valid ? json_string_nocheck(valid) : NULL;

	free(valid);
	return json;
}

json_t *pt_json_text(const char *text)
{
	return text ? text_of(text, strlen(text)) : json_string_nocheck("");
}

json_t *pt_json_texts(const char *texts, size_t length)
{
	json_t *list = json_array();
	size_t at, n;

	for (at = 0; at < length; at += n + 1) {
		n = strnlen(texts + at, length - at);
		if (json_array_append_new(list, text_of(texts + at, n))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *pt_json_quantiles(const struct pt_histogram *h)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "count", pt_json_int(h->count), "p50",
			 pt_json_int(pt_histogram_quantile(h, 0.50)), "p90",
			 pt_json_int(pt_histogram_quantile(h, 0.90)), "p99",
			 pt_json_int(pt_histogram_quantile(h, 0.99)), "max", pt_json_int(h->max));
}

json_t *pt_json_parts(const struct pt_states_of *states)
{
	json_t *object = json_object();
	int ret = 0;
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		ret |= pt_json_put(object, part_names[i], pt_json_int(states->part[i]));
	if (!ret)
		return object;
	json_decref(object);
	return NULL;
}

json_t *pt_json_on_cpu(const struct pt_states_of *states)
{
	return pt_json_int(states->part[PT_PART_USER] + states->part[PT_PART_KERNEL] +
			   states->part[PT_PART_CPU]);
}

const char *pt_json_reason(unsigned int reason)
{
	return reason < PT_REASON_COUNT ? reason_names[reason] : reason_names[0];
}

json_t *pt_json_reasons(const struct pt_states_of *states)
{
	json_t *object = json_object();
	int ret = object ? 0 : -1;
	size_t i;

	for (i = 0; i < PT_REASON_COUNT; i++) {
		if (states->blocked[i])
			ret |= pt_json_put(object, reason_names[i],
					   pt_json_int(states->blocked[i]));
	}
	if (!ret)
		return object;
	json_decref(object);
	return NULL;
}

const char *pt_task_name(const struct pt_model_task *task)
{
	return task->comm[0] ? task->comm : "?";
}

json_t *pt_json_cgroup(const struct pt_cgroup_of *group)
{
	return group && group->path ? pt_json_text(group->path) : json_null();
}

json_t *pt_json_who(const struct pt_model_task *task)
{
	return json_pack("{s:o, s:o, s:o}", "tid", pt_json_int(task->tid), "pid",
			 pt_json_int(task->process->pid), "comm", pt_json_text(pt_task_name(task)));
}

json_t *pt_document_build(const struct pt_source *source)
{
	static const struct {
		const char *key;
		json_t *(*build)(const struct pt_source *source);
	} sections[] = {
#define S(key) {#key, pt_section_##key},
		PT_SECTIONS(S)
#undef S
	};
	json_t *document = json_object();
	size_t i;
	int ret = pt_json_put(document, "format", json_integer(DOCUMENT_FORMAT));

	ret |= pt_json_put(document, "version", pt_json_text(PT_VERSION));
	for (i = 0; !ret && i < PT_ARRAY_SIZE(sections); i++)
		ret = pt_json_put(document, sections[i].key, sections[i].build(source));
	if (!ret)
		return document;
	json_decref(document);
	return NULL;
}
