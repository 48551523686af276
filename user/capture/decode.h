/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes a message from a ring apart. */
#ifndef PT_CAPTURE_DECODE_H
#define PT_CAPTURE_DECODE_H

#include "base/record.h"

/*
 * The record at *offset of a message, which is moved on behind it: 1, or 0 at the end, or -EBADMSG.
 * The record points into the message, which must be aligned to 8.
 */
int pt_decode_next(const void *message, size_t size, size_t *offset, struct pt_record *record);

#endif
