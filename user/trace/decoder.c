/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/block.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/sort.h"
#include "trace/unpack.h"

struct pt_decoder {
	struct pt_sorter sorter;
	uint64_t *columns[PT_FIELDS_MAX]; /* memory for values[], behind PT_KEYED_MAX_LAG zeros */
	uint64_t *values[PT_FIELDS_MAX];  /* of the block at hand, in coded order */
	uint64_t scratch[PT_BLOCK_ROWS];
	uint64_t predicted[PT_KEYED_SLOTS];
	uint8_t streams[PT_BLOCK_ROWS];
};

/* A column whose values are no integers, or whose integers tell where they begin. */
struct payload {
	const uint8_t *data; /* NULL: the block has no such column */
	size_t len;
	unsigned int encoding;
};

struct job {
	struct pt_decoder *decoder;
	const struct pt_layout *layout;
	struct pt_block *block;
	struct pt_unpacked unpacked;
	struct payload others[PT_FIELDS_MAX]; /* NAME and TEXT columns, by field */
	const uint32_t *order; /* coded position of each row in time; NULL: the same */
	const char *reason;
};

struct pt_decoder *pt_decoder_new(void)
{
	return calloc(1, sizeof(struct pt_decoder));
}

void pt_decoder_free(struct pt_decoder *decoder)
{
	if (!decoder)
		return;
	pt_sorter_free(&decoder->sorter);
	for (size_t f = 0; f < PT_FIELDS_MAX; f++)
		free(decoder->columns[f]);
	free(decoder);
}

int pt_block_header_read(struct pt_block_header *header, const void *content, size_t len,
			 const char **reason)
{
	const uint8_t *p = content;

	if (len < PT_BLOCK_HEADER || memcmp(p, PT_BLOCK_TAG, 4) != 0) {
		*reason = "a frame is not a block";
		return -EBADMSG;
	}
	header->kind = (uint32_t)pt_load(p + 4, 4);
	header->interval = (uint32_t)pt_load(p + 8, 4);
	header->count = (uint32_t)pt_load(p + 12, 4);
	header->flags = (uint32_t)pt_load(p + 16, 4);
	header->group = (uint16_t)pt_load(p + 20, 2);
	header->columns = (uint16_t)pt_load(p + 22, 2);
	header->first = pt_load(p + 24, 8);
	header->last = pt_load(p + 32, 8);
	if (!header->count || header->count > PT_BLOCK_ROWS || header->first > header->last) {
		*reason = "a block has an impossible header";
		return -EBADMSG;
	}
	return 0;
}

static int fail(struct job *job, const char *reason)
{
	job->reason = reason;
	return -EBADMSG;
}

/* NULL without memory. */
static uint64_t *column_of(struct pt_decoder *decoder, uint32_t f)
{
	uint64_t *column = decoder->columns[f];

	if (!column) {
		column = malloc((PT_KEYED_MAX_LAG + PT_BLOCK_ROWS) * sizeof(*column));
		if (!column)
			return NULL;
		memset(column, 0, PT_KEYED_MAX_LAG * sizeof(*column));
		decoder->columns[f] = column;
	}
	return column + PT_KEYED_MAX_LAG;
}

static int decode_int(struct job *job, uint32_t f, unsigned int encoding, struct pt_cursor *payload)
{
	struct pt_decoder *decoder = job->decoder;
	const struct pt_layout_field *field = &job->layout->fields[f];
	uint64_t *values = column_of(decoder, f);
	const char *reason;

	if (!values)
		return -ENOMEM;
	reason = pt_unpack(&job->unpacked, f, encoding, payload, field->size, values);
	if (!reason) {
		decoder->values[f] = values;
		if (f == job->block->header.group)
			job->unpacked.group = decoder->values[f];
	}
	/* A field that is not known here may be coded in a way that is not known here. */
	return reason && field->ours ? fail(job, reason) : 0;
}

static int decode_column(struct job *job, const uint8_t *entry, struct pt_cursor *payloads)
{
	uint32_t f = (uint32_t)pt_load(entry, 2);
	unsigned int encoding = (unsigned int)pt_load(entry + 2, 2);
	size_t len = pt_load(entry + 4, 4);
	const uint8_t *data = pt_cursor_take(payloads, len);
	struct pt_cursor payload = {.at = data, .end = data ? data + len : NULL};

	if (!data)
		return fail(job, "the columns of a block are longer than the block");
	if (f >= job->layout->field_count)
		return fail(job, "a block has a column that the schema does not have");
	if (job->decoder->values[f] || job->others[f].data)
		return fail(job, "a block has a column twice");
	switch (job->layout->fields[f].shape) {
	case PT_SHAPE_INT:
		return decode_int(job, f, encoding, &payload);
	case PT_SHAPE_NAME:
	case PT_SHAPE_TEXT:
		job->others[f] = (struct payload){.data = data, .len = len, .encoding = encoding};
		return 0;
	default:
		return 0;
	}
}

