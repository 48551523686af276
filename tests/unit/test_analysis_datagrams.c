/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams with addresses, from streams of records that are written down here. */
#include "ipc_stream.h"

#include "model/talks.h"

#define TALK(n)	   PT_ENDPOINT_OF(PT_CLASS_TALK, n)
#define LOOPBACK   0x7f000001u
#define DISTANT	   0x08080808u
#define SERVER	   SOCKET(1)
#define CLIENT	   SOCKET(2)
#define OTHER	   SOCKET(3)
#define TO_SERVER  TALK(20)
#define TO_SERVER2 TALK(30)
#define OF_CLIENT  TALK(12)
#define OF_OTHER   TALK(13)

static struct stream *three_tasks(void)
{
	struct stream *s = stream_new();

	feed_sleeper(s, 10, 10, "server");
	feed_sleeper(s, 20, 20, "client");
	feed_sleeper(s, 30, 30, "other");
	return s;
}

static void feed_socket(struct stream *s, uint64_t time, uint64_t end, uint32_t tid, uint32_t low,
			uint16_t port)
{
	feed_as(s, endpoint, .time = time, .end = end, .tid = tid, .kind = PT_CHANNEL_UDP,
		.type = 2, .family = 2, .network = 7, .local_low = low, .local_port = port,
		.flags = PT_ENDPOINT_FRESH);
}

static void feed_talk(struct stream *s, uint64_t time, uint64_t end, uint64_t socket, uint32_t low,
		      uint16_t port)
{
	feed_as(s, talk, .time = time, .end = end, .socket = socket, .low = low, .port = port,
		.family = 2, .network = 7);
}

static void feed_moved(struct stream *s, uint64_t time, uint64_t end, uint32_t tid, uint64_t with,
		       uint64_t bytes, bool sent)
{
	feed_as(s, transfer, .time = time, .end = end, .tid = tid, .bytes = bytes, .count = 1,
		.with = with, .flags = sent ? PT_TRANSFER_SENT : 0);
}

/* Both clients know where the server is; it is bound to all addresses. */
static struct stream *server_and_clients(void)
{
	struct stream *s = three_tasks();

	feed_socket(s, 100, CLIENT, 20, 0, 1002);
	feed_socket(s, 100, OTHER, 30, 0, 1003);
	feed_talk(s, 101, TO_SERVER, CLIENT, LOOPBACK, 1001);
	feed_talk(s, 101, TO_SERVER2, OTHER, LOOPBACK, 1001);
	return s;
}

static void assert_flow_took(struct stream *s, uint32_t from, uint32_t to, uint64_t bytes,
			     uint64_t messages, uint64_t latency)
{
	const struct pt_flow *flow = flow_between(s, from, to);

	assert_non_null(flow);
	assert_int_equal(flow->bytes, bytes);
	assert_int_equal(flow->messages, messages);
	assert_int_equal(flow->latency.max, latency);
}

/* What was sent before the server was seen for the first time is its, in order. */
static void a_server_is_seen_late(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_moved(s, 1000, CLIENT, 20, TO_SERVER, 5, true);
	feed_moved(s, 1100, OTHER, 30, TO_SERVER2, 7, true);
	feed_socket(s, 2000, SERVER, 10, 0, 1001);
	feed_moved(s, 2000, SERVER, 10, 0, 5, false);
	feed_moved(s, 2200, SERVER, 10, 0, 7, false);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 5, 1, 1000);
	assert_flow_took(s, 30, 10, 7, 1, 1100);
	assert_false(flow_between(s, 20, 10)->unsure);
	stream_free(s);
}

/* Who asks for the sender need not take what is first: it may have come in another order than the calls returned in. */
static void a_receiver_that_asks_knows(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_socket(s, 900, SERVER, 10, LOOPBACK, 1001);
	feed_talk(s, 900, OF_CLIENT, SERVER, LOOPBACK, 1002);
	feed_talk(s, 900, OF_OTHER, SERVER, LOOPBACK, 1003);
	feed_moved(s, 1000, CLIENT, 20, TO_SERVER, 5, true);
	feed_moved(s, 1100, OTHER, 30, TO_SERVER2, 7, true);
	feed_moved(s, 2000, SERVER, 10, OF_OTHER, 7, false);
	feed_moved(s, 2200, SERVER, 10, OF_CLIENT, 5, false);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 5, 1, 1200);
	assert_flow_took(s, 30, 10, 7, 1, 900);
	stream_free(s);
}

