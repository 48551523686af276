/* SPDX-License-Identifier: BSD-2-Clause */
/* From a recording to the document that all views are made of: wires the reader to the analyses. */
#ifndef PT_REPORT_H
#define PT_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Reads the file into a document, to be released with json_decref(); `all`: a row for each of many
 * similar tasks. 0 or a negative errno, and then the words for it.
 */
int pt_report_load(json_t **document, const char *file, bool all, struct pt_error *err);

#endif