static int decode_columns(struct job *job, const uint8_t *content, size_t len)
{
	size_t directory_len = (size_t)job->block->header.columns * PT_BLOCK_DIRECTORY;
	struct pt_cursor in = {.at = content + PT_BLOCK_HEADER, .end = content + len};
	const uint8_t *directory = pt_cursor_take(&in, directory_len);
	int err = 0;

	if (!directory)
		return fail(job, "a block is shorter than its directory");
	for (size_t at = 0; at < directory_len && !err; at += PT_BLOCK_DIRECTORY)
		err = decode_column(job, directory + at, &in);
	if (!err && pt_cursor_left(&in))
		return fail(job, "a block is longer than its columns");
	return err;
}

static int grow(void *memory, size_t *cap, size_t need)
{
	void **p = memory;

	if (need <= *cap)
		return 0;
	free(*p);
	*cap = 0;
	*p = aligned_alloc(64, (need + 63) & ~(size_t)63);
	if (!*p)
		return -ENOMEM;
	*cap = need;
	return 0;
}

/* Puts the rows in ascending time and checks what the header says of it. */
static int order_rows(struct job *job)
{
	const struct pt_block_header *header = &job->block->header;
	const uint64_t *times = NULL;
	uint64_t low, high;

	for (size_t f = 0; f < job->layout->field_count; f++)
		if (job->layout->fields[f].is_time)
			times = job->decoder->values[f];
	if (!times)
		return fail(job, "a block has no times");
	if (pt_sort(&job->decoder->sorter, times, header->count, &job->order) < 0)
		return -ENOMEM;
	low = times[job->order ? job->order[0] : 0];
	high = times[job->order ? job->order[header->count - 1] : header->count - 1];
	if (low != header->first || high != header->last)
		return fail(job, "the times of a block are not those of its header");
	return 0;
}

#define SCATTER(type)                                                                              \
	do {                                                                                       \
		for (uint32_t i = 0; order && i < n; i++, at += stride) {                          \
			type v = (type)values[order[i]];                                           \
			memcpy(at, &v, sizeof(v));                                                 \
		}                                                                                  \
		for (uint32_t i = 0; !order && i < n; i++, at += stride) {                         \
			type v = (type)values[i];                                                  \
			memcpy(at, &v, sizeof(v));                                                 \
		}                                                                                  \
	} while (0)

static void scatter(uint8_t *at, size_t stride, size_t size, const uint64_t *values,
		    const uint32_t *order, uint32_t n)
{
	switch (size) {
	case 1:
		SCATTER(uint8_t);
		break;
	case 2:
		SCATTER(uint16_t);
		break;
	case 4:
		SCATTER(uint32_t);
		break;
	default:
		SCATTER(uint64_t);
	}
}

static void sign_extend(uint64_t *values, uint32_t n, size_t size)
{
	unsigned int unused = (unsigned int)(64 - 8 * size);

	for (uint32_t i = 0; i < n; i++)
		values[i] = (uint64_t)((int64_t)(values[i] << unused) >> unused);
}

static void fill_int(struct job *job, uint32_t f)
{
	const struct pt_layout_field *field = &job->layout->fields[f];
	uint64_t *values = job->decoder->values[f];
	uint32_t n = job->block->header.count;

	if (!values || !field->ours)
		return;
	if (field->is_signed && field->size < field->ours->size)
		sign_extend(values, n, field->size);
	scatter(job->block->rows + field->ours->offset, job->block->row_size, field->ours->size,
		values, job->order, n);
}

