/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of records about channels, and what is said of flows. */
#ifndef PT_TESTS_IPC_STREAM_H
#define PT_TESTS_IPC_STREAM_H

#include "stream.h"

#include "analysis/ipc.h"

#define PIPE(n)	  PT_ENDPOINT_OF(PT_CLASS_PIPE, n)
#define SOCKET(n) PT_ENDPOINT_OF(PT_CLASS_SOCKET, n)
#define EVENT(n)  PT_ENDPOINT_OF(PT_CLASS_EVENTFD, n)

static inline struct stream *two_tasks(void **state)
{
	struct stream *s = stream_new();

	(void)state;
	feed_sleeper(s, 10, 10, "writer");
	feed_sleeper(s, 20, 20, "reader");
	return s;
}

static inline void feed_pipe(struct stream *s, uint64_t time, uint64_t queued)
{
	feed_as(s, endpoint, .time = time, .end = PIPE(1), .tid = 10, .kind = PT_CHANNEL_PIPE,
		.queued = queued);
}

static inline void feed_sent(struct stream *s, uint64_t time, uint64_t end, uint32_t tid,
			     uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = end, .tid = tid, .bytes = bytes, .count = 1,
		.syscall = 1, .flags = PT_TRANSFER_SENT, .value = 1);
}

static inline void feed_received(struct stream *s, uint64_t time, uint64_t end, uint32_t tid,
				 uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = end, .tid = tid, .bytes = bytes, .count = 1,
		.syscall = 0, .value = 1);
}

static inline const struct pt_flow *flow_between(struct stream *s, uint32_t from, uint32_t to)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(&s->all);
	size_t i;

	for (i = 0; i < ipc->flow_count; i++) {
		const struct pt_flow *flow = ipc->flows[i];

		if ((flow->from ? flow->from->tid : 0) == from &&
		    (flow->to ? flow->to->tid : 0) == to)
			return flow;
	}
	return NULL;
}

static inline const struct pt_channel *channel_of(struct stream *s, uint64_t end,
						  unsigned int *side)
{
	const struct pt_channel *channel =
		pt_channel_find(&pt_analyses_ipc(&s->all)->channels, end, side);

	assert_non_null(channel);
	return channel;
}

static inline void assert_flow(struct stream *s, uint32_t from, uint32_t to, uint64_t bytes,
			       uint64_t messages, uint64_t timed)
{
	const struct pt_flow *flow = flow_between(s, from, to);

	assert_non_null(flow);
	assert_int_equal(flow->bytes, bytes);
	assert_int_equal(flow->messages, messages);
	assert_int_equal(flow->latency.count, timed);
}

#endif
