/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/press.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/block.h"
#include "trace/describe.h"
#include "trace/frame.h"
#include "trace/sort.h"

#define BLOCK_TEXT (1u << 20) /* bytes of text after which a block ends */

struct pt_press {
	struct pt_packer *packer;
	struct pt_encoder *encoder;
	struct pt_sorter sorter;
	struct pt_bytes index; /* PT_END_ENTRY per block */
	struct pt_bytes seek;  /* sizes of each frame, packed and not */
	uint32_t interval;
	uint32_t frames;
	uint64_t until; /* of the interval before */
};

/* The rows of one kind in one interval, in the order of time. */
struct run {
	struct pt_press *press;
	const struct pt_rows *rows;
	const uint32_t *order; /* NULL: as they stand */
	struct pt_bytes *out;
};

struct pt_press *pt_press_new(void)
{
	struct pt_press *press = calloc(1, sizeof(*press));

	if (!press)
		return NULL;
	press->packer = pt_packer_new();
	press->encoder = pt_encoder_new();
	if (!press->packer || !press->encoder) {
		pt_press_free(press);
		return NULL;
	}
	return press;
}

void pt_press_free(struct pt_press *press)
{
	if (!press)
		return;
	pt_packer_free(press->packer);
	pt_encoder_free(press->encoder);
	pt_sorter_free(&press->sorter);
	pt_bytes_free(&press->index);
	pt_bytes_free(&press->seek);
	free(press);
}

static int add_frame(struct pt_press *press, const void *content, size_t len, const uint32_t *cuts,
		     size_t cut_count, struct pt_bytes *out)
{
	size_t begin = out->len;
	int err = pt_packer_pack(press->packer, content, len, cuts, cut_count, out);

	if (err < 0)
		return err;
	pt_bytes_put(&press->seek, out->len - begin, 4);
	pt_bytes_put(&press->seek, len, 4);
	press->frames++;
	return press->seek.failed ? -ENOMEM : 0;
}

int pt_press_meta(struct pt_press *press, const struct pt_meta *meta, struct pt_bytes *out)
{
	char *json = pt_describe_meta(meta);
	char *content = NULL;
	int len = json ? asprintf(&content, PT_META_SIGNATURE "%d\n%s\n", PT_FORMAT_VERSION, json)
		       : -1;
	int err = len < 0 ? -ENOMEM : add_frame(press, content, (size_t)len, NULL, 0, out);

	if (len >= 0)
		free(content);
	free(json);
	return err;
}

static uint64_t time_at(const struct run *run, size_t i)
{
	return pt_rows_times(run->rows)[run->order ? run->order[i] : i];
}

static int add_block(const struct run *run, size_t begin, size_t end, uint32_t flags)
{
	struct pt_press *press = run->press;
	struct pt_block_input input = {
		.schema = run->rows->schema,
		.rows = run->rows->rows.data,
		.text_at = (const uint64_t *)run->rows->text_at.data,
		.texts = (const char *)run->rows->texts.data,
		.order = run->order ? run->order + begin : NULL,
		.count = (uint32_t)(end - begin),
		.interval = press->interval,
		.flags = flags,
	};
	const struct pt_bytes *content;
	const uint32_t *cuts;
	size_t cut_count;
	int err;

	if (!run->order) {
		input.rows += begin * input.schema->row_size;
		input.text_at = input.text_at ? input.text_at + begin : NULL;
	}
	err = pt_encoder_encode(press->encoder, &input, &content, &cuts, &cut_count);
	if (!err)
		err = add_frame(press, content->data, content->len, cuts, cut_count, run->out);
	pt_bytes_put(&press->index, input.schema->kind, 4);
	pt_bytes_put(&press->index, press->interval, 4);
	pt_bytes_put(&press->index, input.count, 4);
	pt_bytes_put(&press->index, flags, 4);
	pt_bytes_put(&press->index, time_at(run, begin), 8);
	pt_bytes_put(&press->index, time_at(run, end - 1), 8);
	return press->index.failed ? -ENOMEM : err;
}

