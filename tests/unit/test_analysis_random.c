/* SPDX-License-Identifier: BSD-2-Clause */
/* Records about loops that make no sense: whatever they say, loops and stalls must sum up. */
#include "loops_stream.h"
#include "noise.h"

#define TASKS	 6
#define FIRST_ID 100
#define RECORDS	 4000

static uint32_t any_task(struct noise *n)
{
	return FIRST_ID + dice(n, TASKS);
}

static int16_t any_call(struct noise *n)
{
	static const int16_t calls[] = {-1, 0, 56, 202, EPOLL};

	return calls[dice(n, PT_ARRAY_SIZE(calls))];
}

static void feed_any_switch(struct stream *s, struct noise *n)
{
	feed_as(s, switch, .time = n->now, .cpu = (uint16_t)dice(n, 2),
		.prev_tid = dice(n, 3) ? any_task(n) : 0, .next_tid = dice(n, 3) ? any_task(n) : 0,
		.prev_state = (uint8_t)dice(n, 5), .syscall = any_call(n),
		.reason = (uint8_t)dice(n, PT_REASON_COUNT + 1), .waker = any_task(n),
		.flags = (uint16_t)(dice(n, 8) | (dice(n, 2) ? PT_SWITCH_WOKEN : 0)));
}

static void feed_any_turn(struct stream *s, struct noise *n)
{
	int32_t events[] = {0, 0, 1, LIMIT, -4};

	feed_as(s, turn, .time = n->now, .tid = any_task(n), .loop = dice(n, 5),
		.calls = dice(n, 40) * MS, .wait = dice(n, 2) ? dice(n, 10) * MS : n->now + 1,
		.timeout = (int32_t)dice(n, 4) - 2, .events = events[dice(n, 5)], .limit = LIMIT,
		.syscall = EPOLL, .flags = (uint16_t)dice(n, 4));
}

static void feed_any_sleep(struct stream *s, struct noise *n)
{
	static const char text[] = "some/path/that/is/long/enough/to/be/cut/at/its/beginning/"
				   "some/path/that/is/long/enough/to/be/cut/at/its/beginning";
	struct pt_sleep row = {.time = n->now,
			       .length = dice(n, 2) ? dice(n, 40) * MS : n->now + 1,
			       .tid = any_task(n),
			       .reason = (uint8_t)dice(n, 30)};
	struct pt_record record = {PT_KIND_sleep, dice(n, sizeof(text)), &row, text};

	assert_int_equal(pt_model_feed(s->model, &record), 0);
}

static void feed_any(struct stream *s, struct noise *n)
{
	switch (dice(n, 16)) {
	case 0:
		feed_as(s, call, .time = n->now, .tid = any_task(n), .syscall = any_call(n),
			.count = dice(n, 9), .length = dice(n, 90) * MS);
		break;
	case 1:
		feed_as(s, sample, .time = n->now, .tid = any_task(n), .period = MS,
			.syscall = any_call(n), .flags = (uint16_t)dice(n, 2));
		break;
	case 2:
		feed_any_sleep(s, n);
		break;
	case 3:
		if (!dice(n, 10))
			feed_fork(s, n->now, any_task(n), any_task(n), any_task(n));
		break;
	case 4:
		if (!dice(n, 10))
			feed_as(s, exit, .time = n->now, .tid = any_task(n), .pid = any_task(n),
				.user_time = dice(n, 9), .kernel_time = dice(n, 9));
		else if (!dice(n, 10))
			feed_as(s, exec, .time = n->now, .tid = any_task(n),
				.old_tid = any_task(n));
		break;
	case 5:
	case 6:
	case 7:
		feed_any_turn(s, n);
		break;
	case 8:
	case 9:
	case 10:
		feed_wakeup(s, n->now, any_task(n), any_task(n), n->now + dice(n, 9) * MS);
		break;
	default:
		feed_any_switch(s, n);
	}
}

static size_t assert_stalls(struct stream *s)
{
	const struct pt_stalls *stalls = pt_analyses_stalls(&s->all);
	size_t i, j;

	for (i = 0; i < pt_stalls_count(stalls); i++) {
		const struct pt_stall *stall = pt_stalls_get(stalls, i);
		uint64_t sum = 0;

		for (j = 0; j < PT_PART_COUNT; j++)
			sum += stall->part[j];
		assert_int_equal(sum, stall->to - stall->from);
		assert_int_equal(stall->part[PT_PART_CPU], 0);
		assert_true(stall->to <= pt_model_end(s->model));
		assert_true(stall->to - stall->from >= pt_model_stall(s->model));
	}
	return i;
}

static void assert_loops(struct stream *s)
{
	size_t i;

	for (i = 0; i < pt_model_loop_count(s->model); i++) {
		const struct pt_loops_of *of =
			pt_loops_get(pt_analyses_loops(&s->all), pt_model_loop(s->model, i));
		uint64_t p50 = pt_loops_delay(of, 0.5), p99 = pt_loops_delay(of, 0.99);

		assert_int_equal(of->busy_ns + of->idle_ns, of->wall_ns);
		assert_true(of->wall_ns <= pt_model_end(s->model));
		assert_true(p50 <= p99 && p99 <= of->turn_ns.max);
	}
}

static void nonsense_sums_up(void **unused)
{
	struct noise n;
	uint64_t seed;
	size_t stalls = 0;
	int i;

	(void)unused;
	for (seed = 1; seed <= 100; seed++) {
		struct stream *s = stream_new();

		n = (struct noise){.seed = seed};
		if (seed % 3 == 0)
			pt_model_add_loss(s->model, &(struct pt_loss){.time = 2000 * MS,
								      .length = 300 * MS,
								      .kind = PT_KIND_switch});
		for (i = 0; i < RECORDS; i++) {
			n.now += dice(&n, 3) ? dice(&n, 50000) : dice(&n, 6) * MS;
			feed_any(s, &n);
		}
		finish(s, n.now + dice(&n, 40) * MS);
		assert_all_sums(s);
		stalls += assert_stalls(s);
		assert_loops(s);
		stream_free(s);
	}
	assert_true(stalls > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_sums_up),
	};

	return cmocka_run_group_tests_name("analysis: random", tests, NULL, NULL);
}
