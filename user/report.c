/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "analysis/analysis.h"
#include "model/model.h"
#include "trace/partial.h"
#include "trace/reader.h"
#include "view/document.h"
#include "view/turns.h"

/* All that one document is made of, from the file on. */
struct report {
	const struct pt_report_options *options;
	struct pt_reader *reader;
	struct pt_loss *losses;
	size_t loss_count, loss_room;
	struct pt_model *model;
	struct pt_analyses analyses;
	struct pt_turns *turns;
	json_t *document;
	struct pt_error *err;
};

static int open_reader(struct report *report, pt_kinds kinds)
{
	const char *file = report->options->file;
	struct pt_reader_options options = {.kinds = kinds};
	int ret = pt_reader_open(&report->reader, file, &options, report->err);
	char *partial;

	if (ret != -ENOENT)
		return ret;
	if (!pt_partial_find(file, &partial))
		pt_error_set(report->err, ret,
			     "%s: there is only an unfinished recording; "
			     "read it with 'partrace report -i %s'",
			     file, partial);
	free(partial);
	return ret;
}

static int keep_loss(struct report *report, const struct pt_record *record)
{
	struct pt_loss *losses = pt_array_grow(report->losses, report->loss_count,
					       &report->loss_room, sizeof(*losses));

	if (!losses)
		return -ENOMEM;
	report->losses = losses;
	report->losses[report->loss_count++] = *(const struct pt_loss *)record->row;
	return 0;
}

/* A loss is told at its end, so those are read first: nothing sure may be said of the time before.
 */
static int read_losses(struct report *report)
{
	struct pt_record record;
	int ret = open_reader(report, PT_KIND_BIT(PT_KIND_loss));

	if (ret)
		return ret;
	while ((ret = pt_reader_next(report->reader, &record, report->err)) > 0) {
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
		pt_model_raise_stall(report->model, report->options->stall_ns);
	if (!ret && report->options->turns)
		ret = pt_turns_open(&report->turns, report->options->turns, report->model,
				    report->err);
	for (i = 0; !ret && i < report->loss_count; i++)
		ret = pt_model_add_loss(report->model, &report->losses[i]);
	return ret ? ret : pt_analyses_start(&report->analyses, report->model);
}

static int read_records(struct report *report)
{
	const struct pt_end *end = pt_reader_end(report->reader);
	struct pt_record record;
	int ret;

	while ((ret = pt_reader_next(report->reader, &record, report->err)) > 0) {
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
		.file = report->options->file,
		.meta = pt_reader_meta(report->reader),
		.end = pt_reader_end(report->reader),
		.summary = &summary,
		.losses = report->losses,
		.loss_count = report->loss_count,
		.model = report->model,
		.analyses = &report->analyses,
		.all = report->options->all,
	};

	pt_reader_summary(report->reader, &summary);
	report->document = pt_document_build(&source);
	return report->document ? 0 : -ENOMEM;
}

static int close_turns(struct report *report)
{
	uint64_t summed = pt_turns_summed(report->turns);

	if (summed)
		fprintf(stderr,
			"partrace: %" PRIu64
			" short turns are only in sums; 'record --turns' keeps each\n",
			summed);
	return pt_turns_close(report->turns, report->err);
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
	if (!ret && report->turns)
		ret = close_turns(report);
	return ret ? ret : build_document(report);
}

static void clear_report(struct report *report)
{
	pt_analyses_clear(&report->analyses);
	pt_turns_free(report->turns);
	pt_model_free(report->model);
	pt_reader_free(report->reader);
	free(report->losses);
}

int pt_report_load(json_t **document, const struct pt_report_options *options, struct pt_error *err)
{
	struct report report = {.options = options, .err = err};
	int ret;

	err->text[0] = '\0';
	ret = make_document(&report);
	if (ret && !err->text[0])
		pt_error_errno(err, ret, "cannot report on %s", options->file);
	*document = report.document;
	clear_report(&report);
	return ret;
}