/* Where a block that begins at `begin` must end, so that it is within what one may hold. */
static size_t block_end(const struct run *run, size_t begin, size_t end)
{
	size_t rows_max = PT_BLOCK_MEMORY / run->rows->schema->row_size;
	size_t text = 0;

	if (rows_max > PT_BLOCK_ROWS)
		rows_max = PT_BLOCK_ROWS;
	if (end - begin > rows_max)
		end = begin + rows_max;
	for (size_t i = begin; run->rows->text && i < end; i++) {
		size_t row = run->order ? run->order[i] : i;

		text += pt_load(run->rows->rows.data + row * run->rows->schema->row_size +
					run->rows->text->offset,
				4);
		if (text > BLOCK_TEXT && i > begin)
			return i;
	}
	return end;
}

static int add_blocks(const struct run *run, size_t begin, size_t end, uint32_t flags)
{
	int err = 0;

	while (begin < end && !err) {
		size_t stop = block_end(run, begin, end);

		err = add_block(run, begin, stop, flags);
		begin = stop;
	}
	return err;
}

/* Late rows get blocks of their own, so that all other blocks of a kind follow each other in time.
 */
static int add_kind(struct pt_press *press, const struct pt_rows *rows, struct pt_bytes *out)
{
	struct run run = {.press = press, .rows = rows, .out = out};
	size_t count = rows->count;
	size_t late = 0;
	int err = pt_sort(&press->sorter, pt_rows_times(rows), count, &run.order);

	if (err < 0)
		return err;
	while (press->interval && late < count && time_at(&run, late) <= press->until)
		late++;
	err = add_blocks(&run, 0, late, PT_BLOCK_LATE);
	return err ? err : add_blocks(&run, late, count, 0);
}

int pt_press_interval(struct pt_press *press, const struct pt_rows *kinds, uint64_t until,
		      struct pt_bytes *out, struct pt_press_stats *stats)
{
	int err = 0;

	for (uint32_t kind = 0; kind < PT_KIND_LIMIT && !err; kind++) {
		size_t begin = out->len;

		if (!kinds[kind].schema || !kinds[kind].rows.len)
			continue;
		err = add_kind(press, &kinds[kind], out);
		stats->records[kind] += kinds[kind].count;
		stats->bytes[kind] += out->len - begin;
	}
	press->interval++;
	press->until = until;
	return err;
}

static int add_end_frame(struct pt_press *press, const struct pt_end *end, struct pt_bytes *out)
{
	char *json = pt_describe_end(end);
	struct pt_bytes content = {0};
	int err = json ? 0 : -ENOMEM;

	if (!err) {
		pt_bytes_append(&content, PT_END_TAG, 4);
		pt_bytes_put(&content, press->index.len / PT_END_ENTRY, 4);
		pt_bytes_append(&content, press->index.data, press->index.len);
		pt_bytes_append(&content, json, strlen(json));
		err = content.failed ? -ENOMEM
				     : add_frame(press, content.data, content.len, NULL, 0, out);
	}
	pt_bytes_free(&content);
	free(json);
	return err;
}

int pt_press_end(struct pt_press *press, const struct pt_end *end, struct pt_bytes *out)
{
	int err = add_end_frame(press, end, out);

	pt_bytes_put(out, PT_SEEK_FRAME_MAGIC, 4);
	pt_bytes_put(out, press->seek.len + PT_SEEK_FOOTER, 4);
	pt_bytes_append(out, press->seek.data, press->seek.len);
	pt_bytes_put(out, press->frames, 4);
	pt_bytes_put(out, 0, 1);
	pt_bytes_put(out, PT_SEEK_MAGIC, 4);
	return err ? err : out->failed ? -ENOMEM : 0;
}
