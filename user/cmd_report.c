/* SPDX-License-Identifier: BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "base/error.h"
#include "cmd.h"
#include "model/model.h"
#include "trace/partial.h"
#include "trace/reader.h"
#include "view/document.h"
#include "view/page.h"
#include "view/text.h"
#include "view/turns.h"

#define DEFAULT_FILE "partrace.data"
#define KEY_FORMAT   1
#define KEY_ALL	     2
#define KEY_STALL    3
#define KEY_TURNS    4

struct options {
	const char *file;
	const char *turns; /* where each turn goes; NULL: nowhere */
	uint64_t stall_ns; /* 0: as recorded */
	bool json;
	bool all;
};

/* All that one report is made of, from the file to the document. */
struct report {
	struct options options;
	struct pt_reader *reader;
	struct pt_loss *losses;
	size_t loss_count, loss_room;
	struct pt_model *model;
	struct pt_analyses analyses;
	struct pt_turns *turns;
	json_t *document;
	struct pt_error err;
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
		if (options->file)
			argp_error(state, "one file at a time");
		options->file = arg;
		return 0;
	case KEY_FORMAT:
		options->json = strcmp(arg, "json") == 0;
		if (!options->json && strcmp(arg, "text") != 0)
			argp_error(state, "--format is text or json");
		return 0;
	case KEY_STALL:
		options->stall_ns = parse_ms(state, arg);
		return 0;
	case KEY_TURNS:
		options->turns = arg;
		return 0;
	case KEY_ALL:
		options->all = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int open_reader(struct report *report, uint64_t kinds)
{
	const char *file = report->options.file;
	struct pt_reader_options options = {.kinds = kinds};
	int ret = pt_reader_open(&report->reader, file, &options, &report->err);
	char *partial;

	if (ret != -ENOENT)
		return ret;
	if (!pt_partial_find(file, &partial))
		pt_error_set(&report->err, ret,
			     "%s: there is only an unfinished recording; "
			     "read it with 'partrace report -i %s'",
			     file, partial);
	free(partial);
	return ret;
}

static int keep_loss(struct report *report, const struct pt_record *record)
{
	if (report->loss_count == report->loss_room) {
		size_t room = report->loss_room ? report->loss_room * 2 : 16;
		struct pt_loss *losses = reallocarray(report->losses, room, sizeof(*losses));

		if (!losses)
			return -ENOMEM;
		report->losses = losses;
		report->loss_room = room;
	}
	report->losses[report->loss_count++] = *(const struct pt_loss *)record->row;
	return 0;
}

/* A loss is told at its end, so those are read first: nothing sure may be said of the time before.
 */
static int read_losses(struct report *report)
{
	struct pt_record record;
	int ret = open_reader(report, 1ULL << PT_KIND_loss);

	if (ret)
		return ret;
	while ((ret = pt_reader_next(report->reader, &record, &report->err)) > 0) {
		if (record.kind == PT_KIND_loss)
			ret = keep_loss(report, &record);
		if (ret < 0)
			break;
	}
	pt_reader_free(report->reader);
	report->reader = NULL;
	return ret;
}

static int start_model(struct report *report)
{
	size_t i;
	int ret = pt_model_new(&report->model, pt_reader_meta(report->reader));

	if (!ret)
		pt_model_raise_stall(report->model, report->options.stall_ns);
	if (!ret && report->options.turns)
		ret = pt_turns_open(&report->turns, report->options.turns, report->model,
				    &report->err);

	for (i = 0; !ret && i < report->loss_count; i++)
		ret = pt_model_add_loss(report->model, &report->losses[i]);
	return ret ? ret : pt_analyses_start(&report->analyses, report->model);
}

static int read_records(struct report *report)
{
	const struct pt_end *end = pt_reader_end(report->reader);
	struct pt_record record;
	int ret;

	while ((ret = pt_reader_next(report->reader, &record, &report->err)) > 0) {
		ret = pt_model_feed(report->model, &record);
		if (ret)
			return ret;
	}
	if (!ret)
		ret = pt_model_finish(report->model, end ? end->duration_ns : 0);
	return ret ? ret : pt_analyses_finish(&report->analyses);
}

static int build_document(struct report *report)
{
	struct pt_reader_summary summary;
	struct pt_source source = {
		.file = report->options.file,
		.meta = pt_reader_meta(report->reader),
		.end = pt_reader_end(report->reader),
		.summary = &summary,
		.losses = report->losses,
		.loss_count = report->loss_count,
		.model = report->model,
		.analyses = &report->analyses,
		.all = report->options.all,
	};

	pt_reader_summary(report->reader, &summary);
	report->document = pt_document_build(&source);
	return report->document ? 0 : -ENOMEM;
}

static int make_document(struct report *report)
{
	int ret = read_losses(report);

	if (!ret)
		ret = open_reader(report, pt_analyses_kinds());
	if (!ret)
		ret = start_model(report);
	if (!ret)
		ret = read_records(report);
	return ret ? ret : build_document(report);
}

static int render(const struct report *report, const struct pt_page *page, FILE *out)
{
	struct pt_text_style style = {.width = page->width, .colour = page->colour};

	if (!report->options.json)
		return pt_text_render(out, report->document, &style);
	if (json_dumpf(report->document, out, JSON_INDENT(1)))
		return -ENOMEM;
	fputc('\n', out);
	return 0;
}

static int write_document(struct report *report)
{
	struct pt_page page;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int ret;

	if (!out)
		return -ENOMEM;
	pt_page_ask(&page);
	ret = render(report, &page, out);
	if (fclose(out) && !ret)
		ret = -ENOMEM;
	if (report->options.json)
		page.height = 0;
	if (!ret)
		ret = pt_page_write(&page, text, length, &report->err);
	free(text);
	return ret;
}

static void clear_report(struct report *report)
{
	json_decref(report->document);
	pt_analyses_clear(&report->analyses);
	pt_turns_free(report->turns);
	pt_model_free(report->model);
	pt_reader_free(report->reader);
	free(report->losses);
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
	struct report report = {0};
	int ret;

	argp_err_exit_status = PT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &report.options);
	if (!report.options.file)
		report.options.file = DEFAULT_FILE;
	ret = make_document(&report);
	if (!ret && report.turns)
		ret = pt_turns_close(report.turns, &report.err);
	if (!ret && !(report.options.turns && !strcmp(report.options.turns, "-")))
		ret = write_document(&report);
	if (ret && !report.err.text[0])
		pt_error_errno(&report.err, ret, "cannot report on %s", report.options.file);
	if (ret)
		fprintf(stderr, "partrace: %s\n", report.err.text);
	clear_report(&report);
	return ret ? PT_EXIT_FAILURE : PT_EXIT_OK;
}
