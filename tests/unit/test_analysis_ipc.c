/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels, flows and latencies from streams of records that are written down here. */
#include "stream.h"

#include "analysis/balance.h"
#include "analysis/ipc.h"

#define PIPE(n)	  PT_ENDPOINT_OF(PT_CLASS_PIPE, n)
#define SOCKET(n) PT_ENDPOINT_OF(PT_CLASS_SOCKET, n)
#define EVENT(n)  PT_ENDPOINT_OF(PT_CLASS_EVENTFD, n)

static struct stream *two_tasks(void **state)
{
	struct stream *s = stream_new();

	(void)state;
	feed_sleeper(s, 10, 10, "writer");
	feed_sleeper(s, 20, 20, "reader");
	return s;
}

static void feed_pipe(struct stream *s, uint64_t time, uint64_t queued)
{
	feed_as(s, endpoint, .time = time, .end = PIPE(1), .tid = 10, .kind = PT_CHANNEL_PIPE,
		.queued = queued);
}

static void feed_sent(struct stream *s, uint64_t time, uint64_t end, uint32_t tid, uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = end, .tid = tid, .bytes = bytes, .count = 1,
		.syscall = 1, .flags = PT_TRANSFER_SENT, .value = 1);
}

static void feed_received(struct stream *s, uint64_t time, uint64_t end, uint32_t tid,
			  uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = end, .tid = tid, .bytes = bytes, .count = 1,
		.syscall = 0, .value = 1);
}

static const struct pt_flow *flow_between(struct stream *s, uint32_t from, uint32_t to)
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

static const struct pt_channel *channel_of(struct stream *s, uint64_t end, unsigned int *side)
{
	const struct pt_channel *channel =
		pt_channel_find(&pt_analyses_ipc(&s->all)->channels, end, side);

	assert_non_null(channel);
	return channel;
}

static void assert_flow(struct stream *s, uint32_t from, uint32_t to, uint64_t bytes,
			uint64_t messages, uint64_t timed)
{
	const struct pt_flow *flow = flow_between(s, from, to);

	assert_non_null(flow);
	assert_int_equal(flow->bytes, bytes);
	assert_int_equal(flow->messages, messages);
	assert_int_equal(flow->latency.count, timed);
}

static void latency_is_up_to_the_last_byte(void **state)
{
	struct stream *s = two_tasks(state);

	feed_pipe(s, 1000, 0);
	feed_sent(s, 1000, PIPE(1), 10, 100);
	feed_sent(s, 1100, PIPE(1), 10, 50);
	feed_received(s, 2000, PIPE(1), 20, 60);
	feed_received(s, 3000, PIPE(1), 20, 90);
	finish(s, 5000);
	assert_flow(s, 10, 20, 150, 2, 2);
	assert_int_equal(flow_between(s, 10, 20)->latency.max, 2000);
	assert_int_equal(flow_between(s, 10, 20)->latency.min, 1900);
	assert_false(flow_between(s, 10, 20)->unsure);
	stream_free(s);
}

static void what_lay_there_does_not_shift(void **state)
{
	struct stream *s = two_tasks(state);
	unsigned int side;

	feed_pipe(s, 1000, 500);
	feed_sent(s, 1000, PIPE(1), 10, 100);
	feed_received(s, 2000, PIPE(1), 20, 500);
	feed_received(s, 3000, PIPE(1), 20, 40);
	finish(s, 5000);
	assert_flow(s, 0, 20, 500, 0, 0);
	assert_flow(s, 10, 20, 40, 0, 0);
	assert_flow(s, 10, 0, 60, 1, 0);
	assert_int_equal(channel_of(s, PIPE(1), &side)->side[0].queue.bytes, 60);
	assert_true(pt_ipc_unread_known(channel_of(s, PIPE(1), &side), 0));
	stream_free(s);
}

