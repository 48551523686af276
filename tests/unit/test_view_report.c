/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole page and the whole document for a small recording, against files in tests/golden. After a change that is
 * meant, PT_GOLDEN=write rewrites them: read the difference before you commit it.
 */
#include <stdlib.h>

#include "stream.h"
#include "view/document.h"
#include "view/text.h"

#define GOLDEN "tests/golden/"

static char *const command[] = {(char[]){"make"}, (char[]){"-j2 all"}, NULL};

static const struct pt_meta meta = {
	.version = (char[]){"0.1.0"},
	.host = (char[]){"box\033[2J"},
	.kernel = (char[]){"6.1.0"},
	.arch = (char[]){"x86_64"},
	.cpus = 4,
	.start_wall = 1700000000123456789,
	.target = (char[]){"command"},
	.command = (char **)command,
};

static const struct pt_end end = {
	.duration_ns = 50000000,
	.recorder_cpu_ns = 1200000,
	.recorder_rss = 3 << 20,
	.ended_by = (char[]){"exit"},
};

static const struct pt_loss losses[] = {
	{.time = 45000000, .length = 1000000, .count = 3, .kind = PT_KIND_migrate},
	{.time = 46000000, .length = 1000000, .count = 1, .kind = 0},
};

/* make runs six compilers one after the other, each beside a stranger, and a thread with a name to beware of. */
static void feed_make(struct stream *s)
{
	uint64_t time = 1000000;
	uint32_t i;

	feed_sleeper(s, 10, 10, "make");
	feed_fork(s, 500000, 10, 11, 10);
	feed_as(s, rename, .time = 500001, .tid = 11, .comm = {"\033[31mred\xff"});
	for (i = 0; i < 6; i++, time += 6000000) {
		uint32_t tid = 100 + i;

		feed_fork(s, time, 10, tid, tid);
		feed_as(s, occupant, .time = time + 2000000, .ago = 3000000, .tid = 50, .pid = 50,
			.comm = {"hog"}, .cpu = 1);
		feed_switch(s, time + 2000000, 1, 50, PT_STATE_RUNNABLE, tid);
		feed_as(s, exec, .time = time + 2100000, .tid = tid, .old_tid = tid,
			.comm = {"cc1"});
		feed_as(s, exit, .time = time + 5000000, .tid = tid, .pid = tid,
			.code = i == 5 ? 9 : 0, .voluntary = i == 4);
		feed_switch(s, time + 5100000, 1, tid, PT_STATE_DEAD, 50);
	}
}

static json_t *build(struct stream *s, bool broken, bool all)
{
	static const struct pt_damage damage = {4711, 100, "checksum of a frame"};
	struct pt_reader_summary summary = {
		.file_bytes = 12345, .complete = !broken, .ends_at = 45000000};
	struct pt_source source = {
		.file = "some/where/partrace.data",
		.meta = &meta,
		.end = broken ? NULL : &end,
		.summary = &summary,
		.losses = losses,
		.loss_count = broken ? PT_ARRAY_SIZE(losses) : 0,
		.model = s->model,
		.analyses = &s->all,
		.all = all,
	};

	summary.records[PT_KIND_switch] = 12;
	summary.records[PT_KIND_task] = 1;
	summary.bytes[PT_KIND_switch] = 30;
	if (broken) {
		summary.damages = &damage;
		summary.damage_count = 1;
	}
	return pt_document_build(&source);
}

