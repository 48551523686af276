/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/page.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_PAGER "less"

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void pt_page_ask(struct pt_page *page)
{
	struct winsize size = {0};

	*page = (struct pt_page){0};
	if (!isatty(STDOUT_FILENO))
		return;
	page->colour = wants_colour();
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return;
	page->width = size.ws_col;
	page->height = size.ws_row;
}

static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 0;

	for (; length; length--)
		lines += *text++ == '\n';
	return lines;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EPIPE ? 0 : -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* False if no pager could be started. */
static bool write_to_pager(const char *text, size_t length)
{
	const char *command = getenv("PAGER");
	FILE *pager;
	int status;

	if (!command)
		command = DEFAULT_PAGER;
	if (!*command || !strcmp(command, "cat"))
		return false;
	setenv("LESS", "FRX", 0);
	pager = popen(command, "w");
	if (!pager)
		return false;
	write_all(fileno(pager), text, length);
	status = pclose(pager);
	/* The shell did not find it. */
	return !(WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126));
}

int pt_page_write(const struct pt_page *page, const char *text, size_t length, struct pt_error *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	bool paged;
	int ret = 0;

	sigaction(SIGPIPE, &ignore, &old);
	paged = page->height && count_lines(text, length) >= page->height &&
		write_to_pager(text, length);
	if (!paged)
		ret = write_all(STDOUT_FILENO, text, length);
	sigaction(SIGPIPE, &old, NULL);
	return ret ? pt_error_errno(err, ret, "cannot write the report") : 0;
}

static int write_document(FILE *out, const json_t *document, pt_text_renderer *render,
			  const struct pt_page *page)
{
	struct pt_text_style style = {.width = page->width, .colour = page->colour};

	if (render)
		return render(out, document, &style);
	if (json_dumpf(document, out, JSON_INDENT(1)))
		return -ENOMEM;
	fputc('\n', out);
	return 0;
}

int pt_page_show(const json_t *document, pt_text_renderer *render, struct pt_error *err)
{
	struct pt_page page;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int ret;

	if (!out)
		return pt_error_errno(err, -ENOMEM, "cannot write the report");
	pt_page_ask(&page);
	ret = write_document(out, document, render, &page);
	if (fclose(out) && !ret)
		ret = -ENOMEM;
	if (!render)
		page.height = 0;
	if (ret)
		pt_error_errno(err, ret, "cannot write the report");
	else
		ret = pt_page_write(&page, text, length, err);
	free(text);
	return ret;
}
