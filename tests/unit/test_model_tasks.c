/* SPDX-License-Identifier: BSD-2-Clause */
/* Births, names, programs and deaths. */
#include "stream.h"

static void fork_exec_exit(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *child;

	(void)unused;
	feed_sleeper(s, 10, 10, "make");
	feed_fork(s, 100, 10, 20, 20);
	feed_switch(s, 110, 1, 0, PT_STATE_RUNNABLE, 20);
	feed_as(s, exec, .time = 120, .tid = 20, .old_tid = 20, .comm = {"cc1"});
	feed_as(s, exit, .time = 150, .tid = 20, .pid = 20, .code = 3 << 8, .minor_faults = 7);
	feed_switch(s, 160, 1, 20, PT_STATE_DEAD, 0);
	finish(s, 1000);
	child = task_of(s, 20);
	assert_string_equal(child->comm, "cc1");
	assert_int_equal(child->origin, PT_ORIGIN_FORK);
	assert_int_equal(child->model, PT_MODEL_PROCESS);
	assert_true(child->execed);
	assert_int_equal(child->start_ns, 100);
	assert_int_equal(child->end_ns, 160);
	assert_int_equal(child->exit_code, 3);
	assert_int_equal(child->exit_signal, 0);
	assert_int_equal(child->counts.minor_faults, 7);
	assert_int_equal(child->agreement, PT_AGREEMENT_SAME);
	assert_ptr_equal(child->process->parent, task_of(s, 10)->process);
	assert_parts(s, child, 50, 10, 0, 0);
	stream_free(s);
}

static void reused_tid_is_another_task(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *first;

	(void)unused;
	feed_sleeper(s, 10, 10, "sh");
	feed_fork(s, 100, 10, 20, 20);
	feed_switch(s, 110, 1, 0, PT_STATE_RUNNABLE, 20);
	feed_switch(s, 150, 1, 20, PT_STATE_DEAD, 0);
	first = task_of(s, 20);
	feed_fork(s, 300, 10, 20, 20);
	feed_switch(s, 310, 1, 0, PT_STATE_RUNNABLE, 20);
	finish(s, 400);
	assert_ptr_not_equal(first, task_of(s, 20));
	assert_ptr_not_equal(first->process, task_of(s, 20)->process);
	assert_parts(s, first, 40, 10, 0, 0);
	assert_parts(s, task_of(s, 20), 90, 10, 0, 0);
	stream_free(s);
}

/* Nobody saw the first one die. */
static void reused_tid_without_death(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *first;

	(void)unused;
	feed_sleeper(s, 10, 10, "sh");
	feed_fork(s, 100, 10, 20, 20);
	first = task_of(s, 20);
	feed_switch(s, 110, 1, 0, PT_STATE_RUNNABLE, 20);
	feed_fork(s, 300, 10, 20, 20);
	finish(s, 400);
	assert_int_equal(first->end_ns, 300);
	assert_parts(s, first, 0, 10, 0, 190);
	stream_free(s);
}

/* It never even ran: then not even that it waited is sure. */
static void reused_tid_without_life(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *first;

	(void)unused;
	feed_sleeper(s, 10, 10, "sh");
	feed_fork(s, 100, 10, 20, 20);
	first = task_of(s, 20);
	feed_fork(s, 300, 10, 20, 20);
	finish(s, 400);
	assert_parts(s, first, 0, 0, 0, 200);
	stream_free(s);
}

/* Thread 21 of process 20 calls exec: 20 dies, 21 becomes 20, and is switched under that tid before the record. */
static void exec_by_a_thread(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *leader, *thread;

	(void)unused;
	feed_sleeper(s, 10, 10, "sh");
	feed_fork(s, 100, 10, 20, 20);
	leader = task_of(s, 20);
	feed_switch(s, 100, 0, 0, PT_STATE_RUNNABLE, 20);
	feed_fork(s, 110, 20, 21, 20);
	thread = task_of(s, 21);
	assert_int_equal(thread->model, PT_MODEL_THREAD);
	feed_switch(s, 110, 1, 0, PT_STATE_RUNNABLE, 21);
	feed_as(s, exit, .time = 120, .tid = 20, .pid = 20);
	feed_switch(s, 130, 0, 20, PT_STATE_DEAD, 0);
	feed_switch(s, 140, 1, 20, PT_STATE_DISK, 0);
	feed_wakeup(s, 150, 20, 0, 150);
	feed_switch(s, 150, 1, 0, PT_STATE_RUNNABLE, 20);
	feed_as(s, exec, .time = 160, .tid = 20, .old_tid = 21, .comm = {"new"});
	finish(s, 200);
	assert_ptr_equal(task_of(s, 20), thread);
	assert_null(pt_model_find(s->model, 21));
	assert_ptr_equal(thread->process->leader, thread);
	assert_string_equal(thread->comm, "new");
	assert_parts(s, leader, 30, 0, 0, 0);
	assert_parts(s, thread, 80, 0, 10, 0);
	assert_int_equal(pt_model_contradictions(s->model), 0);
	stream_free(s);
}

