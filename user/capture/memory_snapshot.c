/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_snapshot.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/memory_proc.h"
#include "capture/memory_segments.h"

/*
 * smaps_rollup gives all figures of one instant, but the kernel holds mmap_lock while it walks a
 * whole mapping: 15 to 30 ns a page. Processes beyond this are walked in pieces instead.
 */
#define ROLLUP_MAX (128ULL << 20)

#define EMIT(tools, kind, row) (tools)->emit((tools)->ctx, PT_KIND_##kind, row, NULL, 0)

static void take_status(struct pt_mem_snapshot *snap, const struct pt_mem_status *status,
			uint64_t kernel_stack)
{
	struct pt_memory *row = &snap->row;

	row->rss = status->rss;
	row->anon = status->anon;
	row->file = status->file;
	row->shmem = status->shmem;
	row->swap = status->swap;
	row->peak = status->peak;
	row->page_tables = status->page_tables;
	row->threads = (uint32_t)status->threads;
	row->kernel_stacks = kernel_stack * status->threads;
	snap->known = status->rss;
}

static void take_rollup(struct pt_memory *row, const struct pt_mem_smaps *smaps)
{
	row->rss = smaps->rss;
	row->pss = smaps->pss;
	row->uss = smaps->private_clean + smaps->private_dirty;
	row->swap = smaps->swap;
	row->shared_clean = smaps->shared_clean;
	row->shared_dirty = smaps->shared_dirty;
	row->private_clean = smaps->private_clean;
	row->private_dirty = smaps->private_dirty;
	row->hugetlb = smaps->shared_hugetlb + smaps->private_hugetlb;
	if (row->peak < row->rss)
		row->peak = row->rss;
}

/* A descriptor of /proc/PID; -ESRCH if the pid stands for another process than the one meant. */
static int open_process(pid_t pid, uint64_t start, struct pt_mem_stat *stat)
{
	int proc = pt_mem_open(pid), ret;

	if (proc < 0)
		return proc;
	ret = pt_mem_read_stat(proc, stat);
	if (!ret && start && start != stat->start)
		ret = -ESRCH;
	if (!ret)
		return proc;
	close(proc);
	return ret;
}

static int open_snapshot(struct pt_mem_snapshot *snap)
{
	struct pt_mem_stat stat;
	int proc = open_process(snap->pid, snap->start, &stat);

	if (proc < 0)
		return proc;
	snap->start = stat.start;
	snap->row.start = stat.start;
	snap->row.minor_faults = stat.minor_faults;
	snap->row.major_faults = stat.major_faults;
	return proc;
}

int pt_mem_pulse_read(pid_t pid, uint64_t start, struct pt_memory_pulse *row)
{
	struct pt_mem_status status;
	struct pt_mem_stat stat;
	int proc = open_process(pid, start, &stat), ret;

	if (proc < 0)
		return proc;
	ret = pt_mem_read_status(proc, &status);
	close(proc);
	if (ret)
		return ret;
	row->anon = status.anon;
	row->file = status.file;
	row->shmem = status.shmem;
	row->swap = status.swap;
	row->page_tables = status.page_tables;
	row->minor_faults = stat.minor_faults;
	row->major_faults = stat.major_faults;
	row->threads = (__u32)status.threads;
	return 0;
}

static int emit_memory(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap)
{
	snap->row.time = pt_clock_read(CLOCK_MONOTONIC);
	snap->row.span = snap->row.time - snap->begun;
	snap->done = true;
	return EMIT(tools, memory, &snap->row);
}

static int read_figures(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap, int proc)
{
	struct pt_mem_status status;
	struct pt_mem_smaps smaps;
	int ret = pt_mem_read_status(proc, &status);

	if (ret)
		return ret;
	take_status(snap, &status, tools->kernel_stack);
	if (status.rss > ROLLUP_MAX)
		return 0;
	ret = pt_mem_read_rollup(proc, &smaps);
	if (ret)
		return ret;
	take_rollup(&snap->row, &smaps);
	snap->known = smaps.rss;
	return emit_memory(tools, snap);
}