static int fill_names(struct job *job, uint32_t f)
{
	const struct payload *payload = &job->others[f];
	struct pt_cursor in = {.at = payload->data, .end = payload->data + payload->len};
	uint32_t n = job->block->header.count;
	uint8_t *at = job->block->rows + job->layout->fields[f].ours->offset;
	const uint8_t *names = payload->data;
	const uint8_t *indices = NULL;
	uint64_t count = 1;

	if (payload->encoding == PT_ENC_PLANES) {
		if (payload->len != 1 + (size_t)n * PT_COMM_LEN || payload->data[0] != PT_COMM_LEN)
			return fail(job, "a column of names has an impossible length");
		for (uint32_t i = 0; i < n; i++, at += job->block->row_size)
			for (size_t c = 0; c < PT_COMM_LEN; c++)
				at[c] = names[1 + c * n + (job->order ? job->order[i] : i)];
		return 0;
	}
	if (payload->encoding != PT_ENC_CONST && payload->encoding != PT_ENC_DICT)
		return fail(job, "a column of names has an unknown encoding");
	if (payload->encoding == PT_ENC_DICT)
		count = pt_cursor_get(&in, 2);
	names = pt_cursor_take(&in, count * PT_COMM_LEN);
	if (payload->encoding == PT_ENC_DICT)
		indices = pt_cursor_take(&in, n);
	if (in.failed || pt_cursor_left(&in))
		return fail(job, "a column of names has an impossible length");
	for (uint32_t i = 0; i < n; i++, at += job->block->row_size) {
		uint32_t index = indices ? indices[job->order ? job->order[i] : i] : 0;

		if (index >= count)
			return fail(job, "an index lies outside its dictionary");
		memcpy(at, names + (size_t)index * PT_COMM_LEN, PT_COMM_LEN);
	}
	return 0;
}

/* Lengths stand before the bytes, both in coded order. */
static int fill_texts(struct job *job, uint32_t f)
{
	const struct payload *payload = &job->others[f];
	struct pt_cursor in = {.at = payload->data, .end = payload->data + payload->len};
	struct pt_block *block = job->block;
	uint64_t *lengths = job->decoder->scratch;
	uint64_t *starts = column_of(job->decoder, f);
	uint64_t sum = 0;
	uint32_t n = block->header.count;

	if (payload->encoding != PT_ENC_TEXT)
		return fail(job, "a column of texts has an unknown encoding");
	if (!starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		lengths[i] = pt_cursor_get_varint(&in);
		starts[i] = sum;
		if (lengths[i] > payload->len)
			return fail(job, "a text is longer than its column");
		sum += lengths[i];
	}
	if (in.failed || pt_cursor_left(&in) != sum)
		return fail(job, "a column of texts has an impossible length");
	if (grow(&block->texts, &block->texts_cap, sum + 1) < 0 ||
	    grow(&block->text_at, &block->text_at_cap, n * sizeof(uint32_t)) < 0)
		return -ENOMEM;
	memcpy(block->texts, in.at, sum);
	for (uint32_t i = 0; i < n; i++)
		block->text_at[i] = (uint32_t)starts[job->order ? job->order[i] : i];
	block->text_field = job->layout->fields[f].ours->offset;
	scatter(block->rows + block->text_field, block->row_size, 4, lengths, job->order, n);
	return 0;
}

static int fill_rows(struct job *job)
{
	struct pt_block *block = job->block;
	int err;

	block->row_size = job->layout->schema->row_size;
	block->text_field = 0;
	if ((size_t)block->row_size * block->header.count > PT_BLOCK_MEMORY)
		return fail(job, "a block is too large");
	err = grow(&block->rows, &block->rows_cap, (size_t)block->row_size * block->header.count);
	if (err < 0)
		return err;
	memset(block->rows, 0, (size_t)block->row_size * block->header.count);
	for (uint32_t f = 0; f < job->layout->field_count && !err; f++) {
		if (job->layout->fields[f].shape == PT_SHAPE_INT)
			fill_int(job, f);
		else if (!job->others[f].data || !job->layout->fields[f].ours)
			continue;
		else if (job->layout->fields[f].shape == PT_SHAPE_NAME)
			err = fill_names(job, f);
		else
			err = fill_texts(job, f);
	}
	return err;
}

int pt_decoder_decode(struct pt_decoder *decoder, const struct pt_layout *layout,
		      const void *content, size_t len, struct pt_block *block, const char **reason)
{
	struct job job = {
		.decoder = decoder,
		.layout = layout,
		.block = block,
		.unpacked =
			{
				.fields = (uint32_t)layout->field_count,
				.values = decoder->values,
				.scratch = decoder->scratch,
				.streams = decoder->streams,
				.predicted = decoder->predicted,
			},
	};
	int err = pt_block_header_read(&block->header, content, len, reason);

	if (err < 0)
		return err;
	job.unpacked.count = block->header.count;
	memset(decoder->values, 0, sizeof(decoder->values));
	err = decode_columns(&job, content, len);
	if (!err)
		err = order_rows(&job);
	if (!err)
		err = fill_rows(&job);
	*reason = job.reason;
	return err;
}

void pt_block_free(struct pt_block *block)
{
	free(block->rows);
	free(block->text_at);
	free(block->texts);
	memset(block, 0, sizeof(*block));
}
