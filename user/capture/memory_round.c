/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_round.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#define KCMP_VM 1 /* linux/kcmp.h */

#define SHIFT_MAX 10

/* A round that was cut short was thought too cheap: the next one samples that much more sparsely. */
#define CUT_FACTOR 4

/* Most runs of frames that one round keeps, in all its sets: 32 MiB, twice that while one is
 * sorted. */
#define RUNS_MAX (4U << 20)

#define EMIT(tools, kind, row) (tools)->emit((tools)->ctx, PT_KIND_##kind, row, NULL, 0)

/* The processes of the matrix; those of one address space have the same space. */
struct members {
	struct pt_mem_snapshot *process[PT_MATRIX_MAX];
	unsigned int space[PT_MATRIX_MAX];
	unsigned int processes;
	struct pt_mem_snapshot
		*walker[PT_MATRIX_MAX]; /* of each space: whose frames stand for it */
	unsigned int spaces;
	bool cut; /* not all could be walked */
};

static bool is_gone(int ret)
{
	return ret == -ESRCH || ret == -ENOENT || ret == -EACCES || ret == -EPERM;
}

/* 0 if the snapshot failed only for itself: its process is gone, or may not be looked at. */
static int forgive(struct pt_mem_snapshot *snap, int ret)
{
	if (!ret)
		return 0;
	if (!is_gone(ret))
		return ret;
	pt_mem_snapshot_clear(snap);
	return 0;
}

static int begin_all(struct pt_mem_tools *tools, struct pt_mem_round *round)
{
	size_t i;
	int ret;

	for (i = 0; i < round->count; i++) {
		struct pt_mem_snapshot *snap = &round->snaps[i];

		ret = forgive(snap, pt_mem_snapshot_begin(tools, snap, round->flags));
		if (!ret)
			ret = pt_pace_piece(&tools->pace);
		if (ret)
			return ret;
	}
	return 0;
}

/* How much must be left out so that the walk fits into its budget, and its sets into memory. */
static unsigned int plan_shift(const struct pt_mem_round *round, size_t page)
{
	uint64_t pages = 0;
	unsigned int shift;
	size_t i;

	for (i = 0; i < round->count; i++) {
		if (round->snaps[i].alive)
			pages += round->snaps[i].known / page;
	}
	for (shift = 0; shift < SHIFT_MAX; shift++) {
		double left = ldexp((double)pages, -(int)shift);

		if (left * round->page_ns <= (double)round->budget_ns && left <= RUNS_MAX)
			break;
	}
	return shift;
}

static int compare_size(const void *a, const void *b)
{
	const struct pt_mem_snapshot *const *x = a, *const *y = b;

	return (*x)->known < (*y)->known ? 1 : -((*x)->known > (*y)->known);
}

static int compare_pid(const void *a, const void *b)
{
	const struct pt_mem_snapshot *const *x = a, *const *y = b;

	return (*x)->pid < (*y)->pid ? -1 : (*x)->pid > (*y)->pid;
}

static bool same_space(pid_t a, pid_t b)
{
	return !syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);
}

static void join_space(struct members *members, struct pt_mem_snapshot *snap)
{
	unsigned int space, i = members->processes++;

	for (space = 0; space < members->spaces; space++) {
		if (same_space(members->walker[space]->pid, snap->pid))
			break;
	}
	if (space == members->spaces)
		members->walker[members->spaces++] = snap;
	members->process[i] = snap;
	members->space[i] = space;
}

/* The largest processes, as many as the matrix holds, by pid. */
static int choose_members(struct pt_mem_round *round, struct members *members)
{
	struct pt_mem_snapshot **list = calloc(round->count + 1, sizeof(struct pt_mem_snapshot *));
	size_t count = 0, i;

	if (!list)
		return -ENOMEM;
	for (i = 0; i < round->count; i++) {
		if (round->snaps[i].alive)
			list[count++] = &round->snaps[i];
	}
	if (count > PT_MATRIX_MAX) {
		qsort(list, count, sizeof(*list), compare_size);
		count = PT_MATRIX_MAX;
	}
	qsort(list, count, sizeof(*list), compare_pid);
	for (i = 0; i < count; i++)
		join_space(members, list[i]);
	free(list);
	return 0;
}

static bool stands_for_space(const struct members *members, const struct pt_mem_snapshot *snap)
{
	unsigned int i;

	for (i = 0; i < members->spaces; i++) {
		if (members->walker[i] == snap)
			return true;
	}
	return false;
}

static int walk_one(struct pt_mem_tools *tools, struct pt_mem_snapshot *snap, unsigned int shift,
		    bool frames, size_t *runs_left)
{
	int ret;

	snap->frames.limit = *runs_left ? *runs_left : 1;
	ret = pt_mem_snapshot_walk(tools, snap, shift, frames);
	if (!ret && frames)
		ret = pt_frames_seal(&snap->frames, &tools->pace);
	if (frames && !ret)
		*runs_left -= snap->frames.count < *runs_left ? snap->frames.count : *runs_left;
	return ret;
}

