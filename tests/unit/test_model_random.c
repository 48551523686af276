/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small scheduler that plays at random and knows the truth. Its whole stream must give that truth back; what is left
 * after records are dropped, repeated or garbled must still sum up.
 */
#include <stdlib.h>

#include "stream.h"

#define TASKS	 12
#define CPUS	 3
#define STEPS	 4000
#define RECORDS	 (STEPS * 4)
#define FIRST_ID 100

struct row {
	uint32_t kind;
	uint32_t order;
	union {
		uint64_t time;
		struct pt_switch sw;
		struct pt_wakeup wakeup;
		struct pt_fork fork;
		struct pt_exit exit;
		struct pt_task task;
	};
};

enum what { ABSENT, ASLEEP, WAITING, ON_CPU };

struct actor {
	enum what what;
	uint64_t since;
	uint64_t ns[4];
	uint64_t born;
	struct row *wakeup;
	uint64_t voluntary, involuntary;
};

struct world {
	struct actor actors[TASKS];
	int on[CPUS]; /* actor, -1: idle */
	struct row *rows;
	size_t count;
	uint64_t now;
	uint64_t seed;
};

static unsigned int dice(struct world *w, unsigned int sides)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(w->seed >> 33) % sides;
}

static struct row *add_row(struct world *w, uint32_t kind)
{
	struct row *row = &w->rows[w->count];

	assert_true(w->count < RECORDS);
	memset(row, 0, sizeof(*row));
	row->kind = kind;
	row->order = (uint32_t)w->count++;
	row->time = w->now;
	return row;
}

static void become(struct world *w, int a, enum what what)
{
	struct actor *actor = &w->actors[a];

	actor->ns[actor->what] += w->now - actor->since;
	actor->since = w->now;
	actor->what = what;
}

static uint32_t tid_of(int a)
{
	return a < 0 ? 0 : FIRST_ID + (uint32_t)a;
}

static int somebody(struct world *w, enum what what)
{
	int first = (int)dice(w, TASKS), i;

	for (i = 0; i < TASKS; i++) {
		int a = (first + i) % TASKS;

		if (w->actors[a].what == what)
			return a;
	}
	return -1;
}

static void wake(struct world *w)
{
	int a = somebody(w, ASLEEP), waker = w->on[dice(w, CPUS)];

	if (a < 0)
		return;
	become(w, a, WAITING);
	w->actors[a].wakeup = add_row(w, PT_KIND_wakeup);
	w->actors[a].wakeup->wakeup.tid = tid_of(a);
	w->actors[a].wakeup->wakeup.waker = tid_of(waker);
}

static void spawn(struct world *w, int parent)
{
	int a = somebody(w, ABSENT);
	struct row *row;

	if (a < 0)
		return;
	w->actors[a] = (struct actor){.what = WAITING, .since = w->now, .born = w->now};
	row = add_row(w, PT_KIND_fork);
	row->fork.tid = row->fork.pid = tid_of(a);
	row->fork.parent_tid = row->fork.parent_pid = tid_of(parent);
}

static void reschedule(struct world *w, uint16_t cpu)
{
	int prev = w->on[cpu], next = somebody(w, WAITING);
	bool sleeps = prev >= 0 && dice(w, 2);
	struct row *row;

	if (prev < 0 && next < 0)
		return;
	row = add_row(w, PT_KIND_switch);
	row->sw.cpu = cpu;
	row->sw.prev_tid = tid_of(prev);
	row->sw.next_tid = tid_of(next);
	row->sw.prev_state = sleeps ? PT_STATE_SLEEPING : PT_STATE_RUNNABLE;
	row->sw.flags = sleeps ? PT_SWITCH_VOLUNTARY : PT_SWITCH_PREEMPT;
	if (prev >= 0) {
		become(w, prev, sleeps ? ASLEEP : WAITING);
		w->actors[prev].voluntary += sleeps;
		w->actors[prev].involuntary += !sleeps;
	}
	if (next >= 0) {
		if (w->actors[next].wakeup)
			w->actors[next].wakeup->wakeup.wait =
				(uint32_t)(w->now - w->actors[next].wakeup->time);
		w->actors[next].wakeup = NULL;
		become(w, next, ON_CPU);
	}
	w->on[cpu] = next;
}

