/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL	  1 /* what is left to find after the columns is not worth a higher one */
#define MIN_MATCH 7
#define HASH_LOG  12

struct pt_packer {
	ZSTD_CCtx *zstd;
};

struct pt_packer *pt_packer_new(void)
{
	struct pt_packer *packer = calloc(1, sizeof(*packer));

	if (!packer)
		return NULL;
	packer->zstd = ZSTD_createCCtx();
	if (!packer->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_minMatch, MIN_MATCH)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_hashLog, HASH_LOG)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1))) {
		pt_packer_free(packer);
		return NULL;
	}
	return packer;
}

void pt_packer_free(struct pt_packer *packer)
{
	if (!packer)
		return;
	ZSTD_freeCCtx(packer->zstd);
	free(packer);
}

/* A flush ends a zstd block, and with it its tables. */
static int pack_piece(ZSTD_CCtx *zstd, ZSTD_inBuffer *in, ZSTD_EndDirective how,
		      ZSTD_outBuffer *out)
{
	size_t left;

	do {
		left = ZSTD_compressStream2(zstd, out, in, how);
		if (ZSTD_isError(left))
			return -ENOMEM;
	} while (left && out->pos < out->size);
	return left ? -ENOMEM : 0;
}

int pt_packer_pack(struct pt_packer *packer, const void *content, size_t len, const uint32_t *cuts,
		   size_t cut_count, struct pt_bytes *out)
{
	/* Each flush may add a block header to what the bound knows of. */
	size_t bound = ZSTD_compressBound(len) + 16 * (cut_count + 1);
	ZSTD_outBuffer to = {.dst = pt_bytes_reserve(out, bound), .size = bound};
	ZSTD_inBuffer from = {.src = content};
	int err = 0;

	if (!to.dst)
		return -ENOMEM;
	ZSTD_CCtx_reset(packer->zstd, ZSTD_reset_session_only);
	if (ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(packer->zstd, len)))
		return -ENOMEM;
	for (size_t c = 0; c < cut_count && !err; c++) {
		from.size = cuts[c];
		if (from.size > from.pos && from.size < len)
			err = pack_piece(packer->zstd, &from, ZSTD_e_flush, &to);
	}
	from.size = len;
	if (!err)
		err = pack_piece(packer->zstd, &from, ZSTD_e_end, &to);
	if (!err)
		out->len += to.pos;
	return err;
}
