/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server with work per request, and its load from one more process. Who accepts, who serves
 * and who computes is the mode:
 *   single   the main loop does everything
 *   offload  the main loop serves; workers compute (threads, processes)
 *   handed   the main loop accepts and hands connections round, workers serve (cluster)
 *   shared   every worker accepts from the one listening socket and serves (cluster)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "http.h"

struct http {
	struct server server;
	uint16_t port;
	uint32_t next_worker, ready;
};

static const char *const modes[] = {"offload", "single", "handed", "shared", NULL};

static int check(const struct options *opt)
{
	bool cluster = opt->model == MODEL_CLUSTER;

	if (opt->size < 8 || opt->size > 16 << 20) {
		say("an answer has from 8 bytes to 16 MiB");
		return -EINVAL;
	}
	if (!cluster && (options_mode_is(opt, "handed") || options_mode_is(opt, "shared"))) {
		say("only a cluster hands connections over or shares a listening socket");
		return -EINVAL;
	}
	if (cluster && options_mode_is(opt, "offload")) {
		say("the workers of a cluster serve by themselves: handed, shared or single");
		return -EINVAL;
	}
	return 0;
}

static struct worker *next_worker(struct crew *crew)
{
	struct http *http = crew->state;

	return &crew->workers[http->next_worker++ % crew->opt->workers];
}

static void offload(struct server *server, uint32_t connection, uint32_t request)
{
	crew_send(next_worker(server->owner), MSG_WORK, (uint64_t)connection << 32 | request, NULL,
		  0);
}

static void hand_over(struct server *server, int fd)
{
	struct worker *worker = next_worker(server->owner);

	worker->handed_over++;
	link_send(worker->link, MSG_SERVE, 0, NULL, 0, fd);
}

static void load(struct crew *crew)
{
	struct http *http = crew->state;

	crew_send(&crew->workers[crew->opt->workers], MSG_LOAD, http->port, NULL, 0);
}

static void share_listener(struct crew *crew, int fd)
{
	for (uint32_t i = 0; i < crew->opt->workers; i++) {
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

		if (copy < 0)
			die("listener: %s", strerror(errno));
		link_send(crew->workers[i].link, MSG_LISTEN, 0, NULL, 0, copy);
	}
	close(fd);
}

static void start(struct crew *crew)
{
	const struct options *opt = crew->opt;
	struct http *http = xcalloc(1, sizeof(*http));
	int fd = cluster_listen(&http->port);

	crew->state = http;
	json_array_append_new(crew->ports, json_integer(http->port));
	server_open(&http->server, crew->seat.loop, opt, crew);
	if (options_mode_is(opt, "shared")) {
		share_listener(crew, fd);
		return;
	}
	if (options_mode_is(opt, "offload"))
		http->server.work = offload;
	else if (options_mode_is(opt, "handed"))
		http->server.accepted = hand_over;
	server_listen(&http->server, fd);
	load(crew);
}

static void receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct crew *crew = worker->crew;
	struct http *http = crew->state;

	(void)fd;
	switch (msg->type) {
	case MSG_READY:
		if (++http->ready == crew->opt->workers)
			load(crew);
		break;
	case MSG_WORKED:
		server_answer(&http->server, msg->value >> 32, (uint32_t)msg->value);
		break;
	case MSG_LOADED:
		crew->units += crew->opt->count;
		if (!crew_round_done(crew, msg->value)) {
			load(crew);
			break;
		}
		server_close(&http->server);
		crew_stop(crew);
		break;
	}
}

static void join(struct member *member)
{
	struct server *server;

	if (member->index >= member->opt->workers) {
		client_join(member);
		return;
	}
	server = member->state = xcalloc(1, sizeof(*server));
	server_open(server, &member->loop, member->opt, member);
}

static void hear(struct member *member, const struct msg *msg, int fd)
{
	struct server *server = member->state;
	uint32_t hash;

	switch (msg->type) {
	case MSG_LOAD:
		client_hear(member, msg);
		break;
	case MSG_SERVE:
		server_serve(server, fd);
		break;
	case MSG_LISTEN:
		server_listen(server, fd);
		member_send(member, MSG_READY, 0, NULL, 0);
		break;
	case MSG_WORK:
		hash = work_compute(member->opt->seed + (uint32_t)msg->value, member->opt->work);
		server->requests++;
		member_send(member, MSG_WORKED, msg->value >> 32 << 32 | hash, NULL, 0);
		break;
	}
}

static void leave(struct member *member)
{
	if (member->index >= member->opt->workers) {
		client_leave(member);
		return;
	}
	server_close(member->state);
	json_object_set_new(member->report, "server", server_json(member->state));
}

static void part(struct member *member)
{
	if (member->index >= member->opt->workers)
		return;
	server_free(member->state);
	free(member->state);
}

static void finish(struct crew *crew)
{
	struct http *http = crew->state;

	json_object_set_new(crew->result, "server", server_json(&http->server));
}

static void release(struct crew *crew)
{
	struct http *http = crew->state;

	server_free(&http->server);
	free(http);
}

const struct kind kind_http = {
	.name = "http",
	.doc = "COUNT requests, each computing over WORK bytes and answered by SIZE bytes",
	.modes = modes,
	.cluster_mode = "handed",
	.serves = true,
	.workers = 2,
	.helpers = 1,
	.count = 10000,
	.size = 512,
	.work = 128 << 10,
	.check = check,
	.start = start,
	.receive = receive,
	.join = join,
	.hear = hear,
	.leave = leave,
	.part = part,
	.finish = finish,
	.release = release,
};
