/* SPDX-License-Identifier: BSD-2-Clause */
/* What lay in TCP connections before and after the recording, and how deep they were, from records that are written down here. */
#include "ipc_stream.h"

#define CLIENT PT_ENDPOINT_OF(PT_CLASS_SOCKET, 1)
#define SERVER PT_ENDPOINT_OF(PT_CLASS_SOCKET, 2)
#define MS     1000000ULL

static void feed_end(struct stream *s, uint64_t time, uint64_t end)
{
	bool client = end == CLIENT;

	feed_as(s, endpoint, .time = time, .end = end, .tid = client ? 10 : 20,
		.kind = PT_CHANNEL_TCP, .type = 1,
		.flags = PT_ENDPOINT_LOOPBACK | PT_ENDPOINT_SEQUENCE, .local_low = 0x7f000001,
		.peer_low = 0x7f000001, .local_port = client ? 1 : 2, .peer_port = client ? 2 : 1,
		.queued = 4711);
}

/* The client is task 10, the server task 20; both ends have been described. */
static struct stream *connection(void)
{
	struct stream *s = stream_new();

	feed_sleeper(s, 10, 10, "client");
	feed_sleeper(s, 20, 20, "server");
	feed_end(s, 900, CLIENT);
	feed_end(s, 900, SERVER);
	return s;
}

static void feed_written_from(struct stream *s, uint64_t time, uint32_t sequence)
{
	feed_as(s, sequence, .time = time, .end = CLIENT, .tid = 10, .sent = sequence,
		.flags = PT_SEQUENCE_SENT);
}

static void feed_read_from(struct stream *s, uint64_t time, uint32_t sequence)
{
	feed_as(s, sequence, .time = time, .end = SERVER, .tid = 20, .received = sequence,
		.flags = PT_SEQUENCE_RECEIVED);
}

static void feed_write(struct stream *s, uint64_t time, uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = CLIENT, .tid = 10, .bytes = bytes, .count = 1,
		.syscall = 1, .flags = PT_TRANSFER_SENT);
}

static void feed_read(struct stream *s, uint64_t time, uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = SERVER, .tid = 20, .bytes = bytes, .count = 1,
		.syscall = 0);
}

static void assert_bytes(struct stream *s, uint32_t from, uint32_t to, uint64_t bytes)
{
	const struct pt_flow *flow = flow_between(s, from, to);

	assert_int_equal(flow ? flow->bytes : 0, bytes);
}

static const struct pt_queue *to_server(struct stream *s)
{
	unsigned int server;
	const struct pt_channel *channel = channel_of(s, SERVER, &server);

	return &channel->side[server].queue;
}

static uint64_t unread_by_server(struct stream *s)
{
	unsigned int server;
	const struct pt_channel *channel = channel_of(s, SERVER, &server);
	uint64_t bytes;

	assert_true(pt_ipc_unread(channel, server, &bytes));
	return bytes;
}

/* The numbers go round at 2^32, and whoever is seen first may be the reader. */
static void what_was_in_flight(void **state)
{
	(void)state;
	for (int reader_first = 0; reader_first < 2; reader_first++) {
		struct stream *s = connection();

		if (reader_first) {
			feed_read_from(s, 1000, 0xfffffff0);
			feed_read(s, 1000, 30);
		}
		feed_written_from(s, 2000, 0x20);
		feed_write(s, 2000, 100);
		if (!reader_first) {
			feed_read_from(s, 2500, 0xfffffff0);
			feed_read(s, 2500, 30);
		}
		feed_read(s, 3000, 60);
		finish(s, 5000);
		assert_int_equal(to_server(s)->before, 48);
		assert_bytes(s, 0, 20, 48);
		assert_bytes(s, 10, 20, 42);
		assert_bytes(s, 10, 0, 58);
		assert_int_equal(unread_by_server(s), 58);
		assert_false(flow_between(s, 10, 20)->unsure);
		stream_free(s);
	}
}

