/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/turn_counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "base/leb.h"
#include "bpf/config.h"

#define MAP_BYTES ((sizeof(struct pt_turn_counter) * PT_TURN_COUNTERS + 4095) & ~(size_t)4095)

struct pt_turn_counters {
	struct pt_turn_counter *live; /* the probes' */
	int free_map;
	struct pt_turn_counter
		*told[PT_TURN_COUNTERS]; /* what of each is in records; NULL: nothing */
};

int pt_turn_counters_open(struct pt_turn_counters **out, int counters_map, int free_map,
			  struct pt_error *err)
{
	struct pt_turn_counters *counters = calloc(1, sizeof(*counters));
	void *memory;

	if (!counters)
		return pt_error_errno(err, -ENOMEM, "cannot map the counters of turns");
	memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, counters_map, 0);
	if (memory == MAP_FAILED) {
		free(counters);
		return pt_error_errno(err, -errno, "cannot map the counters of turns");
	}
	counters->live = memory;
	counters->free_map = free_map;
	*out = counters;
	return 0;
}

/* The buckets from *bucket on that have grown, as many as a record's text holds; told grows likewise. */
static size_t encode(const struct pt_turn_counter *now, struct pt_turn_counter *told,
		     unsigned int *bucket, uint8_t *text)
{
	unsigned int last = 0;
	size_t n = 0;

	for (; *bucket < PT_TURN_BUCKETS && n + 2 * PT_LEB_MAX <= PT_TEXT_MAX; ++*bucket) {
		uint32_t grown = now->turns[*bucket] - told->turns[*bucket];

		if (!grown)
			continue;
		n += pt_leb_put(text + n, *bucket - last);
		n += pt_leb_put(text + n, grown);
		last = *bucket;
		told->turns[*bucket] = now->turns[*bucket];
	}
	return n;
}

/* What has been added since the last time. */
static struct pt_turn_sum difference(const struct pt_turn_counter *now,
				     const struct pt_turn_counter *told)
{
	uint64_t first = told->waits ? told->last : now->first;

	return (struct pt_turn_sum){
		.time = now->last,
		.loop = now->loop,
		.busy = now->busy - told->busy,
		.idle = now->idle - told->idle,
		.waits = now->waits - told->waits,
		.first = now->last > first ? now->last - first : 0,
		.tid = now->tid,
		.syscall = now->syscall,
		.flags = now->empty ? PT_TURN_SUM_EMPTY : 0,
	};
}

/* A histogram that is too long for one record goes on in further ones, which have nothing else. */
static int tell(const struct pt_turn_counter *now, struct pt_turn_counter *told,
		pt_probes_sink sink, void *context)
{
	struct pt_turn_sum row = difference(now, told);
	struct pt_record record = {.kind = PT_KIND_turn_sum, .row = &row};
	uint8_t text[PT_TEXT_MAX];
	unsigned int bucket = 0;
	int r;

	do {
		row.text = record.text_len = (uint32_t)encode(now, told, &bucket, text);
		record.text = (const char *)text;
		r = sink(context, &record);
		row.busy = row.idle = row.waits = 0;
	} while (!r && bucket < PT_TURN_BUCKETS);
	memcpy(told, now, offsetof(struct pt_turn_counter, turns));
	return r;
}

static void give_back(struct pt_turn_counters *counters, uint32_t number)
{
	free(counters->told[number]);
	counters->told[number] = NULL;
	memset(&counters->live[number], 0, sizeof(struct pt_turn_counter));
	bpf_map_update_elem(counters->free_map, NULL, &number, BPF_ANY);
}

int pt_turn_counters_collect(struct pt_turn_counters *counters, unsigned int count,
			     pt_probes_sink sink, void *context)
{
	struct pt_turn_counter now;
	int r = 0;

	for (uint32_t i = 0; !r && i < count && i < PT_TURN_COUNTERS; i++) {
		bool over = __atomic_load_n(&counters->live[i].over, __ATOMIC_ACQUIRE);

		if (!__atomic_load_n(&counters->live[i].tid, __ATOMIC_ACQUIRE))
			continue;
		if (!counters->told[i])
			counters->told[i] = calloc(1, sizeof(now));
		if (!counters->told[i])
			return -ENOMEM;
		if (counters->live[i].waits != counters->told[i]->waits) {
			memcpy(&now, &counters->live[i], sizeof(now));
			r = tell(&now, counters->told[i], sink, context);
		}
		if (over)
			give_back(counters, i);
	}
	return r;
}

void pt_turn_counters_free(struct pt_turn_counters *counters)
{
	if (!counters)
		return;
	for (unsigned int i = 0; i < PT_TURN_COUNTERS; i++)
		free(counters->told[i]);
	munmap(counters->live, MAP_BYTES);
	free(counters);
}
