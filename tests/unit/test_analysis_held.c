/* SPDX-License-Identifier: BSD-2-Clause */
/* What processes hold in common: memory that they map, and descriptors that they pass on. */
#include "stream.h"

#include "analysis/ipc.h"

#define PIPE(n)	  PT_ENDPOINT_OF(PT_CLASS_PIPE, n)
#define SOCKET(n) PT_ENDPOINT_OF(PT_CLASS_SOCKET, n)

static struct stream *two_tasks(void)
{
	struct stream *s = stream_new();

	feed_sleeper(s, 10, 10, "writer");
	feed_sleeper(s, 20, 20, "reader");
	return s;
}

static const struct pt_channel *channel_of(struct stream *s, uint64_t end)
{
	unsigned int side;
	const struct pt_channel *channel =
		pt_channel_find(&pt_analyses_ipc(&s->all)->channels, end, &side);

	assert_non_null(channel);
	return channel;
}

static bool maps(struct stream *s, uint64_t inode, uint32_t pid, bool inherited)
{
	const struct pt_channel *channel =
		channel_of(s, PT_ENDPOINT_OF(PT_CLASS_SHARED, 1ULL << 32 | inode));
	uint32_t i;

	for (i = 0; i < channel->side[0].holder_count; i++) {
		const struct pt_holder_of *holder = &channel->side[0].holders[i];

		if (holder->pid == pid)
			return !!(holder->flags & PT_HOLDER_INHERITED) == inherited;
	}
	return false;
}

static void map(struct stream *s, uint64_t time, uint64_t inode, uint32_t pid, uint32_t flags)
{
	feed_as(s, segment, .time = time, .inode = inode, .device = 1, .bytes = 4096, .pid = pid,
		.flags = flags);
}

/* Of what a process maps when it forks; a child that runs another program has nothing of it. */
static void children_have_what_their_parent_maps(void **state)
{
	struct stream *s = two_tasks();

	(void)state;
	map(s, 100, 5, 10, PT_SEGMENT_MAPPED);
	map(s, 110, 6, 10, PT_SEGMENT_MAPPED);
	map(s, 120, 6, 10, PT_SEGMENT_MAPPED);
	feed_fork(s, 200, 10, 30, 30);
	map(s, 210, 6, 10, PT_SEGMENT_ENDED);
	feed_fork(s, 220, 30, 31, 31);
	map(s, 230, 6, 10, PT_SEGMENT_ENDED);
	feed_fork(s, 300, 10, 40, 40);
	feed_fork(s, 310, 10, 50, 50);
	feed_as(s, exec, .time = 320, .tid = 50, .old_tid = 50);
	map(s, 400, 7, 10, 0); /* it was there before */
	finish(s, 5000);
	assert_true(maps(s, 5, 10, false) && maps(s, 6, 10, false) && maps(s, 7, 10, false));
	assert_true(maps(s, 5, 30, true) && maps(s, 6, 30, true) && maps(s, 7, 30, true));
	assert_true(maps(s, 5, 31, true) && maps(s, 6, 31, true) && maps(s, 7, 31, true));
	assert_true(maps(s, 5, 40, true) && maps(s, 7, 40, true));
	assert_false(maps(s, 6, 40, true) || maps(s, 6, 40, false));
	for (uint64_t inode = 5; inode <= 7; inode++)
		assert_false(maps(s, inode, 50, true) || maps(s, inode, 50, false));
	stream_free(s);
}

/* One that maps much, and forks by the hundred, does not fill memory: who is left out is counted. */
static void so_many_have_it_and_no_more(void **state)
{
	struct stream *s = two_tasks();
	const struct pt_side *side;
	uint32_t i;

	(void)state;
	for (i = 0; i < 1024; i++)
		map(s, 100, 1 + i, 10, PT_SEGMENT_MAPPED);
	for (i = 0; i < 400; i++) {
		feed_fork(s, 1000 + 2 * i, 10, 1000 + i, 1000 + i);
		if (i < 100)
			feed_as(s, exec, .time = 1001 + 2 * i, .tid = 1000 + i,
				.old_tid = 1000 + i);
	}
	finish(s, 5000);
	side = &channel_of(s, PT_ENDPOINT_OF(PT_CLASS_SHARED, 1ULL << 32 | 1024))->side[0];
	assert_int_equal(side->holder_count, 256);
	assert_int_equal(side->holders_omitted, 400 - 100 - 255);
	assert_true(maps(s, 1, 1100, true));
	assert_false(maps(s, 1, 1099, true));
	assert_false(maps(s, 1, 1399, true));
	stream_free(s);
}

/* Each descriptor has a kind, those beyond the sixteenth of a message by kind alone. */
static void what_is_passed_has_a_kind(void **state)
{
	struct stream *s = two_tasks();
	const struct pt_passed *passed;

	(void)state;
	feed_as(s, pass, .time = 100, .end = SOCKET(1), .object = PIPE(7), .tid = 10, .count = 1,
		.kind = PT_CHANNEL_PIPE, .flags = PT_TRANSFER_SENT | PT_PASS_READS);
	feed_as(s, pass, .time = 100, .end = SOCKET(1), .tid = 10, .count = 200,
		.kind = PT_PASSED_FILE, .flags = PT_TRANSFER_SENT | PT_PASS_ALIKE);
	feed_as(s, pass, .time = 110, .end = SOCKET(1), .object = PIPE(7), .tid = 20, .count = 1,
		.kind = PT_CHANNEL_PIPE, .flags = PT_PASS_PEEKED | PT_PASS_READS);
	feed_as(s, pass, .time = 120, .end = SOCKET(1), .object = PIPE(7), .tid = 20, .count = 3,
		.kind = PT_CHANNEL_PIPE, .flags = PT_PASS_READS); /* as it was told before */
	finish(s, 5000);
	passed = channel_of(s, SOCKET(1))->passed;
	assert_int_equal(passed->kinds[PT_CHANNEL_PIPE].sent, 1);
	assert_int_equal(passed->kinds[PT_PASSED_FILE].sent, 200);
	assert_int_equal(passed->kinds[PT_CHANNEL_PIPE].received, 1);
	assert_int_equal(passed->kinds[PT_CHANNEL_NONE].received, 2);
	assert_int_equal(passed->unnamed.sent, 200);
	assert_int_equal(passed->unnamed.received, 2);
	assert_int_equal(passed->thing_count, 1);
	assert_int_equal(passed->things[0].by_count, 2);
	assert_int_equal(passed->things[0].counts.peeked, 1);
	assert_int_equal(channel_of(s, SOCKET(1))->side[0].sent.fds, 201);
	assert_int_equal(channel_of(s, SOCKET(1))->side[0].received.fds, 3);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_have_what_their_parent_maps),
		cmocka_unit_test(so_many_have_it_and_no_more),
		cmocka_unit_test(what_is_passed_has_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
