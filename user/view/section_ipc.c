/* SPDX-License-Identifier: BSD-2-Clause */
/* Who talks to whom: channels with both their ends, and the flows through them. */
#include <stdlib.h>
#include <string.h>

#include "analysis/rings.h"
#include "view/ipc_parts.h"

/* More are summed up: nobody reads on, and a file must not grow without bound. */
#define SHOWN_CHANNELS 4096
#define SHOWN_FLOWS    8192

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {[1] = "stream", [2] = "dgram", [5] = "seqpacket"};

	return type < PT_ARRAY_SIZE(names) && names[type] ? names[type] : "other";
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

/* Who has that open, and is not recorded; of shared memory: whoever maps it. */
static json_t *holders_json(const struct pt_side *side, bool maps)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < side->holder_count; i++) {
		const struct pt_holder_of *holder = &side->holders[i];
		json_t *json = json_pack("{s:o, s:o, s:b, s:b}", "pid", pt_json_int(holder->pid),
					 "comm", pt_json_text(holder->comm), "reads",
					 !!(holder->flags & PT_HOLDER_READS), "writes",
					 !!(holder->flags & PT_HOLDER_WRITES));

		if (maps)
			ret = pt_json_put(json, "inherited",
					  json_boolean(holder->flags & PT_HOLDER_INHERITED));
		ret |= json_array_append_new(list, json);
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *unread_json(const struct pt_channel *channel, unsigned int side)
{
	uint64_t bytes;

	return pt_ipc_unread(channel, side, &bytes) ? pt_json_int(bytes) : json_null();
}

/* What the kernel counts at this side, of a TCP socket that was still open. */
static json_t *kernel_json(const struct pt_tcp_side *tcp)
{
	if (!tcp->left)
		return json_null();
	return json_pack("{s:o, s:o}", "unread_bytes", pt_json_int(tcp->unread), "unacked_bytes",
			 pt_json_int(tcp->unacked));
}

static json_t *depth_json(const struct pt_source *source, const struct pt_gauge *gauge)
{
	uint64_t life = pt_model_end(source->model);
	double mean = life ? gauge->area / (double)life : 0;

	return json_pack("{s:o, s:o, s:o, s:b}", "max", pt_json_int(gauge->max), "max_at_ns",
			 pt_json_int(gauge->max_at), "mean",
			 pt_json_int(mean < 9e18 ? (uint64_t)mean : INT64_MAX), "estimated",
			 gauge->estimated);
}

/* One figure for each step, of which all are equally long. */
static json_t *steps_json(const struct pt_depth *depth, bool mean)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < depth->count; i++) {
		const struct pt_depth_step *step = &depth->steps[i];
		double average = step->area / (double)depth->width;

		ret = json_array_append_new(list, pt_json_int(!mean	       ? step->max
							      : average < 9e18 ? (uint64_t)average
									       : INT64_MAX));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *series_json(const struct pt_depth *depth)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "start_ns", pt_json_int(depth->start), "step_ns",
			 pt_json_int(depth->width), "max", steps_json(depth, false), "mean",
			 steps_json(depth, true));
}

static json_t *sum_json(uint64_t bytes, uint64_t messages)
{
	return json_pack("{s:o, s:o}", "bytes", pt_json_int(bytes), "messages",
			 pt_json_int(messages));
}

