/* SPDX-License-Identifier: BSD-2-Clause */
/* How channels and those at their sides are called. */
#include <stdio.h>

#include "view/ipc_parts.h"

static const char *const kind_names[] = {
#define S(value, name, text) [value] = text,
	PT_CHANNELS(S)
#undef S
};

const char *pt_ipc_kind(const struct pt_channel *channel)
{
	return kind_names[channel->kind];
}

const char *pt_ipc_kind_name(int kind)
{
	return kind_names[kind];
}

struct place {
	char s[INET6_ADDRSTRLEN + 16];
};

struct pt_place pt_ipc_place(const struct pt_side *side, bool with_port)
{
	struct pt_place place = {""};
	char text[INET6_ADDRSTRLEN], port[16] = "";
	uint64_t words[2] = {__builtin_bswap64(side->address[0]),
			     __builtin_bswap64(side->address[1])};
	uint32_t four = htonl((uint32_t)side->address[1]);
	bool is_four = side->four ||
		       (!side->address[0] && !(side->address[1] >> 32) && side->address[1] > 1);

	if (!side->port)
		return place;
	if (with_port)
		snprintf(port, sizeof(port), ":%u", side->port);
	inet_ntop(is_four ? AF_INET : AF_INET6, is_four ? (void *)&four : words, text,
		  sizeof(text));
	snprintf(place.s, sizeof(place.s), is_four ? "%s%s" : "[%s]%s", text, port);
	return place;
}

json_t *pt_ipc_name(const struct pt_channel *channel)
{
	const struct pt_side *first = &channel->side[0], *second = &channel->side[1];
	struct pt_place a = pt_ipc_place(first, true), b = pt_ipc_place(second, true);
	char name[2 * sizeof(a.s) + 16];

	if (channel->name)
		return pt_json_text(channel->name);
	if (a.s[0])
		snprintf(name, sizeof(name), "%s%s%s", a.s, b.s[0] ? " - " : "", b.s);
	else if (channel->two_sided && second->end)
		snprintf(name, sizeof(name), "socket:[%llu] - socket:[%llu]",
			 (unsigned long long)PT_NUMBER_OF(first->end),
			 (unsigned long long)PT_NUMBER_OF(second->end));
	else
		snprintf(name, sizeof(name), "%s:[%llu]",
			 channel->two_sided ? "socket" : pt_ipc_kind(channel),
			 (unsigned long long)PT_NUMBER_OF(first->end));
	return pt_json_text(name);
}

const struct pt_holder_of *pt_ipc_holder(const struct pt_side *side, uint32_t flag)
{
	uint32_t i;

	for (i = 0; i < side->holder_count; i++) {
		if (side->holders[i].flags & flag)
			return &side->holders[i];
	}
	return NULL;
}

/* Somebody outside of the recording, as far as can be known: who has that side open, or made it, or its address. */
static json_t *outsider(const struct pt_channel *channel, unsigned int side, uint32_t flag)
{
	const struct pt_side *own = &channel->side[side];
	const struct pt_holder_of *holder = pt_ipc_holder(own, flag);
	struct pt_place place = pt_ipc_place(own, true);
	uint32_t pid = channel->two_sided ? channel->side[!side].peer_pid : 0;
	/* What was never read went to nobody. */
	bool unread = flag == PT_HOLDER_READS && pt_ipc_is_nobodys(channel, side);
	json_t *json = json_pack("{s:n, s:n, s:n, s:b}", "tid", "pid", "comm", "outside", !unread);
	int ret = json ? 0 : -1;

	if (holder) {
		ret |= pt_json_put(json, "pid", pt_json_int(holder->pid));
		ret |= pt_json_put(json, "comm", pt_json_text(holder->comm));
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

json_t *pt_ipc_party(const struct pt_channel *channel, const struct pt_model_task *task,
		     unsigned int side, uint32_t flag)
{
	json_t *json;

	if (!task)
		return outsider(channel, side, flag);
	json = pt_json_who(task);
	if (task->target || !task->process->pid || !pt_json_put(json, "outside", json_true()))
		return json;
	json_decref(json);
	return NULL;
}

/* Somebody outside with whom a socket exchanges datagrams. */
static json_t *stranger(const struct pt_talk_of *talk, uint32_t flag)
{
	const struct pt_holder_of *holder =
		talk->outside ? pt_ipc_holder(talk->outside, flag) : NULL;
	const struct pt_side side = {.address = {talk->address[0], talk->address[1]},
				     .port = talk->port};
	struct pt_place place = pt_ipc_place(&side, true);
	json_t *json = json_pack("{s:n, s:n, s:n, s:b}", "tid", "pid", "comm", "outside", true);
	int ret = json ? 0 : -1;

	if (holder) {
		ret |= pt_json_put(json, "pid", pt_json_int(holder->pid));
		ret |= pt_json_put(json, "comm", pt_json_text(holder->comm));
	}
	if (place.s[0])
		ret |= pt_json_put(json, "address", pt_json_text(place.s));
	else if (talk->name)
		ret |= pt_json_put(json, "address", pt_json_text(talk->name));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

json_t *pt_ipc_from(const struct pt_channel *channel, const struct pt_flow *flow)
{
	unsigned int from = channel->two_sided ? !flow->side : flow->side;

	if (!flow->from && flow->talk)
		return stranger(flow->talk, PT_HOLDER_WRITES);
	return pt_ipc_party(channel, flow->from, from, PT_HOLDER_WRITES);
}

json_t *pt_ipc_to(const struct pt_channel *channel, const struct pt_flow *flow)
{
	if (!flow->to && flow->talk)
		return stranger(flow->talk, PT_HOLDER_READS);
	return pt_ipc_party(channel, flow->to, flow->side, PT_HOLDER_READS);
}
