/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory from records: which matrix stands, what forks cost, what a worker costs. */
#include "stream.h"

#include "analysis/footprint.h"
#include "analysis/margin.h"

static void feed_process(struct stream *s, uint32_t pid, uint64_t start)
{
	feed_as(s, task, .time = 1, .tid = pid, .pid = pid, .start = START_BOOT + start,
		.state = PT_STATE_SLEEPING);
}

static const struct pt_footprint *result(struct stream *s)
{
	return pt_analyses_footprint(&s->all);
}

static void feed_matrix(struct stream *s, uint64_t time, uint32_t processes, uint32_t flags)
{
	feed_as(s, memory_common, .time = time, .k = 1, .n = processes, .anon = time);
	feed_as(s, memory_share, .time = time, .a = 1, .b = 2, .file = time);
	feed_as(s, memory_group, .time = time, .processes = processes, .flags = flags);
}

static void check_matrix(struct stream *s, uint64_t time)
{
	const struct pt_footprint_matrix *matrix;

	finish(s, 1000);
	matrix = pt_footprint_matrix(result(s));
	assert_int_equal(matrix->group.time, time);
	assert_int_equal(matrix->share_count, time ? 1 : 0);
	if (time)
		assert_int_equal(matrix->shares[0].file, time);
	stream_free(s);
}

static void the_last_matrix_of_most_processes_stands(void **state)
{
	struct stream *s = stream_new();

	(void)state;
	feed_matrix(s, 10, 2, 0);
	feed_matrix(s, 20, 3, 0);
	feed_matrix(s, 30, 3, 0);
	feed_matrix(s, 40, 2, 0);
	check_matrix(s, 30);
}

static void a_matrix_cut_short_stands_only_alone(void **state)
{
	struct stream *s = stream_new();

	(void)state;
	feed_matrix(s, 10, 2, 0);
	feed_matrix(s, 20, 9, PT_MEMORY_CUT);
	check_matrix(s, 10);
	s = stream_new();
	feed_matrix(s, 20, 9, PT_MEMORY_CUT);
	check_matrix(s, 20);
}

static void a_matrix_without_its_end_does_not_stand(void **state)
{
	struct stream *s = stream_new();

	(void)state;
	feed_as(s, memory_share, .time = 5, .a = 1, .b = 2, .file = 5);
	check_matrix(s, 0);
}

static void faults_after_a_fork(void **state)
{
	struct stream *s = stream_new();
	struct pt_fork_faults faults;

	(void)state;
	feed_process(s, 100, 1);
	feed_as(s, memory_fork, .time = 10, .pid = 200, .parent_pid = 100, .parent_tid = 100,
		.cow_faults = 7, .anon = 20 * 4096);
	feed_as(s, memory_parted, .time = 20, .pid = 200, .cow_faults = 5, .parent_cow_faults = 19);
	feed_as(s, memory_fork, .time = 30, .pid = 201, .parent_pid = 100, .parent_tid = 100,
		.cow_faults = 19);
	finish(s, 100);
	assert_int_equal(pt_footprint_forks(result(s)), 2);
	assert_true(pt_footprint_fork_faults(pt_footprint_fork(result(s), 0), &faults));
	assert_int_equal(faults.child_cow, 5);
	assert_int_equal(faults.parent_cow, 12);
	assert_int_equal(pt_footprint_still_shared(pt_footprint_fork(result(s), 0), &faults),
			 3 * 4096);
	assert_false(pt_footprint_fork_faults(pt_footprint_fork(result(s), 1), &faults));
	stream_free(s);
}

static void what_a_worker_costs(void **state)
{
	struct stream *s = stream_new();
	const struct pt_margins *margins;
	const struct pt_margin *margin;

	(void)state;
	feed_process(s, 100, 1);
	feed_process(s, 101, 2);
	feed_as(s, memory, .time = 10, .pid = 100, .rss = 100, .pss = 60, .uss = 40, .threads = 1);
	feed_as(s, memory, .time = 11, .pid = 101, .rss = 300, .pss = 80, .uss = 60, .threads = 1);
	feed_as(s, memory, .time = 20, .pid = 101, .rss = 500, .pss = 180, .uss = 160,
		.threads = 3);
	feed_as(s, memory, .time = 30, .pid = 101, .flags = PT_MEMORY_NO_PSS);
	finish(s, 100);
	margins = pt_footprint_margins(result(s));
	assert_int_equal(margins->count, 2);
	margin = &margins->list[0];
	assert_int_equal(margin->model, PT_MODEL_MAIN);
	assert_int_equal(margin->workers, 2);
	assert_int_equal(margin->uss, 100);
	assert_int_equal(margin->pss, 120);
	margin = &margins->list[1];
	assert_int_equal(margin->model, PT_MODEL_THREAD);
	assert_int_equal(margin->comers, 2);
	assert_int_equal(margin->growth, 50);
	stream_free(s);
}

