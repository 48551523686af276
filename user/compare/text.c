/* SPDX-License-Identifier: BSD-2-Clause */
/* The comparison for a person: renders the document and computes nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "compare/compare.h"
#include "view/text_part.h"

#define LABEL_WIDTH   31
#define COLUMN_WIDTH  19
#define WRAP_DEFAULT  100
#define VERDICT_WIDTH 20
#define INDENT_BELIEF "                       "

static enum pt_unit unit_of(const char *name)
{
	static const char *const names[] = {
#define U(unit, text) text,
		PT_UNITS(U)
#undef U
	};
	size_t i = 0;

	while (i + 1 < sizeof(names) / sizeof(*names) && strcmp(names[i], name) != 0)
		i++;
	return (enum pt_unit)i;
}

/* How many columns stand beside each other. */
static size_t columns_of(const struct pt_text *text)
{
	size_t width = text->style->width;

	if (!width)
		return SIZE_MAX;
	return width > LABEL_WIDTH + 2 * COLUMN_WIDTH ? (width - LABEL_WIDTH) / COLUMN_WIDTH : 1;
}

/* A cell in words; names may be long. */
struct words {
	char s[96];
};

/* "4.2 ms" of one run, "4.2 ms (±12%)" of several. */
static struct words cell(const json_t *value, enum pt_unit unit)
{
	double median = json_number_value(json_object_get(value, "median"));
	double low = json_number_value(json_object_get(value, "low"));
	double high = json_number_value(json_object_get(value, "high"));
	struct words words;

	if (!json_is_object(value))
		return (struct words){"-"};
	if (pt_text_int(value, "runs") < 2 || !(median > 0))
		snprintf(words.s, sizeof(words.s), "%s", pt_comparison_figure(unit, median).s);
	else
		snprintf(words.s, sizeof(words.s), "%s (±%.0f%%)",
			 pt_comparison_figure(unit, median).s, (high - low) / 2 / median * 100);
	return words;
}

static struct words label(const json_t *column, enum pt_unit unit)
{
	struct words words;

	(void)unit;
	snprintf(words.s, sizeof(words.s), "%s", pt_text_string(column, "label"));
	return words;
}

static struct words runs(const json_t *column, enum pt_unit unit)
{
	uint64_t count = pt_text_int(column, "runs");
	struct words words;

	(void)unit;
	snprintf(words.s, sizeof(words.s), "%s run%s", pt_format_count(count).s,
		 count == 1 ? "" : "s");
	return words;
}

/* Appends `item`, right-aligned to so many columns, cut if it is longer. */
static void put_cell(FILE *line, const char *item, size_t width)
{
	size_t left = strlen(item), count = 0;
	const char *end = item;

	while (left && count < width - 1) {
		pt_utf8_next(&end, &left);
		count++;
	}
	fprintf(line, "%*s%.*s", (int)(width - count), "", (int)(end - item), item);
}

/* One line of a table: `of` gives the words for each column. */
static int write_line(const struct pt_text *text, const char *title, const json_t *list,
		      size_t from, size_t count,
		      struct words (*of)(const json_t *item, enum pt_unit unit), enum pt_unit unit)
{
	char *line = NULL;
	size_t size, i;
	FILE *out = open_memstream(&line, &size);
	int ret;

	if (!out)
		return -ENOMEM;
	fprintf(out, "  %-*s", LABEL_WIDTH - 2, title);
	for (i = from; i < from + count && i < json_array_size(list); i++) {
		put_cell(out, of(json_array_get(list, i), unit).s, COLUMN_WIDTH);
	}
	ret = fclose(out) ? -ENOMEM : pt_text_line(text, "%s", line);
	free(line);
	return ret;
}

static int write_rows(const struct pt_text *text, const json_t *rows, size_t from, size_t count)
{
	const char *subject = "";
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		char title[128];

		if (strcmp(subject, pt_text_string(row, "subject")) != 0) {
			subject = pt_text_string(row, "subject");
			ret = pt_text_line(text, "  %s", subject);
		}
		snprintf(title, sizeof(title), "  %s", pt_text_string(row, "text"));
		if (!ret)
			ret = write_line(text, title, json_object_get(row, "values"), from, count,
					 cell, unit_of(pt_text_string(row, "unit")));
	}
	return ret;
}

