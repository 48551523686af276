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

/* 0 or a negative errno; whether `out` took it all is for the caller to see with ferror(). */
int pt_text_render(FILE *out, const json_t *document, const struct pt_text_style *style);

#endif
