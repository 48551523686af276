/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "http.h"

struct connection {
	struct stream stream;
	struct server *server;
	uint32_t number;
};

void server_open(struct server *server, uv_loop_t *loop, const struct options *opt, void *owner)
{
	memset(server, 0, sizeof(*server));
	server->loop = loop;
	server->opt = opt;
	server->owner = owner;
	server->listener = -1;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct server *server = poll->data;
	int fd;

	(void)events;
	must(status, "listener");
	fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) {
		server->accepts_would_block += errno == EAGAIN;
		return;
	}
	if (fd < 0)
		die("accept: %s", strerror(errno));
	server->accepts++;
	if (server->accepted)
		server->accepted(server, fd);
	else
		server_serve(server, fd);
}

void server_listen(struct server *server, int fd)
{
	server->listener = fd;
	must(uv_poll_init(server->loop, &server->poll, fd), "listener");
	server->poll.data = server;
	uv_poll_start(&server->poll, UV_READABLE, on_acceptable);
}

void server_answer(struct server *server, uint32_t number, uint32_t hash)
{
	struct connection *connection = server->connections[number];
	const struct options *opt = server->opt;
	char head[128], *body;
	int head_size;

	if (!connection)
		return;
	head_size = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
			     (unsigned long long)opt->size);
	body = xcalloc(1, opt->size);
	memset(body, '.', opt->size);
	for (int i = 0; i < 8; i++)
		body[i] = "0123456789abcdef"[hash >> (28 - 4 * i) & 15];
	stream_write(&connection->stream, head, head_size, body, opt->size, -1);
	connection->stream.sent.messages++;
	free(body);
}

/* "GET /NUMBER HTTP/1.1 ..." up to an empty line: all that the client here ever sends. */
static size_t on_data(struct stream *stream, const char *data, size_t size)
{
	struct connection *connection = stream->owner;
	struct server *server = connection->server;
	const char *end = memmem(data, size, "\r\n\r\n", 4);
	unsigned request;

	if (!end)
		return 0;
	if (size < 6 || sscanf(data, "GET /%u ", &request) != 1)
		die("the server got something that is not a request");
	server->requests++;
	stream->received.messages++;
	if (server->work)
		server->work(server, connection->number, request);
	else
		server_answer(server, connection->number,
			      work_compute(server->opt->seed + request, server->opt->work));
	return end + 4 - data;
}

static void on_closed(struct stream *stream)
{
	struct connection *connection = stream->owner;

	free(connection);
}

static void on_end(struct stream *stream)
{
	struct connection *connection = stream->owner;
	struct server *server = connection->server;

	traffic_add(&server->sent, &stream->sent);
	traffic_add(&server->received, &stream->received);
	server->connections[connection->number] = NULL;
	stream_close(stream);
}

static uint32_t free_number(struct server *server)
{
	uint32_t number = 0;

	while (number < server->capacity && server->connections[number])
		number++;
	if (number == server->capacity) {
		server->capacity = 2 * number + 8;
		server->connections = xrealloc(server->connections,
					       server->capacity * sizeof(*server->connections));
		memset(server->connections + number, 0,
		       (server->capacity - number) * sizeof(*server->connections));
	}
	return number;
}

void server_serve(struct server *server, int fd)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	connection->server = server;
	connection->number = free_number(server);
	connection->stream.data = on_data;
	connection->stream.end = on_end;
	connection->stream.closed = on_closed;
	connection->stream.owner = connection;
	server->connections[connection->number] = connection;
	server->served++;
	stream_open(&connection->stream, server->loop, fd, fd);
}

static void on_listener_closed(uv_handle_t *poll)
{
	struct server *server = poll->data;

	close(server->listener);
}

void server_close(struct server *server)
{
	for (uint32_t i = 0; i < server->capacity; i++)
		if (server->connections[i])
			on_end(&server->connections[i]->stream);
	if (server->listener >= 0)
		uv_close((uv_handle_t *)&server->poll, on_listener_closed);
}

void server_free(struct server *server)
{
	free(server->connections);
	server->connections = NULL;
}

json_t *server_json(const struct server *server)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "accepted", (json_int_t)server->accepts,
			 "accept_would_block", (json_int_t)server->accepts_would_block,
			 "connections", (json_int_t)server->served, "requests",
			 (json_int_t)server->requests, "sent", traffic_json(&server->sent),
			 "received", traffic_json(&server->received));
}
