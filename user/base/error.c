/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text from traces, file names and environments must not reach a terminal raw. */
static void escape_controls(char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			*text = '?';
	}
}

/* Puts ": text" at offset `at`, as much of it as there is room for. */
static void append(struct pt_error *err, size_t at, const char *text)
{
	for (const char *part = ": "; *part && at + 1 < sizeof(err->text); part++)
		err->text[at++] = *part;
	for (; *text && at + 1 < sizeof(err->text); text++)
		err->text[at++] = *text;
	err->text[at] = 0;
}

int pt_error_set(struct pt_error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	escape_controls(err->text);
	return code;
}

int pt_error_errno(struct pt_error *err, int code, const char *format, ...)
{
	va_list args;
	int n;

	if (!err)
		return code;
	va_start(args, format);
	n = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", strerror(-code));
	escape_controls(err->text);
	return code;
}

int pt_error_prefix(struct pt_error *err, int code, const char *format, ...)
{
	char old[PT_ERROR_TEXT];
	va_list args;
	int n;

	if (!err)
		return code;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	n = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		append(err, (size_t)n, old);
	escape_controls(err->text);
	return code;
}
