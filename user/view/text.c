/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "view/text_part.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

const json_t *pt_text_at(const json_t *json, const char *path)
{
	while (json && *path) {
		size_t length = strcspn(path, ".");
		char key[64];

		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		json = json_object_get(json, key);
		path += length + (path[length] == '.');
	}
	return json;
}

uint64_t pt_text_int(const json_t *json, const char *path)
{
	return (uint64_t)json_integer_value(pt_text_at(json, path));
}

const char *pt_text_string(const json_t *json, const char *path)
{
	const char *string = json_string_value(pt_text_at(json, path));

	return string ? string : "";
}

char *pt_text_command(const json_t *words)
{
	char *command = NULL;
	size_t size, i;
	FILE *out = open_memstream(&command, &size);

	if (!out)
		return NULL;
	for (i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));
		bool plain = *word && !word[strcspn(word, " \t\n'\"\\$;&|<>()*?`")];

		fprintf(out, plain ? "%s%s" : "%s'%s'", i ? " " : "", word);
	}
	if (fclose(out)) {
		free(command);
		return NULL;
	}
	return command;
}

void pt_text_heading(const struct pt_text *text, const char *format, ...)
{
	va_list args;

	fputs(text->style->colour ? "\n" BOLD : "\n", text->out);
	va_start(args, format);
	vfprintf(text->out, format, args);
	va_end(args);
	fputs(text->style->colour ? PLAIN "\n" : "\n", text->out);
}

char *pt_text_cell(const char *string, unsigned int width)
{
	char *visible = pt_utf8_visible(string), *cell = NULL;
	size_t left = visible ? strlen(visible) : 0, columns = 0;
	const char *at = visible, *cut = visible;

	while (left && columns < width) {
		if (columns == width - 1)
			cut = at;
		pt_utf8_next(&at, &left);
		columns++;
	}
	if (visible && asprintf(&cell, "%.*s%s%*s", (int)((left ? cut : at) - visible), visible,
				left ? "…" : "", (int)(width - columns), "") < 0)
		cell = NULL;
	free(visible);
	return cell;
}

static void write_cut(const struct pt_text *text, const char *line)
{
	size_t left = strlen(line), columns = 0, width = text->style->width;
	const char *at = line, *cut = line;

	while (left && (!width || columns < width)) {
		if (width && columns == width - 1)
			cut = at;
		pt_utf8_next(&at, &left);
		columns++;
	}
	if (!left) {
		fputs(line, text->out);
	} else {
		fwrite(line, 1, (size_t)(cut - line), text->out);
		fputs("…", text->out);
	}
	fputc('\n', text->out);
}

int pt_text_line(const struct pt_text *text, const char *format, ...)
{
	char *line = NULL, *visible = NULL;
	size_t length;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&line, format, args);
	va_end(args);
	if (n >= 0)
		visible = pt_utf8_visible(line);
	if (n >= 0)
		free(line);
	if (!visible)
		return -ENOMEM;
	for (length = strlen(visible); length && visible[length - 1] == ' '; length--)
		visible[length - 1] = '\0';
	write_cut(text, visible);
	free(visible);
	return 0;
}

int pt_text_render(FILE *out, const json_t *document, const struct pt_text_style *style)
{
	static int (*const parts[])(const struct pt_text *text) = {
#define T(name) pt_text_##name,
		PT_TEXT_PARTS(T)
#undef T
	};
	struct pt_text text = {out, document, style};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < PT_ARRAY_SIZE(parts); i++)
		ret = parts[i](&text);
	return ret;
}
