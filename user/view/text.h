/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for a person: renders the document and computes nothing. */
#ifndef PT_VIEW_TEXT_H
#define PT_VIEW_TEXT_H

#include <stdio.h>

#include "view/document.h"

struct pt_text_style {
	unsigned int width; /* columns; 0: no limit */
	bool colour;
};

/* Writes a document. 0 or a negative errno; whether `out` took it all is for the caller to see with ferror(). */
typedef int pt_text_renderer(FILE *out, const json_t *document, const struct pt_text_style *style);

/* The whole report. */
pt_text_renderer pt_text_render;

#endif
