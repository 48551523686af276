/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc_stalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/loops.h"
#include "base/array.h"
#include "base/syscalls.h"

bool pt_ipc_call_sends(const char *arch, int syscall)
{
	static const char *const beginnings[] = {"write",    "pwrite", "send",	       "splice",
						 "vmsplice", "tee",    "mq_timedsend", "msgsnd"};
	const char *name = pt_syscall_name(arch, syscall);
	size_t i;

	for (i = 0; name && i < PT_ARRAY_SIZE(beginnings); i++) {
		if (!strncmp(name, beginnings[i], strlen(beginnings[i])))
			return true;
	}
	return false;
}

static const struct pt_channel *find_used(const struct pt_ipc *ipc, uint64_t end,
					  unsigned int *side)
{
	const struct pt_channel *channel = pt_channel_find(&ipc->channels, end, side);

	return channel && channel->described ? channel : NULL;
}

const struct pt_channel *pt_ipc_slept_on(const struct pt_ipc *ipc, const struct pt_slept *slept,
					 unsigned int *side)
{
	const struct pt_slept_on *on = &slept->on;
	const struct pt_channel *channel;

	if (!on->known || !on->object)
		return NULL;
	switch (slept->reason) {
	case PT_REASON_PIPE:
		channel = find_used(ipc, PT_ENDPOINT_OF(PT_CLASS_PIPE, on->object), side);
		return channel ? channel
			       : find_used(ipc,
					   PT_ENDPOINT_OF_FILE(PT_CLASS_FIFO, on->device,
							       on->object),
					   side);
	case PT_REASON_UNIX:
	case PT_REASON_TCP:
	case PT_REASON_UDP:
		return find_used(ipc, PT_ENDPOINT_OF(PT_CLASS_SOCKET, on->object), side);
	default:
		return NULL;
	}
}

const struct pt_flow *pt_ipc_partner(const struct pt_ipc *ipc, const struct pt_channel *channel,
				     unsigned int side, const struct pt_model_task *task,
				     bool sends)
{
	unsigned int to = sends && channel->two_sided ? !side : side;
	size_t i;

	for (i = 0; i < ipc->flow_count; i++) { /* the heaviest first */
		const struct pt_flow *flow = ipc->flows[i];

		if (flow->channel == channel->index && flow->side == to &&
		    (sends ? flow->from : flow->to) == task && flow->from != flow->to)
			return flow;
	}
	return NULL;
}

static struct pt_ipc_stall *entry_of(struct pt_ipc_stalls *stalls, const struct pt_channel *channel,
				     unsigned int side, bool sends)
{
	struct pt_ipc_stall *grown;
	size_t i;

	for (i = 0; i < stalls->count; i++) {
		struct pt_ipc_stall *s = &stalls->list[i];

		if (s->channel == channel && s->side == side && s->sends == sends)
			return s;
	}
	grown = pt_array_grow(stalls->list, stalls->count, &stalls->room, sizeof(*grown));
	if (!grown)
		return NULL;
	stalls->list = grown;
	grown[stalls->count] =
		(struct pt_ipc_stall){.channel = channel, .side = side, .sends = sends};
	return &grown[stalls->count++];
}

static int add_stall(struct pt_ipc_stalls *stalls, const struct pt_ipc *ipc,
		     const struct pt_stall *stall, const char *arch)
{
	uint32_t i;

	for (i = 0; i < stall->tally.sleep_count; i++) {
		const struct pt_slept *slept = &stall->tally.sleeps[i];
		unsigned int side;
		const struct pt_channel *channel = pt_ipc_slept_on(ipc, slept, &side);
		struct pt_ipc_stall *entry;

		if (!channel)
			continue;
		entry = entry_of(stalls, channel, side, pt_ipc_call_sends(arch, slept->syscall));
		if (!entry)
			return -ENOMEM;
		entry->count++;
		entry->ns += slept->ns;
		if (slept->ns > entry->worst_ns) {
			entry->worst_ns = slept->ns;
			entry->worst = stall;
		}
	}
	return 0;
}

int pt_ipc_stalls_find(struct pt_ipc_stalls *stalls, const struct pt_analyses *analyses,
		       const char *arch)
{
	const struct pt_stalls *all = pt_analyses_stalls(analyses);
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < pt_stalls_count(all); i++) {
		const struct pt_stall *stall = pt_stalls_get(all, i);

		if (pt_loops_get(pt_analyses_loops(analyses), stall->loop)->worth)
			ret = add_stall(stalls, pt_analyses_ipc(analyses), stall, arch);
	}
	return ret;
}
