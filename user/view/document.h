/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report as one JSON document, DESIGN.md section 7: every figure that any view shows stands in
 * it, so that views only render and cannot disagree. To add a section: a builder in a file of its
 * own and a line in PT_SECTIONS.
 */
#ifndef PT_VIEW_DOCUMENT_H
#define PT_VIEW_DOCUMENT_H

#include <jansson.h>

#include "analysis/analysis.h"
#include "trace/reader.h"

/* S(key) */
#define PT_SECTIONS(S)                                                                             \
	S(trace)                                                                                   \
	S(totals)                                                                                  \
	S(loops)                                                                                   \
	S(stalls)                                                                                  \
	S(stall_groups)                                                                            \
	S(pools)                                                                                   \
	S(cgroups)                                                                                 \
	S(tasks)                                                                                   \
	S(tree)                                                                                    \
	S(contention)                                                                              \
	S(ipc)                                                                                     \
	S(balance)                                                                                 \
	S(memory)                                                                                  \
	S(workloads)

/* What a document is built from; all is only read, and during the call. */
struct pt_source {
	const char *file;
	const struct pt_meta *meta;
	const struct pt_end *end; /* NULL: the trace breaks off */
	const struct pt_reader_summary *summary;
	const struct pt_loss *losses;
	size_t loss_count;
	const struct pt_model *model; /* finished */
	const struct pt_analyses *analyses;
	bool all; /* show each of many similar processes */
};

/* To be released with json_decref(). NULL without memory. */
json_t *pt_document_build(const struct pt_source *source);

#endif
