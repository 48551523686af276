/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops, stalls and pools as a person reads them, against a golden file. PT_GOLDEN=write rewrites it. */
#include <stdlib.h>

#include "loops_stream.h"
#include "view/document.h"
#include "view/text.h"

#define GOLDEN "tests/golden/loops.txt"

static const struct pt_meta meta = {.arch = (char[]){"x86_64"}, .cpus = 4};

static void feed_path(struct stream *s, uint64_t time, uint64_t length, const char *path)
{
	struct pt_sleep row = {.time = time * MS,
			       .length = length * MS,
			       .tid = LOOPER,
			       .object = 4711,
			       .text = (uint32_t)strlen(path)};

	assert_int_equal(pt_model_feed(s->model,
				       &(struct pt_record){PT_KIND_sleep, row.text, &row, path}),
			 0);
}

/* A turn of 30 ms for each of several reasons, some of them twice. */
static void feed_reasons(struct stream *s)
{
	feed_wait(s, 101, 200, 1, 1);
	feed_wait(s, 230, 300, 1, 1);
	feed_block(s, 301, 329, PT_REASON_DISK, 0, 0);
	feed_path(s, 329, 28, "var/lib/data");
	feed_wait(s, 330, 400, 1, 1);
	feed_block(s, 401, 431, PT_REASON_LOCK, 202, 11);
	feed_wait(s, 432, 500, 1, 1);
	feed_block(s, 501, 530, PT_REASON_LOCK, 202, 11);
	feed_wait(s, 531, 600, 1, 1);
	feed_switch(s, 601 * MS, 0, LOOPER, PT_STATE_RUNNABLE, 40);
	feed_switch(s, 629 * MS, 0, 40, PT_STATE_SLEEPING, LOOPER);
	feed_wait(s, 630, 700, 1, 1);
	feed_switch(s, 701 * MS, 0, LOOPER, PT_STATE_RUNNABLE, 0);
	feed_switch(s, 780 * MS, 0, 0, PT_STATE_RUNNABLE, LOOPER);
	feed_wait(s, 781, 800, 1, 1);
	feed_fork(s, 801 * MS, LOOPER, 20, 20);
	feed_wait(s, 802, 850, 2, 1);
	feed_wait(s, 851, 900, 2, 1);
	feed_wait(s, 902, 950, 1, 1);
}

static char *render(struct stream *s)
{
	struct pt_reader_summary summary = {.complete = true};
	struct pt_source source = {.file = "partrace.data",
				   .meta = &meta,
				   .summary = &summary,
				   .model = s->model,
				   .analyses = &s->all};
	json_t *document = pt_document_build(&source);
	struct pt_text_style style = {0};
	char *text = NULL, *from, *to;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(document);
	assert_int_equal(pt_text_render(out, document, &style), 0);
	fclose(out);
	json_decref(document);
	from = strstr(text, "Event loops");
	to = strstr(text, "\nTasks");
	assert_true(from && to);
	*to = '\0';
	memmove(text, from, strlen(from) + 1);
	return text;
}

static void assert_golden(const char *text)
{
	const char *mode = getenv("PT_GOLDEN");
	bool rewrite = mode && !strcmp(mode, "write");
	FILE *file = fopen(GOLDEN, rewrite ? "w+" : "r");
	char golden[8192];

	assert_non_null(file);
	if (rewrite)
		fputs(text, file);
	rewind(file);
	golden[fread(golden, 1, sizeof(golden) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, golden);
}

static void page(void **unused)
{
	struct stream *s = new_loop_stream();
	char *text;

	(void)unused;
	feed_sleeper(s, 11, LOOPER, "helper");
	feed_sleeper(s, 40, 40, "hog");
	feed_reasons(s);
	finish(s, 1000 * MS);
	text = render(s);
	assert_golden(text);
	free(text);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page),
	};

	return cmocka_run_group_tests_name("view: loops", tests, NULL, NULL);
}
