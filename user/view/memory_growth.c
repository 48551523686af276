/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/memory_growth.h"

#include <stdlib.h>

#include "base/array.h"
#include "view/section.h"

struct grower {
	const struct pt_footprint_process *process;
	const struct pt_change *change;
};

struct growers {
	struct grower *list;
	size_t count, room;
};

json_t *pt_json_levels(const struct pt_levels *levels)
{
	json_t *list = json_array();
	size_t i;
	int ret = 0;

	for (i = 0; list && i < levels->count; i++) {
		const struct pt_level *level = &levels->list[i];

		ret |= json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "at_ns",
				  pt_json_int(level->time), "anon_bytes", pt_json_int(level->anon),
				  "file_bytes", pt_json_int(level->file), "shmem_bytes",
				  pt_json_int(level->shmem), "swap_bytes", pt_json_int(level->swap),
				  "tid", level->tid ? pt_json_int(level->tid) : json_null()));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static int gather(const struct pt_footprint *footprint, struct growers *growers)
{
	size_t i, j;

	for (i = 0; i < pt_footprint_processes(footprint); i++) {
		const struct pt_footprint_process *process = pt_footprint_process(footprint, i);

		for (j = 0; j < process->change_count; j++) {
			struct grower *grown = pt_array_grow(growers->list, growers->count,
							     &growers->room, sizeof(*grown));

			if (!grown)
				return -1;
			growers->list = grown;
			growers->list[growers->count++] =
				(struct grower){process, &process->changes[j]};
		}
	}
	return 0;
}

static int compare_size(const void *a, const void *b)
{
	const struct grower *x = a, *y = b;
	int64_t p = llabs(pt_change_rss(x->change)), q = llabs(pt_change_rss(y->change));

	if (p != q)
		return p < q ? 1 : -1;
	return x->change->before.time < y->change->before.time ? -1 : 1;
}

static json_t *difference(uint64_t before, uint64_t after)
{
	return json_integer((json_int_t)after - (json_int_t)before);
}

static json_t *grower_json(const struct grower *grower)
{
	const struct pt_change *change = grower->change;
	const struct pt_level *before = &change->before, *after = &change->after;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid",
			 pt_json_int(grower->process->pid), "comm",
			 pt_json_text(pt_task_name(grower->process->leader)), "tid",
			 change->tid ? pt_json_int(change->tid) : json_null(), "from_ns",
			 pt_json_int(before->time), "to_ns", pt_json_int(after->time), "from_bytes",
			 pt_json_int(pt_level_rss(before)), "to_bytes",
			 pt_json_int(pt_level_rss(after)), "bytes",
			 json_integer(pt_change_rss(change)), "anon_bytes",
			 difference(before->anon, after->anon), "file_bytes",
			 difference(before->file, after->file), "shmem_bytes",
			 difference(before->shmem, after->shmem), "swap_bytes",
			 difference(before->swap, after->swap));
}

json_t *pt_json_growth(const struct pt_footprint *footprint)
{
	struct growers growers = {0};
	json_t *list = json_array();
	int ret = list ? gather(footprint, &growers) : -1;
	size_t i;

	if (!ret && growers.count)
		qsort(growers.list, growers.count, sizeof(*growers.list), compare_size);
	for (i = 0; !ret && i < growers.count; i++)
		ret = json_array_append_new(list, grower_json(&growers.list[i]));
	free(growers.list);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *host_points(const struct pt_footprint *footprint)
{
	json_t *list = json_array();
	size_t i;
	int ret = 0;

	for (i = 0; list && i < pt_footprint_hosts(footprint); i++) {
		const struct pt_memory_host *host = pt_footprint_host(footprint, i);

		ret |= json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "at_ns",
				  pt_json_int(host->time), "free_bytes", pt_json_int(host->free),
				  "available_bytes", pt_json_int(host->available), "cached_bytes",
				  pt_json_int(host->cached), "shmem_bytes",
				  pt_json_int(host->shmem), "dirty_bytes", pt_json_int(host->dirty),
				  "writeback_bytes", pt_json_int(host->writeback),
				  "swap_free_bytes", pt_json_int(host->swap_free)));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static uint64_t least_available(const struct pt_footprint *footprint)
{
	uint64_t least = UINT64_MAX;
	size_t i;

	for (i = 0; i < pt_footprint_hosts(footprint); i++) {
		uint64_t available = pt_footprint_host(footprint, i)->available;

		least = available < least ? available : least;
	}
	return least;
}

json_t *pt_json_host(const struct pt_footprint *footprint)
{
	size_t count = pt_footprint_hosts(footprint);
	const struct pt_memory_host *first, *last;

	if (!count)
		return json_null();
	first = pt_footprint_host(footprint, 0);
	last = pt_footprint_host(footprint, count - 1);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "available_min_bytes",
			 pt_json_int(least_available(footprint)), "cached_bytes",
			 difference(first->cached, last->cached), "swapped_in_bytes",
			 difference(first->swapped_in, last->swapped_in), "swapped_out_bytes",
			 difference(first->swapped_out, last->swapped_out), "reclaimed_bytes",
			 difference(first->reclaimed, last->reclaimed), "refaulted_bytes",
			 difference(first->refaulted, last->refaulted), "direct_reclaims",
			 difference(first->stalls, last->stalls), "oom_kills",
			 difference(first->oom_kills, last->oom_kills), "points",
			 host_points(footprint));
}
