/* SPDX-License-Identifier: BSD-2-Clause */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cmd.h"
#include "report.h"
#include "view/page.h"
#include "view/text.h"

#define DEFAULT_FILE "partrace.data"
#define KEY_FORMAT   1
#define KEY_ALL	     2
#define KEY_STALL    3
#define KEY_TURNS    4

struct options {
	struct pt_report_options report;
	bool json;
};

static const struct argp_option option_table[] = {
	{"input", 'i', "FILE", 0, "Read FILE (default: " DEFAULT_FILE ")", 0},
	{"format", KEY_FORMAT, "text|json", 0, "For people (default), or for programs", 0},
	{"all", KEY_ALL, NULL, 0, "Show each of many similar processes and threads", 0},
	{"stall", KEY_STALL, "MS", 0, "Raise the threshold of a stall", 0},
	{"turns", KEY_TURNS, "FILE", 0,
	 "Write every turn of every loop, a line of JSON each, to FILE ('-': instead of the "
	 "report)",
	 0},
	{0},
};

static uint64_t parse_ms(struct argp_state *state, const char *arg)
{
	char *end;
	double ms = strtod(arg, &end);

	if (end == arg || *end || !(ms > 0) || ms > 1e9)
		argp_error(state, "--stall takes milliseconds, not '%s'", arg);
	return (uint64_t)(ms * 1e6);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'i':
	case ARGP_KEY_ARG:
		if (options->report.file)
			argp_error(state, "one file at a time");
		options->report.file = arg;
		return 0;
	case KEY_FORMAT:
		options->json = strcmp(arg, "json") == 0;
		if (!options->json && strcmp(arg, "text") != 0)
			argp_error(state, "--format is text or json");
		return 0;
	case KEY_STALL:
		options->report.stall_ns = parse_ms(state, arg);
		return 0;
	case KEY_TURNS:
		options->report.turns = arg;
		return 0;
	case KEY_ALL:
		options->report.all = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "[FILE]",
		.doc = "Says what a recording holds. The file alone is read; no privilege is "
		       "needed.",
	};
	struct options options = {0};
	struct pt_error err = {0};
	json_t *document = NULL;
	int ret;

	argp_err_exit_status = PT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (!options.report.file)
		options.report.file = DEFAULT_FILE;
	ret = pt_report_load(&document, &options.report, &err);
	if (!ret && !(options.report.turns && !strcmp(options.report.turns, "-")))
		ret = pt_page_show(document, options.json ? NULL : pt_text_render, &err);
	json_decref(document);
	if (ret)
		fprintf(stderr, "partrace: %s\n", err.text);
	return ret ? PT_EXIT_FAILURE : PT_EXIT_OK;
}
