/* SPDX-License-Identifier: BSD-2-Clause */
/* Who talks to whom: channels with both their ends, and the flows through them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "analysis/ipc.h"
#include "view/section.h"

/* More are summed up: nobody reads on, and a file must not grow without bound. */
#define SHOWN_CHANNELS 4096
#define SHOWN_FLOWS    8192

#define NUMBER_OF(end) ((end)&0x00ffffffffffffffULL)

static const char *const kind_names[] = {
#define S(value, name, text) [value] = text,
	PT_CHANNELS(S)
#undef S
};

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {[1] = "stream", [2] = "dgram", [5] = "seqpacket"};

	return type < PT_ARRAY_SIZE(names) && names[type] ? names[type] : "other";
}

struct place {
	char s[INET6_ADDRSTRLEN + 16];
};

/* "127.0.0.1:80", "[::1]:80"; "" if there is none. */
static struct place place_of(const struct pt_side *side)
{
	struct place place = {""};
	char text[INET6_ADDRSTRLEN];
	uint64_t words[2];
	uint32_t four;

	if (!side->port)
		return place;
	if (!side->address[0] && (side->address[1] >> 32 || side->address[1] > 1)) {
		four = htonl((uint32_t)side->address[1]);
		inet_ntop(AF_INET, &four, text, sizeof(text));
		snprintf(place.s, sizeof(place.s), "%s:%u", text, side->port);
		return place;
	}
	words[0] = __builtin_bswap64(side->address[0]);
	words[1] = __builtin_bswap64(side->address[1]);
	inet_ntop(AF_INET6, words, text, sizeof(text));
	snprintf(place.s, sizeof(place.s), "[%s]:%u", text, side->port);
	return place;
}

static json_t *name_of(const struct pt_channel *channel)
{
	uint64_t first = NUMBER_OF(channel->side[0].end), second = NUMBER_OF(channel->side[1].end);
	struct place a = place_of(&channel->side[0]), b = place_of(&channel->side[1]);
	char name[2 * sizeof(a.s) + 16];

	if (channel->name)
		return pt_json_text(channel->name);
	if (a.s[0])
		snprintf(name, sizeof(name), "%s%s%s", a.s, b.s[0] ? " - " : "", b.s);
	else if (channel->two_sided && second)
		snprintf(name, sizeof(name), "socket:[%llu] - socket:[%llu]",
			 (unsigned long long)first, (unsigned long long)second);
	else
		snprintf(name, sizeof(name), "%s:[%llu]",
			 channel->two_sided ? "socket" : kind_names[channel->kind],
			 (unsigned long long)first);
	return pt_json_text(name);
}

static json_t *who_or_null(const struct pt_model_task *task)
{
	return task ? pt_json_who(task) : json_null();
}

