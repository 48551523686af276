/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: processes, what they share, what one more worker costs, what forks cost. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_part.h"

#define SHOWN_PROCESSES 16
#define SHOWN_FORKS	8
#define MATRIX_MAX	6

/* Changes below this are the noise of any allocator. */
#define WORTH_A_LINE_BYTES  (1 << 20)
#define WORTH_A_LINE_FAULTS 256

/* "-" for what is not known. */
static struct pt_figure bytes_at(const json_t *json, const char *key)
{
	const json_t *value = pt_text_at(json, key);
	struct pt_figure none = {"-"};

	return json_is_integer(value) ? pt_format_bytes((uint64_t)json_integer_value(value)) : none;
}

static bool is_true(const json_t *json, const char *path)
{
	return json_is_true(pt_text_at(json, path));
}

static int write_process(const struct pt_text *text, const json_t *process)
{
	const char *how = "";

	if (is_true(process, "cut_short"))
		how = " (cut short)";
	else if (is_true(process, "sampled"))
		how = " (estimated)";
	else if (!strcmp(pt_text_string(process, "from"), "exit"))
		how = " (at its exit)";
	return pt_text_line(text, "%10s %10s %10s %10s %10s %10s %10s %9s  %s %" PRIu64 "%s",
			    bytes_at(process, "rss_bytes").s, bytes_at(process, "pss_bytes").s,
			    bytes_at(process, "uss_bytes").s, bytes_at(process, "swap_bytes").s,
			    bytes_at(process, "peak_rss_bytes").s,
			    bytes_at(process, "page_tables_bytes").s,
			    bytes_at(process, "kernel_stacks_bytes").s,
			    pt_format_ns(pt_text_int(process, "at_ns")).s,
			    pt_text_string(process, "comm"), pt_text_int(process, "pid"), how);
}

static int compare_peaks(const void *a, const void *b)
{
	uint64_t x = pt_text_int(*(const json_t *const *)a, "peak_rss_bytes");
	uint64_t y = pt_text_int(*(const json_t *const *)b, "peak_rss_bytes");

	return x < y ? 1 : -(x > y);
}

static int write_processes(const struct pt_text *text, const json_t *processes)
{
	size_t count = json_array_size(processes), i;
	const json_t **sorted = calloc(count, sizeof(const json_t *));
	int ret = sorted ? 0 : -1;

	for (i = 0; !ret && i < count; i++)
		sorted[i] = json_array_get(processes, i);
	if (!ret) {
		qsort(sorted, count, sizeof(const json_t *), compare_peaks);
		ret = pt_text_line(text, "%10s %10s %10s %10s %10s %10s %10s %9s  %s", "RSS", "PSS",
				   "USS", "swap", "peak RSS", "page tab.", "k. stacks", "at",
				   "process");
	}
	for (i = 0; !ret && i < count && i < SHOWN_PROCESSES; i++)
		ret = write_process(text, sorted[i]);
	if (!ret && count > i)
		ret = pt_text_line(text, "  and %zu smaller ones", count - i);
	free(sorted);
	return ret;
}

static struct pt_figure kernel_bytes(const json_t *margin)
{
	return pt_format_bytes(pt_text_int(margin, "page_tables_bytes") +
			       pt_text_int(margin, "kernel_stacks_bytes"));
}

static int write_worker_margin(const struct pt_text *text, const json_t *margin)
{
	uint64_t workers = pt_text_int(margin, "workers");
	int ret;

	ret = pt_text_line(text,
			   "  one more %s (%s) costs %s of its own (USS), %s in the kernel; mean "
			   "of %" PRIu64,
			   pt_text_string(margin, "comm"), pt_text_string(margin, "model"),
			   bytes_at(margin, "uss_bytes").s, kernel_bytes(margin).s, workers);
	if (ret || workers < 2)
		return ret ? ret
			   : pt_text_line(text, "    what it would share with a second one stands "
						"as its own");
	return pt_text_line(text, "    PSS %s; RSS %s misleads: it counts what they share in each",
			    bytes_at(margin, "pss_bytes").s, bytes_at(margin, "rss_bytes").s);
}

