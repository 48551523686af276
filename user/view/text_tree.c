/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of processes and threads, a line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_part.h"

/* Indents beyond this would leave no room for names. */
#define INDENT_LIMIT 16

/* life, four shares of it, two counts of switches, three waits, origin, indent, name */
#define COLUMNS "%9s %6s %9s %8s %8s %10s %9s %9s %9s %9s  %-8s  %*s%s"

static char *describe_task(const json_t *task, bool thread)
{
	const json_t *words = pt_text_at(task, "command");
	char *command = json_array_size(words) ? pt_text_command(words) : NULL, *text = NULL;
	int n;

	n = asprintf(&text, "%s %" PRIu64 "%s%s%s%s", pt_text_string(task, "comm"),
		     pt_text_int(task, "tid"), command ? ": " : "", command ? command : "",
		     thread ? " (thread)" : "",
		     json_is_integer(pt_text_at(task, "exit_signal")) &&
				     pt_text_int(task, "exit_signal") && !thread
			     ? ", killed by a signal"
			     : "");
	free(command);
	return n < 0 ? NULL : text;
}

static char *describe_group(const json_t *group, bool threads)
{
	char *text = NULL;
	int n;

	n = asprintf(&text, "%s: %s %s%s", pt_text_string(group, "comm"),
		     pt_format_count(pt_text_int(group, "count")).s,
		     threads ? "threads" : "processes", " together");
	return n < 0 ? NULL : text;
}

/* On a CPU is user + kernel + cpu: the document has it summed. */
static int write_row(const struct pt_text *text, const json_t *row, const json_t *figures,
		     const char *made_by, const char *what)
{
	uint64_t life = pt_text_int(figures, "life_ns"), depth = pt_text_int(row, "depth");
	bool waited = pt_text_int(figures, "runq_ns.count");
	const char *none = "-";

	return pt_text_line(text, COLUMNS, pt_format_ns(life).s,
			    pt_format_percent(pt_text_int(figures, "on_cpu_ns"), life).s,
			    pt_format_percent(pt_text_int(figures, "state_ns.runnable"), life).s,
			    pt_format_percent(pt_text_int(figures, "state_ns.blocked"), life).s,
			    pt_format_percent(pt_text_int(figures, "state_ns.unknown"), life).s,
			    pt_format_count(pt_text_int(figures, "switches.voluntary")).s,
			    pt_format_count(pt_text_int(figures, "switches.involuntary")).s,
			    waited ? pt_format_ns(pt_text_int(figures, "runq_ns.p50")).s : none,
			    waited ? pt_format_ns(pt_text_int(figures, "runq_ns.p99")).s : none,
			    waited ? pt_format_ns(pt_text_int(figures, "runq_ns.max")).s : none,
			    made_by, (int)(depth < INDENT_LIMIT ? depth : INDENT_LIMIT) * 2, "",
			    what);
}

static int write_one(const struct pt_text *text, const json_t *row)
{
	const json_t *tasks = pt_text_at(text->document, "tasks");
	const char *kind = pt_text_string(row, "row");
	const json_t *task = pt_text_at(row, "task");
	const json_t *figures =
		task ? json_array_get(tasks, (size_t)json_integer_value(task)) : row;
	char *what = task ? describe_task(figures, !strcmp(kind, "thread"))
			  : describe_group(figures, !strcmp(kind, "threads"));
	int ret = what ? write_row(text, row, figures,
				   task ? pt_text_string(figures, "created_by") : "", what)
		       : -ENOMEM;

	free(what);
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
	ret = pt_text_line(text, COLUMNS, "life", "cpu %", "runnable", "blocked", "unknown",
			   "voluntary", "involunt.", "wait p50", "p99", "max", "made by", 0, "",
			   "task");
	for (i = 0; !ret && i < json_array_size(rows); i++)
		ret = write_one(text, json_array_get(rows, i));
	return ret;
}
