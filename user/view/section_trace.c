/* SPDX-License-Identifier: BSD-2-Clause */
/* What was recorded, and whether it can be believed. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analysis/counters.h"
#include "view/section.h"

static const char *const kind_names[PT_KIND_LIMIT] = {
	[0] = "probe", /* of a loss: a probe was skipped by the kernel, its kind is not known */
#define K(id, name, doc) [id] = #name,
	PT_KINDS(K)
#undef K
};

static const char *kind_name(uint32_t kind)
{
	return kind < PT_KIND_LIMIT && kind_names[kind] ? kind_names[kind] : "other";
}

static json_t *by_kind(const uint64_t *figures)
{
	json_t *object = json_object();
	size_t i;
	int ret = object ? 0 : -1;

	for (i = 0; i < PT_KIND_LIMIT; i++) {
		if (figures[i])
			ret |= pt_json_put(object, kind_name((uint32_t)i), pt_json_int(figures[i]));
	}
	if (!ret)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *sum(const uint64_t *figures)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < PT_KIND_LIMIT; i++)
		total += figures[i];
	return pt_json_int(total);
}

static json_t *lost(const struct pt_source *source)
{
	uint64_t counts[PT_KIND_LIMIT] = {0}, other = 0;
	json_t *object;
	size_t i;

	for (i = 0; i < source->loss_count; i++) {
		if (source->losses[i].kind < PT_KIND_LIMIT)
			counts[source->losses[i].kind] += source->losses[i].count;
		else
			other += source->losses[i].count;
	}
	object = by_kind(counts);
	if (object && other && pt_json_put(object, "other", pt_json_int(other))) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *lost_intervals(const struct pt_source *source)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < source->loss_count; i++) {
		const struct pt_loss *l = &source->losses[i];
		json_t *one =
			json_pack("{s:s, s:o, s:o, s:o}", "kind", kind_name(l->kind), "from_ns",
				  pt_json_int(l->length < l->time ? l->time - l->length : 0),
				  "to_ns", pt_json_int(l->time), "count", pt_json_int(l->count));

		if (json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *damages(const struct pt_reader_summary *summary)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < summary->damage_count; i++) {
		const struct pt_damage *d = &summary->damages[i];
		json_t *one =
			json_pack("{s:o, s:o, s:o}", "offset", pt_json_int(d->offset), "length",
				  pt_json_int(d->length), "reason", pt_json_text(d->reason));

		if (json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *command(const struct pt_meta *meta)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; meta->command && meta->command[i]; i++) {
		if (json_array_append_new(list, pt_json_text(meta->command[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *start_time(const struct pt_meta *meta)
{
	time_t seconds = (time_t)(meta->start_wall / 1000000000);
	char text[64], whole[96];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return json_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%09luZ", text,
		 (unsigned long)(meta->start_wall % 1000000000));
	return json_string(whole);
}

static json_t *recorder(const struct pt_end *end)
{
	if (!end)
		return json_pack("{s:n, s:n, s:n}", "cpu_ns", "max_rss_bytes", "bpf_ns");
	return json_pack("{s:o, s:o, s:o}", "cpu_ns", pt_json_int(end->recorder_cpu_ns),
			 "max_rss_bytes", pt_json_int(end->recorder_rss), "bpf_ns",
			 end->bpf_ns ? pt_json_int(end->bpf_ns) : json_null());
}

static json_t *counters(const struct pt_source *source)
{
	const struct pt_counters *c = pt_analyses_counters(source->analyses);

	return json_pack("{s:o, s:o, s:o}", "checked", pt_json_int(c->checked), "agree",
			 pt_json_int(c->agree), "contradictions", pt_json_int(c->contradictions));
}

static json_t *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return pt_json_text(slash && slash[1] ? slash + 1 : path);
}

json_t *pt_section_trace(const struct pt_source *source)
{
	const struct pt_meta *meta = source->meta;
	const struct pt_reader_summary *summary = source->summary;
	const struct pt_end *end = source->end;
	json_t *trace = json_object();
	int ret = 0;

	ret |= pt_json_put(trace, "file", file_name(source->file));
	ret |= pt_json_put(trace, "start_time", start_time(meta));
	ret |= pt_json_put(trace, "start_monotonic_ns", pt_json_int(meta->start_mono));
	ret |= pt_json_put(trace, "duration_ns", pt_json_int(pt_model_end(source->model)));
	ret |= pt_json_put(trace, "host", pt_json_text(meta->host));
	ret |= pt_json_put(trace, "kernel", pt_json_text(meta->kernel));
	ret |= pt_json_put(trace, "arch", pt_json_text(meta->arch));
	ret |= pt_json_put(trace, "cpus", pt_json_int(meta->cpus));
	ret |= pt_json_put(trace, "recorded_by", pt_json_text(meta->version));
	ret |= pt_json_put(trace, "target", pt_json_text(meta->target));
	ret |= pt_json_put(trace, "command", command(meta));
	ret |= pt_json_put(trace, "command_status",
			   end && end->command_status >= 0 ? json_integer(end->command_status)
							   : json_null());
	ret |= pt_json_put(trace, "complete", json_boolean(summary->complete));
	ret |= pt_json_put(trace, "ended_by", end ? pt_json_text(end->ended_by) : json_null());
	ret |= pt_json_put(trace, "ends_at_ns", pt_json_int(summary->ends_at));
	ret |= pt_json_put(trace, "file_bytes", pt_json_int(summary->file_bytes));
	ret |= pt_json_put(trace, "records", by_kind(summary->records));
	ret |= pt_json_put(trace, "records_total", sum(summary->records));
	ret |= pt_json_put(trace, "bytes", by_kind(summary->bytes));
	ret |= pt_json_put(trace, "unknown_records", pt_json_int(summary->unknown_records));
	ret |= pt_json_put(trace, "lost", lost(source));
	ret |= pt_json_put(trace, "lost_intervals", lost_intervals(source));
	ret |= pt_json_put(trace, "damages", damages(summary));
	ret |= pt_json_put(trace, "counters", counters(source));
	ret |= pt_json_put(trace, "recorder", recorder(end));
	if (!ret)
		return trace;
	json_decref(trace);
	return NULL;
}
