/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clock.h"
#include "trace/output.h"
#include "trace/press.h"

#define QUEUE_BYTES (64u << 20)
#define SYNC_NS	    1000000000ull
#define SPARE_MAX   4 /* intervals kept for reuse */

struct interval {
	struct interval *next;
	struct pt_rows kinds[PT_KIND_LIMIT];
	uint64_t until;
	size_t bytes;
};

struct pt_writer {
	struct pt_output *output;
	struct pt_press *press;
	uint64_t start_mono;
	size_t queue_max;
	struct interval *current; /* of the adding thread */
	uint64_t cut;		  /* highest `until` so far, of the adding thread */

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t work;  /* for the writing thread */
	pthread_cond_t room;  /* for pt_writer_cut() */
	struct interval *queue;
	struct interval **queue_tail;
	struct interval *spare;
	size_t spares;
	size_t queued; /* bytes, the interval being written included */
	bool stop;
	bool discard;
	int failed; /* negative errno of the writing thread, and for good */
	struct pt_error failure;
	struct pt_writer_stats stats;
};

static struct interval *interval_new(void)
{
	struct interval *interval = calloc(1, sizeof(*interval));

	for (uint32_t kind = 0; interval && kind < PT_KIND_LIMIT; kind++)
		pt_rows_init(&interval->kinds[kind], pt_schema_of(kind));
	return interval;
}

static void interval_free(struct interval *interval)
{
	if (!interval)
		return;
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		pt_rows_free(&interval->kinds[kind]);
	free(interval);
}

/* Writes frames; the writing thread's part, without the lock. */
static int write_interval(struct pt_writer *writer, const struct interval *interval,
			  struct pt_bytes *frames, struct pt_press_stats *stats,
			  struct pt_error *err)
{
	int ret;

	frames->len = 0;
	memset(stats, 0, sizeof(*stats));
	ret = pt_press_interval(writer->press, interval->kinds, interval->until, frames, stats);
	if (ret < 0)
		return pt_error_errno(err, ret, "%s: cannot write", pt_output_path(writer->output));
	return pt_output_write(writer->output, frames->data, frames->len, err);
}

static void count(struct pt_writer *writer, size_t bytes, const struct pt_press_stats *stats)
{
	writer->stats.file_bytes += bytes;
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++) {
		writer->stats.records[kind] += stats->records[kind];
		writer->stats.bytes[kind] += stats->bytes[kind];
	}
}

/* Gives an interval back, with the lock held. */
static void recycle(struct pt_writer *writer, struct interval *interval)
{
	writer->queued -= interval->bytes;
	pthread_cond_signal(&writer->room);
	if (writer->spares >= SPARE_MAX) {
		interval_free(interval);
		return;
	}
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		pt_rows_clear(&interval->kinds[kind]);
	interval->next = writer->spare;
	writer->spare = interval;
	writer->spares++;
}

/* The next interval, NULL: none will come. With the lock held. */
static struct interval *next_interval(struct pt_writer *writer)
{
	struct interval *interval;

	while (!writer->queue && !writer->stop)
		pthread_cond_wait(&writer->work, &writer->lock);
	interval = writer->queue;
	if (!interval)
		return NULL;
	writer->queue = interval->next;
	if (!writer->queue)
		writer->queue_tail = &writer->queue;
	return interval;
}

