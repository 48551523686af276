/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the text view share. To add a part: a function in a file of its own and a line
 * in PT_TEXT_PARTS, where the order is that of the page.
 */
#ifndef PT_VIEW_TEXT_PART_H
#define PT_VIEW_TEXT_PART_H

#include "view/format.h"
#include "view/text.h"

/* T(name) */
#define PT_TEXT_PARTS(T)                                                                           \
	T(trace)                                                                                   \
	T(loops)                                                                                   \
	T(stalls)                                                                                  \
	T(pools)                                                                                   \
	T(cgroups)                                                                                 \
	T(tree)                                                                                    \
	T(contention)                                                                              \
	T(balance)                                                                                 \
	T(ipc)                                                                                     \
	T(memory)                                                                                  \
	T(growth)

struct pt_text {
	FILE *out;
	const json_t *document;
	const struct pt_text_style *style;
};

#define T(name) int pt_text_##name(const struct pt_text *text);
PT_TEXT_PARTS(T)
#undef T

/* A line that begins a part, with an empty line before it. */
void pt_text_heading(const struct pt_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One line, cut to the width with an ellipsis; what is not printable is spelt out. 0 or -ENOMEM. */
int pt_text_line(const struct pt_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A string made visible and exactly `width` columns wide, cut or padded; to be freed. NULL without memory. */
char *pt_text_cell(const char *string, unsigned int width);

/* The figure or text at a path of keys, separated by dots; 0 and "" if there is none. */
uint64_t pt_text_int(const json_t *json, const char *path);
const char *pt_text_string(const json_t *json, const char *path);
const json_t *pt_text_at(const json_t *json, const char *path);

/* The words of a command line, quoted for reading where they need it; to be freed. NULL without
 * memory. */
char *pt_text_command(const json_t *words);

#endif
