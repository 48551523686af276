/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/load.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "trace/block.h"

#define WINDOW_LOG  23 /* PT_BLOCK_CONTENT: no frame of ours looks further back */
#define MEASURE_MIN 65536u

struct pt_loader {
	int fd;
	ZSTD_DCtx *zstd;
	uint8_t *packed;
	size_t packed_cap;
	size_t measured; /* bytes of the measured frame that stand in packed */
	uint8_t *content;
	size_t content_cap;
	uint64_t work;
};

struct pt_loader *pt_loader_new(int fd)
{
	struct pt_loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return NULL;
	loader->fd = fd;
	loader->zstd = ZSTD_createDCtx();
	if (!loader->zstd ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(loader->zstd, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		pt_loader_free(loader);
		return NULL;
	}
	return loader;
}

void pt_loader_free(struct pt_loader *loader)
{
	if (!loader)
		return;
	ZSTD_freeDCtx(loader->zstd);
	free(loader->packed);
	free(loader->content);
	free(loader);
}

uint64_t pt_loader_work(const struct pt_loader *loader)
{
	return loader->work;
}

static int bad(const char **reason, const char *why)
{
	*reason = why;
	return -EBADMSG;
}

static int grow(uint8_t **memory, size_t *cap, size_t need)
{
	uint8_t *p;

	if (need <= *cap)
		return 0;
	p = realloc(*memory, need);
	if (!p)
		return -ENOMEM;
	*memory = p;
	*cap = need;
	return 0;
}

int pt_loader_read(struct pt_loader *loader, uint64_t offset, void *to, size_t n,
		   const char **reason)
{
	uint8_t *at = to;

	loader->work += n;
	while (n) {
		ssize_t got = pread(loader->fd, at, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return bad(reason, "the file cannot be read");
		if (!got)
			return bad(reason, "the file ends early");
		at += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int pt_loader_load(struct pt_loader *loader, uint64_t offset, uint64_t size, size_t content_max,
		   const uint8_t **content, size_t *len, const char **reason)
{
	unsigned long long claimed;
	size_t got;
	int err;

	if (size > PT_FRAME_MAX)
		return bad(reason, "a frame is too large");
	if (grow(&loader->packed, &loader->packed_cap, size) < 0)
		return -ENOMEM;
	err = pt_loader_read(loader, offset, loader->packed, size, reason);
	if (err < 0)
		return err;
	claimed = ZSTD_getFrameContentSize(loader->packed, size);
	if (claimed == ZSTD_CONTENTSIZE_ERROR || claimed == ZSTD_CONTENTSIZE_UNKNOWN)
		return bad(reason, "a frame does not tell its size");
	if (claimed > content_max)
		return bad(reason, "a frame claims to unpack to more than it may");
	if (grow(&loader->content, &loader->content_cap, claimed + PT_DECODE_SLACK) < 0)
		return -ENOMEM;
	got = ZSTD_decompressDCtx(loader->zstd, loader->content, claimed, loader->packed, size);
	if (ZSTD_isError(got) || got != claimed)
		return bad(reason, "a frame is damaged");
	memset(loader->content + got, 0, PT_DECODE_SLACK);
	*content = loader->content;
	*len = got;
	return 0;
}

static bool is_skippable(const uint8_t *p)
{
	return (pt_load(p, 4) & 0xfffffff0u) == 0x184d2a50u;
}

int pt_loader_measure(struct pt_loader *loader, uint64_t offset, uint64_t end, uint64_t *size,
		      bool *is_data, const char **reason)
{
	size_t have = 0, want = MEASURE_MIN, got;
	int err;

	if (end - offset < 8)
		return bad(reason, "the file ends within a frame");
	for (;; want *= 4) {
		if (want > end - offset)
			want = end - offset;
		if (grow(&loader->packed, &loader->packed_cap, want) < 0)
			return -ENOMEM;
		err = pt_loader_read(loader, offset + have, loader->packed + have, want - have,
				     reason);
		if (err < 0)
			return err;
		have = want;
		*is_data = !is_skippable(loader->packed);
		*size = *is_data ? 0 : 8 + pt_load(loader->packed + 4, 4);
		if (!*is_data && *size > end - offset)
			return bad(reason, "the file ends within a frame");
		if (!*is_data)
			return 0;
		if (pt_load(loader->packed, 4) != PT_ZSTD_MAGIC)
			return bad(reason, "no frame begins here");
		got = ZSTD_findFrameCompressedSize(loader->packed, have);
		if (!ZSTD_isError(got))
			break;
		if (have == end - offset)
			return bad(reason, "the file ends within a frame");
		if (have >= PT_FRAME_MAX)
			return bad(reason, "a frame is damaged or too large");
	}
	*size = loader->measured = got;
	return 0;
}

size_t pt_loader_peek(struct pt_loader *loader, uint8_t *to, size_t n)
{
	ZSTD_inBuffer in = {.src = loader->packed, .size = loader->measured};
	ZSTD_outBuffer out = {.dst = to, .size = n};
	size_t left = 1, before;

	ZSTD_DCtx_reset(loader->zstd, ZSTD_reset_session_only);
	while (left && out.pos < out.size) {
		before = in.pos + out.pos;
		left = ZSTD_decompressStream(loader->zstd, &out, &in);
		if (ZSTD_isError(left) || in.pos + out.pos == before)
			break;
	}
	ZSTD_DCtx_reset(loader->zstd, ZSTD_reset_session_only);
	return out.pos;
}
