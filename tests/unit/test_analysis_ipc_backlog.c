/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies unread in channels, however much it is. */
#include "ipc_stream.h"

/* 100 bytes for 20 ms, then 300 for 200 ms; 64 steps of at least 1 ms. */
static void depth_over_time_is_kept_where_it_is_slow(void **state)
{
	struct stream *s = two_tasks(state);
	const struct pt_depth *depth;
	unsigned int side;
	double area = 0;
	uint32_t i;

	feed_pipe(s, 1000, 0);
	feed_sent(s, 1000, PIPE(1), 10, 50);
	feed_received(s, 2000, PIPE(1), 20, 50);
	feed_sent(s, 1000000, PIPE(1), 10, 100);
	feed_sent(s, 21000000, PIPE(1), 10, 200);
	feed_received(s, 221000000, PIPE(1), 20, 300);
	finish(s, 300000000);
	depth = channel_of(s, PIPE(1), &side)->side[0].queue.gauge.steps;
	assert_non_null(depth);
	assert_int_equal(depth->start, 1000000);
	assert_int_equal(depth->width, 8000000);
	assert_int_equal(depth->count, 38);
	for (i = 0; i < depth->count; i++)
		area += depth->steps[i].area;
	assert_true(area == 100.0 * 20000000 + 300.0 * 200000000);
	assert_int_equal(depth->steps[0].max, 100);
	assert_int_equal(depth->steps[3].max, 300);
	assert_int_equal(depth->steps[30].max, 0);
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

/* A server's connections to clients that are not recorded: each keeps less than one alone would. */
static void many_channels_that_nobody_reads(void **state)
{
	struct stream *s = two_tasks(state);
	unsigned int side;
	size_t pieces = 0;
	uint64_t i, n;

	for (i = 0; i < 1000; i++) {
		for (n = 0; n < 400; n++)
			feed_sent(s, 1000 + n, PIPE(1 + i), 10, 2);
	}
	finish(s, 100000);
	for (i = 0; i < 1000; i++) {
		const struct pt_queue *queue = &channel_of(s, PIPE(1 + i), &side)->side[0].queue;

		assert_int_equal(queue->bytes, 800);
		pieces += queue->written.count;
	}
	assert_true(pieces < 4 * PT_QUEUE_ALL);
	stream_free(s);
}

/* Of a sum that is read but for its end, the messages go along with their bytes. */
static void a_sum_is_read_in_part(void **state)
{
	struct stream *s = two_tasks(state);

	feed_as(s, transfer, .time = 9500, .end = PIPE(1), .tid = 10, .bytes = 900, .count = 9,
		.flags = PT_TRANSFER_SENT, .syscall = -1);
	feed_received(s, 9600, PIPE(1), 20, 800);
	finish(s, 100000);
	assert_flow(s, 10, 20, 800, 8, 0);
	assert_flow(s, 10, 0, 100, 1, 0);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depth_over_time_is_kept_where_it_is_slow),
		cmocka_unit_test(many_unread_messages_are_summed),
		cmocka_unit_test(many_channels_that_nobody_reads),
		cmocka_unit_test(a_sum_is_read_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
