/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sent how much to whom, through what, and how long did it lie there? */
#ifndef PT_ANALYSIS_IPC_H
#define PT_ANALYSIS_IPC_H

#include "analysis/analysis.h"
#include "base/histogram.h"
#include "model/channels.h"

/* What one task sent to one other through a channel. */
struct pt_flow {
	const struct pt_model_task *from, *to; /* NULL: outside of what was recorded */
	uint64_t bytes, messages;
	const struct pt_talk_of
		*talk; /* of datagrams: with whom outside; NULL: nobody, or not known */
	struct pt_histogram latency; /* ns; of messages of which both moments are known */
	uint32_t channel;	     /* index */
	const struct pt_talk_of *
		doubtful; /* that gives rise to doubts, unless they are resolved later; NULL: none */
	uint8_t side;	  /* to which side of it */
	bool unsure;	  /* latency and, with several writers or readers, who is who */
};

struct pt_ipc {
	struct pt_channels channels;
	struct pt_flow **flows; /* the heaviest first, once the model is finished */
	size_t flow_count, flow_room;
};

/*
 * What was still to be read from a side at the end, if that is known: by what was recorded of both ends, or else by what the
 * kernel said, also of ends outside of the recording.
 */
bool pt_ipc_unread(const struct pt_channel *channel, unsigned int side, uint64_t *bytes);

/* Is it known by what was recorded? */
bool pt_ipc_unread_known(const struct pt_channel *channel, unsigned int side);

/* Is it known how much lay in its queues over time? */
bool pt_ipc_depth_known(const struct pt_channel *channel);

/* Whether what was not read from a side went to nobody, as far as is known; else somebody outside may have it. */
bool pt_ipc_is_nobodys(const struct pt_channel *channel, unsigned int side);

/* Whether who is who there is in doubt: somebody unseen may have written, or read, between those that were recorded. */
bool pt_ipc_is_unsure(const struct pt_channel *channel, unsigned int side);

/* Do both sides lie on this machine, and does all that is sent arrive in order? */
bool pt_ipc_has_queue(const struct pt_channel *channel);

/* Memory, of which only wake-ups are seen: these are its messages. */
bool pt_ipc_carries_no_bytes(const struct pt_channel *channel);

/* A channel that something was done with. */
bool pt_ipc_is_used(const struct pt_channel *channel);

#endif
