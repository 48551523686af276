/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the decoder of blocks, which is where a file has most ways to lie. The input is the
 * content of a block frame. */
#include <stdlib.h>

#include "trace/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches what the reader hands out. */
static uint64_t look(const struct pt_block *block)
{
	uint64_t last = 0, sum = 0;

	for (uint32_t i = 0; i < block->header.count; i++) {
		const uint8_t *row = block->rows + (size_t)i * block->row_size;

		if (pt_load(row, 8) < last)
			abort();
		last = pt_load(row, 8);
		for (size_t b = 0; b < block->row_size; b++)
			sum += row[b];
		for (size_t b = 0; block->text_field && b < pt_load(row + block->text_field, 4);
		     b++)
			sum += (uint8_t)block->texts[block->text_at[i] + b];
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pt_decoder *decoder;
	static struct pt_block block;
	struct pt_block_header header;
	struct pt_layout layout;
	const char *reason;
	uint8_t *copy;

	if (!decoder)
		decoder = pt_decoder_new();
	if (!decoder || pt_block_header_read(&header, data, size, &reason) < 0 ||
	    !pt_schema_of(header.kind))
		return 0;
	pt_layout_ours(&layout, pt_schema_of(header.kind));
	copy = malloc(size + PT_DECODE_SLACK);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	memset(copy + size, 0, PT_DECODE_SLACK);
	if (!pt_decoder_decode(decoder, &layout, copy, size, &block, &reason) && look(&block) == 1)
		block.text_field = 0;
	free(copy);
	return 0;
}