int pt_mem_snapshot_begin(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap, uint32_t flags)
{
	int proc, ret;

	snap->begun = pt_clock_read(CLOCK_MONOTONIC);
	snap->row = (struct pt_memory){
		.pid = (__u32)snap->pid,
		.sampling = 1,
		.flags = flags,
	};
	if (pt_pages_hidden(tools->pages))
		snap->row.flags |= PT_MEMORY_NO_FRAMES;
	proc = open_snapshot(snap);
	if (proc < 0)
		return proc;
	ret = read_figures(tools, snap, proc);
	close(proc);
	snap->alive = !ret;
	return ret;
}

/* `bytes` of a sample, scaled up to the whole. */
static uint64_t scale(uint64_t bytes, double factor)
{
	return (uint64_t)((double)bytes * factor);
}

/* By how much the figures of the walk must be multiplied. */
static double walk_factor(const struct pt_mem_snapshot *snap, const struct pt_pages_sum *sum)
{
	if (snap->row.sampling <= 1 || !sum->rss)
		return 1;
	return (double)snap->known / (double)sum->rss;
}

static void take_errors(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap,
			const struct pt_pages_sum *sum)
{
	size_t page = pt_pages_size(tools->pages);

	snap->row.pss_error = (__u64)pt_pages_error(
		sum, snap->known, (double)(sum->pss >> 12) / (double)page, sum->rp, sum->pp, page);
	snap->row.uss_error = (__u64)pt_pages_error(
		sum, snap->known, (double)sum->uss / (double)page, sum->ru, sum->uu, page);
}

static void take_walk(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap,
		      const struct pt_pages_sum *sum)
{
	double factor = walk_factor(snap, sum);
	struct pt_memory *row = &snap->row;
	uint64_t shared_file;

	row->flags |= PT_MEMORY_WALKED | PT_MEMORY_NO_DIRTY;
	if (sum->cut)
		row->flags |= PT_MEMORY_CUT;
	if (row->sampling > 1) {
		row->flags |= PT_MEMORY_SAMPLED;
		take_errors(tools, snap, sum);
	} else {
		row->rss = sum->rss;
	}
	row->uss = scale(sum->uss, factor);
	if (sum->pss_known)
		row->pss = scale(sum->pss >> 12, factor) / 1024 * 1024;
	else
		row->flags |= PT_MEMORY_NO_PSS;
	row->hugetlb = scale(sum->hugetlb, factor);
	row->private_clean = scale(sum->uss_file, factor);
	row->private_dirty = row->uss - row->private_clean;
	shared_file = scale(sum->shared_file, factor);
	row->shared_clean = shared_file;
	if (row->rss > row->uss + shared_file)
		row->shared_dirty = row->rss - row->uss - shared_file;
	if (row->peak < row->rss)
		row->peak = row->rss;
}

static int emit_classes(struct pt_mem_tools *tools, const struct pt_memory *row, uint32_t flags,
			double factor)
{
	struct pt_memory_class rows[PT_MAPPING_COUNT] = {0};
	unsigned int class;
	uint64_t now = pt_clock_read(CLOCK_MONOTONIC);
	size_t i;
	int ret = 0;

	for (i = 0; i < tools->mappings.count; i++) {
		const struct pt_mapping *map = &tools->mappings.list[i];
		struct pt_memory_class *to = &rows[map->class];

		to->size += map->end - map->start;
		to->rss += map->rss;
		to->pss += map->pss;
		to->uss += map->uss;
		to->swap += map->swap;
		to->mappings++;
	}
	for (class = 0; !ret && class < PT_MAPPING_COUNT; class ++) {
		struct pt_memory_class *to = &rows[class];

		if (!to->mappings)
			continue;
		to->time = now;
		to->pid = row->pid;
		to->class = (__u16) class;
		to->flags = (__u16)flags;
		to->rss = scale(to->rss, factor);
		to->pss = scale(to->pss >> 12, factor);
		to->uss = scale(to->uss, factor);
		to->swap = scale(to->swap, factor);
		ret = EMIT(tools, memory_class, to);
	}
	return ret;
}