static void a_reader_may_be_ahead(void **state)
{
	struct stream *s = two_tasks(state);

	feed_pipe(s, 900, 0);
	feed_received(s, 1000, PIPE(1), 20, 10);
	feed_sent(s, 1003, PIPE(1), 10, 10);
	feed_sent(s, 2000, PIPE(1), 10, 10);
	feed_received(s, 2500, PIPE(1), 20, 10);
	finish(s, 5000);
	assert_flow(s, 10, 20, 20, 2, 2);
	assert_int_equal(flow_between(s, 10, 20)->latency.min, 0);
	assert_int_equal(flow_between(s, 10, 20)->latency.max, 500);
	stream_free(s);
}

static void sums_give_bytes_but_no_latency(void **state)
{
	struct stream *s = two_tasks(state);

	feed_as(s, endpoint, .time = 900, .end = SOCKET(1), .tid = 10, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK, .local_port = 1, .peer_port = 2,
		.local_low = 0x7f000001, .peer_low = 0x7f000001);
	feed_as(s, endpoint, .time = 900, .end = SOCKET(2), .tid = 20, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK, .local_port = 2, .peer_port = 1,
		.local_low = 0x7f000001, .peer_low = 0x7f000001);
	feed_sent(s, 1000, SOCKET(1), 10, 10);
	feed_received(s, 1100, SOCKET(2), 20, 10);
	feed_as(s, transfer, .time = 2000, .end = SOCKET(1), .tid = 10, .bytes = 90, .count = 9,
		.flags = PT_TRANSFER_SENT, .syscall = -1);
	feed_received(s, 2100, SOCKET(2), 20, 90);
	finish(s, 5000);
	assert_flow(s, 10, 20, 100, 10, 1);
	stream_free(s);
}

static void both_sides_of_a_pair_are_one_channel(void **state)
{
	struct stream *s = two_tasks(state);
	unsigned int a, b;

	feed_as(s, endpoint, .time = 900, .end = SOCKET(1), .peer = SOCKET(2), .tid = 10,
		.kind = PT_CHANNEL_UNIX, .type = 1);
	feed_sent(s, 1000, SOCKET(1), 10, 10);
	feed_received(s, 1500, SOCKET(2), 20, 10);
	feed_as(s, endpoint, .time = 1600, .end = SOCKET(2), .peer = SOCKET(1), .tid = 20,
		.kind = PT_CHANNEL_UNIX, .type = 1);
	feed_sent(s, 1600, SOCKET(2), 20, 7);
	finish(s, 5000);
	assert_ptr_equal(channel_of(s, SOCKET(1), &a), channel_of(s, SOCKET(2), &b));
	assert_int_not_equal(a, b);
	assert_flow(s, 10, 20, 10, 1, 1);
	assert_int_equal(channel_of(s, SOCKET(1), &a)->side[a].queue.bytes, 7);
	stream_free(s);
}

static void datagrams_are_matched_by_order(void **state)
{
	struct stream *s = two_tasks(state);

	feed_as(s, endpoint, .time = 900, .end = SOCKET(1), .peer = SOCKET(2), .tid = 10,
		.kind = PT_CHANNEL_UNIX, .type = 2);
	feed_sent(s, 1000, SOCKET(1), 10, 100);
	feed_sent(s, 1100, SOCKET(1), 10, 20);
	feed_received(s, 1500, SOCKET(2), 20, 30); /* cut off */
	feed_received(s, 1700, SOCKET(2), 20, 20);
	finish(s, 5000);
	assert_flow(s, 10, 20, 120, 2, 2);
	assert_int_equal(flow_between(s, 10, 20)->latency.max, 600);
	assert_int_equal(flow_between(s, 10, 20)->latency.min, 500);
	stream_free(s);
}

/* One read takes what several writes have added. */
static void an_eventfd_is_counted(void **state)
{
	struct stream *s = two_tasks(state);

	feed_sent(s, 1000, EVENT(1), 10, 8);
	feed_sent(s, 1100, EVENT(1), 20, 8);
	feed_as(s, transfer, .time = 1500, .end = EVENT(1), .tid = 20, .bytes = 8, .count = 1,
		.value = 2);
	finish(s, 5000);
	assert_flow(s, 10, 20, 8, 1, 1);
	assert_flow(s, 20, 20, 8, 1, 1);
	stream_free(s);
}

