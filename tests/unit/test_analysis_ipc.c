/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels, flows and latencies from streams of records that are written down here. */
#include "ipc_stream.h"

#include "analysis/balance.h"

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

/* Who reads first may see in the queue what the record of the write, which comes later, tells. */
static void nothing_lay_in_what_was_made_meanwhile(void **state)
{
	struct stream *s = two_tasks(state);

	feed_as(s, endpoint, .time = 900, .end = SOCKET(1), .tid = 10, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK | PT_ENDPOINT_CREATED, .local_port = 1,
		.peer_port = 2, .local_low = 0x7f000001, .peer_low = 0x7f000001);
	feed_as(s, endpoint, .time = 1000, .end = SOCKET(2), .tid = 20, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK, .local_port = 2, .peer_port = 1,
		.local_low = 0x7f000001, .peer_low = 0x7f000001, .queued = 5);
	feed_received(s, 1000, SOCKET(2), 20, 5);
	feed_sent(s, 1003, SOCKET(1), 10, 5);
	finish(s, 5000);
	assert_flow(s, 10, 20, 5, 1, 1);
	assert_null(flow_between(s, 0, 20));
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

/* The description of an end may come after the first records of its use, from another CPU. */
static void a_description_may_come_late(void **state)
{
	struct stream *s = two_tasks(state);
	unsigned int a, b;

	feed_as(s, endpoint, .time = 900, .end = SOCKET(1), .tid = 10, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK, .local_port = 1, .peer_port = 2,
		.local_low = 0x7f000001, .peer_low = 0x7f000001);
	feed_sent(s, 1000, SOCKET(1), 10, 10);
	feed_as(s, attempt, .time = 1100, .end = SOCKET(2), .tid = 20, .receive_blocked = 3);
	feed_received(s, 1100, SOCKET(2), 20, 10);
	feed_as(s, endpoint, .time = 1101, .end = SOCKET(2), .tid = 20, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK, .local_port = 2, .peer_port = 1,
		.local_low = 0x7f000001, .peer_low = 0x7f000001);
	finish(s, 5000);
	assert_ptr_equal(channel_of(s, SOCKET(1), &a), channel_of(s, SOCKET(2), &b));
	assert_flow(s, 10, 20, 10, 1, 1);
	assert_int_equal(channel_of(s, SOCKET(2), &b)->side[1].received.would_block, 3);
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

static void feed_slept_in_write(struct stream *s, uint64_t from, uint64_t to)
{
	feed_as(s, switch, .time = from, .prev_tid = 10, .prev_state = PT_STATE_SLEEPING,
		.reason = PT_REASON_PIPE, .syscall = 1, .flags = PT_SWITCH_VOLUNTARY);
	feed_wakeup(s, to, 10, 20, to + 10);
	feed_as(s, switch, .time = to + 10, .next_tid = 10, .prev_state = PT_STATE_IDLE);
}

static struct stream *a_running_writer(void)
{
	struct stream *s = stream_new();

	feed_as(s, task, .time = 0, .tid = 10, .pid = 10, .start = 10, .state = PT_STATE_RUNNING,
		.syscall = -1, .comm = {"writer"});
	feed_sleeper(s, 20, 20, "reader");
	return s;
}

/* Calls that are told in sums have no record of their own, but their sleeps count. */
static void sums_are_charged_with_sleeps(void **state)
{
	struct stream *s = a_running_writer();
	const struct pt_traffic *sent;
	unsigned int side;

	(void)state;
	feed_pipe(s, 500, 0);
	feed_sent(s, 500, PIPE(1), 10, 100);
	feed_slept_in_write(s, 1000, 3000);
	feed_slept_in_write(s, 4000, 9000);
	feed_as(s, transfer, .time = 9500, .end = PIPE(1), .tid = 10, .bytes = 900, .count = 9,
		.flags = PT_TRANSFER_SENT, .syscall = -1);
	finish(s, 10000);
	sent = &channel_of(s, PIPE(1), &side)->side[0].sent;
	assert_int_equal(sent->blocked_ns, 7000);
	assert_int_equal(sent->blocked_max, 5000);
	stream_free(s);
}

static void who_still_sleeps_at_the_end_is_charged(void **state)
{
	struct stream *s = a_running_writer();
	const struct pt_traffic *sent;
	unsigned int side;

	(void)state;
	feed_pipe(s, 500, 0);
	feed_sent(s, 500, PIPE(1), 10, 100);
	feed_as(s, switch, .time = 1000, .prev_tid = 10, .prev_state = PT_STATE_SLEEPING,
		.reason = PT_REASON_PIPE, .syscall = 1, .flags = PT_SWITCH_VOLUNTARY);
	finish(s, 10000);
	sent = &channel_of(s, PIPE(1), &side)->side[0].sent;
	assert_int_equal(sent->blocked_ns, 9000);
	assert_int_equal(sent->blocked_max_at, 10000);
	stream_free(s);
}

/* What was written first had waited since the writer began to wait for room. */
static void a_blocked_write_is_dated_by_its_beginning(void **state)
{
	struct stream *s = a_running_writer();

	(void)state;
	feed_pipe(s, 500, 0);
	feed_slept_in_write(s, 1000, 6000);
	feed_received(s, 6100, PIPE(1), 20, 60);
	feed_sent(s, 6200, PIPE(1), 10, 100);
	feed_received(s, 6500, PIPE(1), 20, 40);
	finish(s, 7000);
	assert_flow(s, 10, 20, 100, 1, 1);
	assert_int_equal(flow_between(s, 10, 20)->latency.max, 5500);
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

/* The socket at the other side is found by addresses, and who has it open by that. */
static void the_other_side_is_held_by_somebody(void **state)
{
	struct stream *s = two_tasks(state);
	const struct pt_channel *channel;
	unsigned int side;

	feed_as(s, endpoint, .time = 900, .end = SOCKET(1), .tid = 10, .kind = PT_CHANNEL_TCP,
		.type = 1, .flags = PT_ENDPOINT_LOOPBACK, .local_port = 1, .peer_port = 2);
	feed_as(s, opposite, .time = 1000, .end = SOCKET(1), .opposite = SOCKET(7));
	feed_as(s, opposite, .time = 1000, .end = SOCKET(8), .opposite = SOCKET(1));
	feed_as(s, opposite, .time = 1000, .end = SOCKET(1), .opposite = SOCKET(9));
	feed_as(s, holder, .time = 1001, .end = SOCKET(7), .pid = 99, .flags = PT_HOLDER_READS,
		.comm = {"client"});
	finish(s, 5000);
	channel = channel_of(s, SOCKET(7), &side);
	assert_int_equal(side, 1);
	assert_ptr_equal(channel, channel_of(s, SOCKET(1), &side));
	assert_int_equal(channel->side[1].holder_count, 1);
	assert_string_equal(channel->side[1].holders[0].comm, "client");
	stream_free(s);
}

static struct stream *two_that_wait_on_a_futex(uint32_t *child)
{
	struct stream *s = a_running_writer();

	feed_fork(s, 100, 10, 30, 30);
	feed_as(s, switch, .time = 1000, .prev_tid = 10, .prev_state = PT_STATE_SLEEPING,
		.reason = PT_REASON_LOCK, .syscall = 202, .flags = PT_SWITCH_VOLUNTARY);
	feed_wakeup(s, 2000, 10, 30, 2010);
	feed_as(s, switch, .time = 2010, .next_tid = 10, .prev_state = PT_STATE_IDLE);
	*child = 30;
	return s;
}

static void feed_segment(struct stream *s, uint64_t inode, uint32_t pid)
{
	feed_as(s, segment, .time = 3000, .inode = inode, .device = 1, .bytes = 4096, .pid = pid,
		.flags = PT_SEGMENT_WRITES);
}

static void wake_ups_belong_to_the_one_segment(void **state)
{
	uint32_t child;
	struct stream *s = two_that_wait_on_a_futex(&child);
	const struct pt_flow *flow;

	(void)state;
	feed_segment(s, 5, 10);
	feed_segment(s, 5, child);
	feed_segment(s, 6, child);
	finish(s, 5000);
	assert_flow(s, child, 10, 0, 1, 0);
	flow = flow_between(s, child, 10);
	assert_int_equal(pt_analyses_ipc(&s->all)->channels.list[flow->channel]->kind,
			 PT_CHANNEL_SHARED);
	assert_false(flow->unsure);
	stream_free(s);
}

static void wake_ups_of_several_segments_are_of_neither(void **state)
{
	uint32_t child;
	struct stream *s = two_that_wait_on_a_futex(&child);
	const struct pt_flow *flow;

	(void)state;
	feed_segment(s, 5, 10);
	feed_segment(s, 5, child);
	feed_segment(s, 6, 10);
	feed_segment(s, 6, child);
	finish(s, 5000);
	flow = flow_between(s, child, 10);
	assert_int_equal(pt_analyses_ipc(&s->all)->channels.list[flow->channel]->kind,
			 PT_CHANNEL_FUTEX);
	assert_false(flow->unsure);
	stream_free(s);
}

static void wake_ups_without_common_memory_are_uncertain(void **state)
{
	uint32_t child;
	struct stream *s = two_that_wait_on_a_futex(&child);

	(void)state;
	finish(s, 5000);
	assert_true(flow_between(s, child, 10)->unsure);
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
		cmocka_unit_test(nothing_lay_in_what_was_made_meanwhile),
		cmocka_unit_test(a_reader_may_be_ahead),
		cmocka_unit_test(sums_give_bytes_but_no_latency),
		cmocka_unit_test(both_sides_of_a_pair_are_one_channel),
		cmocka_unit_test(a_description_may_come_late),
		cmocka_unit_test(datagrams_are_matched_by_order),
		cmocka_unit_test(an_eventfd_is_counted),
		cmocka_unit_test(the_sleep_before_a_transfer_is_its_own),
		cmocka_unit_test(sums_are_charged_with_sleeps),
		cmocka_unit_test(who_still_sleeps_at_the_end_is_charged),
		cmocka_unit_test(a_blocked_write_is_dated_by_its_beginning),
		cmocka_unit_test(nonsense_is_no_error),
		cmocka_unit_test(the_other_side_is_held_by_somebody),
		cmocka_unit_test(wake_ups_belong_to_the_one_segment),
		cmocka_unit_test(wake_ups_of_several_segments_are_of_neither),
		cmocka_unit_test(wake_ups_without_common_memory_are_uncertain),
		cmocka_unit_test(connections_are_counted_per_worker),
		cmocka_unit_test(a_socket_that_will_listen_is_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
