/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/invoker.h"
#include "capture/cgroups.h"
#include "capture/members.h"
#include "capture/peers.h"

#define NS_PER_S 1000000000ull
#define DRAIN_MS 100 /* what fills a ring earlier wakes us */
#define CUT_NS	 (NS_PER_S / 2)
/* A probe may still be filling in a record whose time is this long ago: it belongs before the cut. */
#define IN_FLIGHT_NS 2000000
/* System calls are timed for so long after the last long turn. */
#define TIMED_NS (2 * NS_PER_S)
/* For the snapshots of memory at the end: the file is to be ready in 0.3 s. */
#define MEMORY_PATIENCE_NS 150000000

struct recording {
	const struct pt_recording_options *options;
	struct pt_recording_result *result;
	struct pt_probes *probes;
	struct pt_writer *writer;
	pthread_mutex_t writer_lock; /* the memory scanner writes from its own thread */
	struct pt_memory_scanner *memory;
	struct pt_peers *peers;
	struct pt_cgroups *cgroups;
	struct pt_members *members; /* NULL: no cgroup was asked for */
	struct pt_invoker invoker;
	struct pt_meta meta;
	struct pt_end end;
	sigset_t old_mask;
	int signals;			  /* signalfd */
	int signal;			  /* the one that ended it, 0 */
	uint64_t last_cut;		  /* CLOCK_MONOTONIC ns */
	uint64_t long_turns;		  /* of the probes, when last looked at */
	uint64_t last_long;		  /* CLOCK_MONOTONIC ns when they had grown, 0: never */
	uint64_t reported[PT_KIND_LIMIT]; /* losses that are in the file */
};

static int describe(struct recording *recording, struct pt_error *err)
{
	const struct pt_recording_options *options = recording->options;
	struct pt_meta *meta = &recording->meta;
	struct utsname host;
	size_t words = 0;

	uname(&host);
	meta->version = strdup(PT_VERSION);
	meta->host = strdup(host.nodename);
	meta->kernel = strdup(host.release);
	meta->arch = strdup(host.machine);
	meta->target = strdup(options->target_text);
	meta->cpus = (uint32_t)get_nprocs_conf();
	meta->stall_ns = options->targets.stall_ns;
	meta->recorder_pid = (uint32_t)getpid();
	meta->sees_io_uring = pt_probes_sees_io_uring(recording->probes);
	meta->start_mono = pt_clock_read(CLOCK_MONOTONIC);
	meta->start_wall = pt_clock_read(CLOCK_REALTIME);
	meta->start_boot = pt_clock_read(CLOCK_BOOTTIME);
	while (options->command && options->command[words])
		words++;
	if (words) {
		meta->command = calloc(words + 1, sizeof(*meta->command));
		for (size_t i = 0; meta->command && i < words; i++)
			meta->command[i] = strdup(options->command[i]);
	}
	if (!meta->version || !meta->host || !meta->kernel || !meta->arch || !meta->target ||
	    (words && !meta->command))
		return pt_error_errno(err, -ENOMEM, "cannot start recording");
	return 0;
}

static int catch_signals(struct recording *recording, struct pt_error *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &recording->old_mask);
	signal(SIGPIPE, SIG_IGN);
	recording->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (recording->signals < 0)
		return pt_error_errno(err, -errno, "cannot watch for signals");
	return 0;
}

/* Names the process of a record to the memory scanner, if it is a target and new. */
static int watch_memory(struct recording *recording, const struct pt_record *record)
{
	const struct pt_fork *fork = record->row;
	const struct pt_task *task = record->row;

	if (record->kind == PT_KIND_fork && fork->tid == fork->pid)
		return pt_memory_add(recording->memory, (pid_t)fork->pid, fork->start);
	if (record->kind == PT_KIND_task && task->tid == task->pid &&
	    !(task->flags & (PT_TASK_PEER | PT_TASK_KTHREAD | PT_TASK_LAST)))
		return pt_memory_add(recording->memory, (pid_t)task->pid, task->start);
	return 0;
}