static void *write_thread(void *arg)
{
	struct pt_writer *writer = arg;
	struct pt_bytes frames = {0};
	struct pt_press_stats stats;
	struct pt_error err;
	struct interval *interval;
	uint64_t synced = pt_clock_read(CLOCK_MONOTONIC);
	bool skip;
	int ret;

	prctl(PR_SET_NAME, "writer");
	pthread_mutex_lock(&writer->lock);
	while ((interval = next_interval(writer))) {
		skip = writer->failed || writer->discard;
		pthread_mutex_unlock(&writer->lock);
		ret = skip ? 0 : write_interval(writer, interval, &frames, &stats, &err);
		if (!ret && !skip && pt_clock_read(CLOCK_MONOTONIC) - synced >= SYNC_NS) {
			ret = pt_output_sync(writer->output, &err);
			synced = pt_clock_read(CLOCK_MONOTONIC);
		}
		pthread_mutex_lock(&writer->lock);
		if (ret < 0) {
			writer->failed = ret;
			writer->failure = err;
		} else if (!skip) {
			count(writer, frames.len, &stats);
		}
		recycle(writer, interval);
	}
	pthread_mutex_unlock(&writer->lock);
	pt_bytes_free(&frames);
	return NULL;
}

static int start_thread(struct pt_writer *writer)
{
	sigset_t all, old;
	int err;

	/* Signals are for the thread that knows what to do; a closed pipe must be an error, not a
	 * death. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&writer->thread, NULL, write_thread, writer);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	writer->started = !err;
	return -err;
}

static void stop_thread(struct pt_writer *writer, bool discard)
{
	if (!writer->started)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->stop = true;
	writer->discard |= discard;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	writer->started = false;
}

static int write_meta(struct pt_writer *writer, const struct pt_meta *meta, struct pt_error *err)
{
	struct pt_bytes frame = {0};
	int ret = pt_press_meta(writer->press, meta, &frame);

	if (ret < 0)
		pt_error_errno(err, ret, "%s: cannot write", pt_output_path(writer->output));
	else
		ret = pt_output_write(writer->output, frame.data, frame.len, err);
	writer->stats.file_bytes = frame.len;
	pt_bytes_free(&frame);
	return ret;
}

int pt_writer_open(struct pt_writer **out, const struct pt_writer_options *options,
		   const struct pt_meta *meta, struct pt_error *err)
{
	struct pt_writer *writer = calloc(1, sizeof(*writer));
	int ret = -ENOMEM;

	*out = NULL;
	if (!writer)
		return pt_error_errno(err, ret, "%s", options->path);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, NULL);
	pthread_cond_init(&writer->room, NULL);
	writer->queue_tail = &writer->queue;
	writer->queue_max = options->queue_bytes ? options->queue_bytes : QUEUE_BYTES;
	writer->start_mono = meta->start_mono;
	writer->press = pt_press_new();
	writer->current = interval_new();
	if (!writer->press || !writer->current) {
		pt_error_errno(err, ret, "%s", options->path);
		goto out;
	}
	ret = pt_output_open(&writer->output, options->path, options->uid, options->gid, err);
	if (ret < 0)
		goto out;
	ret = write_meta(writer, meta, err);
	if (!ret) {
		ret = start_thread(writer);
		if (ret < 0)
			pt_error_errno(err, ret, "cannot start the writing thread");
	}
out:
	if (ret < 0) {
		if (writer->output)
			pt_writer_abandon(writer);
		pt_writer_free(writer);
		return ret;
	}
	*out = writer;
	return 0;
}

static uint64_t relative(const struct pt_writer *writer, uint64_t time)
{
	return time > writer->start_mono ? time - writer->start_mono : 0;
}

int pt_writer_add(struct pt_writer *writer, const struct pt_record *record)
{
	struct interval *interval = writer->current;
	struct pt_rows *rows;
	int ret;

	if (record->kind >= PT_KIND_LIMIT || !interval->kinds[record->kind].schema ||
	    record->text_len > PT_TEXT_MAX)
		return -EINVAL;
	rows = &interval->kinds[record->kind];
	if (interval->bytes >= writer->queue_max)
		return -ENOMEM;
	ret = pt_rows_add(rows, record->row, relative(writer, pt_record_time(record)), record->text,
			  record->text_len);
	if (!ret)
		interval->bytes += rows->schema->row_size + record->text_len;
	return ret;
}

static struct interval *take_spare(struct pt_writer *writer)
{
	struct interval *interval;

	pthread_mutex_lock(&writer->lock);
	interval = writer->spare;
	if (interval) {
		writer->spare = interval->next;
		writer->spares--;
	}
	pthread_mutex_unlock(&writer->lock);
	return interval ? interval : interval_new();
}

static size_t interval_bytes(const struct interval *interval)
{
	size_t bytes = 0;

	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		bytes += pt_rows_bytes(&interval->kinds[kind]);
	return bytes;
}

/* Waits for room and hands the interval over. */
static int enqueue(struct pt_writer *writer, struct interval *interval, struct pt_error *err)
{
	int ret;

	pthread_mutex_lock(&writer->lock);
	while (writer->queued && writer->queued + interval->bytes > writer->queue_max &&
	       !writer->failed)
		pthread_cond_wait(&writer->room, &writer->lock);
	interval->next = NULL;
	*writer->queue_tail = interval;
	writer->queue_tail = &interval->next;
	writer->queued += interval->bytes;
	pthread_cond_signal(&writer->work);
	ret = writer->failed;
	if (ret && err)
		*err = writer->failure;
	pthread_mutex_unlock(&writer->lock);
	return ret;
}

int pt_writer_cut(struct pt_writer *writer, uint64_t until, struct pt_error *err)
{
	struct interval *interval = writer->current;
	struct interval *next = take_spare(writer);

	if (!next)
		return pt_error_errno(err, -ENOMEM, "cannot end an interval");
	/* An `until` that goes back would make every record of the interval late. */
	if (relative(writer, until) > writer->cut)
		writer->cut = relative(writer, until);
	/* Rows for which there is no memory elsewhere stay: the reader merges blocks that overlap.
	 */
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (interval->kinds[kind].schema)
			pt_rows_split(&interval->kinds[kind], writer->cut, &next->kinds[kind]);
	interval->until = writer->cut;
	interval->bytes = interval_bytes(interval);
	next->bytes = interval_bytes(next);
	writer->current = next;
	return enqueue(writer, interval, err);
}

static int write_end(struct pt_writer *writer, const struct pt_end *end, struct pt_error *err)
{
	struct pt_bytes frames = {0};
	int ret = pt_press_end(writer->press, end, &frames);

	if (ret < 0)
		pt_error_errno(err, ret, "%s: cannot write", pt_output_path(writer->output));
	else
		ret = pt_output_write(writer->output, frames.data, frames.len, err);
	if (!ret)
		writer->stats.file_bytes += frames.len;
	pt_bytes_free(&frames);
	return ret ? ret : pt_output_finish(writer->output, err);
}

int pt_writer_finish(struct pt_writer *writer, const struct pt_end *end, struct pt_error *err)
{
	int ret = pt_writer_cut(writer, UINT64_MAX, err);

	stop_thread(writer, false);
	if (!ret && writer->failed) {
		ret = writer->failed;
		if (err)
			*err = writer->failure;
	}
	return ret ? ret : write_end(writer, end, err);
}

void pt_writer_abandon(struct pt_writer *writer)
{
	stop_thread(writer, true);
	pt_output_abandon(writer->output);
}

void pt_writer_stats(struct pt_writer *writer, struct pt_writer_stats *stats)
{
	pthread_mutex_lock(&writer->lock);
	*stats = writer->stats;
	pthread_mutex_unlock(&writer->lock);
}

const char *pt_writer_partial_path(const struct pt_writer *writer)
{
	return pt_output_path(writer->output);
}

static void free_list(struct interval *interval)
{
	while (interval) {
		struct interval *next = interval->next;

		interval_free(interval);
		interval = next;
	}
}

void pt_writer_free(struct pt_writer *writer)
{
	if (!writer)
		return;
	stop_thread(writer, false);
	free_list(writer->queue);
	free_list(writer->spare);
	interval_free(writer->current);
	pt_output_free(writer->output);
	pt_press_free(writer->press);
	pthread_cond_destroy(&writer->room);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}
