/* SPDX-License-Identifier: BSD-2-Clause */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

#define READ_SIZE (64 << 10)

struct chunk {
	struct chunk *next;
	size_t size, written;
	int fd;
	char data[];
};

union control {
	char bytes[CMSG_SPACE(STREAM_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static uv_poll_t *write_poll(struct stream *stream)
{
	return stream->read_fd == stream->write_fd ? &stream->reader : &stream->writer;
}

static void arm(struct stream *stream)
{
	int wanted = stream->first ? UV_WRITABLE : 0;
	int reading = stream->ended || stream->closing ? 0 : UV_READABLE;

	if (write_poll(stream) == &stream->reader) {
		reading |= wanted;
	} else if (wanted) {
		uv_poll_start(&stream->writer, wanted, on_poll);
	} else {
		uv_poll_stop(&stream->writer);
	}
	if (reading)
		uv_poll_start(&stream->reader, reading, on_poll);
	else
		uv_poll_stop(&stream->reader);
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;

	if (--stream->handles)
		return;
	close(stream->read_fd);
	if (stream->write_fd != stream->read_fd)
		close(stream->write_fd);
	while (stream->fd_count)
		close(stream->fds[--stream->fd_count]);
	free(stream->in);
	stream->in = NULL;
	if (stream->closed)
		stream->closed(stream);
}

static void drop_chunk(struct stream *stream)
{
	struct chunk *chunk = stream->first;

	stream->first = chunk->next;
	if (!stream->first)
		stream->last = &stream->first;
	if (chunk->fd >= 0)
		close(chunk->fd);
	free(chunk);
}

static void shut(struct stream *stream)
{
	while (stream->first)
		drop_chunk(stream);
	if (!uv_is_closing((uv_handle_t *)&stream->reader))
		uv_close((uv_handle_t *)&stream->reader, on_closed);
	if (stream->handles > 1 && !uv_is_closing((uv_handle_t *)&stream->writer))
		uv_close((uv_handle_t *)&stream->writer, on_closed);
}

static void finish(struct stream *stream)
{
	if (stream->ended)
		return;
	stream->ended = true;
	while (stream->first)
		drop_chunk(stream);
	if (stream->closing)
		shut(stream);
	else if (stream->end)
		stream->end(stream);
}

static ssize_t write_once(struct stream *stream, struct chunk *chunk)
{
	struct iovec iov = {chunk->data + chunk->written, chunk->size - chunk->written};
	union control control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg;

	if (!stream->socket)
		return write(stream->write_fd, iov.iov_base, iov.iov_len);
	if (chunk->fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &chunk->fd, sizeof(int));
	}
	return sendmsg(stream->write_fd, &msg, MSG_NOSIGNAL);
}

/* Returns false when the peer is gone. */
static bool flush(struct stream *stream)
{
	while (stream->first) {
		struct chunk *chunk = stream->first;
		ssize_t n = write_once(stream, chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			stream->sent.would_block++;
			return true;
		}
		if (n < 0)
			return false;
		stream->sent.calls++;
		stream->sent.bytes += n;
		if (chunk->fd >= 0) {
			stream->sent.fds++;
			close(chunk->fd);
			chunk->fd = -1;
		}
		chunk->written += n;
		if (chunk->written == chunk->size)
			drop_chunk(stream);
	}
	return true;
}

static void keep_fds(struct stream *stream, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			if (stream->fd_count == STREAM_MAX_FDS)
				die("too many file descriptors in flight");
			memcpy(&stream->fds[stream->fd_count++], CMSG_DATA(c) + i * sizeof(int),
			       sizeof(int));
			stream->received.fds++;
		}
	}
}

static ssize_t read_once(struct stream *stream)
{
	struct iovec iov = {stream->in + stream->in_size, stream->in_capacity - stream->in_size};
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	if (!stream->socket)
		return read(stream->read_fd, iov.iov_base, iov.iov_len);
	n = recvmsg(stream->read_fd, &msg, MSG_CMSG_CLOEXEC);
	if (n > 0)
		keep_fds(stream, &msg);
	return n;
}

