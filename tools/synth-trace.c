/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a trace of any length, of which every value follows from a seed: CPUs on which tasks take
 * turns, are woken, are born and die. Prints how fast the writer was and how large each kind came
 * out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace/schema.h"
#include "trace/writer.h"

#define CPUS	    4
#define TASKS	    24
#define INTERVAL_NS 500000000ull
#define START_NS    1000000000000ull

struct synth {
	struct pt_writer *writer;
	uint64_t random;
	uint64_t now[CPUS];
	uint32_t running[CPUS];
	uint64_t cut;
	uint64_t written;
	uint32_t next_tid;
};

static uint64_t draw(struct synth *synth, uint64_t below)
{
	synth->random ^= synth->random << 13;
	synth->random ^= synth->random >> 7;
	synth->random ^= synth->random << 17;
	return synth->random % below;
}

/* Most durations are short: an exponent first, then the rest. */
static uint64_t draw_ns(struct synth *synth)
{
	unsigned int octave = 9 + (unsigned int)(draw(synth, 5) + draw(synth, 4));

	return (1ull << octave) + draw(synth, 1ull << octave);
}

static int add(struct synth *synth, uint32_t kind, const void *row, const char *text, uint32_t len)
{
	struct pt_record record = {.kind = kind, .row = row, .text = text, .text_len = len};

	synth->written++;
	return pt_writer_add(synth->writer, &record);
}

static int add_switch(struct synth *synth, uint16_t cpu)
{
	uint32_t prev = synth->running[cpu];
	uint32_t next = prev && draw(synth, 4)
				? 0
				: 1000 + (uint32_t)(draw(synth, TASKS) / CPUS * CPUS + cpu);
	bool preempted = prev && next;
	struct pt_switch row = {
		.time = synth->now[cpu],
		.prev_tid = prev,
		.next_tid = next,
		.cpu = cpu,
		.syscall = prev && !preempted ? 281 : -1,
		.prev_state = prev && !preempted ? PT_STATE_SLEEPING : PT_STATE_RUNNABLE,
		.reason = prev && !preempted ? PT_REASON_POLL : PT_REASON_UNKNOWN,
		.flags = preempted ? PT_SWITCH_PREEMPT : PT_SWITCH_VOLUNTARY,
	};
	struct pt_wakeup wakeup = {
		.tid = next,
		.waker = 1000 + (uint32_t)draw(synth, TASKS),
		.cpu = cpu,
		.wait = (uint32_t)draw_ns(synth),
	};
	int err = add(synth, PT_KIND_switch, &row, NULL, 0);

	synth->running[cpu] = next;
	if (err || !next || draw(synth, 2))
		return err;
	wakeup.time = synth->now[cpu] - wakeup.wait;
	return add(synth, PT_KIND_wakeup, &wakeup, NULL, 0);
}

static int add_life(struct synth *synth, uint16_t cpu)
{
	static const char args[] = "worker\0--quick";
	uint32_t tid = synth->next_tid++;
	struct pt_fork born = {.time = synth->now[cpu],
			       .clone_flags = 0x3d0f00,
			       .start = synth->now[cpu],
			       .tid = tid};
	struct pt_command command = {.time = synth->now[cpu], .pid = tid};
	struct pt_exit gone = {.time = synth->now[cpu] + 1000,
			       .tid = tid,
			       .pid = tid,
			       .voluntary = draw(synth, 100)};
	int err;

	born.pid = born.parent_pid = born.parent_tid = 1000;
	memcpy(born.comm.s, "synth", 5);
	err = add(synth, PT_KIND_fork, &born, NULL, 0);
	if (!err)
		err = add(synth, PT_KIND_command, &command, args, sizeof(args));
	return err ? err : add(synth, PT_KIND_exit, &gone, NULL, 0);
}

static int step(struct synth *synth, struct pt_error *err)
{
	uint16_t cpu = 0;

	for (uint16_t c = 1; c < CPUS; c++)
		if (synth->now[c] < synth->now[cpu])
			cpu = c;
	synth->now[cpu] += draw_ns(synth);
	if (synth->now[cpu] > synth->cut + INTERVAL_NS) {
		int ret = pt_writer_cut(synth->writer, synth->cut += INTERVAL_NS, err);

		if (ret)
			return ret;
	}
	return draw(synth, 10000) ? add_switch(synth, cpu) : add_life(synth, cpu);
}

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_stats(struct synth *synth, double cpu, double wall)
{
	struct pt_writer_stats stats;

	pt_writer_stats(synth->writer, &stats);
	printf("%" PRIu64 " records, %" PRIu64
	       " bytes, %.0f records/s, %.0f ns of CPU per record\n",
	       synth->written, stats.file_bytes, (double)synth->written / wall,
	       cpu * 1e9 / (double)synth->written);
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (stats.records[kind])
			printf("%-10s %12" PRIu64 " records %8.3f bytes each\n",
			       pt_schema_of(kind)->name, stats.records[kind],
			       (double)stats.bytes[kind] / (double)stats.records[kind]);
}

int main(int argc, char **argv)
{
	struct synth synth = {.random = 88172645463325252ull, .cut = START_NS, .next_tid = 5000};
	struct pt_meta meta = {
		.version = "synth", .host = "synth", .cpus = CPUS, .start_mono = START_NS};
	struct pt_end end = {.ended_by = "exit", .command_status = -1};
	struct pt_writer_options options = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	uint64_t records = argc == 3 ? strtoull(argv[2], NULL, 0) : 0;
	double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID), wall = clock_s(CLOCK_MONOTONIC);
	struct pt_error err = {0};
	int ret;

	if (!records) {
		fprintf(stderr, "usage: %s FILE RECORDS\n", argv[0]);
		return 2;
	}
	options.path = argv[1];
	for (int c = 0; c < CPUS; c++)
		synth.now[c] = START_NS + 1000000u + (uint64_t)c;
	ret = pt_writer_open(&synth.writer, &options, &meta, &err);
	while (!ret && synth.written < records)
		ret = step(&synth, &err);
	end.duration_ns = synth.now[0] - START_NS;
	if (!ret)
		ret = pt_writer_finish(synth.writer, &end, &err);
	if (ret)
		fprintf(stderr, "%s\n", *err.text ? err.text : strerror(-ret));
	else
		print_stats(&synth, clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu,
			    clock_s(CLOCK_MONOTONIC) - wall);
	pt_writer_free(synth.writer);
	return ret < 0;
}
