/* SPDX-License-Identifier: BSD-2-Clause */
/* From a recording to the document that all views are made of: wires the reader to the analyses. */
#ifndef PT_REPORT_H
#define PT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pt_report_options {
	const char *file;
	const char *turns; /* where a line for each turn goes, "-": stdout; NULL: nowhere */
	uint64_t stall_ns; /* threshold of a stall, if above the recorded one */
	bool all;	   /* a row for each of many similar tasks */
};

/* Reads the file into a document, to be released with json_decref(). 0 or a negative errno, and then the words for it. */
int pt_report_load(json_t **document, const struct pt_report_options *options,
		   struct pt_error *err);

#endif
