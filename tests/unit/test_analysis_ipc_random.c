/* SPDX-License-Identifier: BSD-2-Clause */
/* Records about channels that make no sense: whatever they say, all that was sent is told of once. */
#include "noise.h"
#include "stream.h"

#include "analysis/ipc.h"
#include "base/types.h"
#include "model/talks.h"

#define TASKS	 5
#define FIRST_ID 100
#define ENDS	 6
#define TALKS	 9
#define RECORDS	 3000

static uint32_t any_task(struct noise *n)
{
	return FIRST_ID + dice(n, TASKS);
}

static uint64_t any_socket(struct noise *n)
{
	return PT_ENDPOINT_OF(PT_CLASS_SOCKET, 1 + dice(n, ENDS));
}

static uint64_t any_end(struct noise *n)
{
	if (dice(n, 3))
		return any_socket(n);
	return PT_ENDPOINT_OF(dice(n, PT_CLASS_URING + 2), 1 + dice(n, 2));
}

static uint64_t any_talk(struct noise *n)
{
	return PT_ENDPOINT_OF(PT_CLASS_TALK, 1 + dice(n, TALKS));
}

static uint64_t any_address(struct noise *n)
{
	static const uint64_t addresses[] = {0, 1, 0x7f000001, 0x7f000002, 0x0a000001, 0xe0000001};

	return addresses[dice(n, PT_ARRAY_SIZE(addresses))];
}

static uint64_t any_bytes(struct noise *n)
{
	return dice(n, 4) ? dice(n, 3) * 100 : dice(n, 70000);
}

static void feed_named(struct stream *s, struct noise *n, uint32_t kind, const void *row)
{
	static const char *const names[] = {"", "@a", "/tmp/a", "a", "./a", "b/a", "/"};
	const char *name = names[dice(n, PT_ARRAY_SIZE(names))];
	struct pt_record record = {kind, (uint32_t)strlen(name), row, name};

	assert_int_equal(pt_model_feed(s->model, &record), 0);
}

static void feed_any_endpoint(struct stream *s, struct noise *n)
{
	static const uint8_t types[] = {0, 1, 2, 2, 5};
	static const uint16_t flags[] = {PT_ENDPOINT_CREATED,  PT_ENDPOINT_LOOPBACK,
					 PT_ENDPOINT_SEQUENCE, PT_ENDPOINT_FRESH,
					 PT_ENDPOINT_NAMED,    PT_ENDPOINT_SHARED,
					 PT_ENDPOINT_SIX_ONLY, PT_ENDPOINT_UNSURE};
	struct pt_endpoint row = {.time = n->now,
				  .end = any_end(n),
				  .peer = dice(n, 3) ? 0 : any_end(n),
				  .queued = dice(n, 4) ? 0 : any_bytes(n),
				  .peer_queued = dice(n, 4) ? 0 : any_bytes(n),
				  .local_low = any_address(n),
				  .peer_low = any_address(n),
				  .tid = any_task(n),
				  .network = dice(n, 2),
				  .local_port = (uint16_t)dice(n, 4),
				  .peer_port = (uint16_t)dice(n, 4),
				  .family = (uint16_t)(dice(n, 2) ? 2 : 10),
				  .kind = (uint8_t)dice(n, PT_CHANNEL_COUNT + 1),
				  .type = types[dice(n, PT_ARRAY_SIZE(types))],
				  .inode = dice(n, 3),
				  .folder = dice(n, 3),
				  .age = dice(n, 2) ? 0 : dice(n, 1000000)};

	if (dice(n, 2))
		row.kind = PT_CHANNEL_UDP;
	for (size_t i = 0; i < PT_ARRAY_SIZE(flags); i++)
		row.flags |= dice(n, 3) ? 0 : flags[i];
	feed_named(s, n, PT_KIND_endpoint, &row);
}

static void feed_any_talk(struct stream *s, struct noise *n)
{
	struct pt_talk row = {.time = n->now,
			      .end = any_talk(n),
			      .socket = any_socket(n),
			      .high = dice(n, 8) ? 0 : dice(n, 3),
			      .low = any_address(n),
			      .network = dice(n, 2),
			      .port = (uint16_t)dice(n, 4),
			      .family = (uint16_t)(dice(n, 2) ? 2 : 1)};

	feed_named(s, n, PT_KIND_talk, &row);
}

static void feed_any_transfer(struct stream *s, struct noise *n)
{
	feed_as(s, transfer, .time = n->now, .end = any_end(n), .bytes = any_bytes(n),
		.tid = any_task(n), .count = dice(n, 5) ? 1 : 1 + dice(n, 40),
		.syscall = (int16_t)((int)dice(n, 3) - 1), .flags = (uint16_t)dice(n, 4),
		.value = dice(n, 3), .level = dice(n, 9), .unsent = dice(n, 9),
		.with = dice(n, 2) ? 0 : any_talk(n));
}

