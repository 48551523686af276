/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte stream on a loop that makes its own system calls. libuv's streams hide how often they
 * called the kernel; here every call that moved bytes, and every one that would have blocked,
 * is counted, so that a tracer can be checked to the call.
 */
#ifndef WORKLOAD_STREAM_H
#define WORKLOAD_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define STREAM_MAX_FDS 64

struct traffic {
	uint64_t messages;
	uint64_t bytes;
	uint64_t calls;
	uint64_t would_block;
	uint64_t fds;
};

struct chunk;
struct stream;

/* Takes as many of the bytes as make whole messages and returns how many those were. */
typedef size_t stream_data_fn(struct stream *stream, const char *data, size_t size);
typedef void stream_fn(struct stream *stream);

struct stream {
	uv_poll_t reader, writer; /* the writer only where it is another fd */
	int read_fd, write_fd;
	bool socket, closing, ended;
	int handles;
	struct chunk *first, **last;
	char *in;
	size_t in_size, in_capacity;
	int fds[STREAM_MAX_FDS];
	unsigned fd_count;
	struct traffic sent, received;
	stream_data_fn *data;
	stream_fn *end;	   /* the peer is gone; not called after stream_close */
	stream_fn *closed; /* nothing refers to the stream any more */
	void *owner;
};

/* Callbacks are set by the caller before. Takes both fds over; they may be the same. */
void stream_open(struct stream *stream, uv_loop_t *loop, int read_fd, int write_fd);
/* Copies the data. An fd (or -1) is passed on with it and closed here afterwards. */
void stream_write(struct stream *stream, const void *head, size_t head_size, const void *data,
		  size_t size, int fd);
/* The next fd that came with the bytes, or -1. */
int stream_take_fd(struct stream *stream);
/* Closes once everything is written, or at once if the peer is gone. */
void stream_close(struct stream *stream);

void traffic_add(struct traffic *sum, const struct traffic *other);
json_t *traffic_json(const struct traffic *traffic);

#endif