/* What the process grew by between two words of its tasks is the doing of the one that says it. */
static void what_a_thread_brings(void **state)
{
	struct stream *s = stream_new();
	const struct pt_margin *margin;

	(void)state;
	feed_process(s, 100, 1);
	feed_as(s, fork, .time = 2, .tid = 101, .pid = 100, .parent_tid = 100, .parent_pid = 100,
		.start = START_BOOT + 2, .clone_flags = 0x10000 /* CLONE_THREAD */);
	feed_as(s, memory_rss, .time = 10, .pid = 100, .tid = 100, .anon = 1000,
		.flags = PT_MEMORY_RSS_FIRST);
	feed_as(s, memory_rss, .time = 20, .pid = 100, .tid = 101, .anon = 1300);
	feed_as(s, memory_rss, .time = 30, .pid = 100, .tid = 100, .anon = 9000);
	feed_as(s, memory_rss, .time = 40, .pid = 100, .tid = 101, .anon = 9100, .shmem = 50);
	feed_as(s, memory_rss, .time = 50, .pid = 100, .tid = 101, .anon = 9000);
	feed_as(s, memory, .time = 60, .pid = 100, .rss = 9000, .pss = 9000, .uss = 9000);
	finish(s, 100);
	assert_int_equal(pt_footprint_margins(result(s))->count, 2);
	margin = &pt_footprint_margins(result(s))->list[1];
	assert_int_equal(margin->others.count, 1);
	assert_int_equal(margin->others.brought, 450);
	assert_int_equal(margin->loopers.count, 0);
	assert_int_equal(pt_footprint_process(result(s), 0)->peak, 9150);
	stream_free(s);
}

/* A process that is left alone shares with nobody any more: what it cost is told from when all were there. */
static void a_worker_costs_what_it_did_among_others(void **state)
{
	struct stream *s = stream_new();
	const struct pt_margin *margin;

	(void)state;
	feed_process(s, 100, 1);
	feed_process(s, 101, 2);
	feed_as(s, memory, .time = 10, .pid = 100, .rss = 100, .pss = 60, .uss = 40);
	feed_as(s, memory, .time = 11, .pid = 101, .rss = 100, .pss = 60, .uss = 40);
	feed_matrix(s, 20, 2, 0);
	feed_as(s, memory, .time = 30, .pid = 101, .rss = 100, .pss = 100, .uss = 100);
	finish(s, 100);
	margin = &pt_footprint_margins(result(s))->list[0];
	assert_int_equal(margin->workers, 2);
	assert_int_equal(margin->uss, 40);
	stream_free(s);
}

static void the_peak_is_the_highest_that_is_known(void **state)
{
	struct stream *s = stream_new();

	(void)state;
	feed_process(s, 100, 1);
	feed_as(s, memory, .time = 10, .pid = 100, .peak = 50);
	feed_as(s, memory_pulse, .time = 11, .pid = 100, .anon = 40, .file = 30);
	feed_as(s, memory_exit, .time = 12, .pid = 100, .peak = 60);
	finish(s, 100);
	assert_int_equal(pt_footprint_processes(result(s)), 1);
	assert_int_equal(pt_footprint_process(result(s), 0)->peak, 70);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_matrix_of_most_processes_stands),
		cmocka_unit_test(a_matrix_cut_short_stands_only_alone),
		cmocka_unit_test(a_matrix_without_its_end_does_not_stand),
		cmocka_unit_test(faults_after_a_fork),
		cmocka_unit_test(what_a_worker_costs),
		cmocka_unit_test(what_a_thread_brings),
		cmocka_unit_test(a_worker_costs_what_it_did_among_others),
		cmocka_unit_test(the_peak_is_the_highest_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
