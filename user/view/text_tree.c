/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of processes and threads, a line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_part.h"

/* Indents beyond this would leave no room for names. */
#define INDENT_LIMIT 16

#define NAME_WIDTH 26

/* name, life, four shares of it, three waits, two counts of switches, origin, note, command: a narrow terminal cuts the end */
#define COLUMNS "%s %9s %6s %8s %7s %7s %9s %9s %9s %10s %9s  %-8s  %s%s"

static char *name_cell(const json_t *row, const json_t *figures, bool is_task)
{
	uint64_t depth = pt_text_int(row, "depth");
	int indent = (int)(depth < INDENT_LIMIT ? depth : INDENT_LIMIT);
	char *name = NULL, *cell;
	int n;

	if (is_task)
		n = asprintf(&name, "%*s%s %" PRIu64, indent, "", pt_text_string(figures, "comm"),
			     pt_text_int(figures, "tid"));
	else
		n = asprintf(&name, "%*s%s (%s %s)", indent, "", pt_text_string(figures, "comm"),
			     pt_format_count(pt_text_int(figures, "count")).s,
			     pt_text_string(row, "row"));
	if (n < 0)
		return NULL;
	cell = pt_text_cell(name, NAME_WIDTH);
	free(name);
	return cell;
}

/* What is worth a word at the end of the line: it was killed. */
static struct pt_figure note_of(const json_t *figures)
{
	uint64_t signal = pt_text_int(figures, "exit_signal");
	struct pt_figure note = {""};

	if (signal && pt_text_int(figures, "tid") == pt_text_int(figures, "pid"))
		snprintf(note.s, sizeof(note.s), "[killed by signal %" PRIu64 "] ", signal);
	return note;
}

static int write_row(const struct pt_text *text, const char *name, const json_t *figures,
		     const char *command)
{
	uint64_t life = pt_text_int(figures, "life_ns");
	bool waited = pt_text_int(figures, "runq_ns.count");
	const char *none = "-";

	return pt_text_line(text, COLUMNS, name, pt_format_ns(life).s,
			    pt_format_percent(pt_text_int(figures, "on_cpu_ns"), life).s,
			    pt_format_percent(pt_text_int(figures, "state_ns.runnable"), life).s,
			    pt_format_percent(pt_text_int(figures, "state_ns.blocked"), life).s,
			    pt_format_percent(pt_text_int(figures, "state_ns.unknown"), life).s,
			    waited ? pt_format_ns(pt_text_int(figures, "runq_ns.p50")).s : none,
			    waited ? pt_format_ns(pt_text_int(figures, "runq_ns.p99")).s : none,
			    waited ? pt_format_ns(pt_text_int(figures, "runq_ns.max")).s : none,
			    pt_format_count(pt_text_int(figures, "switches.voluntary")).s,
			    pt_format_count(pt_text_int(figures, "switches.involuntary")).s,
			    pt_text_string(figures, "created_by"), note_of(figures).s, command);
}

static char *command_of(const json_t *figures, const char *kind)
{
	const json_t *words = pt_text_at(figures, "command");

	if (json_array_size(words))
		return pt_text_command(words);
	return strdup(strcmp(kind, "thread") == 0 ? "thread" : "");
}

static int write_one(const struct pt_text *text, const json_t *row)
{
	const json_t *tasks = pt_text_at(text->document, "tasks");
	const json_t *task = pt_text_at(row, "task");
	const json_t *figures =
		task ? json_array_get(tasks, (size_t)json_integer_value(task)) : row;
	char *name = name_cell(row, figures, task);
	char *command = command_of(figures, pt_text_string(row, "row"));
	int ret = name && command ? write_row(text, name, figures, command) : -ENOMEM;

	free(name);
	free(command);
	return ret;
}

static int write_head(const struct pt_text *text)
{
	char *name = pt_text_cell("task", NAME_WIDTH);
	int ret = -ENOMEM;

	if (name)
		ret = pt_text_line(text, COLUMNS, name, "life", "cpu %", "runnable", "blocked",
				   "unknown", "wait p50", "p99", "max", "voluntary", "involunt.",
				   "made by", "", "command");
	free(name);
	return ret;
}

int pt_text_tree(const struct pt_text *text)
{
	const json_t *rows = pt_text_at(text->document, "tree");
	size_t i;
	int ret;

	pt_text_heading(text, "Tasks: %s in %s processes",
			pt_format_count(pt_text_int(text->document, "totals.tasks")).s,
			pt_format_count(pt_text_int(text->document, "totals.processes")).s);
	ret = write_head(text);
	for (i = 0; !ret && i < json_array_size(rows); i++)
		ret = write_one(text, json_array_get(rows, i));
	return ret;
}
