/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between the main loop and one member: through a socket pair or two pipes for a
 * process, through a queue with an async wake-up for a thread. Each end lives on its own loop.
 */
#ifndef WORKLOAD_LINK_H
#define WORKLOAD_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "stream.h"

struct msg {
	uint32_t size; /* of the data */
	uint16_t type;
	uint16_t has_fd;
	uint64_t value;
	unsigned char data[];
};

struct link;
struct mailbox;

typedef void link_receive_fn(struct link *link, const struct msg *msg, int fd);
typedef void link_fn(struct link *link);

struct link {
	link_receive_fn *receive; /* an fd becomes the receiver's */
	link_fn *end;		  /* the other end is gone, or this one was closed; the last call */
	void *owner;
	const char *name;	       /* queue, unix or pipe */
	struct traffic sent, received; /* messages and bytes including struct msg */
	uint64_t wakeups;	       /* of this end, by a queue */
	struct stream *stream;
	struct mailbox *in, *out;
};

struct link *link_new(link_receive_fn *receive, link_fn *end, void *owner);
/* For processes. */
void link_open_stream(struct link *link, uv_loop_t *loop, int read_fd, int write_fd);
/* For threads: make both mailboxes on the crew's side, join them on the member's. */
void link_make_queue(struct link *link, uv_loop_t *loop, struct link *far);
void link_join_queue(struct link *far, uv_loop_t *loop);
void link_send(struct link *link, uint16_t type, uint64_t value, const void *data, size_t size,
	       int fd);
/* What was sent still arrives. */
void link_close(struct link *link);
/* What this end sent or received so far: messages, and the calls that moved them. */
json_t *link_traffic_json(const struct link *link, bool sent);
/* After end, and for a queue after both ends. */
void link_free(struct link *link);

#endif
