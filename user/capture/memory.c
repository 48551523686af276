/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "capture/memory_host.h"
#include "capture/memory_proc.h"
#include "capture/memory_round.h"

#define SECOND_NS 1000000000ULL

/* The first round comes at once; later newcomers get time to become what they will be. */
#define FIRST_SETTLE_NS (50 * 1000000ULL)
#define SETTLE_NS	SECOND_NS

/* Where a group never settles, a round comes that long after the first newcomer. */
#define SETTLE_MAX_NS (5 * SECOND_NS)

/* Budget of a round, and its patience, where no interval says so. */
#define ROUND_NS (10 * SECOND_NS)

/* Counters are read that often, of at most so many processes: some 20 us each. */
#define PULSE_NS  SECOND_NS
#define PULSE_MAX 64

/* A process that has doubled or halved, and by that much, deserves a snapshot before its time. */
#define CHANGE_MIN (16ULL << 20)

/* What a page costs at first guess, its weight looked up and its frame sorted. */
#define PAGE_NS 100

struct target {
	pid_t pid;
	uint64_t start;
	bool gone;
	uint64_t faults; /* at its last pulse: without a fault nothing grows */
	uint64_t size;	 /* resident and swapped then */
	uint64_t seen;	 /* resident at its last snapshot */
};

struct pt_memory_scanner {
	pthread_t thread;
	bool running;
	struct pt_mem_tools tools; /* tools.pace.lock guards what follows, and `hurry` and
				      `deadline` of the pace */
	struct target *targets;
	size_t count, room;
	uint64_t first_newcomer, last_newcomer; /* CLOCK_MONOTONIC; 0: none since the last round */
	uint64_t interval;			/* ns, 0: none */
	uint64_t next;				/* when the next round on the interval is due */
	uint64_t next_pulse;			/* likewise */
	bool any_round;
	bool final; /* a last round is wanted */
	uint64_t patience;
	double page_ns;
	struct pt_memory_stats stats;
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct target *find_target(struct pt_memory_scanner *scanner, pid_t pid)
{
	size_t i;

	for (i = 0; i < scanner->count; i++) {
		if (scanner->targets[i].pid == pid)
			return &scanner->targets[i];
	}
	return NULL;
}

static struct target *append_target(struct pt_memory_scanner *scanner)
{
	struct target *grown =
		pt_array_grow(scanner->targets, scanner->count, &scanner->room, sizeof(*grown));