/* The same without a switch in between, and the leader dies late, under the tid that it swapped for its own. */
static void exec_by_a_thread_before_the_leader_left(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *leader, *thread;

	(void)unused;
	feed_sleeper(s, 10, 10, "sh");
	feed_fork(s, 100, 10, 20, 20);
	leader = task_of(s, 20);
	feed_switch(s, 100, 0, 0, PT_STATE_RUNNABLE, 20);
	feed_fork(s, 110, 20, 21, 20);
	thread = task_of(s, 21);
	feed_switch(s, 110, 1, 0, PT_STATE_RUNNABLE, 21);
	feed_as(s, exit, .time = 120, .tid = 20, .pid = 20);
	feed_switch(s, 130, 0, 21, PT_STATE_DEAD, 0);
	feed_as(s, exec, .time = 160, .tid = 20, .old_tid = 21, .comm = {"new"});
	finish(s, 200);
	assert_ptr_equal(task_of(s, 20), thread);
	assert_parts(s, leader, 30, 0, 0, 0);
	assert_parts(s, thread, 90, 0, 0, 0);
	stream_free(s);
}

static void counters_are_compared(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	/* Switches before the snapshot are in its count. */
	feed_switch(s, 2, 1, 10, PT_STATE_SLEEPING, 0);
	feed_as(s, task, .time = 3, .tid = 10, .pid = 10, .start = 1, .voluntary = 1000,
		.state = PT_STATE_SLEEPING, .minor_faults = 5);
	feed_as(s, task, .time = 0, .tid = 11, .pid = 11, .start = 1, .voluntary = 50,
		.state = PT_STATE_SLEEPING);
	feed_wakeup(s, 10, 10, 0, 10);
	feed_switch(s, 10, 0, 0, PT_STATE_RUNNABLE, 10);
	feed_switch(s, 20, 0, 10, PT_STATE_SLEEPING, 0);
	feed_as(s, task, .time = 90, .tid = 10, .pid = 10, .start = 1, .voluntary = 1001,
		.state = PT_STATE_SLEEPING, .flags = PT_TASK_LAST, .minor_faults = 9);
	feed_as(s, task, .time = 90, .tid = 11, .pid = 11, .start = 1, .voluntary = 51,
		.state = PT_STATE_SLEEPING, .flags = PT_TASK_LAST);
	finish(s, 100);
	assert_int_equal(pt_analyses_counters(&s->all)->checked, 2);
	assert_int_equal(pt_analyses_counters(&s->all)->agree, 1);
	assert_int_equal(task_of(s, 10)->counts.minor_faults, 4);
	stream_free(s);
}

static void born_while_recording_without_fork(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_as(s, task, .time = 90, .tid = 10, .pid = 10, .start = START_BOOT + 40,
		.state = PT_STATE_SLEEPING, .flags = PT_TASK_LAST);
	finish(s, 100);
	assert_int_equal(task_of(s, 10)->start_ns, 40);
	assert_parts(s, task_of(s, 10), 0, 0, 10, 50);
	stream_free(s);
}

