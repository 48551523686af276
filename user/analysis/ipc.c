/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc.h"
#include "analysis/ipc_datagrams.h"
#include "analysis/ipc_flows.h"
#include "analysis/ipc_shared.h"
#include "analysis/ipc_sleeps.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* Transfers that may wait for the description of their end. */
#define EARLY_LIMIT 1024

#define OUR_KINDS                                                                                  \
	(PT_KIND_BIT(PT_KIND_endpoint) | PT_KIND_BIT(PT_KIND_transfer) |                           \
	 PT_KIND_BIT(PT_KIND_attempt) | PT_KIND_BIT(PT_KIND_pass) | PT_KIND_BIT(PT_KIND_holder) |  \
	 PT_KIND_BIT(PT_KIND_segment) | PT_KIND_BIT(PT_KIND_opposite) |                            \
	 PT_KIND_BIT(PT_KIND_sequence) | PT_KIND_BIT(PT_KIND_leftover) |                           \
	 PT_KIND_BIT(PT_KIND_talk) | PT_KIND_BIT(PT_KIND_own_address) |                            \
	 PT_KIND_BIT(PT_KIND_drop) | PT_KIND_BIT(PT_KIND_resolved) | PT_KIND_BIT(PT_KIND_fork) |   \
	 PT_KIND_BIT(PT_KIND_exec))

struct ipc {
	struct pt_ipc result; /* first: it is what pt_analyses_ipc() gives */
	struct pt_model *model;
	struct pt_task_rows sleeps;
	struct pt_mapped mapped;
	/*
	 * Transfers through ends that are still to be described: records of one moment have no order among kinds, and the
	 * description may come from another CPU.
	 */
	struct pt_transfer *early;
	size_t early_count, early_room;
};

/* Whom a delivery belongs to, unless its pieces tell. */
struct delivery_to {
	struct ipc *ipc;
	struct pt_channel *channel; /* NULL: it is for nobody that is recorded */
	unsigned int side;
};

extern const struct pt_analysis_class pt_ipc_class;

static void note_writer(struct pt_side *side, const struct pt_model_task *task)
{
	side->crowded |= side->writer && side->writer != task;
	side->writer = task;
}

static int on_delivery(void *context, const struct pt_delivery *delivery)
{
	struct delivery_to *to = context;
	const struct pt_talk_of *sender = delivery->from_place, *receiver = delivery->to_place;
	const struct pt_talk_of *stranger = NULL;
	struct pt_channel *channel = to->channel;
	unsigned int side = to->side;
	struct pt_flow *flow;

	if (receiver) {
		channel = receiver->channel;
		side = receiver->side;
		stranger = delivery->from ? NULL : receiver;
		channel->side[side].strangers |= !delivery->from;
	} else if (sender && !channel) {
		channel = sender->channel;
		side = !sender->side;
		stranger = sender;
	}
	flow = pt_ipc_flow(&to->ipc->result, to->ipc->model, channel, side, delivery->from,
			   delivery->to, stranger);
	if (!flow)
		return -ENOMEM;
	if (receiver)
		channel->side[side].doubtful |= delivery->odd;
	if (receiver && delivery->from)
		note_writer(&channel->side[side], delivery->from);
	if (sender && sender->unsure)
		flow->doubtful = sender;
	if (receiver && receiver->unsure)
		flow->doubtful = receiver;
	flow->bytes += delivery->bytes;
	flow->messages += delivery->messages;
	return delivery->timed ? pt_histogram_add(&flow->latency, delivery->latency) : 0;
}

/* A task that no other record mentions is still a sender. */
static const struct pt_model_task *task_of(const struct ipc *ipc, uint32_t tid)
{
	const struct pt_model_task *task = pt_model_find(ipc->model, tid);

	return task ? task : pt_model_nobody(ipc->model);
}

static uint64_t units_of(const struct pt_channel *channel, const struct pt_transfer *row)
{
	if (channel->kind == PT_CHANNEL_EVENTFD)
		return row->value ? row->value : row->count;
	return pt_channel_keeps_messages(channel) ? row->count : row->bytes;
}

static int deliver_far(struct ipc *ipc, struct pt_channel *channel, unsigned int side,
		       const struct pt_transfer *row, const struct pt_model_task *task,
		       const struct pt_talk_of *talk)
{
	bool sent = row->flags & PT_TRANSFER_SENT;
	struct pt_delivery delivery = {
		.from = sent ? task : NULL,
		.to = sent ? NULL : task,
		.bytes = row->bytes,
		.messages = row->count,
		.from_place = sent ? talk : NULL,
		.to_place = sent ? NULL : talk,
	};

	/* To that talk's address, or from there. */
	if (talk && sent)
		return on_delivery(&(struct delivery_to){.ipc = ipc}, &delivery);
	return on_delivery(&(struct delivery_to){ipc, channel, sent ? !side : side}, &delivery);
}