static int store(void *context, const struct pt_record *record)
{
	const pt_kinds noted = PT_KIND_BIT(PT_KIND_endpoint) | PT_KIND_BIT(PT_KIND_talk) |
			       PT_KIND_BIT(PT_KIND_fork) | PT_KIND_BIT(PT_KIND_exec) |
			       PT_KIND_BIT(PT_KIND_task);
	struct recording *recording = context;
	const struct pt_opposite *opposite = record->row;
	int r = pt_writer_add(recording->writer, record);

	if (record->kind == PT_KIND_opposite)
		pt_probes_add_opposite(recording->probes, opposite->opposite);
	if (r || !(noted & PT_KIND_BIT(record->kind)))
		return r;
	r = pt_peers_note(recording->peers, record);
	if (!r)
		r = pt_cgroups_note(recording->cgroups, record);
	return r ? r : watch_memory(recording, record);
}

static int store_memory(void *context, uint32_t kind, const void *row, const char *text,
			size_t text_len)
{
	struct recording *recording = context;
	struct pt_record record = {
		.kind = kind,
		.row = row,
		.text = text,
		.text_len = (uint32_t)text_len,
	};
	int r;

	pthread_mutex_lock(&recording->writer_lock);
	r = pt_writer_add(recording->writer, &record);
	pthread_mutex_unlock(&recording->writer_lock);
	return r;
}

/* Writes down what was lost since the last time, as records. */
static int store_losses(struct recording *recording, uint64_t until)
{
	uint64_t lost[PT_KIND_LIMIT];
	int r = 0;

	pt_probes_lost(recording->probes, lost);
	for (uint32_t kind = 0; !r && kind < PT_KIND_LIMIT; kind++) {
		struct pt_loss row = {
			.time = until,
			.length = until - recording->last_cut,
			.count = lost[kind] - recording->reported[kind],
			.kind = kind,
		};
		struct pt_record record = {.kind = PT_KIND_loss, .row = &row};

		if (row.count)
			r = pt_writer_add(recording->writer, &record);
	}
	memcpy(recording->reported, lost, sizeof(lost));
	return r;
}

/* Empties the rings into the writer, and ends an interval when it is time, or `last`. */
static int pump_locked(struct recording *recording, bool last, struct pt_error *err)
{
	uint64_t before = pt_clock_read(CLOCK_MONOTONIC);
	int r;

	r = pt_probes_drain(recording->probes, store, recording);
	if (!r)
		r = pt_peers_look(recording->peers, last, store, recording);
	if (!r && last)
		r = pt_probes_look_opposite(recording->probes);
	if (!r && last)
		r = pt_probes_drain(recording->probes, store, recording);
	if (!r)
		r = pt_cgroups_look(recording->cgroups, last, store, recording);
	if (r)
		return pt_error_errno(err, r, "cannot keep what was recorded");
	/* While nothing happens, nobody needs to be woken, and losses can wait. */
	if (!last &&
	    (before - recording->last_cut < CUT_NS || !pt_writer_pending(recording->writer)))
		return 0;
	r = pt_probes_collect(recording->probes, store, recording);
	if (!r)
		r = store_losses(recording, before);
	if (r)
		return pt_error_errno(err, r, "cannot keep what was recorded");
	recording->last_cut = before;
	return pt_writer_cut(recording->writer, last ? UINT64_MAX : before - IN_FLIGHT_NS, err);
}

static int pump(struct recording *recording, bool last, struct pt_error *err)
{
	int r;

	pthread_mutex_lock(&recording->writer_lock);
	r = pump_locked(recording, last, err);
	pthread_mutex_unlock(&recording->writer_lock);
	return r;
}

