/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One worker of several dies in the middle of its work. Since all may go down with it, the crew
 * runs on a scene, a process of its own, and the main loop only watches: each unit that is done
 * is told to it at once, so it knows what was lost whoever survives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

#define GAP_MS	    5
#define OOM_ROOM    (128ULL << 20)
#define OOM_STEP    (4 << 20)
#define EXIT_FAILED 70 /* EX_SOFTWARE: the worker gave up by itself */

enum {
	MSG_GO = MSG_KIND,
	MSG_UNIT,     /* worker: one more unit is done; value: hash */
	MSG_FINISHED, /* worker: COUNT units are done */
	MSG_PROGRESS, /* scene: value: worker << 32 | hash */
	MSG_OVER,     /* scene: all have died or finished */
};

static const char *const modes[] = {"abort", "exception", "segv", "oom", NULL};

static uint32_t victim(const struct options *opt)
{
	return opt->seed % opt->workers;
}

/* The worker. */

struct labour {
	uv_timer_t gap;
	uint64_t done;
};

static void forbid_core(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	/* Where cores go to a program, only this keeps them from it. */
	prctl(PR_SET_DUMPABLE, 0);
}

static uint64_t address_space(void)
{
	unsigned long long pages = 0;
	FILE *in = fopen("/proc/self/statm", "re");

	if (!in || fscanf(in, "%llu", &pages) != 1)
		die("cannot read the size of this process");
	fclose(in);
	return pages * sysconf(_SC_PAGESIZE);
}

/* Out of memory, within a limit that the machine does not feel. */
static void exhaust_memory(void)
{
	uint64_t most = address_space() + OOM_ROOM;
	const struct rlimit limit = {most, most};
	volatile char *memory;

	if (setrlimit(RLIMIT_AS, &limit))
		die("cannot limit the memory");
	do {
		memory = malloc(OOM_STEP);
		for (size_t i = 0; memory && i < OOM_STEP; i += 4096)
			memory[i] = 1;
	} while (memory);
	abort();
}

static void give_up(struct member *member)
{
	struct labour *labour = member->state;

	if (member->opt->model != MODEL_THREAD)
		_exit(EXIT_FAILED);
	member->stopped = true;
	uv_close((uv_handle_t *)&labour->gap, NULL);
	link_close(member->link);
}

static void crash(struct member *member)
{
	const struct options *opt = member->opt;
	uintptr_t nowhere = member->stopped; /* 0, which the compiler must not know */

	forbid_core();
	if (options_mode_is(opt, "abort"))
		abort();
	else if (options_mode_is(opt, "segv"))
		*(volatile int *)nowhere = 0;
	else if (options_mode_is(opt, "oom"))
		exhaust_memory();
	else
		give_up(member);
}

static void on_gap(uv_timer_t *gap)
{
	struct member *member = gap->data;
	struct labour *labour = member->state;
	const struct options *opt = member->opt;
	uint64_t start_ns = uv_hrtime();
	uint32_t hash =
		work_compute(opt->seed + member->index * 1000003u + labour->done, opt->size);

	seat_stalled(&member->seat, start_ns, "compute");
	labour->done++;
	/* Half-way the victim has done a unit that nobody will hear of. */
	if (member->index == victim(opt) && labour->done > opt->count / 2) {
		crash(member);
		return;
	}
	member_send(member, MSG_UNIT, hash, NULL, 0);
	if (labour->done < opt->count)
		uv_timer_start(gap, on_gap, GAP_MS, 0);
	else
		member_send(member, MSG_FINISHED, 0, NULL, 0);
}

static void worker_join(struct member *member)
{
	struct labour *labour = xcalloc(1, sizeof(*labour));

	member->state = labour;
	must(uv_timer_init(&member->loop, &labour->gap), "timer");
	labour->gap.data = member;
}

static void worker_hear(struct member *member, const struct msg *msg, int fd)
{
	struct labour *labour = member->state;

	(void)msg;
	(void)fd;
	uv_timer_start(&labour->gap, on_gap, GAP_MS, 0);
}

static void worker_leave(struct member *member)
{
	struct labour *labour = member->state;

	uv_close((uv_handle_t *)&labour->gap, NULL);
}

static void worker_part(struct member *member)
{
	free(member->state);
}

/* The scene: a member of the watching crew, with a crew of its own on the same loop. */

struct scene {
	struct member *member;
	struct options opt;
	struct crew crew;
	uint32_t finished, dead, checksum;
};

static void scene_check(struct scene *scene)
{
	if (scene->finished + scene->dead == scene->opt.workers && scene->dead)
		crew_stop(&scene->crew);
}

static void scene_start(struct crew *crew)
{
	for (uint32_t i = 0; i < crew->opt->workers; i++)
		crew_send(&crew->workers[i], MSG_GO, 0, NULL, 0);
}