/* Drops the processes whose space could not be walked: they ended meanwhile, or time was up. */
static void drop_unwalked(struct members *members)
{
	unsigned int kept = 0, spaces = 0, map[PT_MATRIX_MAX] = {0}, i;

	for (i = 0; i < members->spaces; i++) {
		map[i] = spaces;
		if (members->walker[i]->seen)
			members->walker[spaces++] = members->walker[i];
		else
			map[i] = PT_MATRIX_MAX;
	}
	for (i = 0; i < members->processes; i++) {
		if (map[members->space[i]] == PT_MATRIX_MAX)
			continue;
		members->process[kept] = members->process[i];
		members->space[kept++] = map[members->space[i]];
	}
	members->processes = kept;
	members->spaces = spaces;
}

static int walk_all(struct pt_mem_tools *tools, struct pt_mem_round *round, struct members *members,
		    unsigned int shift)
{
	size_t runs_left = RUNS_MAX, i;
	bool canceled = false;
	int ret;

	for (i = 0; i < round->count; i++) {
		struct pt_mem_snapshot *snap = &round->snaps[i];
		bool frames = members->processes > 1 && stands_for_space(members, snap);

		if (!snap->alive)
			continue;
		ret = canceled ? -ECANCELED : walk_one(tools, snap, shift, frames, &runs_left);
		if (ret == -ECANCELED) {
			canceled = true;
			snap->seen = 0;
			members->cut = true;
			ret = pt_mem_snapshot_cut(tools, snap);
		}
		ret = forgive(snap, ret);
		if (ret)
			return ret;
		if (snap->frames.cut)
			members->cut = true;
	}
	return canceled ? -ECANCELED : 0;
}

struct scaling {
	double factor; /* from pages of the sample to bytes of the whole */
	double spread; /* bytes of standard error for a sample of one page; grows with the square
			  root */
	uint32_t flags;
	size_t page;
};

static uint64_t scaled(const struct scaling *scaling, uint64_t pages)
{
	return (uint64_t)((double)pages * scaling->factor + 0.5);
}

/*
 * Pages are chosen in pieces of up to 512, so a count's variance is at most that of whole pieces:
 * sum of y^2 over pieces <= 512 * sum of y.
 */
static struct scaling scaling_of(const struct members *members, unsigned int shift, size_t page)
{
	struct scaling scaling = {.factor = (double)page, .page = page};
	size_t piece = PT_PAGES_PIECE / page;
	double known = 0, seen = 0, part;
	unsigned int i;

	for (i = 0; i < members->spaces; i++) {
		known += (double)members->walker[i]->known;
		seen += (double)members->walker[i]->seen;
	}
	if (!shift || seen <= 0)
		return scaling;
	part = seen < known ? seen / known : 1;
	scaling.factor = (double)page / part;
	scaling.spread = sqrt((1 - part) * (double)piece) * scaling.factor;
	scaling.flags = PT_MEMORY_SAMPLED;
	return scaling;
}