/* A sample says nothing about a stack, which is smaller than a piece. */
static int emit_threads(struct pt_mem_tools *tools, const struct pt_memory *row)
{
	uint64_t now = pt_clock_read(CLOCK_MONOTONIC);
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < tools->mappings.count; i++) {
		const struct pt_mapping *map = &tools->mappings.list[i];
		struct pt_memory_thread thread = {
			.time = now,
			.stack_size = map->end - map->start,
			.stack_rss = map->rss,
			.pid = row->pid,
			.tid = map->tid,
		};

		if (map->class == PT_MAPPING_STACK && map->tid)
			ret = EMIT(tools, memory_thread, &thread);
	}
	return ret;
}

static int emit_mappings(struct pt_mem_tools *tools, const struct pt_mem_snapshot *snap,
			 unsigned int shift, const struct pt_pages_sum *sum)
{
	uint32_t flags = snap->row.flags;
	double factor = 1;
	int ret;

	if (sum->cut)
		flags |= PT_MEMORY_CUT;
	if (shift) {
		flags |= PT_MEMORY_SAMPLED;
		factor = sum->rss ? (double)snap->known / (double)sum->rss : 1;
	}
	ret = emit_classes(tools, &snap->row, flags, factor);
	return ret || shift ? ret : emit_threads(tools, &snap->row);
}

/* Page entries without frame numbers do not tell what a page weighs; smaps does, and small
 * processes can bear it. */
static int walk_pages(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap, int proc,
		      unsigned int shift, bool frames, struct pt_pages_sum *sum)
{
	struct pt_pages_options options = {
		.shift = shift,
		.frames = frames ? &snap->frames : NULL,
		.pace = &tools->pace,
	};
	bool smaps = snap->done && pt_pages_hidden(tools->pages);
	int ret;

	*sum = (struct pt_pages_sum){0};
	pt_backings_learn(tools->backings, proc);
	ret = pt_mappings_read(&tools->mappings, proc, smaps, tools->backings);
	if (ret)
		return ret;
	if (shift == 0)
		pt_mappings_find_stacks(&tools->mappings, proc, snap->pid);
	ret = pt_pace_piece(&tools->pace);
	if (ret || smaps)
		return ret;
	return pt_pages_walk(tools->pages, proc, &tools->mappings, &options, sum);
}

int pt_mem_snapshot_walk(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap,
			 unsigned int shift, bool frames)
{
	bool figures = !snap->done;
	struct pt_pages_sum sum;
	int proc, ret;

	if (figures) {
		snap->begun = pt_clock_read(CLOCK_MONOTONIC);
		snap->row.sampling = 1U << shift;
	}
	proc = open_snapshot(snap);
	if (proc < 0)
		return proc;
	ret = walk_pages(tools, snap, proc, shift, frames, &sum);
	if (!ret)
		ret = pt_mem_segments_emit(tools, snap->pid, proc);
	close(proc);
	if (ret)
		return ret;
	snap->seen = sum.rss;
	if (figures) {
		take_walk(tools, snap, &sum);
		ret = emit_memory(tools, snap);
		if (ret)
			return ret;
	}
	return emit_mappings(tools, snap, shift, &sum);
}

int pt_mem_snapshot_cut(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap)
{
	if (snap->done)
		return 0;
	snap->row.flags |= PT_MEMORY_CUT | PT_MEMORY_NO_PSS;
	return emit_memory(tools, snap);
}

void pt_mem_snapshot_clear(struct pt_mem_snapshot *snap)
{
	snap->alive = false;
	pt_frames_clear(&snap->frames);
}
