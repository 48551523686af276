/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COUNT requests over some connections that stay open for a round, one request on the way on
 * each. A request is sent when the answer before it has come: what is measured is the server's
 * rate, not a schedule of arrivals.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "http.h"

struct caller {
	struct stream stream;
	struct client *client;
	uint64_t asked_ns;
};

struct client {
	struct member *member;
	struct caller *callers;
	uint32_t open;
	uint64_t next, answered;
	uint32_t checksum;
	uint64_t *latencies, latency_count, latency_capacity;
	uint64_t connections, requests;
	struct traffic sent, received;
};

static void ask(struct caller *caller)
{
	struct client *client = caller->client;
	char request[96];
	int size;

	if (client->next == client->member->opt->count) {
		stream_close(&caller->stream);
		return;
	}
	size = snprintf(request, sizeof(request), "GET /%u HTTP/1.1\r\nHost: localhost\r\n\r\n",
			(unsigned)client->next++);
	caller->asked_ns = uv_hrtime();
	client->requests++;
	caller->stream.sent.messages++;
	stream_write(&caller->stream, request, size, NULL, 0, -1);
}

static void keep_latency(struct client *client, uint64_t ns)
{
	if (client->latency_count == client->latency_capacity) {
		client->latency_capacity = 2 * client->latency_capacity + 1024;
		client->latencies =
			xrealloc(client->latencies, client->latency_capacity * sizeof(uint64_t));
	}
	client->latencies[client->latency_count++] = ns;
}

static size_t on_data(struct stream *stream, const char *data, size_t size)
{
	static const char length_name[] = "Content-Length: ";
	struct caller *caller = stream->owner;
	struct client *client = caller->client;
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	const char *length;
	size_t head, body;
	unsigned hash;

	if (!end)
		return 0;
	length = memmem(data, end - data, length_name, sizeof(length_name) - 1);
	if (!length)
		die("the client got an answer without length");
	body = strtoull(length + sizeof(length_name) - 1, NULL, 10);
	head = end + 4 - data;
	if (size < head + body)
		return 0;
	if (body < 8 || sscanf(end + 4, "%8x", &hash) != 1)
		die("the client got an answer without result");
	client->checksum += hash;
	client->answered++;
	stream->received.messages++;
	keep_latency(client, uv_hrtime() - caller->asked_ns);
	ask(caller);
	return head + body;
}

static void on_end(struct stream *stream)
{
	(void)stream;
	die("the server closed a connection");
}

static void on_closed(struct stream *stream)
{
	struct caller *caller = stream->owner;
	struct client *client = caller->client;

	traffic_add(&client->sent, &stream->sent);
	traffic_add(&client->received, &stream->received);
	if (--client->open)
		return;
	if (client->answered != client->member->opt->count)
		die("%llu requests were not answered",
		    (unsigned long long)(client->member->opt->count - client->answered));
	member_send(client->member, MSG_LOADED, client->checksum, NULL, 0);
}

static void call(struct client *client, struct caller *caller, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	memset(caller, 0, sizeof(*caller));
	caller->client = client;
	caller->stream.data = on_data;
	caller->stream.end = on_end;
	caller->stream.closed = on_closed;
	caller->stream.owner = caller;
	stream_open(&caller->stream, &client->member->loop, fd, fd);
	client->connections++;
}

void client_join(struct member *member)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->member = member;
	client->callers = xcalloc(member->opt->connections, sizeof(*client->callers));
	member->state = client;
}

void client_hear(struct member *member, const struct msg *msg)
{
	struct client *client = member->state;

	client->next = client->answered = client->checksum = 0;
	client->open = member->opt->connections;
	for (uint32_t i = 0; i < member->opt->connections; i++)
		call(client, &client->callers[i], msg->value);
	for (uint32_t i = 0; i < member->opt->connections; i++)
		ask(&client->callers[i]);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static json_int_t quantile(const struct client *client, double q)
{
	if (!client->latency_count)
		return 0;
	return client->latencies[(uint64_t)(q * (double)(client->latency_count - 1))];
}

void client_leave(struct member *member)
{
	struct client *client = member->state;

	if (client->latency_count)
		qsort(client->latencies, client->latency_count, sizeof(uint64_t), by_size);
	json_object_set_new(member->report, "client",
			    json_pack("{s:I, s:I, s:o, s:o, s:{s:I, s:I, s:I}}", "connections",
				      (json_int_t)client->connections, "requests",
				      (json_int_t)client->requests, "sent",
				      traffic_json(&client->sent), "received",
				      traffic_json(&client->received), "latency_ns", "p50",
				      quantile(client, 0.5), "p99", quantile(client, 0.99), "max",
				      quantile(client, 1)));
	free(client->callers);
	free(client->latencies);
	free(client);
}