static void scene_receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct scene *scene = worker->crew->owner;

	(void)fd;
	if (msg->type == MSG_FINISHED) {
		scene->finished++;
		scene_check(scene);
		return;
	}
	worker->crew->units++;
	if (worker->index != victim(&scene->opt))
		scene->checksum += (uint32_t)msg->value;
	member_send(scene->member, MSG_PROGRESS,
		    (uint64_t)worker->index << 32 | (uint32_t)msg->value, NULL, 0);
}

static bool scene_lost(struct worker *worker)
{
	struct scene *scene = worker->crew->owner;

	if (worker->index != victim(&scene->opt))
		return false;
	scene->dead++;
	scene_check(scene);
	return true;
}

static void scene_done(struct crew *crew)
{
	struct scene *scene = crew->owner;

	crew_round_done(crew, scene->checksum);
	member_send(scene->member, MSG_OVER, scene->checksum, NULL, 0);
}

static void scene_join(struct member *member)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));

	name_task("wl-scene");
	member->state = scene;
	scene->member = member;
	scene->opt = *member->opt;
	scene->opt.kind = &kind_crash_worker;
	scene->opt.member = NOT_A_MEMBER;
	crew_open(&scene->crew, &scene->opt, &member->loop);
	scene->crew.owner = scene;
	scene->crew.done = scene_done;
	crew_assemble(&scene->crew);
}

static void scene_hear(struct member *member, const struct msg *msg, int fd)
{
	(void)member;
	(void)msg;
	(void)fd;
}

static void scene_leave(struct member *member)
{
	struct scene *scene = member->state;

	json_object_set_new(member->report, "scene", crew_json(&scene->crew));
}

static void scene_part(struct member *member)
{
	struct scene *scene = member->state;

	crew_close(&scene->crew);
	free(scene);
}

/* The watching main loop. */

struct watch {
	struct options opt, scene_opt;
	uint64_t *units; /* per worker, as far as known here */
	bool survived;
};

static void watch_prepare(struct crew *crew)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->units = xcalloc(crew->opt->workers, sizeof(*watch->units));
	watch->scene_opt = watch->opt = *crew->opt;
	watch->scene_opt.kind = &kind_crash_scene;
	watch->opt.workers = 0;
	crew->member_opt = &watch->scene_opt;
	crew->opt = &watch->opt;
	crew->state = watch;
}

/* The scene begins by itself. */
static void watch_start(struct crew *crew)
{
	(void)crew;
}

static void watch_receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct crew *crew = worker->crew;
	struct watch *watch = crew->state;

	(void)fd;
	if (msg->type == MSG_PROGRESS) {
		watch->units[msg->value >> 32]++;
		crew->units++;
		return;
	}
	watch->survived = true;
	crew_round_done(crew, (uint32_t)msg->value);
	crew_stop(crew);
}

/* A scene that gives up by itself was told of a death that is not the victim's. */
static bool watch_lost(struct worker *worker)
{
	crew_stop(worker->crew);
	return worker->exit_signal != 0;
}

static void watch_finish(struct crew *crew)
{
	struct watch *watch = crew->state;
	const struct options *opt = &watch->scene_opt;
	json_t *units = json_array(), *survivors = json_array();
	uint64_t asked = opt->count * opt->workers;
	json_t *scene = json_object_get(crew->workers[0].report, "scene");

	for (uint32_t i = 0; i < opt->workers; i++) {
		json_array_append_new(units, json_integer(watch->units[i]));
		if (watch->survived && i != victim(opt))
			json_array_append_new(survivors, json_integer(i));
	}
	json_object_set_new(crew->result, "crash",
			    json_pack("{s:i, s:b, s:o, s:o, s:I, s:I}", "victim", (int)victim(opt),
				      "main_survived", watch->survived, "survivors", survivors,
				      "units_done", units, "units_asked", (json_int_t)asked,
				      "units_lost", (json_int_t)(asked - crew->units)));
	if (scene) {
		json_object_set(crew->result, "scene", scene);
		json_object_del(crew->workers[0].report, "scene");
	}
}

static void watch_release(struct crew *crew)
{
	struct watch *watch = crew->state;

	free(watch->units);
	free(watch);
}

const struct kind kind_crash = {
	.name = "crash",
	.doc = "one of the workers dies half-way through its COUNT units: who survives?",
	.modes = modes,
	.workers = 3,
	.helpers = 1,
	.count = 40,
	.size = 4 << 20,
	.prepare = watch_prepare,
	.start = watch_start,
	.receive = watch_receive,
	.lost = watch_lost,
	.finish = watch_finish,
	.release = watch_release,
};

const struct kind kind_crash_scene = {
	.name = "crash-scene",
	.modes = modes,
	.hidden = true,
	.join = scene_join,
	.hear = scene_hear,
	.leave = scene_leave,
	.part = scene_part,
};

const struct kind kind_crash_worker = {
	.name = "crash-worker",
	.modes = modes,
	.hidden = true,
	.start = scene_start,
	.receive = scene_receive,
	.lost = scene_lost,
	.join = worker_join,
	.hear = worker_hear,
	.leave = worker_leave,
	.part = worker_part,
};