/*
 * The first that is read lay there before the recording: it is not that which the client sends afterwards. Unless the
 * client's call only had not returned yet.
 */
static void what_was_on_its_way_does_not_shift(void **state)
{
	static const uint64_t sent_after[] = {300000, 10000};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct stream *s = three_tasks();
		uint64_t time = 1000 + sent_after[i], end = 10 * 300000;

		feed_as(s, endpoint, .time = 1000, .end = SERVER, .tid = 10, .kind = PT_CHANNEL_UDP,
			.type = 2, .family = 2, .network = 7, .local_low = LOOPBACK,
			.local_port = 1001, .queued = 1);
		feed_talk(s, 1000, OF_CLIENT, SERVER, LOOPBACK, 1002);
		feed_moved(s, 1000, SERVER, 10, OF_CLIENT, 5, false);
		feed_socket(s, time, CLIENT, 20, 0, 1002);
		feed_talk(s, time, TO_SERVER, CLIENT, LOOPBACK, 1001);
		for (; time < end; time += 300000) {
			feed_moved(s, time, CLIENT, 20, TO_SERVER, 5, true);
			if (i && time < 300000)
				continue;
			feed_moved(s, time + 700, SERVER, 10, OF_CLIENT, 5, false);
		}
		finish(s, end);
		assert_flow_took(s, 20, 10, i ? 50 : 45, i ? 10 : 9, 700);
		assert_int_equal(!flow_between(s, 0, 10), i);
		stream_free(s);
	}
}

/* An address elsewhere is nobody's here, though a socket is bound to all addresses with that port. */
static void an_address_elsewhere(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_socket(s, 900, SERVER, 10, 0, 1001);
	feed_talk(s, 900, TALK(5), CLIENT, DISTANT, 1001);
	feed_moved(s, 1000, CLIENT, 20, TALK(5), 5, true);
	finish(s, 5000);
	assert_null(flow_between(s, 20, 10));
	assert_flow_took(s, 20, 0, 5, 1, 0);
	assert_int_equal(flow_between(s, 20, 0)->talk->address[1], DISTANT);
	/* That it is elsewhere was not known. */
	assert_true(flow_between(s, 20, 0)->unsure);
	stream_free(s);
}

static void an_own_address(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_socket(s, 900, SERVER, 10, 0, 1001);
	feed_as(s, own_address, .time = 900, .low = DISTANT, .network = 7);
	feed_talk(s, 950, TALK(5), CLIENT, DISTANT, 1001);
	feed_moved(s, 1000, CLIENT, 20, TALK(5), 5, true);
	feed_moved(s, 1500, SERVER, 10, 0, 5, false);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 5, 1, 500);
	stream_free(s);
}

/* A lost datagram is not read, and does not stand in the way of those behind it. */
static void a_drop_does_not_shift(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_socket(s, 900, SERVER, 10, LOOPBACK, 1001);
	feed_as(s, drop, .time = 990, .end = SERVER, .tid = 20, .low = LOOPBACK, .port = 1002);
	feed_moved(s, 1000, CLIENT, 20, TO_SERVER, 5, true);
	feed_moved(s, 1100, CLIENT, 20, TO_SERVER, 6, true);
	feed_moved(s, 1300, SERVER, 10, 0, 6, false);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 6, 1, 200);
	assert_flow_took(s, 20, 0, 5, 1, 0);
	assert_null(flow_between(s, 20, 0)->talk);
	stream_free(s);
}

/* Of a socket that is bound anew only what was sent since is its. */
static void what_was_sent_before_it_was_bound(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_moved(s, 1000, CLIENT, 20, TO_SERVER, 5, true);
	feed_moved(s, 1600, CLIENT, 20, TO_SERVER, 6, true);
	feed_as(s, endpoint, .time = 2000, .end = SERVER, .tid = 10, .kind = PT_CHANNEL_UDP,
		.type = 2, .family = 2, .network = 7, .local_low = LOOPBACK, .local_port = 1001,
		.flags = PT_ENDPOINT_FRESH, .age = 500);
	feed_moved(s, 2000, SERVER, 10, 0, 6, false);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 6, 1, 400);
	assert_flow_took(s, 20, 0, 5, 1, 0);
	stream_free(s);
}