/* A signal from the keyboard has reached the command, too; one that was sent to us alone is passed on. */
static void take_signals(struct recording *recording)
{
	struct signalfd_siginfo info;

	while (read(recording->signals, &info, sizeof(info)) == sizeof(info)) {
		struct pt_child *child = &recording->result->child;

		if (info.ssi_signo == SIGCHLD) {
			pt_child_reap(child, false);
			continue;
		}
		if (!recording->signal && child->pid && !child->gone && info.ssi_code <= 0)
			kill(child->pid, (int)info.ssi_signo);
		recording->signal = (int)info.ssi_signo;
		/* The next one is not for us to handle: it ends the program. */
		sigdelset(&recording->old_mask, recording->signal);
		signal(recording->signal, SIG_DFL);
		sigprocmask(SIG_SETMASK, &recording->old_mask, NULL);
	}
}

/* All targets are gone, and no others are to come. */
static bool is_deserted(const struct recording *recording)
{
	const struct pt_recording_options *options = recording->options;

	if (options->targets.all || options->command || pt_probes_live(recording->probes))
		return false;
	return !recording->members || pt_members_gone(recording->members);
}

/* Why recording is over, or NULL if it is not. */
static const char *over(struct recording *recording)
{
	const struct pt_recording_options *options = recording->options;

	if (recording->signal)
		return "signal";
	if (recording->result->child.gone)
		return "exit";
	if (is_deserted(recording))
		return "target-gone";
	if (options->duration_ns &&
	    pt_clock_read(CLOCK_MONOTONIC) - recording->meta.start_mono >= options->duration_ns) {
		recording->result->timed_out = true;
		return "duration";
	}
	return NULL;
}

/*
 * Timing each system call of the loops costs more than all else, also those who are not recorded. So that is done as
 * long as loops stall, and a moment longer.
 */
static void watch_turns(struct recording *recording)
{
	uint64_t turns = pt_probes_long_turns(recording->probes);
	uint64_t time = pt_clock_read(CLOCK_MONOTONIC);

	if (turns != recording->long_turns)
		recording->last_long = time;
	recording->long_turns = turns;
	pt_probes_time_calls(recording->probes, pt_probes_has_loops(recording->probes) &&
							recording->last_long &&
							time - recording->last_long < TIMED_NS);
}

static int poll_timeout(const struct recording *recording)
{
	uint64_t age = pt_clock_read(CLOCK_MONOTONIC) - recording->meta.start_mono;
	uint64_t left;

	if (!recording->options->duration_ns || age >= recording->options->duration_ns)
		return DRAIN_MS;
	left = (recording->options->duration_ns - age) / 1000000;
	return left < DRAIN_MS ? (int)left : DRAIN_MS;
}

static int record(struct recording *recording, struct pt_error *err)
{
	struct pollfd fds[] = {
		{.fd = recording->signals, .events = POLLIN},
		{.fd = pt_probes_ready_fd(recording->probes), .events = POLLIN},
	};
	const char *reason;
	int r;

	while (!(reason = over(recording))) {
		if (poll(fds, 2, poll_timeout(recording)) < 0 && errno != EINTR)
			return pt_error_errno(err, -errno, "cannot wait for records");
		take_signals(recording);
		watch_turns(recording);
		r = pump(recording, false, err);
		if (!r && recording->members)
			r = pt_members_look(recording->members, recording->probes, err);
		if (r)
			return r;
	}
	recording->end.ended_by = strdup(reason);
	return 0;
}