static void the_sleep_before_a_transfer_is_its_own(void **state)
{
	struct stream *s = stream_new();
	unsigned int side;
	const struct pt_traffic *sent;

	(void)state;
	feed_as(s, task, .time = 0, .tid = 10, .pid = 10, .start = 10, .state = PT_STATE_RUNNING,
		.syscall = -1, .comm = {"writer"});
	feed_as(s, switch, .time = 1000, .prev_tid = 10, .prev_state = PT_STATE_SLEEPING,
		.reason = PT_REASON_PIPE, .syscall = 1, .flags = PT_SWITCH_VOLUNTARY);
	feed_wakeup(s, 6000, 10, 20, 6100);
	feed_as(s, switch, .time = 6100, .next_tid = 10, .prev_state = PT_STATE_IDLE);
	feed_sent(s, 6200, PIPE(1), 10, 100);
	finish(s, 7000);
	sent = &channel_of(s, PIPE(1), &side)->side[0].sent;
	assert_int_equal(sent->blocked_ns, 5000);
	assert_int_equal(sent->blocked_max_at, 6000);
	stream_free(s);
}

static void many_unread_messages_are_summed(void **state)
{
	struct stream *s = two_tasks(state);
	unsigned int side;
	uint64_t i;

	for (i = 0; i < 3 * PT_QUEUE_LIMIT; i++)
		feed_sent(s, 1000 + i, PIPE(1), 10, 2);
	finish(s, 100000);
	assert_flow(s, 10, 0, 6 * PT_QUEUE_LIMIT, 3 * PT_QUEUE_LIMIT, 0);
	assert_int_equal(channel_of(s, PIPE(1), &side)->side[0].queue.bytes, 6 * PT_QUEUE_LIMIT);
	stream_free(s);
}

static void nonsense_is_no_error(void **state)
{
	struct stream *s = two_tasks(state);

	feed_as(s, endpoint, .time = 1, .end = SOCKET(1), .peer = SOCKET(1), .kind = 200,
		.type = 99, .queued = UINT64_MAX, .peer_queued = UINT64_MAX);
	feed_as(s, endpoint, .time = 1, .end = 0, .peer = SOCKET(1), .kind = PT_CHANNEL_UNIX,
		.type = 2);
	feed_as(s, endpoint, .time = 1, .end = SOCKET(3), .peer = SOCKET(1),
		.kind = PT_CHANNEL_UNIX, .type = 2);
	feed_as(s, endpoint, .time = 1, .end = SOCKET(1), .peer = SOCKET(3),
		.kind = PT_CHANNEL_UNIX, .type = 2);
	for (uint64_t end = 0; end < 4; end++) {
		feed_as(s, transfer, .time = 2, .end = SOCKET(end), .tid = 77, .bytes = UINT64_MAX,
			.count = UINT32_MAX, .flags = 0xffff);
		feed_as(s, transfer, .time = 3, .end = SOCKET(end), .bytes = UINT64_MAX);
		feed_as(s, transfer, .time = 3, .end = end << 56, .bytes = UINT64_MAX);
		feed_as(s, transfer, .time = 3, .end = ~end, .count = 3);
	}
	feed_as(s, pass, .time = 4, .end = 5, .object = 6, .count = UINT32_MAX, .kind = 255);
	feed_as(s, accept, .time = 4, .end = 5, .object = 6, .port = 9);
	feed_as(s, holder, .time = 4, .end = 12345);
	finish(s, 10);
	stream_free(s);
}

