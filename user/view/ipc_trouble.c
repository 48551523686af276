/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels that are slow or backed up, the worst first: those that held loops up, then by time. */
#include <stdlib.h>

#include "analysis/ipc_stalls.h"
#include "base/array.h"
#include "view/ipc_parts.h"

#define SHOWN_TROUBLES 100

/* Waiting of less than this is what a channel is for. */
#define WORTH_NS 10000000
/* Little, written just before the end, is only under way. */
#define UNREAD_BYTES 4096
#define UNREAD_NS    100000000

/* The names go into JSON. */
enum what { WRITER_BLOCKED, READER_BLOCKED, SLOW, UNREAD, FULL };
static const char *const what_names[] = {"writer-blocked", "reader-blocked", "slow", "unread",
					 "full"};

struct trouble {
	enum what what;
	const struct pt_channel *channel;
	unsigned int side;
	uint64_t ns;			  /* how bad */
	const struct pt_ipc_stall *stall; /* NULL: it held no loop up */
	const struct pt_flow *flow;	  /* of a slow one */
};

struct troubles {
	const struct pt_source *source;
	struct trouble *list;
	size_t count, room;
	struct pt_ipc_stalls stalls;
	/* By channel. */
	struct use {
		const struct pt_flow *slowest;	  /* NULL: none was slow */
		const struct pt_process *process; /* that was first seen to use it */
		bool shared;			  /* others did, too */
	} * uses;
};

static int add(struct troubles *troubles, const struct trouble *trouble)
{
	struct trouble *grown =
		pt_array_grow(troubles->list, troubles->count, &troubles->room, sizeof(*grown));

	if (!grown)
		return -1;
	troubles->list = grown;
	grown[troubles->count++] = *trouble;
	return 0;
}

static const struct pt_ipc_stall *stall_of(const struct troubles *troubles,
					   const struct pt_channel *channel, unsigned int side,
					   bool sends)
{
	size_t i;

	for (i = 0; i < troubles->stalls.count; i++) {
		const struct pt_ipc_stall *s = &troubles->stalls.list[i];

		if (s->channel == channel && s->side == side && s->sends == sends)
			return s;
	}
	return NULL;
}

/* How long what is still unread has lain there, 0: that is nothing worth telling. */
static uint64_t unread_age(const struct troubles *troubles, const struct pt_channel *channel,
			   unsigned int side)
{
	const struct pt_queue *queue = &channel->side[side].queue;
	uint64_t oldest = pt_queue_oldest(queue), end = pt_model_end(troubles->source->model);
	uint64_t age = end > oldest ? end - oldest : 0;

	if (!queue->bytes || channel->kind == PT_CHANNEL_EVENTFD ||
	    !pt_ipc_unread_known(channel, side))
		return 0;
	/* A process that writes to itself, as runtimes do to wake themselves, knows what it leaves behind. */
	if (queue->bytes < UNREAD_BYTES && !troubles->uses[channel->index].shared)
		return 0;
	return queue->bytes >= UNREAD_BYTES || age >= UNREAD_NS ? age : 0;
}

static int look_at_side(struct troubles *troubles, const struct pt_channel *channel,
			unsigned int side)
{
	const struct pt_side *own = &channel->side[side];
	struct trouble trouble = {.channel = channel, .side = side};
	int ret = 0;

	trouble.stall = stall_of(troubles, channel, side, false);
	trouble.what = READER_BLOCKED;
	trouble.ns = trouble.stall ? trouble.stall->ns : 0;
	if (trouble.stall)
		ret = add(troubles, &trouble);
	trouble.stall = stall_of(troubles, channel, side, true);
	trouble.what = WRITER_BLOCKED;
	trouble.ns = own->sent.blocked_ns;
	if (!ret && (own->sent.blocked_max >= WORTH_NS || trouble.stall))
		return add(troubles, &trouble);
	trouble.what = FULL;
	trouble.ns = 0;
	return !ret && own->sent.would_block ? add(troubles, &trouble) : ret;
}

static int look_at(struct troubles *troubles, const struct pt_channel *channel)
{
	const struct pt_flow *slowest = troubles->uses[channel->index].slowest;
	bool known = false;
	size_t before = troubles->count, i;
	unsigned int side;
	int ret = 0;

	for (side = 0; !ret && side < 2; side++)
		ret = look_at_side(troubles, channel, side);
	for (i = before; i < troubles->count; i++)
		known |= troubles->list[i].what == WRITER_BLOCKED;
	if (!ret && slowest && !known)
		ret = add(troubles,
			  &(struct trouble){.what = SLOW,
					    .channel = channel,
					    .side = slowest->side,
					    .ns = pt_histogram_quantile(&slowest->latency, 0.99),
					    .flow = slowest});
	for (side = 0; !ret && side < 2; side++) {
		uint64_t age = unread_age(troubles, channel, side);

		if (age)
			ret = add(troubles, &(struct trouble){.what = UNREAD,
							      .channel = channel,
							      .side = side,
							      .ns = age});
	}
	return ret;
}

static void note_user(struct use *use, const struct pt_model_task *task)
{
	if (!task)
		return;
	use->shared |= use->process && use->process != task->process;
	use->process = task->process;
}