static json_t *side_json(const struct pt_source *source, const struct pt_channel *channel,
			 unsigned int index)
{
	const struct pt_side *side = &channel->side[index];
	struct pt_place place = pt_ipc_place(side, true);
	const struct pt_gauge *gauge = &side->queue.gauge;
	bool dated = pt_ipc_depth_known(channel);
	json_t *json = json_object();
	int ret = pt_json_put(json, "inode", pt_json_int(PT_NUMBER_OF(side->end)));

	if (place.s[0])
		ret |= pt_json_put(json, "address", pt_json_text(place.s));
	ret |= pt_json_put(json, "seen", json_boolean(side->seen));
	ret |= pt_json_put(json, "sent", traffic_json(&side->sent));
	ret |= pt_json_put(json, "received", traffic_json(&side->received));
	ret |= pt_json_put(json, "unread_bytes", unread_json(channel, index));
	ret |= pt_json_put(json, "depth_bytes", dated ? depth_json(source, gauge) : json_null());
	if (gauge->steps && dated)
		ret |= pt_json_put(json, "depth_series", series_json(gauge->steps));
	ret |= pt_json_put(json, "before_bytes",
			   side->queue.begun && !(channel->flags & PT_ENDPOINT_UNSURE)
				   ? json_integer(side->queue.before)
				   : json_null());
	if (channel->kind == PT_CHANNEL_TCP) {
		ret |= pt_json_put(json, "unfinished_bytes",
				   pt_json_int(channel->side[!index].queue.unfinished));
		ret |= pt_json_put(json, "kernel", kernel_json(&side->tcp));
	}
	if (channel->kind != PT_CHANNEL_SHARED)
		ret |= pt_json_put(json, "outside_holders", holders_json(side, false));
	if (channel->kind == PT_CHANNEL_UDP)
		ret |= pt_json_put(json, "dropped",
				   sum_json(side->queue.lost_bytes, side->queue.lost_units));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

/* The figures of the whole channel. */
static int put_sums(json_t *json, const struct pt_channel *channel)
{
	const struct pt_side *a = &channel->side[0], *b = &channel->side[1];
	uint64_t sent_fds = a->sent.fds + b->sent.fds, got_fds = a->received.fds + b->received.fds;
	uint64_t first_bytes, second_bytes;
	bool first = pt_ipc_unread(channel, 0, &first_bytes);
	bool second = channel->two_sided && pt_ipc_unread(channel, 1, &second_bytes);
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
			   first || second ? pt_json_int((first ? first_bytes : 0) +
							 (second ? second_bytes : 0))
					   : json_null());
	return ret;
}

static json_t *channel_json(const struct pt_source *source, const struct pt_channel *channel)
{
	json_t *json = json_object(), *ends = json_array();
	int ret = pt_json_put(json, "id", pt_json_int(channel->index));

	ret |= pt_json_put(json, "kind", pt_json_text(pt_ipc_kind(channel)));
	if (channel->type)
		ret |= pt_json_put(json, "type", pt_json_text(type_name(channel->type)));
	ret |= pt_json_put(json, "name", pt_ipc_name(channel));
	if (channel->kind == PT_CHANNEL_EVENTFD)
		ret |= pt_json_put(json, "eventfd_id", pt_json_int(channel->device));
	ret |= pt_json_put(json, "listens", json_boolean(channel->flags & PT_ENDPOINT_LISTENS));
	ret |= pt_json_put(json, "created_by", who_or_null(channel->creator));
	ret |= pt_json_put(json, "first_ns", pt_json_int(channel->first_ns));
	if (channel->kind == PT_CHANNEL_SHARED) {
		ret |= pt_json_put(json, "mapped_bytes", pt_json_int(channel->mapped));
		ret |= pt_json_put(json, "mapped_by", holders_json(&channel->side[0], true));
		ret |= pt_json_put(json, "mapped_by_omitted",
				   pt_json_int(channel->side[0].holders_omitted));
	}
	ret |= put_sums(json, channel);
	if (channel->passed)
		ret |= pt_ipc_put_passed(json, &pt_analyses_ipc(source->analyses)->channels,
					 channel->passed);
	ret |= json_array_append_new(ends, side_json(source, channel, 0));
	if (channel->two_sided && (channel->side[1].end || channel->side[1].port))
		ret |= json_array_append_new(ends, side_json(source, channel, 1));
	ret |= pt_json_put(json, "ends", ends);
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *flow_json(const struct pt_channel *channel, const struct pt_flow *flow)
{
	json_t *json = json_object();
	int ret = pt_json_put(json, "channel", pt_json_int(channel->index));

	ret |= pt_json_put(json, "kind", pt_json_text(pt_ipc_kind(channel)));
	ret |= pt_json_put(json, "from", pt_ipc_from(channel, flow));
	ret |= pt_json_put(json, "to", pt_ipc_to(channel, flow));
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

/* What went between tasks of one kind. */
struct sum {
	uint64_t bytes, messages;
	uint64_t eventfds; /* of the messages, which wake and say nothing else */
	uint64_t futexes;  /* wake-ups that are no messages */
};

static void add_to_sum(struct sum *sum, const struct pt_channel *channel,
		       const struct pt_flow *flow)
{
	if (pt_ipc_carries_no_bytes(channel)) {
		sum->futexes += flow->messages;
		return;
	}
	sum->bytes += flow->bytes;
	sum->messages += flow->messages;
	sum->eventfds += channel->kind == PT_CHANNEL_EVENTFD ? flow->messages : 0;
}

static json_t *kind_json(const struct sum *sum)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "bytes", pt_json_int(sum->bytes), "messages",
			 pt_json_int(sum->messages), "wakeups", pt_json_int(sum->eventfds),
			 "futex_wakeups", pt_json_int(sum->futexes));
}

