/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uv_stalls FILE KIND...: a loop of libuv's that stalls in each of these ways in turn, FILE being 64 MB on a disk. A line
 * for each, times on CLOCK_MONOTONIC, ns:
 *   name=  start= length=           of the deliberate act
 *   turn= turn_length=              of the turn around it: from the return of the poll to the next poll
 *   cpu= wait= user= kernel=        of the loop's thread meanwhile: on a CPU, waiting for one, and the ticks it had
 *   waker= object=                  who ended the sleep, and on what it slept (blanks as ~); 0 and - if nobody and nothing
 * With `many COUNT` it stalls COUNT times by computing, 10 to 25 ms each.
 */
#include <sys/resource.h>

#include "uv_acts.h"

#define GAP_MS	 60
#define ROWS_MAX 1000

struct act {
	const char *name;
	void (*prepare)(void); /* in a turn before, NULL: nothing to prepare */
	void (*act)(void);
};

static const struct act acts[] = {
	{"busy", NULL, busy},
	{"zero", NULL, zero},
	{"read", open_file, read_file},
	{"read_cold", forget_file, read_file},
	{"fsync", dirty_file, sync_file},
	{"fault_cold", forget_file, touch_file},
	{"mutex", have_mutex_held, lock_mutex},
	{"timeout", NULL, lock_in_vain},
	{"flock", hold_file, lock_file},
	{"pipe_write", make_full_pipe, write_pipe},
	{"pipe_read", NULL, read_pipe},
	{"tty", NULL, write_terminal},
	{"unix_connect", NULL, connect_unix},
	{"tcp_connect", NULL, connect_tcp},
	{"tcp_receive", NULL, receive_tcp},
	{"sleep", NULL, doze},
	{"fork", grow, fork_big},
	{"child", have_child, wait_child},
	{"stop", expect_stop, work_on},
	{"nested", NULL, run_inner},
	{"poll", NULL, poll_once},
	{"handler", expect_alarm, NULL},
};

struct moment {
	uint64_t time, cpu, wait, user, kernel;
};

struct row {
	const char *name;
	struct moment from, to;
	uint64_t turn, turn_end;
	pid_t waker;
	char object[128];
};

static struct row rows[ROWS_MAX];
static unsigned int row_count;
static uint64_t checked; /* when the loop's poll returned last */
static const struct act *queue[ROWS_MAX];
static unsigned int queued, at;
static enum { PREPARE, PERFORM, CLEAR_UP } step;
static bool many;

static struct moment look(void)
{
	struct rusage usage;
	struct moment m;
	char buf[128];

	read_own("schedstat", buf, sizeof(buf));
	must(sscanf(buf, "%*u %lu", &m.wait) == 1);
	must(!getrusage(RUSAGE_THREAD, &usage));
	m.user = (uint64_t)usage.ru_utime.tv_sec * 1000000 + (uint64_t)usage.ru_utime.tv_usec;
	m.kernel = (uint64_t)usage.ru_stime.tv_sec * 1000000 + (uint64_t)usage.ru_stime.tv_usec;
	m.cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	m.time = now_ns(CLOCK_MONOTONIC);
	return m;
}

static void on_check(uv_check_t *handle)
{
	(void)handle;
	checked = now_ns(CLOCK_MONOTONIC);
}

static void on_prepare(uv_prepare_t *handle)
{
	(void)handle;
	if (row_count && !rows[row_count - 1].turn_end)
		rows[row_count - 1].turn_end = now_ns(CLOCK_MONOTONIC);
}

static struct row *begin_row(const char *name)
{
	struct row *row = &rows[row_count++];

	row->name = name;
	row->turn = checked;
	row->from = look();
	return row;
}

static void perform(const struct act *act)
{
	struct row *row = begin_row(act->name);

	if (act->act) {
		act->act();
		row->to = look();
	} else {
		row->from.time = left.handler[0];
		row->to = look();
		row->to.time = left.handler[1];
	}
	row->waker = left.waker;
	strcpy(row->object, left.object);
}

static void clear_up(void)
{
	if (left.child)
		must(waitpid(left.child, NULL, 0) == left.child);
	if (ballast)
		munmap(ballast, BALLAST);
	ballast = NULL;
	memset(&left, 0, sizeof(left));
}

static void stall_a_little(void)
{
	struct row *row = begin_row("many");

	spin_ms(10 + row_count * 7 % 16);
	row->to = look();
}

static void on_timer(uv_timer_t *timer)
{
	if (at == queued) {
		uv_stop(timer->loop);
		return;
	}
	if (many) {
		at++;
		stall_a_little();
	} else if (step == PREPARE) {
		if (queue[at]->prepare)
			queue[at]->prepare();
		step = PERFORM;
	} else if (step == PERFORM) {
		perform(queue[at]);
		step = CLEAR_UP;
	} else {
		clear_up();
		step = PREPARE;
		at++;
	}
	must(!uv_timer_start(timer, on_timer, many ? 5 : GAP_MS, 0));
}

static void choose(int argc, char **argv)
{
	if (!strcmp(argv[2], "many")) {
		many = true;
		queued = (unsigned int)atoi(argv[3]);
		must(queued <= ROWS_MAX);
		return;
	}
	for (int i = 2; i < argc; i++) {
		for (size_t j = 0; j < sizeof(acts) / sizeof(*acts); j++) {
			if (!strcmp(acts[j].name, argv[i]))
				queue[queued++] = &acts[j];
		}
	}
	must(queued == (unsigned int)argc - 2);
}

static void tell(const struct row *row)
{
	char object[128];

	strcpy(object, row->object[0] ? row->object : "-");
	for (char *c = object; *c; c++)
		*c = *c == ' ' ? '~' : *c;
	truth("name=%s start=%lu length=%lu turn=%lu turn_length=%lu cpu=%lu wait=%lu user=%lu "
	      "kernel=%lu "
	      "waker=%d object=%s\n",
	      row->name, row->from.time, row->to.time - row->from.time, row->turn,
	      row->turn_end - row->turn, row->to.cpu - row->from.cpu, row->to.wait - row->from.wait,
	      row->to.user - row->from.user, row->to.kernel - row->from.kernel, row->waker, object);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	uv_prepare_t prepare;
	uv_check_t check;
	uv_timer_t timer;
	pthread_t thread;

	must(argc > 2);
	file_path = argv[1];
	choose(argc, argv);
	buffer = malloc(64 * MB);
	must(buffer);
	memset(buffer, 1, 64 * MB);
	must(!sem_init(&helper.asked, 0, 0) && !sem_init(&holds, 0, 0) && !sem_init(&never, 0, 0));
	must(!pthread_create(&thread, NULL, run_helper, NULL));
	must(!uv_prepare_init(loop, &prepare) && !uv_prepare_start(&prepare, on_prepare));
	must(!uv_check_init(loop, &check) && !uv_check_start(&check, on_check));
	must(!uv_timer_init(loop, &timer) && !uv_timer_start(&timer, on_timer, GAP_MS, 0));
	uv_run(loop, UV_RUN_DEFAULT);
	for (unsigned int i = 0; i < row_count; i++)
		tell(&rows[i]);
	return 0;
}
