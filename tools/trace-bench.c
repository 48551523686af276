/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a trace and prints how fast that went, and what memory it took. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "trace/reader.h"
#include "trace/schema.h"

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_summary(const struct pt_reader *reader, uint64_t records, double cpu, double wall)
{
	struct pt_reader_summary summary;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	pt_reader_summary(reader, &summary);
	printf("%" PRIu64
	       " records, %.0f records/s, %.1f ns of CPU per record, %ld KiB resident at most\n",
	       records, (double)records / wall, cpu * 1e9 / (double)(records ? records : 1),
	       usage.ru_maxrss);
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (summary.records[kind])
			printf("%-10s %12" PRIu64 " records %8.3f bytes each\n",
			       pt_schema_of(kind)->name, summary.records[kind],
			       (double)summary.bytes[kind] / (double)summary.records[kind]);
}

int main(int argc, char **argv)
{
	struct pt_reader_options options = {0};
	double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID), wall = clock_s(CLOCK_MONOTONIC);
	struct pt_reader *reader = NULL;
	struct pt_record record;
	struct pt_error err;
	uint64_t records = 0;
	int ret;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: %s FILE [THREADS [KINDS]]\n", argv[0]);
		return 2;
	}
	options.threads = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) : 0;
	options.kinds = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
	ret = pt_reader_open(&reader, argv[1], &options, &err);
	while (!ret && (ret = pt_reader_next(reader, &record, &err)) > 0) {
		records++;
		ret = 0;
	}
	if (ret < 0)
		fprintf(stderr, "%s\n", err.text);
	else
		print_summary(reader, records, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu,
			      clock_s(CLOCK_MONOTONIC) - wall);
	pt_reader_free(reader);
	return ret < 0;
}
