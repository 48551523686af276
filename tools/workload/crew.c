/* SPDX-License-Identifier: BSD-2-Clause */
/* The main loop and its workers: created, greeted, listened to, and gathered in again. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

bool crew_is_helper(const struct worker *worker)
{
	return worker->index >= worker->crew->opt->workers;
}

static void on_beat(uv_timer_t *timer)
{
	struct crew *crew = timer->data;
	uint64_t now = uv_hrtime();
	uint64_t due = crew->last_beat_ns + HEARTBEAT_MS * 1000000ULL;

	if (now > due && now - due > crew->late_max_ns)
		crew->late_max_ns = now - due;
	crew->last_beat_ns = now;
	crew->beats++;
}

void crew_open(struct crew *crew, const struct options *opt, uv_loop_t *loop)
{
	memset(crew, 0, sizeof(*crew));
	crew->opt = crew->member_opt = opt;
	crew->shared_fd = -1;
	crew->result = json_object();
	crew->ports = json_array();
	seat_take(&crew->seat, loop);
	must(uv_timer_init(loop, &crew->heartbeat), "heartbeat");
	crew->heartbeat.data = crew;
	crew->last_beat_ns = uv_hrtime();
	uv_timer_start(&crew->heartbeat, on_beat, HEARTBEAT_MS, HEARTBEAT_MS);
}

/* One block that all members can see; it has no name, so nothing can be left behind. */
void crew_share(struct crew *crew, size_t size)
{
	bool threads = crew->opt->model == MODEL_THREAD;

	crew->shared_size = size;
	if (!threads) {
		crew->shared_fd = memfd_create("workload", MFD_CLOEXEC);
		if (crew->shared_fd < 0 || ftruncate(crew->shared_fd, size))
			die("shared block: %s", strerror(errno));
	}
	crew->shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    threads ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, crew->shared_fd, 0);
	if (crew->shared == MAP_FAILED)
		die("shared block: %s", strerror(errno));
}

void crew_send(struct worker *worker, uint32_t type, uint64_t value, const void *data, size_t size)
{
	link_send(worker->link, type, value, data, size, -1);
}

static void stop_heartbeat(struct crew *crew)
{
	uv_close((uv_handle_t *)&crew->heartbeat, NULL);
}

void crew_stop(struct crew *crew)
{
	if (crew->stopping)
		return;
	crew->stopping = true;
	for (uint32_t i = 0; i < crew->members; i++)
		if (!crew->workers[i].link_closed)
			crew_send(&crew->workers[i], MSG_STOP, 0, NULL, 0);
	if (crew->ended == crew->members) {
		stop_heartbeat(crew);
		if (crew->done)
			crew->done(crew);
	}
}

/* Every round does the same work, so it must come to the same result. */
bool crew_round_done(struct crew *crew, uint32_t checksum)
{
	if (crew->rounds && checksum != crew->checksum)
		die("round %llu: checksum %08x instead of %08x", (unsigned long long)crew->rounds,
		    checksum, crew->checksum);
	crew->checksum = checksum;
	crew->rounds++;
	return (double)(uv_hrtime() - crew->seat.start_ns) / 1e9 >= crew->opt->seconds;
}

static void check_end(struct worker *worker)
{
	struct crew *crew = worker->crew;
	const struct kind *kind = crew->opt->kind;

	if (!worker->link_closed || !worker->exited)
		return;
	if (!worker->reported && !(kind->lost && kind->lost(worker)))
		die("worker %u ended by itself", worker->index);
	if (++crew->ended < crew->members || !crew->stopping)
		return;
	stop_heartbeat(crew);
	if (crew->done)
		crew->done(crew);
}

static void on_link_end(struct link *link)
{
	struct worker *worker = link->owner;

	worker->link_closed = true;
	if (!worker->is_process) {
		must(uv_thread_join(&worker->thread), "join");
		worker->exited = true;
	}
	check_end(worker);
}

static void on_process_closed(uv_handle_t *handle)
{
	struct worker *worker = handle->data;

	worker->exited = true;
	check_end(worker);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
	struct worker *worker = process->data;

	worker->exit_code = status;
	worker->exit_signal = signal;
	uv_close((uv_handle_t *)process, on_process_closed);
}

static void hello(struct worker *worker, uint64_t who)
{
	struct crew *crew = worker->crew;

	worker->startup_ns = uv_hrtime() - worker->created_ns;
	worker->pid = who & UINT32_MAX;
	worker->tid = who >> 32;
	worker->hello = true;
	if (++crew->present < crew->members)
		return;
	if (crew->opt->model == MODEL_CLUSTER && crew->opt->workers && !crew->opt->kind->serves)
		cluster_greet(crew, crew->opt->kind->start);
	else
		crew->opt->kind->start(crew);
}