static int deliver(struct ipc *ipc, struct pt_channel *channel, unsigned int side,
		   const struct pt_transfer *row, const struct pt_model_task *task, uint64_t slept)
{
	struct pt_piece_of_queue piece = {
		.task = task,
		.time = row->time,
		.begun = slept && slept < row->time ? slept : row->time,
		.units = units_of(channel, row),
		.bytes = row->bytes,
		.messages = row->count,
		/* A sum is told when another begins, or at the task's end. */
		.summed = row->count > 1 || row->syscall < 0,
		.levelled = channel->flags & PT_ENDPOINT_SEQUENCE && row->syscall >= 0,
		.level = row->level,
		.unsent = row->unsent,
	};
	struct pt_ipc_way way = {.channel = channel, .side = side};
	struct delivery_to to = {.ipc = ipc};
	bool sent = row->flags & PT_TRANSFER_SENT;
	int ret = 0;

	if (pt_channel_is_datagrams(channel))
		ret = pt_ipc_way(&ipc->result.channels, channel, side, row, &way);
	else if (pt_ipc_has_queue(channel))
		way.queue = pt_channel_queue(channel, &way.side, sent);
	if (ret || !way.queue)
		return ret ? ret : deliver_far(ipc, channel, side, row, task, way.talk);
	if (way.channel && piece.summed)
		way.channel->side[way.side].summed = true;
	piece.lane = way.lane;
	piece.place = way.talk;
	to.channel = way.channel;
	to.side = way.side;
	return sent ? pt_queue_write(way.queue, &piece, on_delivery, &to)
		    : pt_queue_read(way.queue, &piece, on_delivery, &to);
}

static int take_transfer(struct ipc *ipc, const struct pt_transfer *row)
{
	const struct pt_model_task *task = task_of(ipc, row->tid);
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(&ipc->result.channels, row->end, &side);
	struct pt_ipc_sleeps *sleeps = pt_task_rows_get(&ipc->sleeps, task);
	struct pt_traffic *traffic;
	uint64_t slept = 0;

	if (!channel || !sleeps)
		return -ENOMEM;
	traffic = row->flags & PT_TRANSFER_SENT ? &channel->side[side].sent
						: &channel->side[side].received;
	channel->side[side].seen = true;
	pt_channel_note_use(&channel->side[side], row);
	if (!row->bytes) /* a datagram of nothing */
		traffic->empty += row->count;
	traffic->bytes += row->bytes;
	traffic->messages += row->count;
	if (row->syscall < 0)
		pt_ipc_sleeps_summed(sleeps, traffic, task);
	else
		slept = pt_ipc_sleeps_moved(sleeps, traffic, channel->kind, task, row->syscall,
					    row->time);
	return deliver(ipc, channel, side, row, task, slept);
}

/* Whether it is not known yet which channel this is about. */
static bool is_early(const struct ipc *ipc, const struct pt_transfer *row)
{
	unsigned int side;
	const struct pt_channel *channel = pt_channel_find(&ipc->result.channels, row->end, &side);

	return !channel || !channel->described ||
	       (row->with && !pt_talks_find(&ipc->result.channels, row->with));
}

/* Takes what came early for an end; 0: for all. */
static int take_early(struct ipc *ipc, uint64_t end)
{
	size_t i, left = 0, count = ipc->early_count;
	int ret = 0;

	for (i = 0; i < count; i++) {
		if (ret || (end && (ipc->early[i].end != end || is_early(ipc, &ipc->early[i]))))
			ipc->early[left++] = ipc->early[i];
		else
			ret = take_transfer(ipc, &ipc->early[i]);
	}
	ipc->early_count = left;
	return ret;
}

