/* SPDX-License-Identifier: BSD-2-Clause */
/* Whence datagrams come, and where they go. */
#ifndef PT_ANALYSIS_IPC_DATAGRAMS_H
#define PT_ANALYSIS_IPC_DATAGRAMS_H

#include "analysis/ipc.h"
#include "model/talks.h"

/* Of what one record tells. */
struct pt_ipc_way {
	const struct pt_talk_of *talk; /* with whom; NULL: not known */
	struct pt_queue *queue;	    /* NULL: the other side is not on this machine, or not known */
	struct pt_lane *lane;	    /* for pt_piece_of_queue */
	struct pt_channel *channel; /* whose queue it is, NULL: nobody's that is recorded */
	unsigned int side;
};

/* 0 or -ENOMEM. */
int pt_ipc_way(struct pt_channels *channels, struct pt_channel *channel, unsigned int side,
	       const struct pt_transfer *row, struct pt_ipc_way *way);

/* Tells with `deliver` what was sent to addresses where no target was seen; its context is NULL's: see pt_delivery. */
int pt_ipc_finish_mailboxes(struct pt_channels *channels, uint64_t end, pt_deliver deliver,
			    void *context);

#endif