static void play(struct world *w, uint64_t seed)
{
	size_t i;
	int a;

	w->rows = test_calloc(RECORDS, sizeof(*w->rows));
	w->seed = seed;
	w->count = 0;
	w->now = 0;
	memset(w->actors, 0, sizeof(w->actors));
	memset(w->on, -1, sizeof(w->on));
	for (a = 0; a < TASKS / 2; a++) {
		struct row *row = add_row(w, PT_KIND_task);

		w->actors[a].what = ASLEEP;
		row->task.tid = row->task.pid = tid_of(a);
		row->task.state = PT_STATE_SLEEPING;
	}
	for (i = 0; i < STEPS; i++) {
		uint16_t cpu = (uint16_t)dice(w, CPUS);

		w->now += 1 + dice(w, 50);
		if (dice(w, 3) == 0)
			wake(w);
		else
			reschedule(w, cpu);
		if (w->on[cpu] >= 0 && dice(w, 200) == 0) {
			w->now++;
			spawn(w, w->on[cpu]);
		}
	}
	for (a = 0; a < TASKS; a++)
		become(w, a, w->actors[a].what);
}

static void feed_rows(struct stream *s, const struct world *w)
{
	size_t i;

	for (i = 0; i < w->count; i++) {
		const struct row *row = &w->rows[i];

		/* Without the switch that it led to, a wake-up is never written. */
		if (row->kind == PT_KIND_wakeup && !row->wakeup.wait)
			continue;
		feed(s, row->kind, &row->time);
	}
}

/* Sleepers whose wake-up has led to no switch by the end are, as far as the file goes, asleep. */
static void assert_truth(struct stream *s, const struct world *w, int a)
{
	const struct actor *actor = &w->actors[a];
	const struct pt_model_task *task = task_of(s, tid_of(a));
	uint64_t unwoken = 0;

	if (actor->wakeup)
		unwoken = w->now - actor->wakeup->time;
	assert_int_equal(task->counts.voluntary, actor->voluntary);
	assert_int_equal(task->counts.involuntary, actor->involuntary);
	assert_int_equal(task->start_ns, actor->born);
	assert_parts(s, task, actor->ns[ON_CPU], actor->ns[WAITING] - unwoken,
		     actor->ns[ASLEEP] + unwoken, 0);
	/* From its first switch on a CPU's occupants are known. */
	assert_true(charge_of(s, task, pt_model_nobody(s->model)) < 2000);
}

static void whole_streams_give_the_truth(void **unused)
{
	struct world w;
	uint64_t seed;
	int a;

	(void)unused;
	for (seed = 1; seed <= 20; seed++) {
		struct stream *s = stream_new();

		play(&w, seed);
		feed_rows(s, &w);
		finish(s, w.now);
		for (a = 0; a < TASKS; a++) {
			if (w.actors[a].what != ABSENT)
				assert_truth(s, &w, a);
		}
		assert_int_equal(pt_model_contradictions(s->model), 0);
		stream_free(s);
		test_free(w.rows);
	}
}

static void garble(struct world *w, struct row *row)
{
	struct row *other = &w->rows[dice(w, (unsigned int)w->count)];

	switch (dice(w, 5)) {
	case 0:
		row->time = dice(w, 3) ? row->time - dice(w, (unsigned int)row->time + 1)
				       : row->time + dice(w, 100000);
		break;
	case 1:
		*row = *other;
		break;
	case 2:
		row->sw.prev_tid = tid_of((int)dice(w, TASKS) - 1);
		break;
	case 3:
		row->sw.next_tid = tid_of((int)dice(w, TASKS) - 1);
		break;
	default:
		row->sw.prev_state = (uint8_t)dice(w, 8);
	}
}

static void broken_streams_sum_up(void **unused)
{
	struct world w;
	uint64_t seed;
	size_t i;

	(void)unused;
	for (seed = 1; seed <= 60; seed++) {
		struct stream *s = stream_new();
		struct pt_loss loss = {.kind = PT_KIND_switch};

		play(&w, seed);
		for (i = 0; i < seed % 7; i++) {
			loss.time = dice(&w, (unsigned int)w.now);
			loss.length = dice(&w, 3000);
			assert_int_equal(pt_model_add_loss(s->model, &loss), 0);
		}
		for (i = 0; i < w.count; i++) {
			if (dice(&w, 20) == 0)
				continue;
			if (seed % 2 && dice(&w, 20) == 0)
				garble(&w, &w.rows[i]);
			feed(s, w.rows[i].kind, &w.rows[i].time);
		}
		finish(s, w.now);
		assert_all_sums(s);
		stream_free(s);
		test_free(w.rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_streams_give_the_truth),
		cmocka_unit_test(broken_streams_sum_up),
	};

	return cmocka_run_group_tests_name("model: random", tests, NULL, NULL);
}