	if (!grown)
		return NULL;
	scanner->targets = grown;
	return &scanner->targets[scanner->count++];
}

static void want_round_locked(struct pt_memory_scanner *scanner)
{
	scanner->last_newcomer = pt_clock_read(CLOCK_MONOTONIC);
	if (!scanner->first_newcomer)
		scanner->first_newcomer = scanner->last_newcomer;
}

static int add_locked(struct pt_memory_scanner *scanner, pid_t pid, uint64_t start)
{
	struct target *target = find_target(scanner, pid);

	if (target && target->start == start && !target->gone)
		return 0;
	if (!target)
		target = append_target(scanner);
	if (!target)
		return -ENOMEM;
	*target = (struct target){.pid = pid, .start = start};
	want_round_locked(scanner);
	pthread_cond_broadcast(&scanner->tools.pace.wake);
	return 0;
}

int pt_memory_add(struct pt_memory_scanner *scanner, pid_t pid, uint64_t start)
{
	int ret;

	pthread_mutex_lock(&scanner->tools.pace.lock);
	ret = add_locked(scanner, pid, pt_mem_cut_start(start));
	pthread_mutex_unlock(&scanner->tools.pace.lock);
	return ret;
}

/* When the next round is due; UINT64_MAX: not before something happens. */
static uint64_t due_locked(const struct pt_memory_scanner *scanner)
{
	uint64_t due = UINT64_MAX, latest;

	if (scanner->first_newcomer) {
		due = scanner->last_newcomer + (scanner->any_round ? SETTLE_NS : FIRST_SETTLE_NS);
		latest = scanner->first_newcomer + SETTLE_MAX_NS;
		if (due > latest)
			due = latest;
	}
	if (scanner->interval && scanner->next < due)
		due = scanner->next;
	return due;
}

static int take_targets_locked(struct pt_memory_scanner *scanner, struct pt_mem_round *round)
{
	size_t i;

	scanner->first_newcomer = 0;
	scanner->any_round = true;
	round->snaps = calloc(scanner->count + 1, sizeof(*round->snaps));
	if (!round->snaps)
		return -ENOMEM;
	for (i = 0; i < scanner->count; i++) {
		round->snaps[i].pid = scanner->targets[i].pid;
		round->snaps[i].start = scanner->targets[i].start;
	}
	round->count = scanner->count;
	round->page_ns = scanner->page_ns;
	return 0;
}

/* Notes what the round saw, and forgets who was gone, unless named anew since. */
static void take_results_locked(struct pt_memory_scanner *scanner, const struct pt_mem_round *round)
{
	size_t i, kept = 0;

	for (i = 0; i < round->count; i++) {
		struct target *target = &scanner->targets[i];

		/* Targets are only appended or replaced while a round runs: the indices still
		 * agree. */
		if (target->pid == round->snaps[i].pid && !round->snaps[i].alive &&
		    (!target->start || target->start == round->snaps[i].start))
			target->gone = true;
		else if (target->pid == round->snaps[i].pid)
			target->seen = round->snaps[i].known;
	}
	for (i = 0; i < scanner->count; i++) {
		if (!scanner->targets[i].gone)
			scanner->targets[kept++] = scanner->targets[i];
	}
	scanner->count = kept;
}

static bool has_changed(const struct target *target)
{
	uint64_t more = target->size > target->seen ? target->size : target->seen;
	uint64_t less = target->size > target->seen ? target->seen : target->size;

	return more > 2 * less && more - less >= CHANGE_MIN;
}

/* Whether the counters say anything new about the target, which is noted. */
static bool note_pulse(struct target *target, const struct pt_memory_pulse *row)
{
	uint64_t faults = row->minor_faults + row->major_faults;
	uint64_t size = row->anon + row->file + row->shmem + row->swap;
	bool news = faults != target->faults || size != target->size;

	target->faults = faults;
	target->size = size;
	return news;
}

/* Reads the counters of the first targets. The lock is given up for each: the list may change meanwhile. */
static void pulse_locked(struct pt_memory_scanner *scanner)
{
	struct pt_mem_tools *tools = &scanner->tools;
	size_t i;

	for (i = 0; i < scanner->count && i < PULSE_MAX && !tools->pace.stop; i++) {
		struct pt_memory_pulse row = {.time = pt_clock_read(CLOCK_MONOTONIC),
					      .pid = (__u32)scanner->targets[i].pid};
		uint64_t start = scanner->targets[i].start;
		int ret;

		pthread_mutex_unlock(&tools->pace.lock);
		ret = pt_mem_pulse_read((pid_t)row.pid, start, &row);
		pt_pace_piece(&tools->pace);
		pthread_mutex_lock(&tools->pace.lock);
		if (ret || (pid_t)row.pid != scanner->targets[i].pid ||
		    !note_pulse(&scanner->targets[i], &row))
			continue;
		if (!scanner->first_newcomer && scanner->targets[i].seen &&
		    has_changed(&scanner->targets[i]))
			want_round_locked(scanner);
		pthread_mutex_unlock(&tools->pace.lock);
		tools->emit(tools->ctx, PT_KIND_memory_pulse, &row, NULL, 0);
		pthread_mutex_lock(&tools->pace.lock);
	}
}

/* The lock is given up meanwhile. */
static void host_locked(struct pt_memory_scanner *scanner)
{
	struct pt_mem_tools *tools = &scanner->tools;
	struct pt_memory_host row = {.time = pt_clock_read(CLOCK_MONOTONIC)};

	pthread_mutex_unlock(&tools->pace.lock);
	if (!pt_mem_host_read(&row))
		tools->emit(tools->ctx, PT_KIND_memory_host, &row, NULL, 0);
	pt_pace_piece(&tools->pace);
	pthread_mutex_lock(&tools->pace.lock);
}

static void round_clear(struct pt_mem_round *round)
{
	size_t i;

	for (i = 0; i < round->count; i++)
		pt_mem_snapshot_clear(&round->snaps[i]);
	free(round->snaps);
}

static void take_stats_locked(struct pt_memory_scanner *scanner)
{
	scanner->stats.cpu_ns = pt_clock_read(CLOCK_THREAD_CPUTIME_ID);
	scanner->stats.longest_piece_ns = scanner->tools.pace.longest_piece;
	scanner->stats.rounds++;
}

/* Runs one round, without the lock, which is held before and after. */
static void run_round_locked(struct pt_memory_scanner *scanner, bool final)
{
	struct pt_pace *pace = &scanner->tools.pace;
	uint64_t length = scanner->interval ? scanner->interval : ROUND_NS;
	struct pt_mem_round round = {.flags = final ? PT_MEMORY_LAST : 0};
	uint64_t now = pt_clock_read(CLOCK_MONOTONIC);
	int ret = take_targets_locked(scanner, &round);

	pace->hurry = final;
	pace->deadline = now + (final ? scanner->patience : length);
	round.budget_ns = final ? scanner->patience / 2 : (uint64_t)(pace->share * (double)length);
	pthread_mutex_unlock(&pace->lock);
	if (!ret && round.count) {
		/* What cannot go on now (no memory, a full disk that emit tells of) is the
		 * recorder's to report. */
		pt_mem_round_run(&scanner->tools, &round);
	}
	pthread_mutex_lock(&pace->lock);
	if (!ret) {
		take_results_locked(scanner, &round);
		scanner->page_ns = round.page_ns;
		round_clear(&round);
	}
	take_stats_locked(scanner);
}

static void *scan_thread(void *arg)
{
	struct pt_memory_scanner *scanner = arg;
	struct pt_pace *pace = &scanner->tools.pace;

	pt_pace_begin(pace);
	pthread_mutex_lock(&pace->lock);
	while (!pace->stop) {
		uint64_t pulse = scanner->interval ? scanner->next_pulse : UINT64_MAX;
		uint64_t round = due_locked(scanner), now = pt_clock_read(CLOCK_MONOTONIC);

		if (round > now && pulse > now) {
			pt_pace_sleep_locked(pace, min_u64(now + ROUND_NS, min_u64(round, pulse)));
		} else if (pulse <= now) {
			scanner->next_pulse = now + PULSE_NS;
			host_locked(scanner);
			pulse_locked(scanner);
		} else {
			scanner->next = now + scanner->interval;
			run_round_locked(scanner, false);
		}
	}
	if (scanner->final)
		run_round_locked(scanner, true);
	pthread_mutex_unlock(&pace->lock);
	return NULL;
}

/* Signals are for the thread that waits for them. */
static int start_thread(struct pt_memory_scanner *scanner)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&scanner->thread, NULL, scan_thread, scanner);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return -ret;
	scanner->running = true;
	pthread_setname_np(scanner->thread, "memory");
	return 0;
}

