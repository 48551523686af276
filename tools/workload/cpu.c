/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same computation on the main loop or spread over the workers, while the main loop keeps a
 * heartbeat. Each unit blocks the loop it runs on, and is one stall of it.
 */
#include <stdlib.h>

#include "base.h"
#include "workload.h"

#define GAP_MS 5 /* between two units on the main loop, for others to be served */

enum { MSG_UNIT = MSG_KIND, MSG_RESULT };

struct cpu {
	uint64_t next, finished;
	uint32_t checksum;
	uv_timer_t gap;
};

static const char *const modes[] = {"workers", "main", NULL};

static uint32_t compute(const struct options *opt, struct seat *seat, uint64_t unit)
{
	uint64_t start_ns = uv_hrtime();
	uint32_t hash = work_compute(opt->seed + (uint32_t)unit, opt->size);

	seat_stalled(seat, start_ns, "compute");
	return hash;
}

static void prepare(struct crew *crew)
{
	struct cpu *cpu = xcalloc(1, sizeof(*cpu));

	crew->state = cpu;
	must(uv_timer_init(crew->seat.loop, &cpu->gap), "timer");
	cpu->gap.data = crew;
}

static void give(struct worker *worker)
{
	struct cpu *cpu = worker->crew->state;

	if (cpu->next < worker->crew->opt->count)
		crew_send(worker, MSG_UNIT, cpu->next++, NULL, 0);
}

static void begin(struct crew *crew)
{
	for (uint32_t i = 0; i < crew->opt->workers; i++)
		give(&crew->workers[i]);
}

/* Returns whether there is more to do, in a new round perhaps. */
static bool unit_done(struct crew *crew, uint32_t hash)
{
	struct cpu *cpu = crew->state;
	uint32_t checksum;

	cpu->checksum += hash;
	crew->units++;
	if (++cpu->finished < crew->opt->count)
		return true;
	checksum = cpu->checksum;
	cpu->next = cpu->finished = cpu->checksum = 0;
	if (!crew_round_done(crew, checksum))
		return true;
	uv_close((uv_handle_t *)&cpu->gap, NULL);
	crew_stop(crew);
	return false;
}

static void on_gap(uv_timer_t *gap)
{
	struct crew *crew = gap->data;
	struct cpu *cpu = crew->state;
	uint32_t hash = compute(crew->opt, &crew->seat, cpu->finished);

	if (unit_done(crew, hash))
		uv_timer_start(gap, on_gap, GAP_MS, 0);
}

static void start(struct crew *crew)
{
	struct cpu *cpu = crew->state;

	if (options_mode_is(crew->opt, "main"))
		uv_timer_start(&cpu->gap, on_gap, GAP_MS, 0);
	else
		begin(crew);
}

static void receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct crew *crew = worker->crew;
	struct cpu *cpu = crew->state;

	(void)fd;
	if (!unit_done(crew, (uint32_t)msg->value))
		return;
	if (cpu->finished)
		give(worker);
	else
		begin(crew);
}

static void hear(struct member *member, const struct msg *msg, int fd)
{
	(void)fd;
	member_send(member, MSG_RESULT, compute(member->opt, &member->seat, msg->value), NULL, 0);
}

static void release(struct crew *crew)
{
	free(crew->state);
}

const struct kind kind_cpu = {
	.name = "cpu",
	.doc = "COUNT units that compute over SIZE bytes each, on the workers or the main loop",
	.modes = modes,
	.workers = 2,
	.count = 24,
	.size = 96 << 20,
	.prepare = prepare,
	.start = start,
	.receive = receive,
	.hear = hear,
	.release = release,
};
