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
	uint64_t end = PT_ENDPOINT_OF_FILE(PT_CLASS_SHARED, row->device, row->inode);
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

struct mapped_by {
	uint32_t pid;
	struct pt_channel *segment;
};

/* Which process maps what, by pid and segment. */
struct segments {
	struct mapped_by *list;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct mapped_by *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->segment->index > y->segment->index) - (x->segment->index < y->segment->index);
}

static int find_segments(const struct pt_ipc *ipc, struct segments *segments)
{
	size_t room = 0, i;

	for (i = 0; i < ipc->channels.count; i++)
		room += ipc->channels.list[i]->side[0].holder_count;
	segments->count = 0;
	segments->list = calloc(room + 1, sizeof(*segments->list));
	if (!segments->list)
		return -ENOMEM;
	for (i = 0; i < ipc->channels.count; i++) {
		struct pt_channel *channel = ipc->channels.list[i];
		const struct pt_side *side = &channel->side[0];

		for (uint32_t j = 0; channel->kind == PT_CHANNEL_SHARED && j < side->holder_count;
		     j++)
			segments->list[segments->count++] =
				(struct mapped_by){side->holders[j].pid, channel};
	}
	qsort(segments->list, segments->count, sizeof(*segments->list), compare);
	return 0;
}

/* Where the segments of a process begin, if it has any. */
static const struct mapped_by *first_of(const struct segments *segments, uint32_t pid)
{
	size_t low = 0, high = segments->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (segments->list[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return segments->list + low;
}

/* The one segment that two processes share; NULL: none, or several. *count is 2 for several. */
static struct pt_channel *only_segment(const struct segments *segments, const struct pt_flow *flow,
				       size_t *count)
{
	uint32_t from = flow->from->process->pid, to = flow->to->process->pid;
	const struct mapped_by *a = first_of(segments, from), *b = first_of(segments, to);
	const struct mapped_by *end = segments->list + segments->count;
	struct pt_channel *found = NULL;

	*count = 0;
	while (*count < 2 && a < end && b < end && a->pid == from && b->pid == to) {
		uint32_t x = a->segment->index, y = b->segment->index;

		if (x == y) {
			found = a->segment;
			++*count;
		}
		a += x <= y;
		b += y <= x;
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