/* Between threads of a process, between processes, and between a cluster's. */
static json_t *models_json(const struct pt_source *source)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	struct sum thread = {0}, process = {0}, cluster = {0};
	size_t i;

	for (i = 0; i < ipc->flow_count; i++) {
		const struct pt_flow *flow = ipc->flows[i];
		struct sum *sum = &process;

		if (!flow->from || !flow->to || flow->from == flow->to)
			continue;
		if (flow->from->process == flow->to->process)
			sum = &thread;
		else if (is_in_cluster(flow->from) || is_in_cluster(flow->to))
			sum = &cluster;
		add_to_sum(sum, ipc->channels.list[flow->channel], flow);
	}
	return json_pack("{s:o, s:o, s:o}", "thread", kind_json(&thread), "process",
			 kind_json(&process), "cluster", kind_json(&cluster));
}

/* Processes that use io_uring; not each of their tasks. */
static json_t *rings_json(const struct pt_source *source)
{
	const struct pt_rings *rings = pt_analyses_rings(source->analyses);
	json_t *list = json_array();
	int ret = list ? 0 : -1;
	size_t i;

	for (i = 0; !ret && i < rings->count; i++) {
		const struct pt_ring_user *user = &rings->users[i];
		json_t *json = pt_json_who(user->process->leader);

		ret = pt_json_put(json, "seen", json_boolean(source->meta->sees_io_uring));
		ret |= pt_json_put(json, "transfers", pt_json_int(user->told));
		ret |= pt_json_put(json, "not_attributed", pt_json_int(user->untold));
		ret |= json_array_append_new(list, json);
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

/* Processes whose calls are of 32 bits. */
static json_t *compat_json(const struct pt_source *source)
{
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < pt_model_process_count(source->model); i++) {
		const struct pt_process *process = pt_model_process(source->model, i);

		if (process->compat && process->leader)
			ret = json_array_append_new(list, pt_json_who(process->leader));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static uint64_t lost_transfers(const struct pt_source *source)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < source->loss_count; i++) {
		if (source->losses[i].kind >= PT_KIND_endpoint &&
		    source->losses[i].kind <= PT_KIND_leftover)
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
	ret |= pt_ipc_put_pairs(json, source);
	ret |= pt_json_put(json, "trouble", pt_ipc_trouble(source));
	ret |= pt_json_put(json, "models", models_json(source));
	ret |= pt_json_put(json, "io_uring", rings_json(source));
	ret |= pt_json_put(json, "compat", compat_json(source));
	ret |= pt_json_put(json, "lost_records", pt_json_int(lost_transfers(source)));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}