/* Where the main task runs a loop and no other does, the others are helpers, and no workers. */
static int write_thread_margin(const struct pt_text *text, const json_t *margin)
{
	const json_t *loopers = pt_text_at(margin, "with_loop");
	const json_t *others = pt_text_at(margin, "without_loop");
	bool loops = pt_text_int(loopers, "threads");
	const json_t *threads = loops ? loopers : others;
	int ret;

	if (!pt_text_int(threads, "threads") || (!loops && pt_text_int(margin, "looping_leaders")))
		return 0;
	ret = pt_text_line(text, "  one more thread%s in %s costs %s; mean of %" PRIu64,
			   loops ? " with a loop" : "", pt_text_string(margin, "comm"),
			   pt_text_int(threads, "brought_bytes") < WORTH_A_LINE_BYTES
				   ? "less than about 1 MiB"
				   : bytes_at(threads, "brought_bytes").s,
			   pt_text_int(threads, "threads"));
	if (ret)
		return ret;
	return pt_text_line(text,
			    "    pages that it touched first: its stack, and its part of what "
			    "all of its process share");
}

static int write_margin(const struct pt_text *text, const json_t *margin)
{
	const char *model = pt_text_string(margin, "model");

	if (!strcmp(model, "main"))
		return 0;
	return strcmp(model, "thread") ? write_worker_margin(text, margin)
				       : write_thread_margin(text, margin);
}

static int write_group(const struct pt_text *text, const json_t *memory)
{
	const json_t *group = pt_text_at(memory, "group");
	const json_t *common = pt_text_at(group, "common");
	size_t i;
	int ret;

	if (!json_is_object(group))
		return 0;
	ret = pt_text_line(text,
			   "  together %" PRIu64 " processes cost %s; if they shared nothing, %s%s",
			   pt_text_int(group, "processes"), bytes_at(group, "cost_bytes").s,
			   bytes_at(group, "unshared_bytes").s,
			   is_true(group, "frames_hidden")
				   ? " (sum of PSS: page frames are hidden without CAP_SYS_ADMIN)"
			   : is_true(group, "cut_short") ? " (cut short: too low)"
			   : is_true(group, "sampled")	 ? " (estimated)"
							 : "");
	if (!ret && pt_text_int(group, "left_out"))
		ret = pt_text_line(text, "  %" PRIu64 " processes are not in this comparison",
				   pt_text_int(group, "left_out"));
	for (i = json_array_size(common); !ret && i > 1; i--) {
		const json_t *row = json_array_get(common, i - 1);
		uint64_t file = pt_text_int(row, "file_bytes"),
			 anon = pt_text_int(row, "anon_bytes");
		uint64_t shmem = pt_text_int(row, "shmem_bytes");

		if (file + anon + shmem >= WORTH_A_LINE_BYTES)
			ret = pt_text_line(
				text,
				"  %" PRIu64 " of %" PRIu64
				" share %s of files, %s copy-on-write, %s of shared memory",
				pt_text_int(row, "k"), pt_text_int(row, "n"),
				pt_format_bytes(file).s, pt_format_bytes(anon).s,
				pt_format_bytes(shmem).s);
	}
	return ret;
}

static int write_pairs(const struct pt_text *text, const json_t *memory)
{
	const json_t *pairs = pt_text_at(memory, "sharing");
	size_t count = json_array_size(pairs), i;
	int ret = 0;

	if (!count || count > MATRIX_MAX * (MATRIX_MAX - 1) / 2)
		return 0;
	ret = pt_text_line(text, "%12s %10s %10s %10s  %s", "both map", "files", "copy-o.-w.",
			   "shared m.", "processes");
	for (i = 0; !ret && i < count; i++) {
		const json_t *pair = json_array_get(pairs, i);

		ret = pt_text_line(text, "%12s %10s %10s %10s  %" PRIu64 ", %" PRIu64 "%s",
				   bytes_at(pair, "bytes").s, bytes_at(pair, "file_bytes").s,
				   bytes_at(pair, "anon_bytes").s, bytes_at(pair, "shmem_bytes").s,
				   pt_text_int(pair, "a"), pt_text_int(pair, "b"),
				   is_true(pair, "same_mm") ? ": one address space" : "");
	}
	return ret;
}