static void feed_any_look(struct stream *s, struct noise *n)
{
	switch (dice(n, 6)) {
	case 0:
		feed_as(s, opposite, .time = n->now, .end = dice(n, 2) ? any_end(n) : any_talk(n),
			.opposite = any_end(n));
		break;
	case 1:
		feed_as(s, holder, .time = n->now, .end = any_end(n), .pid = dice(n, 200),
			.flags = dice(n, 4));
		break;
	case 2:
		feed_as(s, own_address, .time = n->now, .low = any_address(n),
			.network = dice(n, 2));
		break;
	case 3:
		feed_as(s, resolved, .time = n->now, .end = any_talk(n), .inode = dice(n, 3));
		break;
	case 4:
		feed_as(s, sequence, .time = n->now, .end = any_end(n), .received = dice(n, 500),
			.sent = dice(n, 500), .tid = any_task(n), .flags = dice(n, 4));
		break;
	default:
		feed_as(s, leftover, .time = n->now, .end = any_end(n), .unread = dice(n, 500),
			.copied = dice(n, 500), .written = dice(n, 500), .flags = dice(n, 2));
	}
}

static void feed_any_task(struct stream *s, struct noise *n)
{
	struct pt_segment segment = {
		.time = n->now, .inode = dice(n, 3), .pid = any_task(n), .flags = dice(n, 8)};
	struct pt_pass pass = {.time = n->now,
			       .end = any_end(n),
			       .object = dice(n, 2) ? any_end(n) : 0,
			       .tid = any_task(n),
			       .count = dice(n, 3),
			       .kind = (uint8_t)dice(n, 50),
			       .flags = (uint8_t)dice(n, 64)};

	switch (dice(n, 7)) {
	case 0:
		feed_named(s, n, PT_KIND_segment, &segment);
		break;
	case 1:
		feed_named(s, n, PT_KIND_pass, &pass);
		break;
	case 2:
		feed_as(s, attempt, .time = n->now, .end = any_end(n), .tid = any_task(n),
			.send_blocked = dice(n, 2), .receive_failed = dice(n, 2));
		break;
	case 3:
		feed_as(s, uring, .time = n->now, .tid = any_task(n), .told = dice(n, 9));
		break;
	case 4:
		feed_fork(s, n->now, any_task(n), any_task(n), any_task(n));
		break;
	case 5:
		feed_as(s, exec, .time = n->now, .tid = any_task(n), .old_tid = any_task(n));
		break;
	default:
		feed_as(s, drop, .time = n->now, .end = any_end(n), .low = any_address(n),
			.tid = any_task(n), .port = (uint16_t)dice(n, 4));
	}
}

static void feed_any(struct stream *s, struct noise *n)
{
	switch (dice(n, 8)) {
	case 0:
		feed_any_endpoint(s, n);
		break;
	case 1:
		feed_any_talk(s, n);
		break;
	case 2:
		feed_any_look(s, n);
		break;
	case 3:
		feed_any_task(s, n);
		break;
	default:
		feed_any_transfer(s, n);
	}
}

/* What tasks have sent went to somebody, or to nobody: flows tell of all of it, and of nothing else as theirs. */
static uint64_t assert_all_sent(struct stream *s)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(&s->all);
	uint64_t sent = 0, told = 0, unfinished = 0;
	size_t i;

	for (i = 0; i < ipc->channels.count; i++) {
		for (unsigned int side = 0; side < 2; side++) {
			const struct pt_side *own = &ipc->channels.list[i]->side[side];

			sent += own->sent.bytes;
			unfinished += own->queue.unfinished;
		}
	}
	for (i = 0; i < ipc->flow_count; i++)
		told += ipc->flows[i]->from ? ipc->flows[i]->bytes : 0;
	assert_int_equal(told, sent + unfinished);
	return sent;
}

static void nonsense_is_told_once(void **unused)
{
	uint64_t seed, sent = 0;

	(void)unused;
	for (seed = 1; seed <= 200; seed++) {
		struct stream *s = stream_new();
		struct noise n = {.seed = seed};

		for (int i = 0; i < RECORDS; i++) {
			n.now += dice(&n, 3) ? dice(&n, 50000) : dice(&n, 60) * 1000000;
			feed_any(s, &n);
		}
		finish(s, n.now + 1);
		sent += assert_all_sent(s);
		stream_free(s);
	}
	assert_true(sent > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_is_told_once),
	};

	return cmocka_run_group_tests_name("analysis: random channels", tests, NULL, NULL);
}
