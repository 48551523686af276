/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sent how much to whom, through however many channels: a server's thousand connections are one line. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/keymap.h"
#include "view/ipc_parts.h"

#define SHOWN_PAIRS   2048
#define PARTIES_LIMIT 8 /* of a matrix */

/* Flows from one to the other, through channels of one kind. */
struct pair {
	const struct pt_channel *channel; /* the first */
	const struct pt_flow *flow;	  /* likewise */
	uint64_t bytes, messages, channels;
	struct pt_histogram latency;
	bool unsure;
};

struct pairs {
	struct pair **list;
	size_t count, room;
	struct pt_keymap by_key;
};

/* Who, outside, is the other party of a flow; NULL: not known. */
static const struct pt_holder_of *holder_of(const struct pt_channel *channel,
					    const struct pt_flow *flow, unsigned int side,
					    uint32_t flag)
{
	if (!flow->talk)
		return pt_ipc_holder(&channel->side[side], flag);
	return flow->talk->outside ? pt_ipc_holder(flow->talk->outside, flag) : NULL;
}

/* A task, or somebody outside: by pid, else by address, else by the channel. */
static uint64_t mix_party(uint64_t hash, const struct pt_channel *channel,
			  const struct pt_flow *flow, const struct pt_model_task *task,
			  unsigned int side, uint32_t flag)
{
	const struct pt_side *own = &channel->side[side];
	const struct pt_holder_of *holder = holder_of(channel, flow, side, flag);

	if (task)
		return pt_hash_mix(pt_hash_mix(hash, 1), task->index);
	if (holder)
		return pt_hash_mix(pt_hash_mix(hash, 2), holder->pid);
	if (flow->talk && flow->talk->port)
		return pt_hash_mix(pt_hash_mix(pt_hash_mix(hash, 3), flow->talk->address[0]),
				   flow->talk->address[1]);
	if (flow->talk && flow->talk->name)
		return pt_hash_mix(hash, (uintptr_t)flow->talk);
	if (own->port)
		return pt_hash_mix(pt_hash_mix(pt_hash_mix(hash, 3), own->address[0]),
				   own->address[1]);
	return pt_hash_mix(pt_hash_mix(hash, 4), own->end);
}

static uint64_t key_of(const struct pt_channel *channel, const struct pt_flow *flow)
{
	unsigned int from = channel->two_sided ? !flow->side : flow->side;
	uint64_t hash = mix_party(channel->kind, channel, flow, flow->from, from, PT_HOLDER_WRITES);

	return mix_party(hash, channel, flow, flow->to, flow->side, PT_HOLDER_READS);
}

static struct pair *pair_of(struct pairs *pairs, const struct pt_channel *channel,
			    const struct pt_flow *flow)
{
	uint64_t key = key_of(channel, flow);
	struct pair *pair = pt_keymap_get(&pairs->by_key, key), **grown;

	if (pair)
		return pair;
	grown = pt_array_grow(pairs->list, pairs->count, &pairs->room, sizeof(*grown));
	if (!grown)
		return NULL;
	pairs->list = grown;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->channel = channel;
	pair->flow = flow;
	pairs->list[pairs->count++] = pair;
	return pt_keymap_put(&pairs->by_key, key, pair) ? NULL : pair;
}

static int add_flow(struct pairs *pairs, const struct pt_channel *channel,
		    const struct pt_flow *flow)
{
	struct pair *pair = pair_of(pairs, channel, flow);

	if (!pair)
		return -1;
	pair->bytes += flow->bytes;
	pair->messages += flow->messages;
	pair->channels++;
	pair->unsure |= flow->unsure;
	return pt_histogram_merge(&pair->latency, &flow->latency);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = *(const struct pair *const *)a, *y = *(const struct pair *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->messages != y->messages)
		return x->messages < y->messages ? 1 : -1;
	return (x->channel->index > y->channel->index) - (x->channel->index < y->channel->index);
}

