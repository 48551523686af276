/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

struct letter {
	struct letter *next;
	int fd;
	struct msg msg;
};

/* One direction of a queue. The reader owns the async handle, both ends hold the memory. */
struct mailbox {
	uv_mutex_t lock;
	uv_async_t wake;
	struct letter *first, **last;
	bool ready;	    /* the reader's loop has the async handle */
	bool reader_closed; /* nothing may be sent any more */
	bool writer_closed; /* nothing will come any more */
	int holders;
};

struct link *link_new(link_receive_fn *receive, link_fn *end, void *owner)
{
	struct link *link = xcalloc(1, sizeof(*link));

	link->receive = receive;
	link->end = end;
	link->owner = owner;
	return link;
}

static void count(struct traffic *traffic, size_t size)
{
	traffic->messages++;
	traffic->bytes += sizeof(struct msg) + size;
}

/* Messages follow each other unpadded; whoever looks into one needs it aligned. */
static void deliver(struct link *link, const char *data, const struct msg *head)
{
	size_t whole = sizeof(*head) + head->size;
	int fd = head->has_fd ? stream_take_fd(link->stream) : -1;
	struct msg *copy = NULL;

	count(&link->received, head->size);
	if ((uintptr_t)data % _Alignof(struct msg)) {
		copy = xcalloc(1, whole);
		memcpy(copy, data, whole);
	}
	link->receive(link, copy ? copy : (const struct msg *)(const void *)data, fd);
	free(copy);
}

static size_t on_data(struct stream *stream, const char *data, size_t size)
{
	struct msg head;
	size_t used = 0;

	while (!stream->closing && size - used >= sizeof(head)) {
		memcpy(&head, data + used, sizeof(head));
		if (size - used - sizeof(head) < head.size)
			break;
		deliver(stream->owner, data + used, &head);
		used += sizeof(head) + head.size;
	}
	return used;
}

static void on_stream_end(struct stream *stream)
{
	stream_close(stream);
}

static void on_stream_closed(struct stream *stream)
{
	struct link *link = stream->owner;

	link->end(link);
}

void link_open_stream(struct link *link, uv_loop_t *loop, int read_fd, int write_fd)
{
	link->name = read_fd == write_fd ? "unix" : "pipe";
	link->stream = xcalloc(1, sizeof(*link->stream));
	link->stream->data = on_data;
	link->stream->end = on_stream_end;
	link->stream->closed = on_stream_closed;
	link->stream->owner = link;
	stream_open(link->stream, loop, read_fd, write_fd);
}

static void mailbox_put(struct mailbox *box, struct letter *letter)
{
	uv_mutex_lock(&box->lock);
	if (letter && box->reader_closed) {
		if (letter->fd >= 0)
			close(letter->fd);
		free(letter);
	} else if (letter) {
		*box->last = letter;
		box->last = &letter->next;
	} else {
		box->writer_closed = true;
	}
	if (box->ready && !box->reader_closed)
		uv_async_send(&box->wake);
	uv_mutex_unlock(&box->lock);
}

static void mailbox_drop(struct mailbox *box)
{
	bool last;

	uv_mutex_lock(&box->lock);
	last = --box->holders == 0;
	uv_mutex_unlock(&box->lock);
	if (!last)
		return;
	while (box->first) {
		struct letter *letter = box->first;

		box->first = letter->next;
		if (letter->fd >= 0)
			close(letter->fd);
		free(letter);
	}
	uv_mutex_destroy(&box->lock);
	free(box);
}

static void on_mailbox_closed(uv_handle_t *handle)
{
	struct link *link = handle->data;

	link->end(link);
}

/* Takes what lies there now; what comes meanwhile rings again. */
static void on_wake(uv_async_t *wake)
{
	struct link *link = wake->data;
	struct mailbox *box = link->in;
	struct letter *letter;
	bool over;

	link->wakeups++;
	uv_mutex_lock(&box->lock);
	letter = box->first;
	box->first = NULL;
	box->last = &box->first;
	over = box->writer_closed;
	uv_mutex_unlock(&box->lock);

	while (letter) {
		struct letter *next = letter->next;

		count(&link->received, letter->msg.size);
		if (letter->fd >= 0)
			link->received.fds++;
		link->receive(link, &letter->msg, letter->fd);
		free(letter);
		letter = next;
	}
	if (over)
		link_close(link);
}

static struct mailbox *mailbox_new(void)
{
	struct mailbox *box = xcalloc(1, sizeof(*box));

	must(uv_mutex_init(&box->lock), "mutex");
	box->last = &box->first;
	box->holders = 2;
	return box;
}

static void mailbox_attend(struct link *link, uv_loop_t *loop)
{
	struct mailbox *box = link->in;

	uv_mutex_lock(&box->lock);
	must(uv_async_init(loop, &box->wake, on_wake), "async");
	box->wake.data = link;
	box->ready = true;
	uv_async_send(&box->wake);
	uv_mutex_unlock(&box->lock);
}

void link_make_queue(struct link *link, uv_loop_t *loop, struct link *far)
{
	link->name = far->name = "queue";
	link->in = far->out = mailbox_new();
	link->out = far->in = mailbox_new();
	mailbox_attend(link, loop);
}

void link_join_queue(struct link *far, uv_loop_t *loop)
{
	mailbox_attend(far, loop);
}

void link_send(struct link *link, uint16_t type, uint64_t value, const void *data, size_t size,
	       int fd)
{
	struct msg head = {.size = size, .type = type, .has_fd = fd >= 0, .value = value};
	struct letter *letter;

	count(&link->sent, size);
	if (link->stream) {
		stream_write(link->stream, &head, sizeof(head), data, size, fd);
		return;
	}
	if (fd >= 0)
		link->sent.fds++;
	letter = xcalloc(1, sizeof(*letter) + size);
	letter->fd = fd;
	letter->msg = head;
	if (size)
		memcpy(letter->msg.data, data, size);
	mailbox_put(link->out, letter);
}

void link_close(struct link *link)
{
	struct mailbox *box = link->in;

	if (link->stream) {
		stream_close(link->stream);
		return;
	}
	if (uv_is_closing((uv_handle_t *)&box->wake))
		return;
	uv_mutex_lock(&box->lock);
	box->reader_closed = true;
	uv_mutex_unlock(&box->lock);
	mailbox_put(link->out, NULL);
	uv_close((uv_handle_t *)&box->wake, on_mailbox_closed);
}

void link_free(struct link *link)
{
	if (link->in) {
		mailbox_drop(link->in);
		mailbox_drop(link->out);
	}
	free(link->stream);
	free(link);
}

json_t *link_traffic_json(const struct link *link, bool sent)
{
	struct traffic traffic = sent ? link->sent : link->received;

	if (link->stream) {
		const struct traffic *calls = sent ? &link->stream->sent : &link->stream->received;

		traffic.calls = calls->calls;
		traffic.would_block = calls->would_block;
		traffic.fds = calls->fds;
	}
	return traffic_json(&traffic);
}