static int on_transfer(struct ipc *ipc, const struct pt_transfer *row)
{
	struct pt_transfer *grown;

	if (!is_early(ipc, row))
		return take_transfer(ipc, row);
	if (ipc->early_count == EARLY_LIMIT && take_early(ipc, 0))
		return -ENOMEM;
	grown = pt_array_grow(ipc->early, ipc->early_count, &ipc->early_room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	ipc->early = grown;
	grown[ipc->early_count++] = *row;
	return 0;
}

/* Once both sides of a TCP connection have said where they stand, it is known what lay between them. */
static int begin_queues(struct ipc *ipc, struct pt_channel *channel)
{
	int64_t before;
	int ret = 0;

	if (!channel || channel->kind != PT_CHANNEL_TCP || !pt_ipc_has_queue(channel))
		return 0;
	for (unsigned int side = 0; !ret && side < 2; side++) {
		struct pt_queue *queue = &channel->side[side].queue;

		if (!queue->begun && pt_channel_before(channel, side, &before))
			ret = pt_queue_begin(queue, before, on_delivery,
					     &(struct delivery_to){ipc, channel, side});
	}
	return ret;
}

static int begin_queues_of(struct ipc *ipc, uint64_t end)
{
	unsigned int side;

	return begin_queues(ipc, pt_channel_find(&ipc->result.channels, end, &side));
}

static int on_endpoint(struct ipc *ipc, const struct pt_record *record)
{
	const struct pt_endpoint *row = record->row;
	int ret = pt_channels_describe(&ipc->result.channels, record, ipc->model);

	if (!ret)
		ret = begin_queues_of(ipc, row->end);
	return ret || !ipc->early_count ? ret : take_early(ipc, row->end);
}

static int on_sequence(struct ipc *ipc, const struct pt_sequence *row)
{
	int ret = pt_channels_add_sequence(&ipc->result.channels, row);

	return ret ? ret : begin_queues_of(ipc, row->end);
}

static int on_drop(struct ipc *ipc, const struct pt_drop *row)
{
	return pt_talks_drop(&ipc->result.channels, row, pt_model_find(ipc->model, row->tid));
}

static int on_talk(struct ipc *ipc, const struct pt_record *record)
{
	const struct pt_talk *row = record->row;
	int ret = pt_talks_add(&ipc->result.channels, record);

	return ret || !ipc->early_count ? ret : take_early(ipc, row->socket);
}

static int on_attempt(struct ipc *ipc, const struct pt_attempt *row)
{
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(&ipc->result.channels, row->end, &side);
	const struct pt_model_task *task = task_of(ipc, row->tid);
	struct pt_ipc_sleeps *sleeps = pt_task_rows_get(&ipc->sleeps, task);
	struct pt_traffic *sent, *received;

	if (!channel || !sleeps)
		return -ENOMEM;
	sent = &channel->side[side].sent;
	received = &channel->side[side].received;
	channel->side[side].seen = true;
	sent->would_block += row->send_blocked;
	sent->failed += row->send_failed;
	sent->empty += row->send_empty;
	received->would_block += row->receive_blocked;
	received->failed += row->receive_failed;
	received->empty += row->receive_empty;
	/* They may have slept in vain: until the other side closed, or the time was up. */
	if (row->send_blocked | row->send_failed)
		pt_ipc_sleeps_summed(sleeps, sent, task);
	if (row->receive_blocked | row->receive_failed | row->receive_empty)
		pt_ipc_sleeps_summed(sleeps, received, task);
	return 0;
}

static int on_pass(struct ipc *ipc, const struct pt_record *record)
{
	const struct pt_pass *row = record->row;
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(&ipc->result.channels, row->end, &side);

	if (channel && !channel->passed)
		channel->passed = calloc(1, sizeof(*channel->passed));
	if (!channel || !channel->passed)
		return -ENOMEM;
	channel->side[side].seen = true;
	if (row->flags & PT_TRANSFER_SENT)
		channel->side[side].sent.fds += row->count;
	else if (!(row->flags & PT_PASS_PEEKED))
		channel->side[side].received.fds += row->count;
	return pt_passed_add(channel->passed, record, task_of(ipc, row->tid));
}

/* Who is a target is on record with all that it does. */
static int on_holder(struct ipc *ipc, const struct pt_holder *row)
{
	const struct pt_model_task *task = pt_model_find(ipc->model, row->pid);

	return task && task->target ? 0 : pt_channels_add_holder(&ipc->result.channels, row);
}

static int on_exec(struct ipc *ipc, const struct pt_exec *row)
{
	const struct pt_model_task *task = pt_model_find(ipc->model, row->tid);

	if (task)
		pt_mapped_exec(&ipc->mapped, task->process);
	return 0;
}

static int on_record(void *self, const struct pt_record *record)
{
	struct ipc *ipc = self;

	switch (record->kind) {
	case PT_KIND_endpoint:
		return on_endpoint(ipc, record);
	case PT_KIND_transfer:
		return on_transfer(ipc, record->row);
	case PT_KIND_attempt:
		return on_attempt(ipc, record->row);
	case PT_KIND_pass:
		return on_pass(ipc, record);
	case PT_KIND_holder:
		return on_holder(ipc, record->row);
	case PT_KIND_sequence:
		return on_sequence(ipc, record->row);
	case PT_KIND_leftover:
		return pt_channels_add_leftover(&ipc->result.channels, record->row);
	case PT_KIND_opposite:
		return pt_channels_add_opposite(&ipc->result.channels, record->row);
	case PT_KIND_talk:
		return on_talk(ipc, record);
	case PT_KIND_resolved:
		return pt_talks_resolve(&ipc->result.channels, record->row);
	case PT_KIND_drop:
		return on_drop(ipc, record->row);
	case PT_KIND_own_address:
		return pt_talks_add_own(&ipc->result.channels, record->row);
	case PT_KIND_segment:
		return pt_ipc_segment(&ipc->result, &ipc->mapped, record, ipc->model);
	case PT_KIND_fork:
		return pt_mapped_fork(&ipc->mapped, record->row, ipc->model);
	case PT_KIND_exec:
		return on_exec(ipc, record->row);
	default:
		return 0;
	}
}

static int on_span(void *self, const struct pt_span *span)
{
	struct ipc *ipc = self;
	struct pt_ipc_sleeps *sleeps;

	if (span->part != PT_PART_BLOCKED)
		return 0;
	sleeps = pt_task_rows_get(&ipc->sleeps, span->task);
	if (!sleeps)
		return -ENOMEM;
	pt_ipc_sleeps_add(sleeps, span);
	return pt_ipc_woken(&ipc->result, span, ipc->model);
}

static int compare_flows(const void *a, const void *b)
{
	const struct pt_flow *x = *(const struct pt_flow *const *)a;
	const struct pt_flow *y = *(const struct pt_flow *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->messages != y->messages)
		return x->messages < y->messages ? 1 : -1;
	return (x->channel > y->channel) - (x->channel < y->channel);
}

static void finish_sleeps(struct ipc *ipc)
{
	size_t i, n = pt_model_task_count(ipc->model);

	for (i = 0; i < n; i++) {
		const struct pt_model_task *task = pt_model_task(ipc->model, i);

		if (pt_task_rows_peek(&ipc->sleeps, task))
			pt_ipc_sleeps_finish(pt_task_rows_get(&ipc->sleeps, task), task);
	}
}

/* What was passed on is part of the picture, used or not. */
static void mark_passed_on(const struct pt_channels *channels, const struct pt_passed *passed)
{
	unsigned int side;
	size_t i;

	for (i = 0; passed && i < passed->thing_count; i++) {
		struct pt_channel *channel =
			pt_channel_find(channels, passed->things[i].object, &side);

		if (channel)
			channel->passed_on = true;
	}
}

static int finish(void *self)
{
	struct ipc *ipc = self;
	struct pt_ipc *result = &ipc->result;
	size_t i;
	int ret = take_early(ipc, 0);

	if (!ret)
		ret = pt_talks_settle(&result->channels);
	finish_sleeps(ipc);
	for (i = 0; !ret && i < result->channels.count; i++) {
		struct pt_channel *channel = result->channels.list[i];

		mark_passed_on(&result->channels, channel->passed);
		ret = begin_queues(ipc, channel);
		for (unsigned int side = 0; !ret && side < 2; side++)
			ret = pt_queue_finish(&channel->side[side].queue, pt_model_end(ipc->model),
					      on_delivery,
					      &(struct delivery_to){ipc, channel, side});
	}
	if (!ret)
		ret = pt_ipc_finish_mailboxes(&result->channels, pt_model_end(ipc->model),
					      on_delivery, &(struct delivery_to){.ipc = ipc});
	if (!ret)
		ret = pt_mapped_finish(&ipc->mapped, &result->channels, ipc->model);
	if (!ret)
		ret = pt_ipc_shared_finish(result);
	for (i = 0; i < result->flow_count; i++) {
		struct pt_flow *flow = result->flows[i];

		flow->unsure |= flow->doubtful && flow->doubtful->unsure;
		flow->unsure |= pt_ipc_is_unsure(result->channels.list[flow->channel], flow->side);
	}
	if (result->flow_count)
		qsort(result->flows, result->flow_count, sizeof(struct pt_flow *), compare_flows);
	return ret;
}

static int start(void **self, struct pt_model *model)
{
	struct ipc *ipc = calloc(1, sizeof(*ipc));
	struct pt_observer observer = {
		.self = ipc, .span = on_span, .record = on_record, .kinds = OUR_KINDS};

	*self = ipc;
	if (!ipc)
		return -ENOMEM;
	ipc->model = model;
	ipc->sleeps.size = sizeof(struct pt_ipc_sleeps);
	return pt_model_observe(model, &observer);
}

static void release(void *self)
{
	struct ipc *ipc = self;

	pt_ipc_flows_clear(&ipc->result);
	free(ipc->early);
	pt_mapped_clear(&ipc->mapped);
	pt_channels_clear(&ipc->result.channels);
	pt_task_rows_clear(&ipc->sleeps);
	free(ipc);
}

const struct pt_analysis_class pt_ipc_class = {
	.name = "ipc",
	.kinds = OUR_KINDS,
	.start = start,
	.finish = finish,
	.free = release,
};
