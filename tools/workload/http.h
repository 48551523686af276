/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ends of HTTP: a server that may sit on any loop, and the client that loads it. */
#ifndef WORKLOAD_HTTP_H
#define WORKLOAD_HTTP_H

#include "workload.h"

struct server;
struct connection;

/* Computes what a request asks for: answers with server_answer, now or later. */
typedef void server_work_fn(struct server *server, uint32_t connection, uint32_t request);
/* Takes an accepted connection instead of serving it. */
typedef void server_accepted_fn(struct server *server, int fd);

struct server {
	uv_loop_t *loop;
	const struct options *opt;
	server_work_fn *work;	      /* NULL: computed at once on this loop */
	server_accepted_fn *accepted; /* NULL: served on this loop */
	void *owner;
	int listener; /* -1: only handed-over connections */
	uv_poll_t poll;
	struct connection **connections;
	uint32_t capacity;
	uint64_t accepts, accepts_would_block, served, requests;
	struct traffic sent, received; /* of the connections that are closed */
};

void server_open(struct server *server, uv_loop_t *loop, const struct options *opt, void *owner);
void server_listen(struct server *server, int fd);
void server_serve(struct server *server, int fd);
void server_answer(struct server *server, uint32_t connection, uint32_t hash);
/* Closes the listener and all connections; counts are complete afterwards. */
void server_close(struct server *server);
/* After server_close and the loop's next turn. */
void server_free(struct server *server);
json_t *server_json(const struct server *server);

/* The client is a member of its own. */
enum {
	MSG_LOAD = MSG_KIND, /* crew: make one round of requests; value: port */
	MSG_LOADED,	     /* client: done; value: checksum of the answers */
	MSG_SERVE,	     /* crew: serve this connection (fd) */
	MSG_LISTEN,	     /* crew: accept from this socket (fd) yourself */
	MSG_READY,	     /* member: I accept */
	MSG_WORK,	     /* crew: compute for a request; value: connection << 32 | request */
	MSG_WORKED,	     /* member: value: connection << 32 | hash */
};

void client_join(struct member *member);
void client_hear(struct member *member, const struct msg *msg);
void client_leave(struct member *member);

#endif
