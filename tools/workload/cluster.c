/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes workers a cluster: the primary listens, and every worker serves connections of that
 * socket. Whatever the kind, each worker is handed one connection first and answers on it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

struct greeting {
	struct stream stream;
	struct crew *crew;
	void (*greeted)(struct crew *crew);
};

int cluster_listen(uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)&address, &length))
		die("listen: %s", strerror(errno));
	*port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	return fd;
}

static size_t ignore(struct stream *stream, const char *data, size_t size)
{
	(void)stream;
	(void)data;
	return size;
}

static void on_closed(struct stream *stream)
{
	struct greeting *greeting = stream->owner;
	struct crew *crew = greeting->crew;
	void (*greeted)(struct crew *) = greeting->greeted;

	free(greeting);
	if (--crew->greetings == 0)
		greeted(crew);
}

void cluster_greet(struct crew *crew, void (*greeted)(struct crew *crew))
{
	uint16_t port;
	int listener = cluster_listen(&port);

	json_array_append_new(crew->ports, json_integer(port));
	crew->greetings = crew->opt->workers;
	for (uint32_t i = 0; i < crew->opt->workers; i++) {
		struct greeting *greeting = xcalloc(1, sizeof(*greeting));
		int near = connect_to(port);
		int far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (far < 0)
			die("accept: %s", strerror(errno));
		greeting->crew = crew;
		greeting->greeted = greeted;
		greeting->stream.data = ignore;
		greeting->stream.end = stream_close;
		greeting->stream.closed = on_closed;
		greeting->stream.owner = greeting;
		stream_open(&greeting->stream, crew->seat.loop, near, near);
		link_send(crew->workers[i].link, MSG_CONNECTION, 0, NULL, 0, far);
		crew->workers[i].handed_over++;
	}
	close(listener);
}

static void free_answer(struct stream *stream)
{
	free(stream);
}

void cluster_answer(struct member *member, int fd)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	stream->data = ignore;
	stream->end = stream_close;
	stream->closed = free_answer;
	stream_open(stream, &member->loop, fd, fd);
	stream_write(stream, "hello\n", 6, NULL, 0, -1);
	stream_close(stream);
	member->greeted++;
}
