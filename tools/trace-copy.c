/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the records of a trace to another file, in the order in which a recorder takes them out: CPU by CPU, every
 * twentieth of a second. Prints what writing cost, and how large each kind came out. All of it is held in memory, so
 * that reading does not disturb the figures.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "trace/bytes.h"
#include "trace/reader.h"
#include "trace/schema.h"
#include "trace/writer.h"

#define DRAIN_NS 50000000u
#define CUT_NS	 500000000u
/* A recorder seldom has more than two intervals at hand. */
#define QUEUE_BYTES (16u << 20)

struct copy {
	struct pt_bytes rows, texts;
	struct pt_bytes
		records; /* struct pt_record each; row and text are offsets until all are there */
	struct pt_writer *writer;
	uint64_t start; /* CLOCK_MONOTONIC of time 0 */
};

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int load(struct copy *copy, struct pt_reader *reader, struct pt_error *err)
{
	struct pt_record record;
	int ret;

	while ((ret = pt_reader_next(reader, &record, err)) > 0) {
		size_t size = pt_schema_of(record.kind)->row_size;
		uint64_t time = pt_record_time(&record) + copy->start;

		pt_bytes_append(&copy->texts, record.text, record.text_len);
		record.text = (const char *)(copy->texts.len - record.text_len);
		pt_bytes_append(&copy->rows, record.row, size);
		record.row = (const void *)(copy->rows.len - size);
		pt_bytes_append(&copy->records, &record, sizeof(record));
		if (copy->rows.failed || copy->texts.failed || copy->records.failed)
			return pt_error_set(err, -1, "not enough memory");
		pt_store(copy->rows.data + copy->rows.len - size, time, sizeof(time));
	}
	return ret;
}

/* What comes in slots is taken out CPU by CPU, after all that comes in rings. */
static uint64_t turn_of(const struct pt_record *record)
{
	uint64_t drain = pt_record_time(record) / DRAIN_NS * 65536;

	if (record->kind == PT_KIND_switch)
		return drain + 1 + ((const struct pt_switch *)record->row)->cpu;
	if (record->kind == PT_KIND_wakeup)
		return drain + 1 + ((const struct pt_wakeup *)record->row)->cpu;
	return drain;
}

static int compare(const void *a, const void *b)
{
	const struct pt_record *x = a, *y = b;
	uint64_t turn_x = turn_of(x), turn_y = turn_of(y);

	if (turn_x != turn_y)
		return turn_x < turn_y ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int write_all(struct copy *copy, const struct pt_end *end, struct pt_error *err)
{
	struct pt_record *records = (void *)copy->records.data;
	size_t count = copy->records.len / sizeof(*records);
	double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID), adding = clock_s(CLOCK_THREAD_CPUTIME_ID);
	uint64_t cut = copy->start;
	int ret = 0;

	for (size_t i = 0; !ret && i < count; i++) {
		uint64_t drain = pt_record_time(&records[i]) / DRAIN_NS * DRAIN_NS;

		if (drain >= cut + CUT_NS) {
			cut = drain;
			ret = pt_writer_cut(copy->writer, cut, err);
		}
		if (!ret)
			ret = pt_writer_add(copy->writer, &records[i]);
	}
	adding = clock_s(CLOCK_THREAD_CPUTIME_ID) - adding;
	if (!ret)
		ret = pt_writer_finish(copy->writer, end, err);
	cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%zu records, %.1f ns of CPU per record, %.1f of them to add it\n", count,
	       cpu * 1e9 / (double)count, adding * 1e9 / (double)count);
	return ret;
}

static void print_stats(struct pt_writer *writer)
{
	struct pt_writer_stats stats;

	pt_writer_stats(writer, &stats);
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (stats.records[kind])
			printf("%-14s %9" PRIu64 " records %9" PRIu64 " bytes %8.3f each\n",
			       pt_schema_of(kind)->name, stats.records[kind], stats.bytes[kind],
			       (double)stats.bytes[kind] / (double)stats.records[kind]);
	printf("%" PRIu64 " bytes in all\n", stats.file_bytes);
}

static int copy_trace(struct copy *copy, struct pt_reader *reader, const char *path,
		      struct pt_error *err)
{
	struct pt_writer_options options = {
		.path = path, .uid = (uid_t)-1, .gid = (gid_t)-1, .queue_bytes = QUEUE_BYTES};
	const struct pt_end none = {.command_status = -1};
	struct pt_record *records;
	size_t count;
	int ret;

	copy->start = pt_reader_meta(reader)->start_mono;
	ret = load(copy, reader, err);
	if (ret)
		return ret;
	records = (void *)copy->records.data;
	count = copy->records.len / sizeof(*records);
	for (size_t i = 0; i < count; i++) {
		records[i].row = copy->rows.data + (uintptr_t)records[i].row;
		records[i].text = (const char *)copy->texts.data + (uintptr_t)records[i].text;
	}
	qsort(records, count, sizeof(*records), compare);
	ret = pt_writer_open(&copy->writer, &options, pt_reader_meta(reader), err);
	return ret ? ret
		   : write_all(copy, pt_reader_end(reader) ? pt_reader_end(reader) : &none, err);
}

int main(int argc, char **argv)
{
	struct pt_reader *reader = NULL;
	struct copy copy = {0};
	struct pt_error err = {0};
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: %s FILE COPY\n", argv[0]);
		return 2;
	}
	ret = pt_reader_open(&reader, argv[1], NULL, &err);
	if (!ret)
		ret = copy_trace(&copy, reader, argv[2], &err);
	if (ret)
		fprintf(stderr, "%s\n", err.text);
	else
		print_stats(copy.writer);
	pt_writer_free(copy.writer);
	pt_reader_free(reader);
	pt_bytes_free(&copy.rows);
	pt_bytes_free(&copy.texts);
	pt_bytes_free(&copy.records);
	return ret != 0;
}
