/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc_shared.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/ipc_flows.h"

/* What the kernel calls it below /proc comes later, and tells more. */
static void name_segment(struct pt_channel *channel, const struct pt_record *record)
{
	char *name;

	if (!record->text_len ||
	    (channel->name && (channel->name[0] == '/' || record->text[0] != '/')))
		return;
	name = strndup(record->text, record->text_len);
	if (!name)
		return;
	free(channel->name);
	channel->name = name;
}

int pt_ipc_segment(struct pt_ipc *ipc, struct pt_mapped *mapped, const struct pt_record *record,
		   const struct pt_model *model)
{
	const struct pt_segment *row = record->row;
	uint64_t end =
		PT_ENDPOINT_OF(PT_CLASS_SHARED, (uint64_t)row->device << 32 | (uint32_t)row->inode);
	const struct pt_model_task *task = pt_model_find(model, row->pid);
	struct pt_holder holder = {
		.end = end,
		.pid = row->pid,
		.flags = PT_HOLDER_READS | (row->flags & PT_SEGMENT_WRITES ? PT_HOLDER_WRITES : 0),
	};
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(&ipc->channels, end, &side);

	if (!channel)
		return -ENOMEM;
	if (!channel->described)
		channel->first_ns = row->time;
	channel->described = true;
	channel->device = row->device;
	if (row->bytes > channel->mapped)
		channel->mapped = row->bytes;
	name_segment(channel, record);
	if (task && pt_mapped_segment(mapped, task->process, channel, row))
		return -ENOMEM;
	if (task)
		memcpy(holder.comm.s, task->comm, PT_COMM_LEN);
	return row->flags & PT_SEGMENT_ENDED ? 0 : pt_channels_add_holder(&ipc->channels, &holder);
}

/* Of the futexes of one process, or of those that two have in common. */
static struct pt_channel *futexes_of(struct pt_ipc *ipc, const struct pt_process *a,
				     const struct pt_process *b)
{
	uint64_t low = a->index < b->index ? a->index : b->index;
	uint64_t high = a->index < b->index ? b->index : a->index;
	uint64_t end = PT_ENDPOINT_OF(PT_CLASS_FUTEX, high << 28 | low);
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(&ipc->channels, end, &side);
	char name[64];

	if (!channel || channel->described || channel == ipc->channels.others)
		return channel;
	channel->described = true;
	if (a == b)
		snprintf(name, sizeof(name), "futexes of %u", a->pid);
	else
		snprintf(name, sizeof(name), "futexes of %u and %u",
			 a->pid < b->pid ? a->pid : b->pid, a->pid < b->pid ? b->pid : a->pid);
	channel->name = strdup(name);
	return channel->name ? channel : NULL;
}

int pt_ipc_woken(struct pt_ipc *ipc, const struct pt_span *span, const struct pt_model *model)
{
	const struct pt_model_task *from = span->waker, *to = span->task;
	struct pt_channel *channel;
	struct pt_flow *flow;

	if (span->reason != PT_REASON_LOCK || span->woken_by_irq || !from || !from->process->pid ||
	    !to->process->pid || from == to)
		return 0;
	channel = futexes_of(ipc, from->process, to->process);
	flow = channel ? pt_ipc_flow(ipc, model, channel, 0, from, to, NULL) : NULL;
	if (!flow)
		return -ENOMEM;
	if (!channel->first_ns)
		channel->first_ns = span->to;
	flow->messages++;
	channel->side[0].sent.messages++;
	channel->side[0].received.messages++;
	return 0;
}

static bool maps(const struct pt_channel *segment, uint32_t pid)
{
	const struct pt_side *side = &segment->side[0];
	uint32_t i;

	for (i = 0; i < side->holder_count; i++) {
		if (side->holders[i].pid == pid)
			return true;
	}
	return false;
}

struct segments {
	struct pt_channel **list;
	size_t count;
};

static int find_segments(const struct pt_ipc *ipc, struct segments *segments)
{
	size_t i;

	segments->count = 0;
	segments->list = calloc(ipc->channels.count + 1, sizeof(struct pt_channel *));
	if (!segments->list)
		return -ENOMEM;
	for (i = 0; i < ipc->channels.count; i++) {
		if (ipc->channels.list[i]->kind == PT_CHANNEL_SHARED)
			segments->list[segments->count++] = ipc->channels.list[i];
	}
	return 0;
}

/* The one segment that two processes share; NULL: none, or several. */
static struct pt_channel *only_segment(const struct segments *segments, const struct pt_flow *flow,
				       size_t *count)
{
	struct pt_channel *found = NULL;
	size_t i;

	*count = 0;
	for (i = 0; i < segments->count; i++) {
		struct pt_channel *channel = segments->list[i];

		if (!maps(channel, flow->from->process->pid) ||
		    !maps(channel, flow->to->process->pid))
			continue;
		found = channel;
		++*count;
	}
	return *count == 1 ? found : NULL;
}

static void move(struct pt_channel *from, struct pt_channel *to, struct pt_flow *flow)
{
	flow->channel = to->index;
	from->side[0].sent.messages -= flow->messages;
	from->side[0].received.messages -= flow->messages;
	to->side[0].sent.messages += flow->messages;
	to->side[0].received.messages += flow->messages;
}

int pt_ipc_shared_finish(struct pt_ipc *ipc)
{
	struct segments segments;
	size_t i, count;

	if (find_segments(ipc, &segments))
		return -ENOMEM;
	for (i = 0; i < ipc->flow_count; i++) {
		struct pt_flow *flow = ipc->flows[i];
		struct pt_channel *channel = ipc->channels.list[flow->channel], *segment;

		if (channel->kind != PT_CHANNEL_FUTEX || !flow->from || !flow->to ||
		    flow->from->process == flow->to->process)
			continue;
		segment = only_segment(&segments, flow, &count);
		if (segment)
			move(channel, segment, flow);
		/* Whatever woke it, no memory that both map was seen. */
		flow->unsure |= !count;
	}
	free(segments.list);
	return 0;
}
