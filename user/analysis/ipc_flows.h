/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of flows. */
#ifndef PT_ANALYSIS_IPC_FLOWS_H
#define PT_ANALYSIS_IPC_FLOWS_H

#include "analysis/ipc.h"

/* From one task to another, NULL: outside (with whom `talk` tells), towards a side of a channel. Made if need be; NULL without memory. */
struct pt_flow *pt_ipc_flow(struct pt_ipc *ipc, const struct pt_model *model,
			    struct pt_channel *channel, unsigned int side,
			    const struct pt_model_task *from, const struct pt_model_task *to,
			    const struct pt_talk_of *talk);

void pt_ipc_flows_clear(struct pt_ipc *ipc);

#endif