/* The first call on record had begun before, and the reader had already a part of what it sent. */
static void what_had_been_read_of_the_first_message(void **state)
{
	(void)state;
	for (int reader_first = 0; reader_first < 2; reader_first++) {
		struct stream *s = connection();

		if (reader_first) {
			feed_read_from(s, 1000, 170);
			feed_read(s, 1000, 20);
		}
		feed_written_from(s, 2000, 100);
		feed_write(s, 2000, 100);
		if (!reader_first) {
			feed_read_from(s, 2500, 170);
			feed_read(s, 2500, 20);
		}
		finish(s, 5000);
		assert_int_equal(to_server(s)->before, -70);
		assert_bytes(s, 10, 20, 20);
		assert_bytes(s, 10, 0, 80);
		assert_int_equal(unread_by_server(s), 10);
		stream_free(s);
	}
}

static void without_numbers_it_is_uncertain(void **state)
{
	struct stream *s = connection();

	(void)state;
	feed_write(s, 2000, 100);
	feed_read_from(s, 2500, 100);
	feed_read(s, 2500, 30);
	finish(s, 5000);
	assert_true(flow_between(s, 10, 20)->unsure);
	stream_free(s);
}

/* Another task writes at the same moment: its bytes may have been counted when the first told where it began. */
static void with_a_second_writer_it_is_uncertain(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct stream *s = connection();

		feed_sleeper(s, 11, 10, "other");
		feed_written_from(s, 2000, 100);
		feed_write(s, 2000, 100);
		feed_as(s, transfer, .time = late ? 2000 * MS : 3000, .end = CLIENT, .tid = 11,
			.bytes = 5, .count = 1, .syscall = 1, .flags = PT_TRANSFER_SENT);
		feed_read_from(s, 2000 * MS, 100);
		feed_read(s, 2000 * MS, 30);
		finish(s, 3000 * MS);
		assert_int_equal(flow_between(s, 10, 20)->unsure, !late);
		stream_free(s);
	}
}

/* The call that sends it has not returned when recording ends. */
static void a_message_that_recording_cut(void **state)
{
	struct stream *s = connection();

	(void)state;
	feed_written_from(s, 2000, 100);
	feed_write(s, 2000, 100);
	feed_read_from(s, 2500, 100);
	feed_read(s, 2500, 130);
	finish(s, 5000);
	assert_int_equal(to_server(s)->unfinished, 30);
	assert_bytes(s, 10, 20, 130);
	assert_bytes(s, 0, 20, 0);
	assert_int_equal(flow_between(s, 10, 20)->messages, 1);
	stream_free(s);
}

static void what_the_kernel_says_at_the_end(void **state)
{
	struct stream *s = stream_new();
	uint64_t bytes = 0;
	unsigned int server;

	(void)state;
	feed_sleeper(s, 20, 20, "server");
	feed_end(s, 900, SERVER);
	feed_read_from(s, 1000, 100);
	feed_read(s, 1000, 30);
	feed_as(s, opposite, .time = 3000, .end = SERVER, .opposite = CLIENT);
	feed_as(s, leftover, .time = 4000, .end = SERVER, .unread = 10, .copied = 130, .written = 5,
		.flags = PT_LEFTOVER_TARGET);
	feed_as(s, leftover, .time = 4000, .end = CLIENT, .unacked = 60, .copied = 5,
		.written = 200);
	finish(s, 5000);
	assert_int_equal(unread_by_server(s), 70);
	assert_false(pt_ipc_depth_known(channel_of(s, SERVER, &server)));
	assert_true(pt_ipc_unread(channel_of(s, SERVER, &server), !server, &bytes));
	assert_int_equal(bytes, 0);
	stream_free(s);
}

/* It made no call at all, but has the socket open. */
static void who_never_read(void **state)
{
	struct stream *s = stream_new();
	unsigned int server;

	(void)state;
	feed_sleeper(s, 10, 10, "client");
	feed_end(s, 900, CLIENT);
	feed_written_from(s, 1000, 100);
	feed_write(s, 1000, 50);
	feed_as(s, opposite, .time = 3000, .end = CLIENT, .opposite = SERVER);
	feed_as(s, leftover, .time = 4000, .end = SERVER, .unread = 80, .copied = 70, .written = 5,
		.flags = PT_LEFTOVER_TARGET);
	finish(s, 5000);
	assert_int_equal(to_server(s)->before, 30);
	assert_int_equal(unread_by_server(s), 80);
	assert_true(pt_ipc_depth_known(channel_of(s, SERVER, &server)));
	stream_free(s);
}

