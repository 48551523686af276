/* SPDX-License-Identifier: BSD-2-Clause */
/* The comparison as one JSON document. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/beliefs.h"
#include "compare/compare.h"
#include "view/section.h"
#include "view/text_part.h"

#define DOCUMENT_FORMAT 1
#define SENTENCE	512

static const char *const unit_names[] = {
#define U(name, text) text,
	PT_UNITS(U)
#undef U
};

/* What the comparison of one table is made with. */
struct table {
	const struct pt_comparison *comparison;
	const struct pt_group **groups;
	size_t count;
};

static json_t *spread_json(const struct pt_spread *spread)
{
	if (!spread->runs)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:o}", "median", spread->median, "low", spread->low,
			 "high", spread->high, "runs", pt_json_int(spread->runs));
}

static json_t *column_json(const struct pt_group *group)
{
	const struct pt_scene *scene = group->runs[0];
	json_t *column = json_pack("{s:o, s:o}", "label", pt_json_text(group->label), "runs",
				   pt_json_int(group->run_count));
	json_t *files = json_array();
	json_t *options = json_object_get(scene->claims, "options");
	bool complete = true, lossless = true;
	size_t i;
	int ret = 0;

	for (i = 0; i < group->run_count; i++) {
		const json_t *trace = group->runs[i]->trace;

		complete &= json_is_true(json_object_get(trace, "complete"));
		lossless &= !json_object_size(json_object_get(trace, "lost"));
		ret |= json_array_append_new(files, pt_json_text(group->runs[i]->file));
	}
	ret |= pt_json_put(column, "files", files);
	ret |= pt_json_put(column, "complete", json_boolean(complete));
	ret |= pt_json_put(column, "lossless", json_boolean(lossless));
	ret |= pt_json_put(column, "host", pt_json_text(pt_text_string(scene->trace, "host")));
	if (scene->claims) {
		ret |= pt_json_put(column, "model", pt_json_text(pt_scene_text(scene, "model")));
		ret |= pt_json_put(column, "runtime",
				   pt_json_text(pt_scene_text(scene, "runtime")));
		ret |= pt_json_put(column, "options", options ? json_incref(options) : json_null());
	}
	if (!ret)
		return column;
	json_decref(column);
	return NULL;
}

static char *measure_text(const struct pt_measure *measure, const struct pt_scene *scene)
{
	const char *mark = strstr(measure->text, "%s");
	char *text;
	int n;

	if (!mark)
		return strdup(measure->text);
	n = asprintf(&text, "%.*s%s%s", (int)(mark - measure->text), measure->text,
		     pt_measure_work(scene), mark + 2);
	return n < 0 ? NULL : text;
}

static json_t *row_json(const struct table *table, size_t index, const char *text)
{
	const struct pt_measure *measure = pt_measure(index);
	json_t *values = json_array();
	size_t i;
	int ret = 0;

	for (i = 0; i < table->count; i++)
		ret |= json_array_append_new(values,
					     spread_json(&table->groups[i]->figures[index]));
	if (ret) {
		json_decref(values);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:o, s:s, s:o}", "key", measure->key, "subject",
			 measure->subject, "text", pt_json_text(text), "unit",
			 unit_names[measure->unit], "values", values);
}

/* "work, CPU time per message: process has 5.7 us and thread 2.1 us, 2.8 times that or 3.1 us to 4.0 us more". */
static json_t *sentence(size_t index, const char *text, const struct pt_group *high,
			const struct pt_group *low, double least, double most)
{
	const struct pt_measure *measure = pt_measure(index);
	double a = high->figures[index].median, b = low->figures[index].median;
	struct pt_figure from = pt_comparison_figure(measure->unit, least);
	struct pt_figure to = pt_comparison_figure(measure->unit, most);
	bool exact = !strcmp(from.s, to.s);
	char line[SENTENCE];

	snprintf(line, sizeof(line), "%s, %s: %s has %s and %s %s, %s%s%s%s%s more",
		 measure->subject, text, high->label, pt_comparison_figure(measure->unit, a).s,
		 low->label, pt_comparison_figure(measure->unit, b).s,
		 b > 0 ? pt_comparison_ratio(a, b).s : "", b > 0 ? " that or " : "", from.s,
		 exact ? "" : " to ", exact ? "" : to.s);
	return pt_json_text(line);
}

static json_t *number_or_null(bool known, double number)
{
	return known ? json_real(number) : json_null();
}

static json_t *difference_json(const struct table *table, size_t index, const char *text, size_t i,
			       size_t j)
{
	const struct pt_group *a = table->groups[i], *b = table->groups[j];
	const struct pt_spread *x = &a->figures[index], *y = &b->figures[index];
	struct pt_difference by = pt_spread_difference(x, y);
	bool larger = pt_difference_is_sure(&by);
	double ratio = x->median / y->median;
	json_t *words = json_null();

	if (larger)
		words = by.low > 0 ? sentence(index, text, a, b, by.low, by.high)
				   : sentence(index, text, b, a, -by.high, -by.low);
	return json_pack("{s:s, s:i, s:i, s:f, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "key",
			 pt_measure(index)->key, "a", (int)i, "b", (int)j, "difference",
			 x->median - y->median, "low", number_or_null(by.known, by.low), "high",
			 number_or_null(by.known, by.high), "uncertainty",
			 number_or_null(by.known, (by.high - by.low) / 2), "method",
			 by.known ? json_string(by.by_ranks ? "ranks" : "means") : json_null(),
			 "ratio", number_or_null(isfinite(ratio), ratio), "larger", larger, "text",
			 words);
}

