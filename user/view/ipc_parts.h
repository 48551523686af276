/* SPDX-License-Identifier: BSD-2-Clause */
/* What the builders of the section on channels share. */
#ifndef PT_VIEW_IPC_PARTS_H
#define PT_VIEW_IPC_PARTS_H

#include <arpa/inet.h>

#include "analysis/ipc.h"
#include "model/talks.h"
#include "view/section.h"

#define PT_NUMBER_OF(end) ((end)&0x00ffffffffffffffULL)

/* "127.0.0.1:80", "[::1]:80"; "" if there is none. */
struct pt_place {
	char s[INET6_ADDRSTRLEN + 16];
};
struct pt_place pt_ipc_place(const struct pt_side *side, bool with_port);

/* "pipe", "tcp"...: not to be freed */
const char *pt_ipc_kind(const struct pt_channel *channel);
const char *pt_ipc_kind_name(int kind);
json_t *pt_ipc_name(const struct pt_channel *channel);

/* Who is at a side: the task, or if it is NULL who has that open (PT_HOLDER_*) outside of the recording, as far as known. */
json_t *pt_ipc_party(const struct pt_channel *channel, const struct pt_model_task *task,
		     unsigned int side, uint32_t flag);

/* The parties of a flow. */
json_t *pt_ipc_from(const struct pt_channel *channel, const struct pt_flow *flow);
json_t *pt_ipc_to(const struct pt_channel *channel, const struct pt_flow *flow);

/* Who, outside of the recording, has that side open; NULL: not known. */
const struct pt_holder_of *pt_ipc_holder(const struct pt_side *side, uint32_t flag);

/* All flows between the same two, through channels of one kind, in one; and bytes between processes, if these are few. */
int pt_ipc_put_pairs(json_t *json, const struct pt_source *source);

/* Descriptors that went through a channel: by kind, and one by one. */
int pt_ipc_put_passed(json_t *json, const struct pt_channels *channels,
		      const struct pt_passed *passed);

/* Channels that are slow or backed up, the worst first. */
json_t *pt_ipc_trouble(const struct pt_source *source);

#endif