/* One line of as many words as fit, the next ones indented: sentences are not cut. */
static int write_wrapped(const struct pt_text *text, const char *indent, const char *sentence)
{
	size_t width = text->style->width ? text->style->width : WRAP_DEFAULT;
	size_t room = width > strlen(indent) + 20 ? width - strlen(indent) - 1 : 20;
	int ret = 0;

	while (!ret && *sentence) {
		size_t length = strlen(sentence), cut;

		for (cut = length > room ? room : length;
		     cut < length && cut && sentence[cut] != ' '; cut--)
			;
		if (!cut)
			cut = strcspn(sentence, " ");
		ret = pt_text_line(text, "%s%.*s", indent, (int)cut, sentence);
		sentence += cut + strspn(sentence + cut, " ");
	}
	return ret;
}

/* Of each measure the greatest sure difference; the document has all. */
static const json_t *greatest(const json_t *differences, const char *key)
{
	const json_t *best = NULL;
	double most = -1;
	size_t i;

	for (i = 0; i < json_array_size(differences); i++) {
		const json_t *one = json_array_get(differences, i);
		double size = json_number_value(json_object_get(one, "difference"));

		size = size < 0 ? -size : size;
		if (json_is_true(json_object_get(one, "larger")) && size > most &&
		    !strcmp(pt_text_string(one, "key"), key)) {
			best = one;
			most = size;
		}
	}
	return best;
}

static bool is_uncertain(const json_t *differences)
{
	size_t i;

	for (i = 0; i < json_array_size(differences); i++) {
		if (json_is_number(json_object_get(json_array_get(differences, i), "uncertainty")))
			return false;
	}
	return true;
}

static int write_differences(const struct pt_text *text, const json_t *table)
{
	const json_t *differences = json_object_get(table, "differences");
	const json_t *rows = json_object_get(table, "rows");
	size_t i, count = 0;
	int ret = 0;

	if (!json_array_size(differences))
		return 0;
	if (is_uncertain(differences))
		return pt_text_line(text, "  One run each: how sure the differences are is not "
					  "known (record --repeat N tells).");
	for (i = 0; !ret && i < json_array_size(rows); i++) {
		const char *key = pt_text_string(json_array_get(rows, i), "key");
		const json_t *one = greatest(differences, key);

		if (!one)
			continue;
		if (!count++)
			ret = pt_text_line(text, "  Larger than what is uncertain (19 in 20):");
		if (!ret)
			ret = write_wrapped(text, "    ", pt_text_string(one, "text"));
	}
	if (!ret && !count)
		ret = pt_text_line(text, "  No difference is larger than what is uncertain.");
	return ret;
}

static int write_missing(const struct pt_text *text, const json_t *table)
{
	const char *missing = pt_text_string(table, "not_recorded_text");
	char *line;
	int ret;

	if (!*missing)
		return 0;
	if (asprintf(&line, "not recorded, or there is none: %s", missing) < 0)
		return -ENOMEM;
	ret = write_wrapped(text, "  ", line);
	free(line);
	return ret;
}

static int write_warnings(const struct pt_text *text, const json_t *columns)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(columns); i++) {
		const json_t *column = json_array_get(columns, i);

		if (!json_is_true(json_object_get(column, "complete")))
			ret = pt_text_line(text, "  INCOMPLETE: a recording of %s",
					   pt_text_string(column, "label"));
		if (!ret && !json_is_true(json_object_get(column, "lossless")))
			ret = pt_text_line(text, "  LOST records: in a recording of %s",
					   pt_text_string(column, "label"));
	}
	return ret;
}