static void feed_sum(struct stream *s, uint64_t time, bool sent, uint64_t bytes)
{
	feed_as(s, transfer, .time = time, .end = sent ? CLIENT : SERVER, .tid = sent ? 10 : 20,
		.bytes = bytes, .count = 100, .syscall = -1, .age = MS,
		.flags = sent ? PT_TRANSFER_SENT : 0);
}

/* A reader that tells a sum has read before it said so: what was written meanwhile did not pile up. */
static void sums_do_not_pile_up(void **state)
{
	struct stream *s = connection();
	const struct pt_gauge *gauge;

	(void)state;
	feed_written_from(s, 1 * MS, 100);
	feed_read_from(s, 1 * MS, 100);
	feed_write(s, 1 * MS, 1000);
	feed_read(s, 2 * MS, 1000);
	for (int i = 0; i < 50; i++)
		feed_write(s, (3 + i) * MS, 1000);
	feed_sum(s, 60 * MS, false, 48000);
	feed_as(s, transfer, .time = 60 * MS, .end = SERVER, .tid = 20, .bytes = 500, .count = 1,
		.level = 1500);
	finish(s, 100 * MS);
	gauge = &to_server(s)->gauge;
	assert_true(gauge->estimated);
	assert_int_equal(gauge->max, 2000);
	assert_int_equal(unread_by_server(s), 1500);
	stream_free(s);
}

/* One that is silent for longer than that does not read. */
static void what_a_silent_reader_leaves_piles_up(void **state)
{
	struct stream *s = connection();

	(void)state;
	feed_written_from(s, 1 * MS, 100);
	feed_read_from(s, 1 * MS, 100);
	feed_write(s, 1 * MS, 1000);
	feed_read(s, 2 * MS, 1000);
	feed_sum(s, 60 * MS, true, 40000);
	feed_write(s, 60 * MS, 1000);
	feed_sum(s, 120 * MS, true, 40000);
	assert_int_equal(to_server(s)->gauge.bytes, 81000);
	feed_read(s, 300 * MS, 81000);
	finish(s, 400 * MS);
	assert_int_equal(to_server(s)->gauge.max, 81000);
	assert_int_equal(to_server(s)->gauge.bytes, 0);
	stream_free(s);
}

/* What the writer has not told yet is known from both kernels' queues. */
static void a_reader_ahead_of_sums(void **state)
{
	struct stream *s = connection();

	(void)state;
	feed_written_from(s, 1 * MS, 100);
	feed_read_from(s, 1 * MS, 100);
	feed_as(s, transfer, .time = 1 * MS, .end = CLIENT, .tid = 10, .bytes = 1000, .count = 1,
		.syscall = 1, .flags = PT_TRANSFER_SENT, .level = 400, .unsent = 300);
	feed_sum(s, 2 * MS, false, 5000);
	feed_as(s, transfer, .time = 2 * MS, .end = SERVER, .tid = 20, .bytes = 100, .count = 1,
		.level = 700);
	assert_int_equal(to_server(s)->gauge.bytes, 1000);
	assert_int_equal(to_server(s)->gauge.max, 1100);
	feed_sum(s, 3 * MS, true, 5500);
	finish(s, 10 * MS);
	assert_int_equal(to_server(s)->gauge.bytes, 1400);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_in_flight),
		cmocka_unit_test(what_had_been_read_of_the_first_message),
		cmocka_unit_test(without_numbers_it_is_uncertain),
		cmocka_unit_test(with_a_second_writer_it_is_uncertain),
		cmocka_unit_test(a_message_that_recording_cut),
		cmocka_unit_test(what_the_kernel_says_at_the_end),
		cmocka_unit_test(who_never_read),
		cmocka_unit_test(sums_do_not_pile_up),
		cmocka_unit_test(what_a_silent_reader_leaves_piles_up),
		cmocka_unit_test(a_reader_ahead_of_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