static int init_tools(struct pt_mem_tools *tools)
{
	int ret = pt_pages_new(&tools->pages);

	if (!ret)
		ret = pt_backings_new(&tools->backings);
	tools->kernel_stack = pt_mem_kernel_stack();
	return ret;
}

int pt_memory_start(struct pt_memory_scanner **out, const struct pt_memory_options *options,
		    struct pt_error *err)
{
	double share = (options->budget_percent > 0 ? options->budget_percent : 1) / 100;
	struct pt_memory_scanner *scanner = calloc(1, sizeof(*scanner));
	int ret;

	if (!scanner)
		return pt_error_errno(err, -ENOMEM, "memory scanner");
	scanner->interval = (uint64_t)(options->interval * (double)SECOND_NS);
	scanner->next = pt_clock_read(CLOCK_MONOTONIC) + scanner->interval;
	scanner->page_ns = PAGE_NS;
	ret = pt_pace_init(&scanner->tools.pace, share, (uint64_t)(share * (double)ROUND_NS));
	if (ret) {
		free(scanner);
		return pt_error_errno(err, ret, "memory scanner");
	}
	scanner->tools.emit = options->emit;
	scanner->tools.ctx = options->ctx;
	ret = init_tools(&scanner->tools);
	if (!ret)
		ret = start_thread(scanner);
	if (ret) {
		pt_memory_free(scanner);
		return pt_error_errno(err, ret, "memory scanner");
	}
	*out = scanner;
	return 0;
}

static void end_thread(struct pt_memory_scanner *scanner)
{
	pt_pace_cancel(&scanner->tools.pace);
	pthread_join(scanner->thread, NULL);
	scanner->running = false;
}

void pt_memory_stop(struct pt_memory_scanner *scanner, uint64_t patience_ns)
{
	if (!scanner->running)
		return;
	pthread_mutex_lock(&scanner->tools.pace.lock);
	scanner->final = true;
	scanner->patience = patience_ns;
	pthread_mutex_unlock(&scanner->tools.pace.lock);
	end_thread(scanner);
}

void pt_memory_stats(struct pt_memory_scanner *scanner, struct pt_memory_stats *stats)
{
	pthread_mutex_lock(&scanner->tools.pace.lock);
	*stats = scanner->stats;
	pthread_mutex_unlock(&scanner->tools.pace.lock);
	stats->frames_hidden = pt_pages_hidden(scanner->tools.pages);
}

void pt_memory_free(struct pt_memory_scanner *scanner)
{
	if (!scanner)
		return;
	if (scanner->running)
		end_thread(scanner);
	pt_pages_free(scanner->tools.pages);
	pt_backings_free(scanner->tools.backings);
	pt_mappings_clear(&scanner->tools.mappings);
	pt_pace_clear(&scanner->tools.pace);
	free(scanner->targets);
	free(scanner);
}
