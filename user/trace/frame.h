/* SPDX-License-Identifier: BSD-2-Clause */
/* zstd frames: independent, with content size and checksum. */
#ifndef PT_TRACE_FRAME_H
#define PT_TRACE_FRAME_H

#include "trace/bytes.h"

struct pt_packer;

struct pt_packer *pt_packer_new(void);
void pt_packer_free(struct pt_packer *packer);

/* Appends one frame to out. `cuts` are ascending offsets of the content at which the compressor
 * begins a new table. 0 or -ENOMEM. */
int pt_packer_pack(struct pt_packer *packer, const void *content, size_t len, const uint32_t *cuts,
		   size_t cut_count, struct pt_bytes *out);

#endif