static void on_message(struct link *link, const struct msg *msg, int fd)
{
	struct worker *worker = link->owner;

	switch (msg->type) {
	case MSG_HELLO:
		hello(worker, msg->value);
		break;
	case MSG_REPORT:
		worker->report = json_loadb((const char *)msg->data, msg->size, 0, NULL);
		if (!worker->report)
			die("report of worker %u is not JSON", worker->index);
		worker->report_bytes = sizeof(*msg) + msg->size;
		worker->reported = true;
		break;
	default:
		worker->crew->opt->kind->receive(worker, msg, fd);
	}
}

static void run_thread(void *arg)
{
	member_run(arg);
}

static void create_thread(struct worker *worker)
{
	struct crew *crew = worker->crew;
	struct member *member = member_new(crew->member_opt, worker->index);

	member->link_fd = -1;
	member->shared = crew->shared;
	member->shared_size = crew->shared_size;
	link_make_queue(worker->link, crew->seat.loop, member->link);
	must(uv_thread_create(&worker->thread, run_thread, member), "thread");
}

/* ours[0] reads and ours[1] writes; theirs likewise. */
static void make_channel(bool pipes, int ours[2], int theirs[2])
{
	int down[2], up[2];

	if (!pipes) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, down))
			die("socketpair: %s", strerror(errno));
		ours[0] = ours[1] = down[0];
		theirs[0] = theirs[1] = down[1];
		return;
	}
	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	ours[0] = up[0];
	ours[1] = down[1];
	theirs[0] = down[0];
	theirs[1] = up[1];
}

static uint64_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static void inherit(uv_stdio_container_t *stdio, int fd)
{
	stdio->flags = fd < 0 ? UV_IGNORE : UV_INHERIT_FD;
	stdio->data.fd = fd;
}

static void create_process(struct worker *worker)
{
	struct crew *crew = worker->crew;
	bool pipes = options_via_is(crew->opt, "pipe");
	char **argv = options_argv(crew->member_opt, worker->index, crew->shared_size);
	uv_stdio_container_t stdio[6];
	uv_process_options_t spawn = {
		.file = "/proc/self/exe",
		.args = argv,
		.exit_cb = on_exit_status,
		.stdio = stdio,
		.stdio_count = 6,
	};
	int ours[2], theirs[2];

	make_channel(pipes, ours, theirs);
	worker->down_inodes[0] = inode(ours[1]);
	worker->down_inodes[1] = inode(theirs[0]);
	worker->up_inodes[0] = inode(theirs[1]);
	worker->up_inodes[1] = inode(ours[0]);
	inherit(&stdio[0], -1);
	inherit(&stdio[1], STDERR_FILENO); /* stdout is for the one JSON object */
	inherit(&stdio[2], STDERR_FILENO);
	inherit(&stdio[MEMBER_LINK_FD], theirs[0]);
	inherit(&stdio[MEMBER_LINK_WRITE_FD], pipes ? theirs[1] : -1);
	inherit(&stdio[MEMBER_SHARED_FD], crew->shared_fd);
	must(uv_spawn(crew->seat.loop, &worker->process, &spawn), "process");
	worker->process.data = worker;
	worker->pid = worker->process.pid;
	close(theirs[0]);
	if (pipes)
		close(theirs[1]);
	options_argv_free(argv);
	link_open_stream(worker->link, crew->seat.loop, ours[0], ours[1]);
}

void crew_assemble(struct crew *crew)
{
	const struct options *opt = crew->opt;

	if (opt->kind->prepare)
		opt->kind->prepare(crew);
	opt = crew->opt; /* crash watches others work and changes it */
	crew->members = opt->workers + opt->kind->helpers;
	crew->workers = xcalloc(crew->members, sizeof(*crew->workers));
	crew->before_bytes = own_memory();
	for (uint32_t i = 0; i < crew->members; i++) {
		struct worker *worker = &crew->workers[i];

		worker->crew = crew;
		worker->index = i;
		worker->is_process = opt->model != MODEL_THREAD || crew_is_helper(worker);
		worker->link = link_new(on_message, on_link_end, worker);
		worker->created_ns = uv_hrtime();
		if (worker->is_process)
			create_process(worker);
		else
			create_thread(worker);
	}
}
