/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block: the rows of one kind in a part of one interval, coded column by column. What encodes and
 * what decodes share nothing but docs/trace-format.md (and its numbers in format.h).
 */
#ifndef PT_TRACE_BLOCK_H
#define PT_TRACE_BLOCK_H

#include "trace/bytes.h"
#include "trace/format.h"
#include "trace/layout.h"

/* What goes into a block: rows in ascending time. */
struct pt_block_input {
	const struct pt_schema *schema;
	const uint8_t *rows;
	const uint32_t *order;	 /* rows[order[i]] is the i-th; NULL: they stand in order */
	const uint64_t *text_at; /* per row (not per i) the offset of its text in texts; NULL for a
				    kind without */
	const char *texts;
	uint32_t count; /* 1 to PT_BLOCK_ROWS */
	uint32_t interval;
	uint32_t flags;
};

struct pt_encoder;

struct pt_encoder *pt_encoder_new(void);
void pt_encoder_free(struct pt_encoder *encoder);

/*
 * Codes a block. *cuts, *cut_count tell at which offsets of the content the statistics change, so
 * that the compressor should begin a new table there. The content is valid until the next call. 0
 * or -ENOMEM.
 */
int pt_encoder_encode(struct pt_encoder *encoder, const struct pt_block_input *input,
		      const struct pt_bytes **content, const uint32_t **cuts, size_t *cut_count);

/* What comes out: rows in ascending time, in the struct of this program's catalogue. Zero it first;
 * reusable. */
struct pt_block {
	struct pt_block_header header;
	uint8_t *rows; /* of row_size each, aligned to 16 */
	uint32_t row_size;
	uint32_t text_field; /* offset of the text's length in the row; 0: the kind has no text */
	uint32_t *text_at;   /* per row; NULL: no text */
	char *texts;
	size_t rows_cap; /* bytes */
	size_t text_at_cap;
	size_t texts_cap;
};

struct pt_decoder;

struct pt_decoder *pt_decoder_new(void);
void pt_decoder_free(struct pt_decoder *decoder);

/* Reads the header only. 0 or -EBADMSG with *reason set. */
int pt_block_header_read(struct pt_block_header *header, const void *content, size_t len,
			 const char **reason);

/* 0, -ENOMEM, or -EBADMSG with *reason (a constant) set. PT_DECODE_SLACK bytes behind len must be
 * readable. */
#define PT_DECODE_SLACK 8
int pt_decoder_decode(struct pt_decoder *decoder, const struct pt_layout *layout,
		      const void *content, size_t len, struct pt_block *block, const char **reason);

void pt_block_free(struct pt_block *block);

#endif