/* `before`: the table above, NULL if this is the first; what both lack is said once. */
static int write_table(const struct pt_text *text, const json_t *table, const json_t *before)
{
	const json_t *columns = json_object_get(table, "columns");
	size_t count = json_array_size(columns), fit = columns_of(text), from;
	int ret = 0;

	if (fit > count)
		fit = count;
	if (before)
		fputc('\n', text->out);
	ret = pt_text_line(text, "%s", pt_text_string(table, "title"));
	for (from = 0; !ret && from < count; from += fit) {
		ret = write_line(text, "", columns, from, fit, label, 0);
		if (!ret)
			ret = write_line(text, "", columns, from, fit, runs, 0);
		if (!ret)
			ret = write_rows(text, json_object_get(table, "rows"), from, fit);
	}
	if (!ret)
		ret = write_warnings(text, columns);
	if (!ret)
		ret = write_differences(text, table);
	if (!ret && !json_equal(json_object_get(table, "not_recorded"),
				json_object_get(before, "not_recorded")))
		ret = write_missing(text, table);
	return ret;
}

/* Without its rows; where single runs were compared there is then nothing to say, but that. */
static int write_brief(const struct pt_text *text, const json_t *table)
{
	int ret = pt_text_line(text, "%s", pt_text_string(table, "title"));

	if (!ret)
		ret = write_warnings(text, json_object_get(table, "columns"));
	return ret ? ret : write_differences(text, table);
}

/* *any: was there one? */
static int write_briefs(const struct pt_text *text, const json_t *tables, bool beliefs, bool *any)
{
	json_t *table;
	size_t i;
	int ret = 0;

	json_array_foreach ((json_t *)tables, i, table) {
		if (ret || (beliefs && is_uncertain(json_object_get(table, "differences"))))
			continue;
		if (*any)
			fputc('\n', text->out);
		*any = true;
		ret = write_brief(text, table);
	}
	return ret;
}

static int write_belief(const struct pt_text *text, const json_t *belief, bool all_once)
{
	const char *says = pt_text_string(belief, "says");
	bool narrow = text->style->width && text->style->width < 3 * VERDICT_WIDTH;
	bool once = !all_once && pt_text_int(belief, "runs") == 1;
	int ret = pt_text_line(text, "  %-*s %s", VERDICT_WIDTH, pt_text_string(belief, "verdict"),
			       pt_text_string(belief, "belief"));
	char *line;

	if (ret || !*says)
		return ret;
	if (asprintf(&line, "%s%s", says, once ? " (one run each)" : "") < 0)
		return -ENOMEM;
	ret = write_wrapped(text, narrow ? "    " : INDENT_BELIEF, line);
	free(line);
	return ret;
}

static bool are_all_once(const json_t *beliefs)
{
	json_t *belief;
	size_t i;

	json_array_foreach ((json_t *)beliefs, i, belief) {
		if (pt_text_int(belief, "runs") > 1)
			return false;
	}
	return true;
}

/* `more`: something stands above. */
static int write_beliefs(const struct pt_text *text, const json_t *beliefs, bool more)
{
	bool once = are_all_once(beliefs);
	const char *runtime = "";
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(beliefs); i++) {
		const json_t *belief = json_array_get(beliefs, i);

		if (strcmp(runtime, pt_text_string(belief, "runtime")) != 0) {
			runtime = pt_text_string(belief, "runtime");
			if (more)
				fputc('\n', text->out);
			more = true;
			ret = pt_text_line(text, "What people say, and what was measured (%s%s)",
					   runtime, once ? ", one run each" : "");
		}
		if (!ret)
			ret = write_belief(text, belief, once);
	}
	return ret;
}

int pt_comparison_render_brief(FILE *out, const json_t *document, const struct pt_text_style *style)
{
	const json_t *beliefs = json_object_get(document, "beliefs");
	struct pt_text text = {out, document, style};
	bool any = false;
	int ret = write_briefs(&text, json_object_get(document, "tables"),
			       json_array_size(beliefs) > 0, &any);

	return ret ? ret : write_beliefs(&text, beliefs, any);
}

int pt_comparison_render(FILE *out, const json_t *document, const struct pt_text_style *style)
{
	struct pt_text text = {out, document, style};
	const json_t *tables = json_object_get(document, "tables");
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(tables); i++)
		ret = write_table(&text, json_array_get(tables, i),
				  i ? json_array_get(tables, i - 1) : NULL);
	return ret ? ret : write_beliefs(&text, json_object_get(document, "beliefs"), true);
}