/* A stranger among those whose messages are told makes doubtful whose is whose, unless the receiver asks. */
static void a_stranger_among_them(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_socket(s, 900, SERVER, 10, LOOPBACK, 1001);
	feed_moved(s, 1000, SERVER, 10, 0, 5, false);
	feed_moved(s, 1100, SERVER, 10, 0, 5, false);
	feed_moved(s, 1200, CLIENT, 20, TO_SERVER, 5, true);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 5, 1, 0);
	assert_true(flow_between(s, 20, 10)->unsure);
	assert_flow_took(s, 0, 10, 5, 1, 0);
	stream_free(s);
}

/* A socket that is connected to the sender comes before one that is bound to the same address. */
static void the_connected_one_comes_first(void **state)
{
	struct stream *s = server_and_clients();

	(void)state;
	feed_socket(s, 900, SERVER, 10, 0, 1001);
	feed_as(s, endpoint, .time = 900, .end = SOCKET(4), .tid = 10, .kind = PT_CHANNEL_UDP,
		.type = 2, .family = 2, .network = 7, .local_low = LOOPBACK, .local_port = 1001,
		.peer_low = LOOPBACK, .peer_port = 1002, .flags = PT_ENDPOINT_FRESH);
	feed_moved(s, 1000, CLIENT, 20, TO_SERVER, 5, true);
	feed_moved(s, 1000, OTHER, 30, TO_SERVER2, 7, true);
	feed_moved(s, 1200, SERVER, 10, 0, 7, false);
	feed_moved(s, 1300, SOCKET(4), 10, 0, 5, false);
	finish(s, 5000);
	assert_flow_took(s, 20, 10, 5, 1, 300);
	assert_flow_took(s, 30, 10, 7, 1, 200);
	stream_free(s);
}

/* Records that contradict each other, or name what is not there. */
static void nonsense_is_no_error(void **state)
{
	struct stream *s = three_tasks();
	uint64_t i;

	(void)state;
	feed_moved(s, 100, SERVER, 10, TALK(77), 5, true);
	feed_moved(s, 100, CLIENT, 20, TO_SERVER, 5, false);
	feed_talk(s, 200, TO_SERVER, OTHER, LOOPBACK, 1001);
	feed_as(s, drop, .time = 200, .end = SOCKET(99), .tid = 99, .low = 1, .port = 1);
	feed_as(s, resolved, .time = 200, .end = TO_SERVER, .inode = 5);
	feed_as(s, opposite, .time = 200, .end = TO_SERVER, .opposite = OTHER);
	for (i = 0; i < 5000; i++) {
		feed_talk(s, 300 + i, TALK(1000 + i), SERVER, LOOPBACK + (uint32_t)i, 1001);
		feed_socket(s, 300 + i, SERVER, 10, LOOPBACK + (uint32_t)i, 1001);
		feed_moved(s, 300 + i, SERVER, 10, TALK(1000 + i), i, i & 1);
	}
	finish(s, 10000);
	stream_free(s);
}

/* However long a way to it has become: a socket may be connected anew by the thousand. */
static void a_long_way_is_shortened(void **state)
{
	enum { LANES = 1000 };
	struct pt_lane lanes[LANES] = {0};
	struct pt_lane *root = &lanes[LANES - 1];

	(void)state;
	for (int i = 0; i + 1 < LANES; i++)
		lanes[i].same = &lanes[i + 1];
	assert_null(pt_lane_root(NULL));
	assert_ptr_equal(pt_lane_root(root), root);
	for (int i = 0; i < 10; i++)
		assert_ptr_equal(pt_lane_root(&lanes[0]), root);
	assert_ptr_equal(lanes[0].same, root);
	assert_ptr_equal(pt_lane_root(&lanes[1]), root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_seen_late),
		cmocka_unit_test(a_receiver_that_asks_knows),
		cmocka_unit_test(what_was_on_its_way_does_not_shift),
		cmocka_unit_test(an_address_elsewhere),
		cmocka_unit_test(an_own_address),
		cmocka_unit_test(a_drop_does_not_shift),
		cmocka_unit_test(what_was_sent_before_it_was_bound),
		cmocka_unit_test(a_stranger_among_them),
		cmocka_unit_test(the_connected_one_comes_first),
		cmocka_unit_test(nonsense_is_no_error),
		cmocka_unit_test(a_long_way_is_shortened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