static json_t *traffic_json(const struct pt_traffic *traffic)
{
	json_t *json = json_object();
	int ret = pt_json_put(json, "bytes", pt_json_int(traffic->bytes));

	ret |= pt_json_put(json, "messages", pt_json_int(traffic->messages));
	ret |= pt_json_put(json, "would_block", pt_json_int(traffic->would_block));
	ret |= pt_json_put(json, "failed", pt_json_int(traffic->failed));
	ret |= pt_json_put(json, "empty", pt_json_int(traffic->empty));
	ret |= pt_json_put(json, "fds", pt_json_int(traffic->fds));
	ret |= pt_json_put(json, "blocked_ns", pt_json_int(traffic->blocked_ns));
	if (traffic->blocked_max_task) {
		json_t *longest = pt_json_who(traffic->blocked_max_task);

		ret |= pt_json_put(longest, "ns", pt_json_int(traffic->blocked_max));
		ret |= pt_json_put(longest, "until_ns", pt_json_int(traffic->blocked_max_at));
		ret |= pt_json_put(json, "longest_blocked", longest);
	}
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *holders_json(const struct pt_side *side)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < side->holder_count; i++) {
		const struct pt_holder_of *holder = &side->holders[i];

		ret = json_array_append_new(
			list, json_pack("{s:o, s:o, s:b, s:b}", "pid", pt_json_int(holder->pid),
					"comm", pt_json_text(holder->comm), "reads",
					!!(holder->flags & PT_HOLDER_READS), "writes",
					!!(holder->flags & PT_HOLDER_WRITES)));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *unread_json(const struct pt_channel *channel, unsigned int side)
{
	return pt_ipc_unread_known(channel, side) ? pt_json_int(channel->side[side].queue.bytes)
						  : json_null();
}

static json_t *depth_json(const struct pt_source *source, const struct pt_queue *queue)
{
	uint64_t life = pt_model_end(source->model);
	double mean = life ? queue->depth_ns / (double)life : 0;

	return json_pack("{s:o, s:o, s:o}", "max", pt_json_int(queue->max_bytes), "max_at_ns",
			 pt_json_int(queue->max_at), "mean",
			 pt_json_int(mean < 9e18 ? (uint64_t)mean : INT64_MAX));
}

static json_t *side_json(const struct pt_source *source, const struct pt_channel *channel,
			 unsigned int index)
{
	const struct pt_side *side = &channel->side[index];
	struct place place = place_of(side);
	json_t *json = json_object();
	int ret = pt_json_put(json, "inode", pt_json_int(NUMBER_OF(side->end)));

	if (place.s[0])
		ret |= pt_json_put(json, "address", pt_json_text(place.s));
	ret |= pt_json_put(json, "seen", json_boolean(side->seen));
	ret |= pt_json_put(json, "sent", traffic_json(&side->sent));
	ret |= pt_json_put(json, "received", traffic_json(&side->received));
	ret |= pt_json_put(json, "unread_bytes", unread_json(channel, index));
	ret |= pt_json_put(json, "depth_bytes", depth_json(source, &side->queue));
	ret |= pt_json_put(json, "outside_holders", holders_json(side));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *sum_json(uint64_t bytes, uint64_t messages)
{
	return json_pack("{s:o, s:o}", "bytes", pt_json_int(bytes), "messages",
			 pt_json_int(messages));
}

/* The figures of the whole channel. */
static int put_sums(json_t *json, const struct pt_channel *channel)
{
	const struct pt_side *a = &channel->side[0], *b = &channel->side[1];
	uint64_t sent_fds = a->sent.fds + b->sent.fds, got_fds = a->received.fds + b->received.fds;
	bool first = pt_ipc_unread_known(channel, 0);
	bool second = channel->two_sided && pt_ipc_unread_known(channel, 1);
	int ret = 0;

	ret |= pt_json_put(json, "sent",
			   sum_json(a->sent.bytes + b->sent.bytes,
				    a->sent.messages + b->sent.messages));
	ret |= pt_json_put(json, "received",
			   sum_json(a->received.bytes + b->received.bytes,
				    a->received.messages + b->received.messages));
	ret |= pt_json_put(json, "fds_passed",
			   pt_json_int(sent_fds > got_fds ? sent_fds : got_fds));
	ret |= pt_json_put(json, "would_block",
			   pt_json_int(a->sent.would_block + a->received.would_block +
				       b->sent.would_block + b->received.would_block));
	ret |= pt_json_put(json, "failed",
			   pt_json_int(a->sent.failed + a->received.failed + b->sent.failed +
				       b->received.failed));
	ret |= pt_json_put(
		json, "empty",
		pt_json_int(a->sent.empty + a->received.empty + b->sent.empty + b->received.empty));
	ret |= pt_json_put(json, "unread_bytes",
			   first || second ? pt_json_int((first ? a->queue.bytes : 0) +
							 (second ? b->queue.bytes : 0))
					   : json_null());
	return ret;
}

static json_t *channel_json(const struct pt_source *source, const struct pt_channel *channel)
{
	json_t *json = json_object(), *ends = json_array();
	int ret = pt_json_put(json, "id", pt_json_int(channel->index));

	ret |= pt_json_put(json, "kind", pt_json_text(kind_names[channel->kind]));
	if (channel->type)
		ret |= pt_json_put(json, "type", pt_json_text(type_name(channel->type)));
	ret |= pt_json_put(json, "name", name_of(channel));
	if (channel->kind == PT_CHANNEL_EVENTFD)
		ret |= pt_json_put(json, "eventfd_id", pt_json_int(channel->device));
	ret |= pt_json_put(json, "listens", json_boolean(channel->flags & PT_ENDPOINT_LISTENS));
	ret |= pt_json_put(json, "created_by", who_or_null(channel->creator));
	ret |= pt_json_put(json, "first_ns", pt_json_int(channel->first_ns));
	ret |= put_sums(json, channel);
	ret |= json_array_append_new(ends, side_json(source, channel, 0));
	if (channel->two_sided && (channel->side[1].end || channel->side[1].port))
		ret |= json_array_append_new(ends, side_json(source, channel, 1));
	ret |= pt_json_put(json, "ends", ends);
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

/* Somebody outside of the recording, as far as can be known: who has that side open, or made it, or its address. */
static json_t *outsider_json(const struct pt_channel *channel, unsigned int side, uint32_t flag)
{
	const struct pt_side *own = &channel->side[side];
	struct place place = place_of(own);
	uint32_t pid = channel->two_sided ? channel->side[!side].peer_pid : 0, i;
	/* What was never read went to nobody. */
	bool unread = flag == PT_HOLDER_READS && pt_ipc_unread_known(channel, side);
	json_t *json = json_pack("{s:n, s:n, s:n, s:b}", "tid", "pid", "comm", "outside", !unread);
	int ret = json ? 0 : -1;

	for (i = 0; i < own->holder_count && !(own->holders[i].flags & flag); i++)
		;
	if (i < own->holder_count) {
		ret |= pt_json_put(json, "pid", pt_json_int(own->holders[i].pid));
		ret |= pt_json_put(json, "comm", pt_json_text(own->holders[i].comm));
	} else if (pid && channel->kind == PT_CHANNEL_UNIX && !own->seen) {
		ret |= pt_json_put(json, "pid", pt_json_int(pid));
	}
	if (place.s[0])
		ret |= pt_json_put(json, "address", pt_json_text(place.s));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *party_json(const struct pt_channel *channel, const struct pt_model_task *task,
			  unsigned int side, uint32_t flag)
{
	return task ? pt_json_who(task) : outsider_json(channel, side, flag);
}

static json_t *flow_json(const struct pt_channel *channel, const struct pt_flow *flow)
{
	unsigned int from = channel->two_sided ? !flow->side : flow->side;
	json_t *json = json_object();
	int ret = pt_json_put(json, "channel", pt_json_int(channel->index));

	ret |= pt_json_put(json, "kind", pt_json_text(kind_names[channel->kind]));
	ret |= pt_json_put(json, "from", party_json(channel, flow->from, from, PT_HOLDER_WRITES));
	ret |= pt_json_put(json, "to", party_json(channel, flow->to, flow->side, PT_HOLDER_READS));
	ret |= pt_json_put(json, "self", json_boolean(flow->from && flow->from == flow->to));
	ret |= pt_json_put(json, "bytes", pt_json_int(flow->bytes));
	ret |= pt_json_put(json, "messages", pt_json_int(flow->messages));
	ret |= pt_json_put(json, "latency_ns",
			   flow->latency.count ? pt_json_quantiles(&flow->latency) : json_null());
	ret |= pt_json_put(json, "uncertain", json_boolean(flow->unsure));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static uint64_t weight_of(const struct pt_channel *channel)
{
	const struct pt_side *a = &channel->side[0], *b = &channel->side[1];

	return a->sent.bytes + a->received.bytes + b->sent.bytes + b->received.bytes;
}

static int compare_channels(const void *a, const void *b)
{
	const struct pt_channel *x = *(const struct pt_channel *const *)a;
	const struct pt_channel *y = *(const struct pt_channel *const *)b;

	if (weight_of(x) != weight_of(y))
		return weight_of(x) < weight_of(y) ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

static json_t *channels_json(const struct pt_source *source, size_t *omitted)
{
	const struct pt_channels *channels = &pt_analyses_ipc(source->analyses)->channels;
	const struct pt_channel **sorted = calloc(channels->count + 1, sizeof(*sorted));
	json_t *list = sorted ? json_array() : NULL;
	size_t i, count = 0;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < channels->count; i++) {
		if (pt_ipc_is_used(channels->list[i]))
			sorted[count++] = channels->list[i];
	}
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_channels);
	for (i = 0; !ret && i < count && i < SHOWN_CHANNELS; i++)
		ret = json_array_append_new(list, channel_json(source, sorted[i]));
	*omitted = count - i;
	free(sorted);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *flows_json(const struct pt_source *source)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < ipc->flow_count && i < SHOWN_FLOWS; i++) {
		const struct pt_flow *flow = ipc->flows[i];

		ret = json_array_append_new(list,
					    flow_json(ipc->channels.list[flow->channel], flow));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static bool is_in_cluster(const struct pt_model_task *task)
{
	return task->process->leader && task->process->leader->model == PT_MODEL_CLUSTER;
}

/* What went between threads of a process, between processes, and between a cluster's. */
static json_t *models_json(const struct pt_source *source)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	struct pt_traffic thread = {0}, process = {0}, cluster = {0};
	size_t i;

	for (i = 0; i < ipc->flow_count; i++) {
		const struct pt_flow *flow = ipc->flows[i];
		const struct pt_channel *channel = ipc->channels.list[flow->channel];
		struct pt_traffic *sum = &process;

		if (!flow->from || !flow->to || flow->from == flow->to)
			continue;
		if (flow->from->process == flow->to->process)
			sum = &thread;
		else if (is_in_cluster(flow->from) || is_in_cluster(flow->to))
			sum = &cluster;
		sum->bytes += flow->bytes;
		sum->messages += flow->messages;
		/* Of an eventfd the bytes say nothing: its messages are wake-ups. */
		sum->empty += channel->kind == PT_CHANNEL_EVENTFD ? flow->messages : 0;
	}
	return json_pack("{s:{s:o,s:o,s:o}, s:{s:o,s:o,s:o}, s:{s:o,s:o,s:o}}", "thread", "bytes",
			 pt_json_int(thread.bytes), "messages", pt_json_int(thread.messages),
			 "wakeups", pt_json_int(thread.empty), "process", "bytes",
			 pt_json_int(process.bytes), "messages", pt_json_int(process.messages),
			 "wakeups", pt_json_int(process.empty), "cluster", "bytes",
			 pt_json_int(cluster.bytes), "messages", pt_json_int(cluster.messages),
			 "wakeups", pt_json_int(cluster.empty));
}

static uint64_t lost_transfers(const struct pt_source *source)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < source->loss_count; i++) {
		if (source->losses[i].kind >= PT_KIND_endpoint &&
		    source->losses[i].kind <= PT_KIND_holder)
			sum += source->losses[i].count;
	}
	return sum;
}

json_t *pt_section_ipc(const struct pt_source *source)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	json_t *json = json_object();
	size_t omitted = 0;
	int ret = pt_json_put(json, "channels", channels_json(source, &omitted));

	ret |= pt_json_put(json, "channels_omitted", pt_json_int(omitted));
	ret |= pt_json_put(json, "flows", flows_json(source));
	ret |= pt_json_put(json, "flows_omitted",
			   pt_json_int(ipc->flow_count > SHOWN_FLOWS ? ipc->flow_count - SHOWN_FLOWS
								     : 0));
	ret |= pt_json_put(json, "models", models_json(source));
	ret |= pt_json_put(json, "lost_records", pt_json_int(lost_transfers(source)));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}
