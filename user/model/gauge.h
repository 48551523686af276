/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much lies in a queue, over time: what was written less what was read, as far as each transfer is told by itself. A reader
 * that tells sums, however, reads for a while before it says so. So what is written counts only once the reader has been
 * heard of again, or, if it has told each of its reads so far, has been silent for long. Of TCP its kernel says what it has
 * still to read, which is believed once there are sums.
 */
#ifndef PT_MODEL_GAUGE_H
#define PT_MODEL_GAUGE_H

#include "model/depth.h"

/* A reader of which nothing was told for so long does not read: a window of the probes, and what a kernel's tick may add. */
#define PT_GAUGE_SILENT_NS 90000000

struct pt_gauge {
	uint64_t bytes;		/* up to `changed` */
	uint64_t max, max_at;	/* the deepest it was, and when */
	double area;		/* bytes x ns, up to `changed` */
	uint64_t changed;	/* the time up to which all is known */
	struct pt_depth *steps; /* NULL: not worth having yet */
	bool estimated;		/* something was told in sums */
	bool reads_in_sums;	/* what was read was */
	uint64_t unsent;	/* at the sender's, when it last told */
	uint64_t heard;		/* when the reader last told something */
	struct pt_gauge_point {
		uint64_t time, bytes;
	} * points; /* what was written since, if the reader has not read meanwhile */
	size_t point_count, point_room;
};

/* A transfer, as far as it changes the level. */
struct pt_gauge_move {
	uint64_t time, bytes;
	uint64_t left;		/* in the queue after it, by what has been told */
	uint64_t level, unsent; /* as in the record, if `levelled` */
	bool levelled, summed;
	bool ahead; /* more has been read than was told to have been written */
	bool slow;  /* steps are worth having from now on */
};

/* Each 0 or -ENOMEM. */
int pt_gauge_written(struct pt_gauge *gauge, const struct pt_gauge_move *move);
int pt_gauge_read(struct pt_gauge *gauge, const struct pt_gauge_move *move);

/* It turns out that so much lies there. */
void pt_gauge_correct(struct pt_gauge *gauge, uint64_t bytes);

/* Up to the recording's end; only ->time, left and slow of `move`. */
int pt_gauge_finish(struct pt_gauge *gauge, const struct pt_gauge_move *move);

void pt_gauge_clear(struct pt_gauge *gauge);

#endif
