/* SPDX-License-Identifier: BSD-2-Clause */
/* Which channels held loops up: the sleeps of stalls, told by channel. */
#ifndef PT_ANALYSIS_IPC_STALLS_H
#define PT_ANALYSIS_IPC_STALLS_H

#include "analysis/ipc.h"
#include "analysis/stalls.h"

/* What stalls slept in one direction of a side of a channel. */
struct pt_ipc_stall {
	const struct pt_channel *channel;
	unsigned int side; /* of those who slept */
	bool sends;	   /* they wanted to send; else to receive */
	uint64_t count;	   /* of stalls */
	uint64_t ns;	   /* that they slept there */
	uint64_t worst_ns;
	const struct pt_stall *worst; /* that slept there longest */
};

struct pt_ipc_stalls {
	struct pt_ipc_stall *list;
	size_t count, room;
};

/* Does a system call of this name, or number, send? */
bool pt_ipc_call_sends(const char *arch, int syscall);

/* The channel, and the side of it, that a task slept on; NULL: none that is known. */
const struct pt_channel *pt_ipc_slept_on(const struct pt_ipc *ipc, const struct pt_slept *slept,
					 unsigned int *side);

/* Who sent most to `task` through a side, or was sent most by it; NULL: nobody was seen to. */
const struct pt_flow *pt_ipc_partner(const struct pt_ipc *ipc, const struct pt_channel *channel,
				     unsigned int side, const struct pt_model_task *task,
				     bool sends);

/* Of the loops that are told. 0 or -ENOMEM; to be freed: list. */
int pt_ipc_stalls_find(struct pt_ipc_stalls *stalls, const struct pt_analyses *analyses,
		       const char *arch);

#endif
