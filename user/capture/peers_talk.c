/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/peers_talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/parse.h"
#include "capture/peers_inet.h"
#include "capture/peers_proc.h"

/* A look under way. */
struct talk_look {
	struct pt_talk_peers *peers;
	uint64_t now, deadline;
	pt_probes_sink sink;
	void *context;
	uint32_t network, tid; /* a namespace, and a task in it */
	char previous[INET_ADDRSTRLEN];
};

static bool has_port(const struct pt_talk_peers *peers, uint16_t port)
{
	return peers->ports[port / 8] >> port % 8 & 1;
}

int pt_talks_note(struct pt_talk_peers *peers, const struct pt_record *record)
{
	const struct pt_endpoint *end = record->row;
	const struct pt_talk *row = record->row;
	struct pt_talk_wanted *grown;

	if (record->kind == PT_KIND_endpoint && end->kind == PT_CHANNEL_UDP)
		peers->ports[end->local_port / 8] |= (uint8_t)(1 << end->local_port % 8);
	if (record->kind != PT_KIND_talk || peers->count == PT_TALKS_PENDING)
		return 0;
	grown = pt_array_grow(peers->wanted, peers->count, &peers->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	peers->wanted = grown;
	grown[peers->count] = (struct pt_talk_wanted){.end = row->end,
						      .address = {row->high, row->low},
						      .network = row->network,
						      .tid = row->tid,
						      .port = row->port};
	if (record->text_len < sizeof(grown->name))
		memcpy(grown[peers->count].name, record->text, record->text_len);
	peers->count++;
	return 0;
}

static int tell_own(struct talk_look *look, uint64_t high, uint64_t low)
{
	struct pt_own_address row = {
		.time = look->now, .high = high, .low = low, .network = look->network};

	return look->sink(look->context,
			  &(struct pt_record){.kind = PT_KIND_own_address, .row = &row});
}

/* "|-- 10.0.0.5", and below it "/32 host LOCAL". */
static int take_route(void *context, const char *line)
{
	struct talk_look *look = context;
	const char *at = strstr(line, "|-- ");
	struct in_addr address;

	if (at) {
		snprintf(look->previous, sizeof(look->previous), "%.*s", (int)strcspn(at + 4, "\n"),
			 at + 4);
		return 0;
	}
	if (!strstr(line, "/32 host LOCAL") || inet_pton(AF_INET, look->previous, &address) != 1)
		return 0;
	return tell_own(look, 0, ntohl(address.s_addr));
}

/* "fe8000000000000002...01 02 40 20 80 eth0" */
static int take_six(void *context, const char *line)
{
	struct talk_look *look = context;
	uint64_t words[2];
	char digits[17] = "";
	size_t i;

	if (strspn(line, "0123456789abcdef") != 32)
		return 0;
	for (i = 0; i < 2; i++) {
		memcpy(digits, line + i * 16, 16);
		words[i] = strtoull(digits, NULL, 16);
	}
	return tell_own(look, words[0], words[1]);
}

/* The addresses of a namespace, once. */
static int tell_network(struct talk_look *look)
{
	struct pt_talk_peers *peers = look->peers;
	size_t i;
	int ret;

	for (i = 0; i < peers->network_count; i++) {
		if (peers->networks[i] == look->network)
			return 0;
	}
	if (peers->network_count == PT_TALK_NETWORKS)
		return 0;
	peers->networks[peers->network_count++] = look->network;
	ret = pt_net_lines(look->tid, "fib_trie", look->deadline, take_route, look);
	if (!ret)
		ret = pt_net_lines(look->tid, "if_inet6", look->deadline, take_six, look);
	return ret ? ret : tell_own(look, 0, 0);
}

static uint8_t score_of(const struct pt_talk_wanted *wanted, const struct pt_inet_side *side)
{
	if (wanted->port != side->local_port)
		return 0;
	if (!side->local[0] && !side->local[1])
		return 1;
	if (memcmp(wanted->address, side->local, sizeof(side->local)) != 0)
		return 0;
	return side->remote_port ? 2 : 3;
}

static int take_socket(void *context, const char *line)
{
	struct talk_look *look = context;
	struct pt_inet_side side;
	size_t i;

	if (!pt_inet_parse(line, &side))
		return 0;
	for (i = 0; i < look->peers->count; i++) {
		struct pt_talk_wanted *wanted = &look->peers->wanted[i];
		uint8_t score = wanted->network == look->network ? score_of(wanted, &side) : 0;

		if (score > wanted->score) {
			wanted->score = score;
			wanted->socket = side.end;
		}
	}
	return 0;
}

/* A line of /proc/net/unix: the inode and, in `name`, which has room for it, the name. False if it has none. */
static bool parse_unix(const char *line, uint64_t *inode, char *name, size_t size)
{
	/* Address, references, protocol, flags, type and state lie before. */
	if (!pt_parse_skip(&line, 6) || !pt_parse_number(&line, 10, inode))
		return false;
	line += strspn(line, " ");
	snprintf(name, size, "%.*s", (int)strcspn(line, "\n"), line);
	return name[0] != '\0';
}

static int take_unix(void *context, const char *line)
{
	struct talk_look *look = context;
	char name[sizeof(look->peers->wanted->name)];
	uint64_t inode;
	size_t i;

	if (!parse_unix(line, &inode, name, sizeof(name)))
		return 0;
	for (i = 0; i < look->peers->count; i++) {
		struct pt_talk_wanted *wanted = &look->peers->wanted[i];

		if (wanted->name[0] && !strcmp(wanted->name, name))
			wanted->socket = inode;
	}
	return 0;
}

/* The file that a name meant to its sender, if that is still there. */
static int resolve(struct talk_look *look, const struct pt_talk_wanted *wanted)
{
	struct pt_resolved row = {.time = look->now, .end = wanted->end};
	char path[64 + sizeof(wanted->name)];
	uint64_t inode;
	uint32_t device;

	if (!wanted->name[0] || wanted->name[0] == '@')
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/%s/%s", wanted->tid,
		 wanted->name[0] == '/' ? "root" : "cwd", wanted->name);
	if (!pt_file_of_type(AT_FDCWD, path, S_IFSOCK, &inode, &device))
		return 0;
	row.inode = inode;
	row.device = device;
	return look->sink(look->context,
			  &(struct pt_record){.kind = PT_KIND_resolved, .row = &row});
}