static void connections_are_counted_per_worker(void **state)
{
	struct stream *s = two_tasks(state);
	const struct pt_balance *balance = pt_analyses_balance(&s->all);

	feed_fork(s, 100, 10, 30, 30);
	feed_as(s, endpoint, .time = 200, .end = SOCKET(1), .tid = 10, .kind = PT_CHANNEL_TCP,
		.flags = PT_ENDPOINT_LISTENS | PT_ENDPOINT_CREATED, .local_port = 80);
	feed_as(s, accept, .time = 300, .end = SOCKET(1), .object = SOCKET(2), .tid = 10,
		.port = 80);
	feed_as(s, pass, .time = 400, .end = SOCKET(8), .object = SOCKET(2), .tid = 10, .count = 1,
		.port = 80, .kind = PT_CHANNEL_TCP, .flags = PT_TRANSFER_SENT, .bytes = 133);
	feed_as(s, pass, .time = 500, .end = SOCKET(9), .object = SOCKET(2), .tid = 30, .count = 1,
		.port = 80, .kind = PT_CHANNEL_TCP);
	feed_as(s, accept, .time = 600, .end = SOCKET(1), .object = SOCKET(3), .tid = 30,
		.port = 80);
	finish(s, 1000);
	assert_int_equal(balance->count, 1);
	assert_int_equal(balance->ports[0].port, 80);
	assert_int_equal(balance->ports[0].count, 2);
	assert_int_equal(balance->ports[0].workers[0].accepted, 1);
	assert_int_equal(balance->ports[0].workers[0].handed_out, 1);
	assert_int_equal(balance->ports[0].workers[0].handed_bytes, 133);
	assert_int_equal(balance->ports[0].workers[1].accepted, 1);
	assert_int_equal(balance->ports[0].workers[1].handed_over, 1);
	assert_int_equal(task_of(s, 30)->model, PT_MODEL_CLUSTER);
	stream_free(s);
}

/* It is bound when it is passed on; who receives it listens. */
static void a_socket_that_will_listen_is_no_connection(void **state)
{
	struct stream *s = two_tasks(state);
	const struct pt_balance *balance = pt_analyses_balance(&s->all);

	feed_fork(s, 100, 10, 30, 30);
	feed_as(s, endpoint, .time = 200, .end = SOCKET(1), .tid = 10, .kind = PT_CHANNEL_TCP,
		.local_port = 80);
	feed_as(s, pass, .time = 200, .end = SOCKET(8), .object = SOCKET(1), .tid = 10, .count = 1,
		.port = 80, .kind = PT_CHANNEL_TCP, .flags = PT_TRANSFER_SENT, .bytes = 143);
	feed_as(s, pass, .time = 300, .end = SOCKET(9), .object = SOCKET(1), .tid = 30, .count = 1,
		.port = 80, .kind = PT_CHANNEL_TCP);
	feed_as(s, endpoint, .time = 400, .end = SOCKET(2), .tid = 30, .kind = PT_CHANNEL_TCP,
		.flags = PT_ENDPOINT_CREATED, .local_port = 80, .peer_port = 9999);
	feed_as(s, accept, .time = 400, .end = SOCKET(1), .object = SOCKET(2), .tid = 30,
		.port = 80);
	finish(s, 1000);
	assert_int_equal(balance->count, 1);
	assert_int_equal(balance->ports[0].workers[0].handed_out, 0);
	assert_int_equal(balance->ports[0].workers[1].handed_over, 0);
	assert_int_equal(balance->ports[0].workers[1].sockets, 1);
	assert_int_equal(balance->ports[0].workers[1].accepted, 1);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency_is_up_to_the_last_byte),
		cmocka_unit_test(what_lay_there_does_not_shift),
		cmocka_unit_test(a_reader_may_be_ahead),
		cmocka_unit_test(sums_give_bytes_but_no_latency),
		cmocka_unit_test(both_sides_of_a_pair_are_one_channel),
		cmocka_unit_test(datagrams_are_matched_by_order),
		cmocka_unit_test(an_eventfd_is_counted),
		cmocka_unit_test(the_sleep_before_a_transfer_is_its_own),
		cmocka_unit_test(many_unread_messages_are_summed),
		cmocka_unit_test(nonsense_is_no_error),
		cmocka_unit_test(connections_are_counted_per_worker),
		cmocka_unit_test(a_socket_that_will_listen_is_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
