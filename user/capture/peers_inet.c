/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/peers_inet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/parse.h"
#include "capture/peers_proc.h"

#define NETWORKS_MAX 8 /* namespaces of one look */

/* The same for both sides of a connection. */
static struct pt_inet_side *slot_of(struct pt_inet_peers *peers, const struct pt_inet_side *side)
{
	uint64_t local = pt_hash_mix(pt_hash_mix(side->local[0], side->local[1]), side->local_port);
	uint64_t remote =
		pt_hash_mix(pt_hash_mix(side->remote[0], side->remote[1]), side->remote_port);

	return &peers->slots[pt_hash_mix(local + remote, local ^ remote) % PT_INET_SLOTS];
}

static bool are_opposite(const struct pt_inet_side *a, const struct pt_inet_side *b)
{
	return a->local_port == b->remote_port && a->remote_port == b->local_port &&
	       !memcmp(a->local, b->remote, sizeof(a->local)) &&
	       !memcmp(a->remote, b->local, sizeof(a->remote));
}

void pt_inet_note(struct pt_inet_peers *peers, const struct pt_endpoint *row)
{
	struct pt_inet_side side = {
		.end = row->end,
		.local = {row->local_high, row->local_low},
		.remote = {row->peer_high, row->peer_low},
		.tid = row->tid,
		.network = row->network,
		.local_port = row->local_port,
		.remote_port = row->peer_port,
	};
	struct pt_inet_side *slot = slot_of(peers, &side);

	if (slot->end && slot->network == side.network && are_opposite(slot, &side)) {
		slot->end = 0;
		peers->count--;
		return;
	}
	peers->count += !slot->end;
	*slot = side;
}

/* Words of 32 bits, each as the machine prints what lies in memory in network order. */
static bool parse_address(const char **line, uint64_t *address, uint16_t *port)
{
	uint64_t number;
	uint32_t words[4] = {0};
	char digits[9] = "";
	size_t count = 0, length = strspn(*line, "0123456789ABCDEFabcdef");
	const char *at;

	if (length != 8 && length != 32)
		return false;
	for (; count < length / 8; count++) {
		memcpy(digits, *line + count * 8, 8);
		at = digits;
		if (!pt_parse_number(&at, 16, &number))
			return false;
		words[count] = ntohl((uint32_t)number);
	}
	*line += length;
	if (!pt_parse_literal(line, ":") || !pt_parse_number(line, 16, &number) || number > 0xffff)
		return false;
	*port = (uint16_t)number;
	address[0] = count == 1 ? 0 : (uint64_t)words[0] << 32 | words[1];
	address[1] = count == 1 ? words[0] : (uint64_t)words[2] << 32 | words[3];
	if (!address[0] && address[1] >> 32 == 0xffff) /* IPv4 in IPv6 */
		address[1] = (uint32_t)address[1];
	return true;
}

bool pt_inet_parse(const char *line, struct pt_inet_side *side)
{
	*side = (struct pt_inet_side){0};
	/* The number of the line; then state, queues, timer, retries, user and timeout lie before the inode. */
	return pt_parse_skip(&line, 1) && parse_address(&line, side->local, &side->local_port) &&
	       pt_parse_skip(&line, 0) && parse_address(&line, side->remote, &side->remote_port) &&
	       pt_parse_skip(&line, 6) && pt_parse_number(&line, 10, &side->end) && side->end;
}

/* A table of one namespace, as a task of it sees it. */
struct table {
	struct pt_inet_peers *peers;
	uint32_t network;
	uint64_t deadline;
	int (*found)(void *context, uint64_t end, uint64_t other);
	void *context;
};

static int take_line(void *context, const char *line)
{
	const struct table *table = context;
	struct pt_inet_side side, *slot;

	if (!pt_inet_parse(line, &side))
		return 0;
	slot = slot_of(table->peers, &side);
	if (!slot->end || slot->network != table->network || !are_opposite(slot, &side))
		return 0;
	return table->found(table->context, PT_ENDPOINT_OF(PT_CLASS_SOCKET, side.end), slot->end);
}

static int read_network(struct table *table, uint32_t tid)
{
	int ret = pt_net_lines(tid, "tcp", table->deadline, take_line, table);

	return ret ? ret : pt_net_lines(tid, "tcp6", table->deadline, take_line, table);
}

static bool is_known(const uint32_t *networks, size_t count, uint32_t network)
{
	size_t i;

	for (i = 0; i < count && networks[i] != network; i++)
		;
	return i < count;
}

int pt_inet_look(struct pt_inet_peers *peers, uint64_t deadline,
		 int (*found)(void *context, uint64_t end, uint64_t other), void *context)
{
	struct table table = {
		.peers = peers, .deadline = deadline, .found = found, .context = context};
	uint32_t networks[NETWORKS_MAX];
	size_t count = 0, i;
	int ret = 0;

	for (i = 0; !ret && peers->count && i < PT_INET_SLOTS && count < NETWORKS_MAX; i++) {
		const struct pt_inet_side *side = &peers->slots[i];

		if (!side->end || is_known(networks, count, side->network))
			continue;
		networks[count++] = table.network = side->network;
		ret = read_network(&table, side->tid);
	}
	memset(peers, 0, sizeof(*peers));
	return ret;
}