/* All that is wanted of the namespace of a task. */
static int look_at_network(struct talk_look *look)
{
	int ret = tell_network(look);

	if (!ret)
		ret = pt_net_lines(look->tid, "udp", look->deadline, take_socket, look);
	if (!ret)
		ret = pt_net_lines(look->tid, "udp6", look->deadline, take_socket, look);
	return ret ? ret : pt_net_lines(look->tid, "unix", look->deadline, take_unix, look);
}

static bool was_seen(const struct pt_talk_wanted *wanted, size_t count, uint32_t network)
{
	while (count > 0 && wanted[count - 1].network != network)
		count--;
	return count > 0;
}

/* The namespace of the recorder, in which targets are most of the time, at the first look. */
static int tell_own_network(struct talk_look *look)
{
	struct stat st;

	if (look->peers->network_count || stat("/proc/self/ns/net", &st))
		return 0;
	look->network = (uint32_t)st.st_ino;
	look->tid = (uint32_t)getpid();
	return tell_network(look);
}

int pt_talks_look(struct pt_talk_peers *peers, uint64_t deadline, pt_probes_sink sink,
		  void *context, int (*found)(void *look, uint64_t socket, uint64_t talk),
		  void *found_context)
{
	struct talk_look look = {.peers = peers,
				 .now = pt_clock_read(CLOCK_MONOTONIC),
				 .deadline = deadline,
				 .sink = sink,
				 .context = context};
	size_t i;
	int ret = tell_own_network(&look);

	for (i = 0; !ret && i < peers->count; i++) {
		const struct pt_talk_wanted *wanted = &peers->wanted[i];

		ret = resolve(&look, wanted);
		look.network = wanted->network;
		look.tid = wanted->tid;
		if (!ret && !was_seen(peers->wanted, i, wanted->network))
			ret = look_at_network(&look);
	}
	for (i = 0; !ret && i < peers->count; i++) {
		const struct pt_talk_wanted *wanted = &peers->wanted[i];

		if (wanted->socket && !(wanted->port && has_port(peers, wanted->port)))
			ret = found(found_context, PT_ENDPOINT_OF(PT_CLASS_SOCKET, wanted->socket),
				    wanted->end);
	}
	peers->count = 0;
	return ret;
}

void pt_talks_free(struct pt_talk_peers *peers)
{
	free(peers->wanted);
}