static json_t *pair_json(const struct pair *pair)
{
	json_t *json = json_object();
	int ret = pt_json_put(json, "kind", pt_json_text(pt_ipc_kind(pair->channel)));

	ret |= pt_json_put(json, "from", pt_ipc_from(pair->channel, pair->flow));
	ret |= pt_json_put(json, "to", pt_ipc_to(pair->channel, pair->flow));
	ret |= pt_json_put(json, "channels", pt_json_int(pair->channels));
	ret |= pt_json_put(json, "channel", pt_json_int(pair->channel->index));
	ret |= pt_json_put(json, "name", pt_ipc_name(pair->channel));
	ret |= pt_json_put(json, "bytes", pt_json_int(pair->bytes));
	ret |= pt_json_put(json, "messages", pt_json_int(pair->messages));
	ret |= pt_json_put(json, "latency_ns",
			   pair->latency.count ? pt_json_quantiles(&pair->latency) : json_null());
	ret |= pt_json_put(json, "uncertain", json_boolean(pair->unsure));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *pairs_json(const struct pairs *pairs)
{
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < pairs->count && i < SHOWN_PAIRS; i++)
		ret = json_array_append_new(list, pair_json(pairs->list[i]));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

/* A process, or all that is outside of the recording: pid 0. */
struct party {
	uint64_t pid;
	const char *comm;
};

struct matrix {
	struct party parties[PARTIES_LIMIT];
	uint64_t bytes[PARTIES_LIMIT][PARTIES_LIMIT]; /* from, to */
	size_t count;
};

static size_t party_of(struct matrix *matrix, const struct pair *pair,
		       const struct pt_model_task *task, unsigned int side, uint32_t flag)
{
	const struct pt_holder_of *holder = holder_of(pair->channel, pair->flow, side, flag);
	struct party party = {0, "outside"};
	size_t i;

	if (task)
		party = (struct party){task->process->pid,
				       pt_task_name(task->process->leader ? task->process->leader
									  : task)};
	else if (holder)
		party = (struct party){holder->pid, holder->comm};
	for (i = 0; i < matrix->count && matrix->parties[i].pid != party.pid; i++)
		;
	if (i == matrix->count && i < PARTIES_LIMIT)
		matrix->parties[matrix->count++] = party;
	return i;
}

/* False: there are too many. */
static bool add_to_matrix(struct matrix *matrix, const struct pair *pair)
{
	const struct pt_channel *channel = pair->channel;
	const struct pt_flow *flow = pair->flow;
	unsigned int side = channel->two_sided ? !flow->side : flow->side;
	size_t from, to;

	if (!flow->to && !flow->talk && pt_ipc_is_nobodys(channel, flow->side))
		return true; /* it went to nobody */
	from = party_of(matrix, pair, flow->from, side, PT_HOLDER_WRITES);
	to = party_of(matrix, pair, flow->to, flow->side, PT_HOLDER_READS);
	if (from == PARTIES_LIMIT || to == PARTIES_LIMIT)
		return false;
	matrix->bytes[from][to] += pair->bytes;
	return true;
}

static json_t *row_json(const struct matrix *matrix, size_t from)
{
	const struct party *party = &matrix->parties[from];
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < matrix->count; i++)
		ret = json_array_append_new(list, pt_json_int(matrix->bytes[from][i]));
	if (!ret)
		return json_pack("{s:o, s:o, s:o}", "pid", pt_json_int(party->pid), "comm",
				 pt_json_text(party->comm), "bytes_to", list);
	json_decref(list);
	return NULL;
}

/* One row for each process: what it sent to each. Empty if there are more than a few. */
static json_t *matrix_json(const struct pairs *pairs)
{
	struct matrix matrix = {.count = 0};
	json_t *list = json_array();
	bool fits = true;
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; fits && i < pairs->count; i++) {
		if (pairs->list[i]->bytes)
			fits = add_to_matrix(&matrix, pairs->list[i]);
	}
	for (i = 0; !ret && fits && i < matrix.count; i++)
		ret = json_array_append_new(list, row_json(&matrix, i));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

int pt_ipc_put_pairs(json_t *json, const struct pt_source *source)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	struct pairs pairs = {.count = 0};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < ipc->flow_count; i++) {
		const struct pt_flow *flow = ipc->flows[i];

		ret = add_flow(&pairs, ipc->channels.list[flow->channel], flow);
	}
	if (pairs.count)
		qsort(pairs.list, pairs.count, sizeof(struct pair *), compare_pairs);
	if (!ret) {
		ret = pt_json_put(json, "pairs", pairs_json(&pairs));
		ret |= pt_json_put(json, "pairs_omitted",
				   pt_json_int(pairs.count > SHOWN_PAIRS ? pairs.count - SHOWN_PAIRS
									 : 0));
		ret |= pt_json_put(json, "matrix", matrix_json(&pairs));
	}
	for (i = 0; i < pairs.count; i++) {
		pt_histogram_clear(&pairs.list[i]->latency);
		free(pairs.list[i]);
	}
	free(pairs.list);
	pt_keymap_clear(&pairs.by_key);
	return ret;
}