static void deliver(struct stream *stream)
{
	size_t used = stream->data(stream, stream->in, stream->in_size);

	memmove(stream->in, stream->in + used, stream->in_size - used);
	stream->in_size -= used;
}

static void receive(struct stream *stream)
{
	ssize_t n;

	if (stream->in_capacity - stream->in_size < READ_SIZE) {
		stream->in_capacity = 2 * stream->in_capacity + READ_SIZE;
		stream->in = xrealloc(stream->in, stream->in_capacity);
	}
	n = read_once(stream);
	if (n > 0) {
		stream->received.calls++;
		stream->received.bytes += n;
		stream->in_size += n;
		deliver(stream);
	} else if (n < 0 && errno == EAGAIN) {
		stream->received.would_block++;
	} else if (n == 0 || errno != EINTR) {
		finish(stream);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct stream *stream = poll->data;

	/* libuv reports a hang-up as an error; the calls below tell what it was. */
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	if ((events & UV_WRITABLE) && stream->first && !flush(stream))
		finish(stream);
	if ((events & UV_READABLE) && poll == &stream->reader && !stream->ended && !stream->closing)
		receive(stream);
	if (uv_is_closing((uv_handle_t *)poll))
		return;
	if (stream->closing && !stream->first)
		shut(stream);
	else
		arm(stream);
}

void stream_open(struct stream *stream, uv_loop_t *loop, int read_fd, int write_fd)
{
	struct stat st;

	stream->read_fd = read_fd;
	stream->write_fd = write_fd;
	stream->last = &stream->first;
	stream->socket = fstat(read_fd, &st) == 0 && S_ISSOCK(st.st_mode);
	must(uv_poll_init(loop, &stream->reader, read_fd), "stream");
	stream->reader.data = stream;
	stream->handles = 1;
	if (write_fd != read_fd) {
		must(uv_poll_init(loop, &stream->writer, write_fd), "stream");
		stream->writer.data = stream;
		stream->handles = 2;
	}
	arm(stream);
}

void stream_write(struct stream *stream, const void *head, size_t head_size, const void *data,
		  size_t size, int fd)
{
	struct chunk *chunk;
	bool idle = !stream->first;

	if (stream->ended || stream->closing) {
		if (fd >= 0)
			close(fd);
		return;
	}
	chunk = xcalloc(1, sizeof(*chunk) + head_size + size);
	chunk->size = head_size + size;
	chunk->fd = fd;
	memcpy(chunk->data, head, head_size);
	if (size)
		memcpy(chunk->data + head_size, data, size);
	*stream->last = chunk;
	stream->last = &chunk->next;
	/*
	 * A peer that is gone is noticed by reading, in a turn of its own: the caller is not ready
	 * for its end callback here.
	 */
	if (idle && !flush(stream))
		while (stream->first)
			drop_chunk(stream);
	if (stream->first)
		arm(stream);
}

int stream_take_fd(struct stream *stream)
{
	int fd;

	if (!stream->fd_count)
		return -1;
	fd = stream->fds[0];
	stream->fd_count--;
	memmove(stream->fds, stream->fds + 1, stream->fd_count * sizeof(int));
	return fd;
}

void stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	stream->closing = true;
	if (stream->first && !stream->ended)
		arm(stream);
	else
		shut(stream);
}

void traffic_add(struct traffic *sum, const struct traffic *other)
{
	sum->messages += other->messages;
	sum->bytes += other->bytes;
	sum->calls += other->calls;
	sum->would_block += other->would_block;
	sum->fds += other->fds;
}

json_t *traffic_json(const struct traffic *traffic)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "messages", (json_int_t)traffic->messages,
			 "bytes", (json_int_t)traffic->bytes, "calls", (json_int_t)traffic->calls,
			 "would_block", (json_int_t)traffic->would_block, "fds",
			 (json_int_t)traffic->fds);
}
