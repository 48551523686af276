/* SPDX-License-Identifier: BSD-2-Clause */
/* Each worker loads SIZE bytes of its own, or reads one block that the main loop loaded. */
#include <stdio.h>
#include <stdlib.h>

#include "base.h"
#include "workload.h"

enum {
	MSG_LOAD = MSG_KIND,
	MSG_LOADED, /* value: hash of the block */
};

struct memory {
	uv_timer_t hold;
	uint32_t checksum, loaded;
};

static const char *const modes[] = {"own", "shared", NULL};

static bool is_shared(const struct options *opt)
{
	return options_mode_is(opt, "shared");
}

/* The kernel's own sums for this process, in bytes: rss, pss, and what it alone maps. */
static json_t *rollup_json(void)
{
	unsigned long long kib, rss = 0, pss = 0, own = 0;
	char line[256];
	FILE *in = fopen("/proc/self/smaps_rollup", "re");

	if (!in)
		return json_null();
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "Rss: %llu", &kib) == 1)
			rss = kib;
		else if (sscanf(line, "Pss: %llu", &kib) == 1)
			pss = kib;
		else if (sscanf(line, "Private_Clean: %llu", &kib) == 1 ||
			 sscanf(line, "Private_Dirty: %llu", &kib) == 1)
			own += kib;
	}
	fclose(in);
	return json_pack("{s:I, s:I, s:I}", "rss_bytes", (json_int_t)rss << 10, "pss_bytes",
			 (json_int_t)pss << 10, "uss_bytes", (json_int_t)own << 10);
}

static void prepare(struct crew *crew)
{
	struct memory *memory = xcalloc(1, sizeof(*memory));

	crew->state = memory;
	must(uv_timer_init(crew->seat.loop, &memory->hold), "timer");
	memory->hold.data = crew;
	if (is_shared(crew->opt))
		crew_share(crew, crew->opt->size);
}

static void start(struct crew *crew)
{
	uint64_t start_ns = uv_hrtime();

	if (is_shared(crew->opt)) {
		work_fill(crew->opt->seed, crew->shared, crew->opt->size);
		seat_stalled(&crew->seat, start_ns, "load");
	}
	for (uint32_t i = 0; i < crew->opt->workers; i++)
		crew_send(&crew->workers[i], MSG_LOAD, 0, NULL, 0);
}

static void on_held(uv_timer_t *hold)
{
	struct crew *crew = hold->data;

	json_object_set_new(crew->result, "memory", rollup_json());
	uv_close((uv_handle_t *)hold, NULL);
	crew_stop(crew);
}

/* Once all have loaded, everything stays as it is for a while: that is what is to be seen. */
static void receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct crew *crew = worker->crew;
	struct memory *memory = crew->state;

	(void)fd;
	memory->checksum += (uint32_t)msg->value;
	crew->units++;
	if (++memory->loaded < crew->opt->workers)
		return;
	crew_round_done(crew, memory->checksum);
	uv_timer_start(&memory->hold, on_held, (uint64_t)(crew->opt->seconds * 1000), 0);
}

static void hear(struct member *member, const struct msg *msg, int fd)
{
	const struct options *opt = member->opt;
	uint64_t start_ns = uv_hrtime();
	void *block = member->shared;
	uint32_t hash;

	(void)msg;
	(void)fd;
	if (!is_shared(opt)) {
		block = member->state = xcalloc(1, opt->size);
		work_fill(opt->seed + member->index, block, opt->size);
	}
	hash = work_hash(block, opt->size);
	seat_stalled(&member->seat, start_ns, "load");
	member_send(member, MSG_LOADED, hash, NULL, 0);
}

static void leave(struct member *member)
{
	const struct options *opt = member->opt;
	bool shared = is_shared(opt);

	json_object_set_new(member->report, "loaded_bytes", json_integer(shared ? 0 : opt->size));
	json_object_set_new(member->report, "shared_bytes", json_integer(shared ? opt->size : 0));
	if (opt->model != MODEL_THREAD)
		json_object_set_new(member->report, "memory", rollup_json());
	free(member->state);
}

static void release(struct crew *crew)
{
	free(crew->state);
}

const struct kind kind_memory = {
	.name = "memory",
	.doc = "every worker holds SIZE bytes of its own, or all share one block, for SECONDS",
	.modes = modes,
	.workers = 2,
	.count = 1,
	.size = 32 << 20,
	.seconds = 1,
	.prepare = prepare,
	.start = start,
	.receive = receive,
	.hear = hear,
	.leave = leave,
	.release = release,
};