static int compare_calls(const void *a, const void *b)
{
	uint64_t x = pt_text_int(*(const json_t *const *)a, "call_ns");
	uint64_t y = pt_text_int(*(const json_t *const *)b, "call_ns");

	return x < y ? 1 : -(x > y);
}

static int write_fork(const struct pt_text *text, const json_t *fork)
{
	bool timed = json_is_integer(pt_text_at(fork, "call_ns"));
	bool faults = json_is_integer(pt_text_at(fork, "cow_faults"));
	const char *end = pt_text_string(fork, "parted_by");
	bool minor = json_is_integer(pt_text_at(fork, "child_minor_faults"));
	int ret;

	ret = pt_text_line(text,
			   "  %s %" PRIu64 " made %" PRIu64 " at %s: %s copying %s of page tables, "
			   "%s to share",
			   pt_text_string(fork, "comm"), pt_text_int(fork, "tid"),
			   pt_text_int(fork, "child"), pt_format_ns(pt_text_int(fork, "at_ns")).s,
			   timed ? pt_format_ns(pt_text_int(fork, "call_ns")).s : "unknown time",
			   bytes_at(fork, "page_tables_bytes").s, bytes_at(fork, "shared_bytes").s);
	if (ret || !minor ||
	    (pt_text_int(fork, "cow_faults") < WORTH_A_LINE_FAULTS && !strcmp(end, "exec")))
		return ret;
	if (!faults)
		return pt_text_line(
			text,
			"    then page faults: %s in the child, %s in the caller, until "
			"its %s; copy-on-write is not told apart here",
			pt_format_count(pt_text_int(fork, "child_minor_faults")).s,
			pt_format_count(pt_text_int(fork, "parent_minor_faults")).s, end);
	return pt_text_line(
		text,
		"    then copy-on-write faults: %s in the child, %s in the caller, until its %s; "
		"about %s still shared then",
		pt_format_count(pt_text_int(fork, "child_cow_faults")).s,
		pt_format_count(pt_text_int(fork, "parent_cow_faults")).s, end,
		bytes_at(fork, "still_shared_bytes").s);
}

static int write_forks(const struct pt_text *text, const json_t *forks)
{
	size_t count = json_array_size(forks), i;
	const json_t **sorted = calloc(count + 1, sizeof(const json_t *));
	int ret = sorted ? 0 : -1;

	for (i = 0; !ret && i < count; i++)
		sorted[i] = json_array_get(forks, i);
	if (!ret && count) {
		qsort(sorted, count, sizeof(const json_t *), compare_calls);
		pt_text_heading(text, "Forks, and what they cost the caller");
	}
	for (i = 0; !ret && i < count && i < SHOWN_FORKS; i++)
		ret = write_fork(text, sorted[i]);
	if (!ret && count > i)
		ret = pt_text_line(text, "  and %zu shorter ones", count - i);
	free(sorted);
	return ret;
}

int pt_text_memory(const struct pt_text *text)
{
	const json_t *memory = pt_text_at(text->document, "memory");
	const json_t *processes = pt_text_at(memory, "processes");
	const json_t *margins = pt_text_at(memory, "margin");
	size_t i;
	int ret = 0;

	if (json_array_size(processes)) {
		pt_text_heading(text, "Memory, when last seen");
		ret = write_processes(text, processes);
		for (i = 0; !ret && i < json_array_size(margins); i++)
			ret = write_margin(text, json_array_get(margins, i));
		if (!ret)
			ret = write_group(text, memory);
		if (!ret)
			ret = write_pairs(text, memory);
	}
	return ret ? ret : write_forks(text, pt_text_at(memory, "forks"));
}
