/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker, seen from the inside: the same for a thread and for a process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

void member_send(struct member *member, uint32_t type, uint64_t value, const void *data,
		 size_t size)
{
	link_send(member->link, type, value, data, size, -1);
}

/* What lies between this report and the end is the report itself, which the crew adds. */
static void report(struct member *member)
{
	struct link *link = member->link;
	json_t *out = member->report;
	char *text;

	json_object_set_new(out, "loop", seat_loop_json(&member->seat));
	json_object_set_new(out, "stalls", seat_stalls_json(&member->seat));
	json_object_set_new(out, "sent", link_traffic_json(link, true));
	json_object_set_new(out, "received", link_traffic_json(link, false));
	json_object_set_new(out, "wakeups", json_integer(link->wakeups));
	if (member->opt->model == MODEL_CLUSTER)
		json_object_set_new(out, "greeted", json_integer(member->greeted));
	text = json_dumps(out, JSON_COMPACT);
	if (!text)
		die("report of worker %u", member->index);
	member_send(member, MSG_REPORT, 0, text, strlen(text));
	free(text);
}

static void receive(struct link *link, const struct msg *msg, int fd)
{
	struct member *member = link->owner;
	const struct kind *kind = member->opt->kind;

	switch (msg->type) {
	case MSG_CONNECTION:
		cluster_answer(member, fd);
		break;
	case MSG_STOP:
		if (kind->leave)
			kind->leave(member);
		report(member);
		member->stopped = true;
		link_close(link);
		break;
	default:
		kind->hear(member, msg, fd);
	}
}

/* Only the crew ends a member, by MSG_STOP: an end without it means that the crew is dead. */
static void on_end(struct link *link)
{
	struct member *member = link->owner;

	if (!member->stopped)
		_exit(1);
}

struct member *member_new(const struct options *opt, uint32_t index)
{
	struct member *member = xcalloc(1, sizeof(*member));

	member->opt = opt;
	member->index = index;
	member->link = link_new(receive, on_end, member);
	return member;
}

static void take_name(const struct member *member)
{
	static const char *const short_name[] = {"thread", "process", "cluster"};

	if (member->index < member->opt->workers)
		name_task("wl-%s-%u", short_name[member->opt->model], member->index);
	else
		name_task("wl-helper-%u", member->index - member->opt->workers);
}

void member_run(struct member *member)
{
	const struct kind *kind = member->opt->kind;

	take_name(member);
	must(uv_loop_init(&member->loop), "loop");
	seat_take(&member->seat, &member->loop);
	member->report = json_object();
	if (member->link_fd >= 0)
		link_open_stream(member->link, &member->loop, member->link_fd,
				 member->link_write_fd);
	else
		link_join_queue(member->link, &member->loop);
	member_send(member, MSG_HELLO,
		    (uint64_t)member->seat.tid << 32 | (uint32_t)member->seat.pid, NULL, 0);
	if (kind->join)
		kind->join(member);
	uv_run(&member->loop, UV_RUN_DEFAULT);
	must(uv_loop_close(&member->loop), "a loop that has handles left");
	if (kind->part)
		kind->part(member);
	seat_leave(&member->seat);
	json_decref(member->report);
	link_free(member->link);
	free(member);
}

static void map_shared(struct member *member)
{
	member->shared_size = member->opt->shared_size;
	if (!member->shared_size)
		return;
	member->shared = mmap(NULL, member->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      MEMBER_SHARED_FD, 0);
	if (member->shared == MAP_FAILED)
		die("shared block of worker %u: %s", member->index, strerror(errno));
	close(MEMBER_SHARED_FD);
}

int member_main(const struct options *opt)
{
	struct member *member = member_new(opt, opt->member);

	/* Should the crew be killed, no member may outlive it, whatever it computes. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	map_shared(member);
	member->link_fd = MEMBER_LINK_FD;
	member->link_write_fd = options_via_is(opt, "pipe") ? MEMBER_LINK_WRITE_FD : MEMBER_LINK_FD;
	fcntl(member->link_fd, F_SETFD, FD_CLOEXEC);
	fcntl(member->link_write_fd, F_SETFD, FD_CLOEXEC);
	member_run(member);
	return 0;
}
