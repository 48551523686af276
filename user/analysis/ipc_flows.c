/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc_flows.h"

#include <stdlib.h>

#include "base/array.h"

/* Flows of one channel that are told apart; the rest goes between unknown ones. */
#define FLOW_LIMIT 1024

/* The flows of a channel, most recently used first. */
struct flows_of {
	struct pt_flow **flows;
	size_t count, room;
};

static struct pt_flow *new_flow(struct pt_ipc *result, struct flows_of *of)
{
	struct pt_flow **grown, *flow;

	grown = pt_array_grow(of->flows, of->count, &of->room, sizeof(*grown));
	if (!grown)
		return NULL;
	of->flows = grown;
	grown = pt_array_grow(result->flows, result->flow_count, &result->flow_room,
			      sizeof(*grown));
	if (!grown)
		return NULL;
	result->flows = grown;
	flow = calloc(1, sizeof(*flow));
	if (flow)
		of->flows[of->count++] = result->flows[result->flow_count++] = flow;
	return flow;
}

struct pt_flow *pt_ipc_flow(struct pt_ipc *ipc, const struct pt_model *model,
			    struct pt_channel *channel, unsigned int side,
			    const struct pt_model_task *from, const struct pt_model_task *to,
			    const struct pt_talk_of *talk)
{
	struct flows_of *of = channel->extra;
	struct pt_flow *flow;
	size_t i;

	if (!of)
		channel->extra = of = calloc(1, sizeof(*of));
	if (!of)
		return NULL;
	if (of->count >= FLOW_LIMIT) {
		from = to = pt_model_nobody(model);
		talk = NULL;
	}
	for (i = 0; i < of->count; i++) {
		flow = of->flows[i];
		if (flow->from != from || flow->to != to || flow->side != side ||
		    flow->talk != talk)
			continue;
		of->flows[i] = of->flows[i / 2];
		of->flows[i / 2] = flow;
		return flow;
	}
	flow = new_flow(ipc, of);
	if (!flow)
		return NULL;
	flow->from = from;
	flow->to = to;
	flow->talk = talk;
	flow->channel = channel->index;
	flow->side = (uint8_t)side;
	return flow;
}

void pt_ipc_flows_clear(struct pt_ipc *ipc)
{
	size_t i;

	for (i = 0; i < ipc->channels.count; i++) {
		struct flows_of *of = ipc->channels.list[i]->extra;

		free(of ? of->flows : NULL);
		free(of);
	}
	for (i = 0; i < ipc->flow_count; i++) {
		pt_histogram_clear(&ipc->flows[i]->latency);
		free(ipc->flows[i]);
	}
	free(ipc->flows);
}