static int add_differences(json_t *list, const struct table *table, size_t index, const char *text)
{
	size_t i, j;
	int ret = 0;

	for (i = 0; i < table->count; i++) {
		for (j = i + 1; j < table->count; j++) {
			if (table->groups[i]->figures[index].runs &&
			    table->groups[j]->figures[index].runs)
				ret |= json_array_append_new(list, difference_json(table, index,
										   text, i, j));
		}
	}
	return ret;
}

static bool is_recorded(const struct table *table, size_t index)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (table->groups[i]->figures[index].runs)
			return true;
	}
	return false;
}

/* "workers: delay, p99 of the worst / stalls; memory: one more worker". */
static void add_missing(FILE *words, const struct pt_measure *measure, const char *text,
			const char **subject)
{
	if (*subject && !strcmp(*subject, measure->subject))
		fprintf(words, " / %s", text);
	else
		fprintf(words, "%s%s: %s", *subject ? "; " : "", measure->subject, text);
	*subject = measure->subject;
}

static int add_measure(json_t *json, const struct table *table, size_t index, FILE *words,
		       const char **subject)
{
	char *text = measure_text(pt_measure(index), table->groups[0]->runs[0]);
	int ret = text ? 0 : -1;

	if (text && is_recorded(table, index)) {
		ret = json_array_append_new(json_object_get(json, "rows"),
					    row_json(table, index, text));
		ret |= add_differences(json_object_get(json, "differences"), table, index, text);
	} else if (text) {
		ret = json_array_append_new(json_object_get(json, "not_recorded"),
					    json_string(pt_measure(index)->key));
		add_missing(words, pt_measure(index), text, subject);
	}
	free(text);
	return ret;
}

static int add_measures(json_t *json, const struct table *table)
{
	int ret = pt_json_put(json, "rows", json_array());
	const char *subject = NULL;
	char *missing = NULL;
	size_t size, i;
	FILE *words = open_memstream(&missing, &size);

	ret |= pt_json_put(json, "differences", json_array());
	ret |= pt_json_put(json, "not_recorded", json_array());
	if (!words)
		return -1;
	for (i = 0; !ret && i < pt_measure_count(); i++) {
		if (!pt_measure(i)->hidden)
			ret = add_measure(json, table, i, words, &subject);
	}
	if (fclose(words) || ret)
		ret = -1;
	else
		ret = pt_json_put(json, "not_recorded_text", pt_json_text(missing));
	free(missing);
	return ret;
}

/* Every workload has the option, and says of it what is usual. */
static bool via_matters(const char *kind, const char *via)
{
	return !strcmp(kind, "message") && *via && strcmp(via, "message") != 0;
}

static json_t *title(const struct pt_scene *scene)
{
	const char *kind = pt_scene_text(scene, "kind"),
		   *mode = pt_scene_text(scene, "options.mode"), *via;
	char text[128];

	if (!scene->claims)
		return json_string("recordings");
	if (!*mode || !strcmp(kind, "http"))
		return pt_json_text(kind);
	via = pt_scene_text(scene, "options.via");
	snprintf(text, sizeof(text), "%s, %s%s%s", kind, mode,
		 via_matters(kind, via) ? " via " : "", via_matters(kind, via) ? via : "");
	return pt_json_text(text);
}

static json_t *table_json(const struct table *table)
{
	json_t *json = json_pack("{s:o}", "title", title(table->groups[0]->runs[0]));
	json_t *columns = json_array();
	int ret = pt_json_put(json, "columns", columns);
	size_t i;

	for (i = 0; !ret && i < table->count; i++)
		ret = json_array_append_new(columns, column_json(table->groups[i]));
	if (!ret && !add_measures(json, table))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *tables_json(const struct pt_comparison *comparison)
{
	struct table table = {.comparison = comparison};
	json_t *list = json_array();
	size_t i, j;
	int ret = list ? 0 : -1;

	table.groups = calloc(comparison->group_count + 1, sizeof(struct pt_group *));
	for (i = 0; table.groups && !ret && i < comparison->table_count; i++) {
		table.count = 0;
		for (j = 0; j < comparison->group_count; j++) {
			if (comparison->groups[j].table == i)
				table.groups[table.count++] = &comparison->groups[j];
		}
		if (table.count)
			ret = json_array_append_new(list, table_json(&table));
	}
	if (!table.groups)
		ret = -1;
	free(table.groups);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

json_t *pt_comparison_json(const struct pt_comparison *comparison)
{
	json_t *document = json_object();
	int ret = pt_json_put(document, "format", json_integer(DOCUMENT_FORMAT));

	ret |= pt_json_put(document, "version", pt_json_text(PT_VERSION));
	ret |= pt_json_put(document, "tables", tables_json(comparison));
	ret |= pt_json_put(document, "beliefs", pt_beliefs_json(comparison));
	if (!ret)
		return document;
	json_decref(document);
	return NULL;
}
