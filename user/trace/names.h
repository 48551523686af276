/* SPDX-License-Identifier: BSD-2-Clause */
/* Codes a column of task names. */
#ifndef PT_TRACE_NAMES_H
#define PT_TRACE_NAMES_H

#include "trace/plain.h"

/* Appends the cheapest coding of n > 0 names of PT_COMM_LEN bytes each and returns its name. */
enum pt_encoding pt_names_encode(struct pt_out *out, const uint8_t *names, uint32_t n);

#endif