static char *read_golden(const char *name)
{
	FILE *file = fopen(name, "r");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

/* Two processes that share, and a fork. */
static void feed_memory(struct stream *s)
{
	feed_as(s, memory_fork, .time = 40000000, .copying = 300000, .anon = 4 << 20,
		.page_tables = 65536, .cow_faults = 2, .pid = 11, .parent_tid = 10,
		.parent_pid = 10);
	feed_as(s, memory, .time = 41000000, .span = 100000, .rss = 8 << 20, .pss = 5 << 20,
		.uss = 2 << 20, .peak = 9 << 20, .page_tables = 65536, .kernel_stacks = 16384,
		.pid = 10, .threads = 1, .sampling = 1);
	feed_as(s, memory_class, .time = 41000001, .rss = 8 << 20, .pid = 10, .mappings = 3,
		.class = PT_MAPPING_HEAP);
	feed_as(s, memory_common, .time = 41000002, .anon = 3 << 20, .k = 2, .n = 2);
	feed_as(s, memory_share, .time = 41000002, .anon = 3 << 20, .a = 10, .b = 11);
	feed_as(s, memory_group, .time = 41000002, .unshared = 14 << 20, .cost = 11 << 20,
		.processes = 2, .spaces = 2, .sampling = 1);
	feed_as(s, memory_pulse, .time = 42000000, .anon = 1 << 20, .pid = 10, .threads = 1);
	feed_as(s, memory_pulse, .time = 43000000, .anon = 7 << 20, .pid = 10, .threads = 1);
	feed_as(s, memory_rss, .time = 43500000, .anon = 2 << 20, .swap = 5 << 20, .pid = 10,
		.tid = 12);
	feed_as(s, memory_host, .time = 42000000, .available = 4 << 20, .cached = 3 << 20);
	feed_as(s, memory_host, .time = 43000000, .available = 1 << 20, .cached = 1 << 20,
		.swapped_out = 5 << 20, .reclaimed = 7 << 20, .refaulted = 2 << 20, .stalls = 3,
		.oom_kills = 1);
	feed_as(s, memory_parted, .time = 44000000, .cow_faults = 5, .parent_cow_faults = 9,
		.pid = 11, .flags = PT_PARTED_EXEC);
	feed_as(s, memory_exit, .time = 44000000, .anon = 5 << 20, .peak = 6 << 20, .pid = 11);
	feed_as(s, memory_faults, .time = 44000000, .cow_faults = 9, .tid = 10, .pid = 10);
}

static void assert_golden(const char *name, const char *text)
{
	const char *mode = getenv("PT_GOLDEN");
	char *golden;

	if (mode && !strcmp(mode, "write")) {
		FILE *file = fopen(name, "w");

		assert_non_null(file);
		fputs(text, file);
		fclose(file);
	}
	golden = read_golden(name);
	assert_non_null(golden);
	assert_string_equal(text, golden);
	free(golden);
}

static char *render(const json_t *document, unsigned int width, bool colour)
{
	struct pt_text_style style = {.width = width, .colour = colour};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(pt_text_render(out, document, &style), 0);
	fclose(out);
	return text;
}

static void document_and_page(void **unused)
{
	struct stream *s = stream_new();
	json_t *document;
	char *text;

	(void)unused;
	feed_make(s);
	feed_memory(s);
	finish(s, end.duration_ns);
	document = build(s, false, false);
	assert_non_null(document);
	text = json_dumps(document, JSON_INDENT(1));
	assert_golden(GOLDEN "report.json", text);
	free(text);
	text = render(document, 0, false);
	assert_golden(GOLDEN "report.txt", text);
	free(text);
	json_decref(document);
	stream_free(s);
}

static void each_one_of_a_broken_trace(void **unused)
{
	struct stream *s = stream_new();
	json_t *document;
	char *text;

	(void)unused;
	feed_make(s);
	finish(s, 0);
	document = build(s, true, true);
	text = render(document, 120, true);
	assert_golden(GOLDEN "report_broken.txt", text);
	free(text);
	json_decref(document);
	stream_free(s);
}

static void nothing_recorded(void **unused)
{
	struct stream *s = stream_new();
	json_t *document;

	(void)unused;
	finish(s, 0);
	document = build(s, false, false);
	free(render(document, 1, true));
	assert_int_equal(json_array_size(json_object_get(document, "tasks")), 0);
	json_decref(document);
	stream_free(s);
}

/* Of a task that no other record mentions no more is known than that it wrote. */
static void a_writer_that_is_not_known_is_not_nobody(void **unused)
{
	struct stream *s = stream_new();
	uint64_t pipe = PT_ENDPOINT_OF(PT_CLASS_PIPE, 7);
	json_t *document;
	char *text;

	(void)unused;
	feed_sleeper(s, 10, 10, "reader");
	feed_as(s, endpoint, .time = 10, .end = pipe, .tid = 10, .kind = PT_CHANNEL_PIPE);
	feed_as(s, transfer, .time = 20, .end = pipe, .tid = 77, .bytes = 5, .count = 1,
		.flags = PT_TRANSFER_SENT);
	feed_as(s, transfer, .time = 30, .end = pipe, .tid = 10, .bytes = 5, .count = 1);
	finish(s, 10000);
	document = build(s, false, false);
	text = render(document, 0, false);
	assert_non_null(strstr(text, "reader 10"));
	assert_non_null(strstr(text, "unknown"));
	assert_null(strstr(text, "(not read)"));
	free(text);
	json_decref(document);
	stream_free(s);
}

/* Parents in a circle, a long chain, and a great many siblings: every task is shown once. */
static void any_tree_is_shown_whole(void **unused)
{
	struct stream *s = stream_new();
	json_t *document, *row, *tree;
	size_t i, shown = 0;
	uint32_t tid;

	(void)unused;
	feed_as(s, task, .time = 0, .tid = 10, .pid = 10, .ppid = 11, .start = 1);
	feed_as(s, task, .time = 0, .tid = 11, .pid = 11, .ppid = 10, .start = 1);
	feed_as(s, task, .time = 0, .tid = 12, .pid = 12, .ppid = 12, .start = 1);
	for (tid = 1000; tid < 3000; tid++)
		feed_fork(s, tid, tid == 1000 ? 12 : tid - 1, tid, tid);
	for (; tid < 5000; tid++)
		feed_fork(s, tid, 12, tid, tid);
	for (; tid < 5040; tid++)
		feed_fork(s, tid, 12, tid, 12);
	finish(s, 10000);
	document = build(s, false, false);
	tree = json_object_get(document, "tree");
	json_array_foreach (tree, i, row)
		shown += json_object_get(row, "task")
				 ? 1
				 : (size_t)json_integer_value(json_object_get(row, "tasks"));
	assert_int_equal(shown, 3 + 2000 + 2000 + 40);
	free(render(document, 80, false));
	json_decref(document);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_and_page),
		cmocka_unit_test(each_one_of_a_broken_trace),
		cmocka_unit_test(nothing_recorded),
		cmocka_unit_test(a_writer_that_is_not_known_is_not_nobody),
		cmocka_unit_test(any_tree_is_shown_whole),
	};

	return cmocka_run_group_tests_name("view: report", tests, NULL, NULL);
}
