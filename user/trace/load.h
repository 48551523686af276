/* SPDX-License-Identifier: BSD-2-Clause */
/* Gets the content of frames out of a file. What the file claims is checked before memory is taken
 * for it. */
#ifndef PT_TRACE_LOAD_H
#define PT_TRACE_LOAD_H

#include "base/types.h"

#define PT_FRAME_MAX (16u << 20) /* a frame as it stands in the file, bytes */

struct pt_loader;

struct pt_loader *pt_loader_new(int fd);
void pt_loader_free(struct pt_loader *loader);

/*
 * Unpacks the frame at [offset, offset + size). Its content is valid until the next call, and
 * PT_DECODE_SLACK bytes behind it are readable. 0, -ENOMEM, or -EBADMSG with *reason set.
 */
int pt_loader_load(struct pt_loader *loader, uint64_t offset, uint64_t size, size_t content_max,
		   const uint8_t **content, size_t *len, const char **reason);

/* Finds out how long the frame at `offset` is, reading not beyond `end`. *is_data: not a skippable
 * frame. */
int pt_loader_measure(struct pt_loader *loader, uint64_t offset, uint64_t end, uint64_t *size,
		      bool *is_data, const char **reason);

/* Unpacks only the first n <= 64 bytes of the frame that was measured last; fewer if it has fewer.
 */
size_t pt_loader_peek(struct pt_loader *loader, uint8_t *to, size_t n);

/* Bytes read and looked at so far. */
uint64_t pt_loader_work(const struct pt_loader *loader);

/* Reads exactly n bytes. 0, or -EBADMSG with *reason set. */
int pt_loader_read(struct pt_loader *loader, uint64_t offset, void *to, size_t n,
		   const char **reason);

#endif
