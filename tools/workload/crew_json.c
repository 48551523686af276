/* SPDX-License-Identifier: BSD-2-Clause */
/* What a crew knows to be true when it is over. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

static json_t *end_json(pid_t pid, pid_t tid)
{
	return json_pack("{s:i, s:i}", "pid", (int)pid, "tid", (int)tid);
}

static void add_to(json_t *object, const char *key, json_int_t more)
{
	json_t *value = json_object_get(object, key);

	json_integer_set(value, json_integer_value(value) + more);
}

/* Takes sent and received over, which may be NULL. */
static json_t *direction_json(const struct worker *worker, const uint64_t inodes[2], json_t *from,
			      json_t *to, json_t *sent, json_t *received)
{
	bool calls = worker->link->stream != NULL;
	json_t *out = json_pack("{s:i, s:s, s:b, s:O, s:O, s:o?, s:o?}", "worker",
				(int)worker->index, "kind", worker->link->name, "system_calls",
				calls, "from", from, "to", to, "sent", sent, "received", received);

	if (calls) {
		json_object_set_new(out, "from_inode", json_integer(inodes[0]));
		json_object_set_new(out, "to_inode", json_integer(inodes[1]));
	}
	return out;
}

/* Two directions of each link. A member that died could not say what it sent and received. */
static void channels_of(const struct worker *worker, json_t *list)
{
	const struct crew *crew = worker->crew;
	const struct link *link = worker->link;
	json_t *sent = json_object_get(worker->report, "sent");
	json_t *received = json_object_get(worker->report, "received");
	json_t *main_end = end_json(crew->seat.pid, crew->seat.tid);
	json_t *far_end = end_json(worker->pid, worker->tid);

	if (sent) {
		add_to(sent, "messages", 1);
		add_to(sent, "bytes", worker->report_bytes);
		add_to(sent, "calls", link->stream != NULL);
	}
	json_array_append_new(list,
			      direction_json(worker, worker->down_inodes, main_end, far_end,
					     link_traffic_json(link, true), json_incref(received)));
	json_array_append_new(list,
			      direction_json(worker, worker->up_inodes, far_end, main_end,
					     json_incref(sent), link_traffic_json(link, false)));
	json_decref(main_end);
	json_decref(far_end);
	json_object_del(worker->report, "sent");
	json_object_del(worker->report, "received");
}

static void move_to(json_t *report, const char *key, json_t *list)
{
	json_t *value = json_object_get(report, key);

	if (json_is_array(value))
		json_array_extend(list, value);
	else if (value)
		json_array_append(list, value);
	json_object_del(report, key);
}

static json_t *worker_json(struct worker *worker)
{
	json_t *out = json_pack("{s:i, s:s, s:i, s:i, s:I, s:I, s:b}", "index", (int)worker->index,
				"role", crew_is_helper(worker) ? "helper" : "worker", "pid",
				(int)worker->pid, "tid", (int)worker->tid, "startup_ns",
				(json_int_t)worker->startup_ns, "handed_over",
				(json_int_t)worker->handed_over, "survived", worker->reported);

	if (worker->is_process) {
		json_object_set_new(out, "exit_code", json_integer(worker->exit_code));
		json_object_set_new(out, "exit_signal", json_integer(worker->exit_signal));
	}
	if (worker->report)
		json_object_update(out, worker->report);
	return out;
}

/*
 * A crew on a scene of its own counts like this one: one list of each. Its main loop is the
 * scene's, which is there already.
 */
static void merge_scene(json_t *out, json_t *scene)
{
	static const char *const lists[] = {"loops", "channels", "stalls", "ports"};

	json_array_remove(json_object_get(scene, "loops"), 0);
	for (size_t i = 0; scene && i < sizeof(lists) / sizeof(*lists); i++)
		move_to(scene, lists[i], json_object_get(out, lists[i]));
}

json_t *crew_json(struct crew *crew)
{
	const struct options *opt = crew->opt;
	json_t *workers = json_array(), *loops = json_array(), *channels = json_array();
	json_t *stalls = seat_stalls_json(&crew->seat);
	char checksum[9];
	json_t *out;

	if (opt->kind->finish)
		opt->kind->finish(crew);
	snprintf(checksum, sizeof(checksum), "%08x", crew->checksum);
	json_array_append_new(loops, seat_loop_json(&crew->seat));
	for (uint32_t i = 0; i < crew->members; i++) {
		struct worker *worker = &crew->workers[i];

		move_to(worker->report, "loop", loops);
		move_to(worker->report, "stalls", stalls);
		channels_of(worker, channels);
		json_array_append_new(workers, worker_json(worker));
	}
	out = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:s, s:i, s:i, s:I, s:I}", "format", 1,
			"model", options_model(opt->model), "kind", opt->kind->name, "runtime",
			"native", "version", PT_VERSION, "options", options_json(crew->member_opt),
			"clock", "CLOCK_MONOTONIC", "pid", (int)crew->seat.pid, "tid",
			(int)crew->seat.tid, "start_ns", (json_int_t)crew->seat.start_ns, "end_ns",
			(json_int_t)uv_hrtime());
	json_object_set_new(out, "work",
			    json_pack("{s:I, s:I, s:s}", "rounds", (json_int_t)crew->rounds,
				      "units", (json_int_t)crew->units, "checksum", checksum));
	json_object_set_new(out, "heartbeat",
			    json_pack("{s:I, s:I, s:I}", "interval_ns",
				      (json_int_t)HEARTBEAT_MS * 1000000, "beats",
				      (json_int_t)crew->beats, "late_max_ns",
				      (json_int_t)crew->late_max_ns));
	json_object_set_new(out, "before_bytes", json_integer((json_int_t)crew->before_bytes));
	json_object_set_new(out, "workers", workers);
	json_object_set_new(out, "loops", loops);
	json_object_set_new(out, "channels", channels);
	json_object_set_new(out, "stalls", stalls);
	json_object_set(out, "ports", crew->ports);
	json_object_update(out, crew->result);
	merge_scene(out, json_object_get(out, "scene"));
	return out;
}

void crew_close(struct crew *crew)
{
	const struct kind *kind = crew->opt->kind;

	if (kind->release)
		kind->release(crew);
	for (uint32_t i = 0; i < crew->members; i++) {
		json_decref(crew->workers[i].report);
		link_free(crew->workers[i].link);
	}
	free(crew->workers);
	if (crew->shared)
		munmap(crew->shared, crew->shared_size);
	if (crew->shared_fd >= 0)
		close(crew->shared_fd);
	json_decref(crew->result);
	json_decref(crew->ports);
	seat_leave(&crew->seat);
}
