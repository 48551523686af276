/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard output: a terminal with its size, colours and pager, or a plain file. */
#ifndef PT_VIEW_PAGE_H
#define PT_VIEW_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "view/text.h"

struct pt_page {
	unsigned int width, height; /* 0: no terminal */
	bool colour;
};

void pt_page_ask(struct pt_page *page);

/* Writes all of text, through the pager if it is higher than the terminal. A reader that has seen
 * enough is no error. 0 or a negative errno. */
int pt_page_write(const struct pt_page *page, const char *text, size_t length,
		  struct pt_error *err);

/* Shows a document as `render` writes it, or, if that is NULL, as JSON and never through a pager.
 * 0 or a negative errno. */
int pt_page_show(const json_t *document, pt_text_renderer *render, struct pt_error *err);

#endif
