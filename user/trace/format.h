/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of docs/trace-format.md, shared by what writes and what reads them. */
#ifndef PT_TRACE_FORMAT_H
#define PT_TRACE_FORMAT_H

#include "base/types.h"

#define PT_META_SIGNATURE "partrace trace " /* then the version in decimal and a newline */

#define PT_BLOCK_TAG	   "PTB1"
#define PT_BLOCK_HEADER	   40
#define PT_BLOCK_DIRECTORY 8 /* bytes per column */
#define PT_BLOCK_LATE	   1 /* flag: its times may lie before those of earlier blocks */
#define PT_NO_FIELD	   0xffff

#define PT_END_TAG   "PTE1"
#define PT_END_ENTRY 32

/* What a writer keeps to and a reader insists on: they bound what one frame can ask for. */
#define PT_BLOCK_ROWS	 32768
#define PT_BLOCK_MEMORY	 (4u << 20)   /* rows and texts of one block, bytes */
#define PT_BLOCK_CONTENT (8u << 20)   /* a block frame, unpacked */
#define PT_META_CONTENT	 (1u << 20)   /* the metadata frame, unpacked */
#define PT_META_COMMAND	 (128u << 10) /* the command in it: in JSON a byte may take six */
#define PT_END_COMMAND	 (4u << 10)   /* the command in its copy in the end frame */
#define PT_END_FACTS	 (48u << 10)  /* the metadata's copy in the end frame */
#define PT_END_JSON	 (64u << 10)  /* the end frame without its entries, unpacked */

#define PT_ZSTD_MAGIC	    0xfd2fb528u
#define PT_SEEK_FRAME_MAGIC 0x184d2a5eu
#define PT_SEEK_MAGIC	    0x8f92eab1u
#define PT_SEEK_FOOTER	    9
#define PT_SEEK_CHECKSUMS   0x80

enum pt_encoding {
	PT_ENC_CONST = 0,
	PT_ENC_RUNS = 1,
	PT_ENC_PLANES = 2,
	PT_ENC_DICT = 3,
	PT_ENC_LOG = 4,
	PT_ENC_DELTA = 5,
	PT_ENC_KEYED = 6,
	PT_ENC_TEXT = 7,
	PT_ENC_SHIFTED = 8,
};

#define PT_LOG_ESCAPE	  255
#define PT_LOG_MAX_K	  6
#define PT_LOG_MAX_BITS	  56
#define PT_LOG_CONTEXTS	  15
#define PT_KEYED_MAX_LAG  2
#define PT_KEYED_SLOT_LOG 12
#define PT_KEYED_SLOTS	  (1u << PT_KEYED_SLOT_LOG)

/* Where the prediction for these key values is kept. */
static inline uint32_t pt_keyed_slot(uint64_t key0, uint64_t key1)
{
	uint64_t h = key0 * 0x9e3779b97f4a7c15u + key1 * 0xc2b2ae3d27d4eb4fu;

	return (uint32_t)(h >> (64 - PT_KEYED_SLOT_LOG));
}

/*
 * The log split. A value below 2^k is its own symbol; above, the symbol holds the exponent and the
 * k bits below the leading one, and the rest of the bits stand by themselves.
 */
static inline unsigned int pt_log_bits(unsigned int symbol, unsigned int k)
{
	unsigned int octave = symbol >> k;

	return octave ? octave - 1 : 0;
}

static inline uint64_t pt_log_base(unsigned int symbol, unsigned int k)
{
	unsigned int octave = symbol >> k;
	uint64_t mantissa = symbol & ((1u << k) - 1);

	return octave ? (mantissa | 1ull << k) << (octave - 1) : mantissa;
}

/* PT_LOG_ESCAPE if the value has no symbol. */
static inline unsigned int pt_log_symbol(uint64_t value, unsigned int k)
{
	unsigned int bits, symbol;

	if (value < 1ull << k)
		return (unsigned int)value;
	bits = 63 - (unsigned int)__builtin_clzll(value) - k;
	if (bits > PT_LOG_MAX_BITS)
		return PT_LOG_ESCAPE;
	symbol = ((bits + 1) << k) + ((unsigned int)(value >> bits) & ((1u << k) - 1));
	return symbol < PT_LOG_ESCAPE ? symbol : PT_LOG_ESCAPE;
}

struct pt_block_header {
	uint32_t kind;
	uint32_t interval;
	uint32_t count;
	uint32_t flags;
	uint64_t first; /* lowest and highest time in the block */
	uint64_t last;
	uint16_t group; /* field by which the rows are grouped, PT_NO_FIELD: by none */
	uint16_t columns;
};

#endif