/* What was seen of it from outside, and its times before, are not of its life as a target. */
static void joined_while_recording(void **unused)
{
	struct stream *s = stream_new();
	struct pt_model_task *task;

	(void)unused;
	feed_sleeper(s, 10, 10, "sh");
	feed_switch(s, 10, 1, 10, PT_STATE_SLEEPING, 20);
	feed_as(s, task, .time = 60, .tid = 20, .pid = 20, .start = 5, .cpu = 1, .voluntary = 7,
		.user_time = 900, .state = PT_STATE_RUNNING, .flags = PT_TASK_JOINED);
	feed_switch(s, 80, 1, 20, PT_STATE_SLEEPING, 0);
	feed_as(s, task, .time = 70, .tid = 30, .pid = 30, .start = 6, .state = PT_STATE_SLEEPING,
		.flags = PT_TASK_JOINED);
	/* It is one already. */
	feed_as(s, task, .time = 90, .tid = 30, .pid = 30, .start = 6, .state = PT_STATE_SLEEPING,
		.flags = PT_TASK_JOINED);
	feed_as(s, task, .time = 100, .tid = 20, .pid = 20, .start = 5, .voluntary = 8,
		.user_time = 920, .state = PT_STATE_SLEEPING, .flags = PT_TASK_LAST);
	finish(s, 100);
	task = task_of(s, 20);
	assert_true(task->target);
	assert_int_equal(task->start_ns, 60);
	assert_int_equal(task->user_ns, 20);
	assert_int_equal(task->agreement, PT_AGREEMENT_SAME);
	assert_int_equal(part_ns(s, task, PT_PART_USER), 20);
	assert_parts(s, task, 0, 0, 20, 0);
	assert_int_equal(task_of(s, 30)->start_ns, 70);
	assert_parts(s, task_of(s, 30), 0, 0, 30, 0);
	stream_free(s);
}

static void the_command_is_made_by_exec(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_as(s, task, .time = 0, .tid = 10, .pid = 10, .ppid = 99, .start = 1,
		.state = PT_STATE_SLEEPING);
	feed_as(s, exec, .time = 10, .tid = 10, .old_tid = 10, .comm = {"node"});
	finish(s, 100);
	assert_int_equal(task_of(s, 10)->origin, PT_ORIGIN_EXEC);
	assert_int_equal(task_of(s, 10)->model, PT_MODEL_MAIN);
	stream_free(s);
}

static void nonsense_is_survived(void **unused)
{
	struct stream *s = stream_new();

	(void)unused;
	feed_switch(s, 1, 4, 10, 99, 11);
	feed_switch(s, 1, 65535, 10, 99, 11);
	feed_switch(s, 2, 0, 10, 99, 10);
	feed_switch(s, 2, 0, 0xffffffff, 0, 0xffffffff);
	feed_wakeup(s, 3, 0, 0, 3);
	feed_wakeup(s, 3, 0xffffffff, 0xffffffff, 3);
	feed_fork(s, 4, 0, 0, 0);
	feed_fork(s, 4, 10, 10, 10);
	feed_as(s, exec, .time = 5, .tid = 0, .old_tid = 10);
	feed_as(s, exec, .time = 5, .tid = 77, .old_tid = 0);
	feed_as(s, exit, .time = 6, .tid = 0, .pid = 0);
	feed_as(s, rename, .time = 6, .tid = 0, .comm = {"evil"});
	feed_as(s, task, .time = 7, .tid = 0, .pid = 0);
	feed_as(s, task, .time = 7, .tid = 12, .pid = 12, .since = UINT64_MAX, .state = 200,
		.reason = 200, .cpu = 65535);
	feed_as(s, occupant, .time = 8, .ago = UINT64_MAX, .tid = 12, .cpu = 65535);
	feed(s, PT_KIND_LIMIT, &(uint64_t){9});
	finish(s, 10);
	assert_all_sums(s);
	assert_string_equal(pt_model_idle(s->model)->comm, "idle");
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_exec_exit),
		cmocka_unit_test(reused_tid_is_another_task),
		cmocka_unit_test(reused_tid_without_death),
		cmocka_unit_test(reused_tid_without_life),
		cmocka_unit_test(exec_by_a_thread),
		cmocka_unit_test(exec_by_a_thread_before_the_leader_left),
		cmocka_unit_test(counters_are_compared),
		cmocka_unit_test(born_while_recording_without_fork),
		cmocka_unit_test(joined_while_recording),
		cmocka_unit_test(the_command_is_made_by_exec),
		cmocka_unit_test(nonsense_is_survived),
	};

	return cmocka_run_group_tests_name("model: tasks", tests, NULL, NULL);
}