static int emit_pairs(struct pt_mem_tools *tools, const struct members *members,
		      const struct pt_matrix *matrix, const struct scaling *scaling,
		      const struct pt_memory_group *group)
{
	unsigned int i, j;
	int ret;

	for (i = 0; i < members->processes; i++) {
		for (j = i + 1; j < members->processes; j++) {
			unsigned int a = members->space[i], b = members->space[j];
			struct pt_frame_counts counts = pt_matrix_pair(matrix, a, b);
			uint64_t pages = counts.pages[0] + counts.pages[1] + counts.pages[2];
			struct pt_memory_share share = {
				.time = group->time,
				.file = scaled(scaling, counts.pages[PT_FRAME_FILE]),
				.anon = scaled(scaling, counts.pages[PT_FRAME_ANON]),
				.shmem = scaled(scaling, counts.pages[PT_FRAME_SHMEM]),
				.error = (__u64)(scaling->spread * sqrt((double)pages)),
				.a = (__u32)members->process[i]->pid,
				.b = (__u32)members->process[j]->pid,
				.flags = group->flags | (a == b ? PT_MEMORY_SAME_SPACE : 0),
			};

			ret = EMIT(tools, memory_share, &share);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Emits how much k of n share, and adds up what the group costs. */
static int emit_common(struct pt_mem_tools *tools, const struct pt_matrix *matrix,
		       unsigned int spaces, const struct scaling *scaling,
		       struct pt_memory_group *group)
{
	unsigned int k;
	int ret = 0;

	for (k = 1; !ret && k <= spaces; k++) {
		struct pt_frame_counts counts = pt_matrix_common(matrix, k);
		struct pt_memory_common common = {
			.time = group->time,
			.file = scaled(scaling, counts.pages[PT_FRAME_FILE]),
			.anon = scaled(scaling, counts.pages[PT_FRAME_ANON]),
			.shmem = scaled(scaling, counts.pages[PT_FRAME_SHMEM]),
			.k = k,
			.n = spaces,
		};

		group->cost += common.file + common.anon + common.shmem;
		group->unshared += k * (common.file + common.anon + common.shmem);
		ret = EMIT(tools, memory_common, &common);
	}
	return ret;
}

/* What stands in the group's record whatever the matrix says. */
static struct pt_memory_group group_begin(const struct pt_mem_round *round,
					  const struct members *members, uint64_t begun)
{
	struct pt_memory_group group = {
		.time = pt_clock_read(CLOCK_MONOTONIC),
		.processes = members->processes,
		.spaces = members->spaces,
		.sampling = 1,
		.flags = round->flags | (members->cut ? PT_MEMORY_CUT : 0),
	};
	size_t i;

	for (i = 0; i < round->count; i++)
		group.left_out += round->snaps[i].alive;
	group.left_out -= members->processes;
	group.span = group.time - begun;
	return group;
}

static int emit_matrix(struct pt_mem_tools *tools, const struct pt_mem_round *round,
		       const struct members *members, const struct scaling *scaling, uint64_t begun)
{
	const struct pt_frames *sets[PT_MATRIX_MAX];
	struct pt_memory_group group;
	struct pt_matrix *matrix;
	unsigned int i;
	int ret;

	for (i = 0; i < members->spaces; i++)
		sets[i] = &members->walker[i]->frames;
	ret = pt_matrix_new(&matrix, sets, members->spaces, &tools->pace);
	if (ret)
		return ret;
	group = group_begin(round, members, begun);
	group.flags |= scaling->flags;
	group.sampling = (__u32)(scaling->factor / (double)scaling->page + 0.5);
	ret = emit_common(tools, matrix, members->spaces, scaling, &group);
	if (!ret)
		ret = emit_pairs(tools, members, matrix, scaling, &group);
	if (!ret)
		ret = EMIT(tools, memory_group, &group);
	pt_matrix_free(matrix);
	return ret;
}

/* Without frames nobody knows who shares with whom; what is left is that it is not known. */
static int emit_hidden(struct pt_mem_tools *tools, const struct pt_mem_round *round,
		       const struct members *members, uint64_t begun)
{
	struct pt_memory_group group = group_begin(round, members, begun);
	unsigned int i;

	for (i = 0; i < members->spaces; i++) {
		group.unshared += members->walker[i]->row.rss;
		group.cost += members->walker[i]->row.pss;
	}
	group.flags |= PT_MEMORY_NO_FRAMES;
	return EMIT(tools, memory_group, &group);
}

/* What a page has cost decides how much of the next round is sampled; half the old figure damps it.
 */
static void learn_cost(struct pt_mem_round *round, uint64_t cpu, size_t page)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < round->count; i++)
		pages += round->snaps[i].seen / page;
	if (pages > 1000)
		round->page_ns = (round->page_ns + (double)cpu / (double)pages) / 2;
}

int pt_mem_round_run(struct pt_mem_tools *tools, struct pt_mem_round *round)
{
	size_t page = pt_pages_size(tools->pages);
	struct members members = {0};
	struct scaling scaling;
	uint64_t begun, cpu;
	unsigned int shift;
	int ret, walked;

	ret = begin_all(tools, round);
	if (!ret)
		ret = choose_members(round, &members);
	if (ret)
		return ret;
	shift = plan_shift(round, page);
	begun = pt_clock_read(CLOCK_MONOTONIC);
	cpu = pt_clock_read(CLOCK_THREAD_CPUTIME_ID);
	walked = walk_all(tools, round, &members, shift);
	if (walked == -ECANCELED)
		round->page_ns *= CUT_FACTOR;
	else
		learn_cost(round, pt_clock_read(CLOCK_THREAD_CPUTIME_ID) - cpu, page);
	if (walked && (walked != -ECANCELED || tools->pace.hurry || pt_pace_stopped(&tools->pace)))
		return walked;
	/* Time is up, but what was read may still be compared. */
	tools->pace.deadline = tools->pace.hurry ? tools->pace.deadline : 0;
	if (pt_pages_hidden(tools->pages))
		return members.spaces > 1 ? emit_hidden(tools, round, &members, begun) : walked;
	drop_unwalked(&members);
	scaling = scaling_of(&members, shift, page);
	if (members.processes > 1)
		ret = emit_matrix(tools, round, &members, &scaling, begun);
	return ret ? ret : walked;
}
