/* SPDX-License-Identifier: BSD-2-Clause */
/* What went wrong, in words for the person at the terminal. Functions return a negative errno and
 * fill one of these. */
#ifndef PT_BASE_ERROR_H
#define PT_BASE_ERROR_H

#define PT_ERROR_TEXT 512

struct pt_error {
	char text[PT_ERROR_TEXT]; /* one line, no newline; control characters escaped */
};

/* Replaces the text and returns code (a negative errno), so that a caller can `return
 * pt_error_set(...)`. err may be NULL. */
int pt_error_set(struct pt_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As pt_error_set(), with ": " and the words of errno `-code` behind the text. */
int pt_error_errno(struct pt_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "format: " before the text that is there; returns code. */
int pt_error_prefix(struct pt_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
