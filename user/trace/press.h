/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the bytes of a trace file: metadata, intervals, end. Knows nothing of threads or files. */
#ifndef PT_TRACE_PRESS_H
#define PT_TRACE_PRESS_H

#include "trace/meta.h"
#include "trace/rows.h"

struct pt_press;

struct pt_press_stats {
	uint64_t records[PT_KIND_LIMIT];
	uint64_t bytes[PT_KIND_LIMIT]; /* compressed */
};

struct pt_press *pt_press_new(void);
void pt_press_free(struct pt_press *press);

/* Each appends frames to out; 0 or -ENOMEM. Intervals must come in order, `until` ascending. */
int pt_press_meta(struct pt_press *press, const struct pt_meta *meta, struct pt_bytes *out);
int pt_press_interval(struct pt_press *press, const struct pt_rows *kinds, uint64_t until,
		      struct pt_bytes *out, struct pt_press_stats *stats);
int pt_press_end(struct pt_press *press, const struct pt_end *end, struct pt_bytes *out);

#endif