/* Of each channel who used it, and the flow whose messages lay there longest, if that was long. */
static int find_uses(struct troubles *troubles, const struct pt_ipc *ipc)
{
	size_t i;

	troubles->uses = calloc(ipc->channels.count + 1, sizeof(*troubles->uses));
	if (!troubles->uses)
		return -1;
	for (i = 0; i < ipc->flow_count; i++) {
		const struct pt_flow *flow = ipc->flows[i];
		struct use *use = &troubles->uses[flow->channel];
		uint64_t p99 = pt_histogram_quantile(&flow->latency, 0.99);

		note_user(use, flow->from);
		note_user(use, flow->to);
		if (p99 < WORTH_NS || flow->from == flow->to || flow->unsure)
			continue;
		if (!use->slowest || p99 > pt_histogram_quantile(&use->slowest->latency, 0.99))
			use->slowest = flow;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct trouble *x = a, *y = b;
	uint64_t p = x->stall ? x->stall->ns : 0, q = y->stall ? y->stall->ns : 0;

	if (p != q)
		return p < q ? 1 : -1;
	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	if (x->channel != y->channel)
		return x->channel->index < y->channel->index ? -1 : 1;
	return x->what != y->what ? (int)x->what - (int)y->what : (int)x->side - (int)y->side;
}

static json_t *stall_json(const struct pt_ipc_stall *stall)
{
	const struct pt_stall *worst = stall->worst;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "count", pt_json_int(stall->count), "ns",
			 pt_json_int(stall->ns), "loop", pt_json_int(worst->loop->index),
			 "worst_ns", pt_json_int(stall->worst_ns), "worst_start_ns",
			 pt_json_int(worst->from), "worst_duration_ns",
			 pt_json_int(worst->to - worst->from));
}

/* Who was blocked, and who did not read, or write. */
static int put_blocked(json_t *json, const struct troubles *troubles, const struct trouble *trouble)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(troubles->source->analyses);
	const struct pt_channel *channel = trouble->channel;
	const struct pt_side *own = &channel->side[trouble->side];
	bool sends = trouble->what == WRITER_BLOCKED;
	const struct pt_traffic *traffic = sends ? &own->sent : &own->received;
	const struct pt_model_task *task =
		trouble->stall ? trouble->stall->worst->loop->task : traffic->blocked_max_task;
	const struct pt_flow *flow = pt_ipc_partner(ipc, channel, trouble->side, task, sends);
	unsigned int other = channel->two_sided ? !trouble->side : trouble->side;
	int ret = pt_json_put(json, "who", task ? pt_json_who(task) : json_null());

	ret |= pt_json_put(json, "other",
			   pt_ipc_party(channel, flow ? (sends ? flow->to : flow->from) : NULL,
					other, sends ? PT_HOLDER_READS : PT_HOLDER_WRITES));
	ret |= pt_json_put(json, "longest_ns", pt_json_int(traffic->blocked_max));
	ret |= pt_json_put(json, "until_ns", pt_json_int(traffic->blocked_max_at));
	ret |= pt_json_put(json, "at_the_end",
			   json_boolean(traffic->blocked_max &&
					traffic->blocked_max_at >=
						pt_model_end(troubles->source->model)));
	return ret;
}

static int put_flow(json_t *json, const struct trouble *trouble)
{
	int ret = pt_json_put(json, "who", pt_ipc_from(trouble->channel, trouble->flow));

	ret |= pt_json_put(json, "other", pt_ipc_to(trouble->channel, trouble->flow));
	return ret | pt_json_put(json, "latency_ns", pt_json_quantiles(&trouble->flow->latency));
}

static int put_details(json_t *json, const struct troubles *troubles, const struct trouble *trouble)
{
	const struct pt_side *own = &trouble->channel->side[trouble->side];

	switch (trouble->what) {
	case WRITER_BLOCKED:
	case READER_BLOCKED:
		return put_blocked(json, troubles, trouble);
	case SLOW:
		return put_flow(json, trouble);
	case UNREAD:
		return pt_json_put(json, "bytes", pt_json_int(own->queue.bytes));
	default:
		return pt_json_put(json, "would_block", pt_json_int(own->sent.would_block));
	}
}

static json_t *trouble_json(const struct troubles *troubles, const struct trouble *trouble)
{
	json_t *json = json_object();
	int ret = pt_json_put(json, "what", json_string(what_names[trouble->what]));

	ret |= pt_json_put(json, "channel", pt_json_int(trouble->channel->index));
	ret |= pt_json_put(json, "kind", pt_json_text(pt_ipc_kind(trouble->channel)));
	ret |= pt_json_put(json, "name", pt_ipc_name(trouble->channel));
	ret |= pt_json_put(json, "ns", pt_json_int(trouble->ns));
	ret |= put_details(json, troubles, trouble);
	ret |= pt_json_put(json, "stalls",
			   trouble->stall ? stall_json(trouble->stall) : json_null());
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static int find_all(struct troubles *troubles)
{
	const struct pt_analyses *analyses = troubles->source->analyses;
	const struct pt_ipc *ipc = pt_analyses_ipc(analyses);
	size_t i;
	int ret = pt_ipc_stalls_find(&troubles->stalls, analyses, troubles->source->meta->arch);

	if (!ret)
		ret = find_uses(troubles, ipc);
	for (i = 0; !ret && i < ipc->channels.count; i++)
		ret = look_at(troubles, ipc->channels.list[i]);
	if (troubles->count)
		qsort(troubles->list, troubles->count, sizeof(*troubles->list), compare);
	return ret;
}

json_t *pt_ipc_trouble(const struct pt_source *source)
{
	struct troubles troubles = {.source = source};
	json_t *list = json_array();
	size_t i;
	int ret = list ? find_all(&troubles) : -1;

	for (i = 0; !ret && i < troubles.count && i < SHOWN_TROUBLES; i++)
		ret = json_array_append_new(list, trouble_json(&troubles, &troubles.list[i]));
	free(troubles.list);
	free(troubles.stalls.list);
	free(troubles.uses);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