/* The last look at every target, then what is left in the rings. */
static int conclude(struct recording *recording, struct pt_error *err)
{
	struct pt_recording_result *result = recording->result;
	const struct pt_recording_options *options = recording->options;
	struct rusage usage;
	int r;

	pt_memory_stop(recording->memory, MEMORY_PATIENCE_NS);
	r = pt_probes_snapshot(recording->probes, err);
	if (!r && options->closing)
		r = options->closing(options->closing_context, store, recording, err);
	if (r)
		return r;
	recording->end.duration_ns = pt_clock_read(CLOCK_MONOTONIC) - recording->meta.start_mono;
	r = pump(recording, true, err);
	if (r)
		return r;
	getrusage(RUSAGE_SELF, &usage);
	recording->end.recorder_cpu_ns =
		((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * NS_PER_S +
		((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
	recording->end.recorder_rss = (uint64_t)usage.ru_maxrss * 1024;
	recording->end.command_status = result->child.gone ? result->child.status : -1;
	memcpy(result->lost, recording->reported, sizeof(result->lost));
	result->duration_ns = recording->end.duration_ns;
	r = pt_writer_finish(recording->writer, &recording->end, err);
	result->saved = !r;
	pt_writer_stats(recording->writer, &result->written);
	return r;
}

static int start_memory(struct recording *recording, struct pt_error *err)
{
	struct pt_memory_options options = {
		.interval = recording->options->memory_interval,
		.budget_percent = recording->options->memory_percent,
		.emit = store_memory,
		.ctx = recording,
	};

	return pt_memory_start(&recording->memory, &options, err);
}

static int mark_targets(struct recording *recording, struct pt_error *err)
{
	const struct pt_recording_options *options = recording->options;

	if (recording->members)
		return pt_members_look(recording->members, recording->probes, err);
	if (!options->command || options->targets.all)
		return pt_probes_mark(recording->probes, err);
	return 0;
}

static int start(struct recording *recording, struct pt_error *err)
{
	const struct pt_recording_options *options = recording->options;
	struct pt_writer_options output = {
		.path = options->output,
		.uid = recording->invoker.uid,
		.gid = recording->invoker.gid,
	};
	int r = 0;

	if (options->cgroup_count)
		r = pt_members_open(&recording->members, options->cgroups, options->cgroup_count,
				    err);
	if (!r)
		r = pt_probes_open(&recording->probes, &options->targets, err);
	if (!r)
		r = mark_targets(recording, err);
	if (!r)
		r = describe(recording, err);
	if (r)
		return r;
	pt_probes_begun(recording->probes);
	recording->last_cut = recording->meta.start_mono;
	r = pt_writer_open(&recording->writer, &output, &recording->meta, err);
	if (r)
		return r;
	r = start_memory(recording, err);
	if (!r && options->command) {
		pt_probes_expect_child(recording->probes);
		r = pt_child_start(&recording->result->child, options->command, &recording->invoker,
				   &recording->old_mask, options->command_bound, err);
	}
	if (r) {
		pt_memory_free(recording->memory);
		recording->memory = NULL;
		pt_writer_abandon(recording->writer);
	}
	return r;
}

int pt_recording_run(const struct pt_recording_options *options, struct pt_recording_result *result,
		     struct pt_error *err)
{
	struct recording recording = {
		.options = options,
		.result = result,
		.writer_lock = PTHREAD_MUTEX_INITIALIZER,
		.signals = -1,
	};
	int r;

	memset(result, 0, sizeof(*result));
	pt_invoker_find(&recording.invoker);
	r = catch_signals(&recording, err);
	if (r)
		return r;
	r = pt_peers_new(&recording.peers);
	if (!r)
		r = pt_cgroups_new(&recording.cgroups);
	if (r)
		pt_error_errno(err, r, "cannot start recording");
	if (!r)
		r = start(&recording, err);
	/* Rings fill while others compute: the recorder should not wait behind them for long. The child runs as it would. */
	setpriority(PRIO_PROCESS, 0, -10);
	if (!r)
		r = record(&recording, err);
	if (!r)
		r = conclude(&recording, err);
	pt_memory_free(recording.memory);
	pt_peers_free(recording.peers);
	pt_cgroups_free(recording.cgroups);
	pt_members_free(recording.members);
	pt_probes_free(recording.probes);
	pt_writer_free(recording.writer);
	pt_meta_clear(&recording.meta);
	pt_end_clear(&recording.end);
	close(recording.signals);
	return r;
}
