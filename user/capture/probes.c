/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>

#include "capture/decode.h"
#include "capture/kernel.h"
#include "capture/sampler.h"
#include "capture/slots.h"
#include "capture/turn_counters.h"
#include "bpf/partrace.skel.h"

/* Slots of all CPUs together, and the bounds of one: a quarter of a second at a million switches a second. */
#define SLOTS_BYTES    (32u << 20)
#define SLOT_BYTES_MIN (1u << 20)
#define SLOT_BYTES_MAX (16u << 20)
/* A ring, for all other records, has a fraction of that. */
#define RING_DIVISOR 4
/* A prime number of microseconds, so as not to beat with what ticks in milliseconds. */
#define SAMPLE_PERIOD_NS 1009000
/* Of channels at least, and a tick if the kernel does not tell. */
#define WINDOW_NS 50000000
#define TICK_NS	  4000000
#define GRACE_NS  20000000

struct pt_probes {
	struct partrace_bpf *skeleton;
	struct ring_buffer *rings;
	struct pt_slots *slots;
	struct pt_turn_counters *turn_counters;
	struct pt_sampler *sampler; /* NULL where the kernel has no software events: a nicety */
	struct pt_cpu *cpus;	    /* the kernel's, mapped */
	size_t cpus_bytes;
	unsigned int cpu_count;
	unsigned int slot_bytes; /* of one CPU's slots */
	unsigned int ring_bytes; /* of one CPU's ring */
	pt_probes_sink sink;	 /* of the drain that is under way */
	void *sink_context;
	uint64_t bad_messages;
	bool has_opposites;
};

static int on_message(void *context, void *data, size_t size)
{
	struct pt_probes *probes = context;
	struct pt_record record;
	size_t offset = 0;
	int r;

	while ((r = pt_decode_next(data, size, &offset, &record)) > 0) {
		r = probes->sink(probes->sink_context, &record);
		if (r)
			return r < 0 ? r : -ECANCELED;
	}
	if (r < 0)
		probes->bad_messages++;
	return 0;
}

static void size_buffers(struct pt_probes *probes, const struct pt_probes_options *options)
{
	unsigned int size = SLOT_BYTES_MAX;

	while (size > SLOT_BYTES_MIN && (uint64_t)size * probes->cpu_count > SLOTS_BYTES)
		size /= 2;
	if (options->buffer_bytes)
		size = (unsigned int)options->buffer_bytes;
	probes->slot_bytes = size;
	probes->ring_bytes = size / RING_DIVISOR;
}

/* One ring for each CPU that may come online. */
static int create_rings(struct pt_probes *probes, struct pt_error *err)
{
	int outer = bpf_map__fd(probes->skeleton->maps.pt_rings);
	int r = 0;

	for (uint32_t cpu = 0; !r && cpu < probes->cpu_count; cpu++) {
		int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "pt_ring", 0, 0, probes->ring_bytes,
					  NULL);

		if (ring < 0)
			return pt_error_errno(err, -errno, "cannot create a ring of %u bytes",
					      probes->ring_bytes);
		if (bpf_map_update_elem(outer, &cpu, &ring, BPF_ANY))
			r = -errno;
		else if (!probes->rings)
			r = (probes->rings = ring_buffer__new(ring, on_message, probes, NULL))
				    ? 0
				    : -errno;
		else
			r = ring_buffer__add(probes->rings, ring, on_message, probes);
		close(ring);
	}
	return r ? pt_error_errno(err, r, "cannot set up the rings") : 0;
}

static int map_cpus(struct pt_probes *probes, struct pt_error *err)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t bytes = sizeof(struct pt_cpu) * probes->cpu_count;
	void *mapped;

	bytes = (bytes + (size_t)page - 1) / (size_t)page * (size_t)page;
	mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED,
		      bpf_map__fd(probes->skeleton->maps.pt_cpus), 0);
	if (mapped == MAP_FAILED)
		return pt_error_errno(err, -errno, "cannot map the state of the CPUs");
	probes->cpus = mapped;
	probes->cpus_bytes = bytes;
	return 0;
}

static int want(const struct pt_probes *probes, const struct pt_probes_options *options)
{
	int set = bpf_map__fd(probes->skeleton->maps.pt_wanted);
	uint8_t one = 1;
	uint64_t key;

	for (size_t i = 0; i < options->pid_count; i++) {
		key = PT_WANTED_PID((uint32_t)options->pids[i]);
		if (bpf_map_update_elem(set, &key, &one, BPF_ANY))
			return -errno;
	}
	for (size_t i = 0; i < options->tid_count; i++) {
		key = PT_WANTED_TID((uint32_t)options->tids[i]);
		if (bpf_map_update_elem(set, &key, &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int load_error(struct pt_error *err, int code)
{
	if (code == -EPERM || (code == -EACCES && geteuid()))
		return pt_error_set(
			err, code,
			"the kernel does not let this user load probes: run as root, or with "
			"CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE");
	return pt_error_errno(err, code,
			      "this kernel does not accept the probes (record -v shows its words)");
}

/* The kernel's tick, which is the resolution of its coarse clock, and how many of them make a window. */
static void size_window(struct pt_config *config)
{
	struct timespec tick = {0};

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	config->tick = tick.tv_nsec > 0 ? (uint32_t)tick.tv_nsec : TICK_NS;
	while ((uint64_t)config->tick << config->window_shift < WINDOW_NS)
		config->window_shift++;
}

/* Of two versions of a program, the one for this kernel. */
static void choose_uring(struct partrace_bpf *skeleton)
{
	const struct pt_config *config = &skeleton->rodata->pt_config;
	bool seen = config->uring_arguments;

	bpf_program__set_autoload(skeleton->progs.pt_uring_complete, config->uring_arguments == 4);
	bpf_program__set_autoload(skeleton->progs.pt_uring_complete_by_value,
				  config->uring_arguments == 8);
	bpf_program__set_autoload(skeleton->progs.pt_uring_overflow, seen);
	bpf_program__set_autoload(skeleton->progs.pt_uring_submit,
				  seen && !config->uring_submit_entry);
	bpf_program__set_autoload(skeleton->progs.pt_uring_submit_entry,
				  seen && config->uring_submit_entry);
}

static int load(struct pt_probes *probes, const struct pt_probes_options *options,
		struct pt_error *err)
{
	struct partrace_bpf *skeleton = probes->skeleton;
	struct pt_config *config = &skeleton->rodata->pt_config;
	int r;

	r = pt_kernel_describe(config, err);
	if (r)
		return r;
	config->recorder_pid = (uint32_t)getpid();
	config->all = options->all;
	config->cpus = probes->cpu_count;
	config->page_shift = (uint32_t)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	config->stall = options->stall_ns;
	size_window(config);
	config->every_turn = options->every_turn;
	config->sample_period = SAMPLE_PERIOD_NS;
	config->slots = probes->slot_bytes / sizeof(struct pt_slot);
	config->ring_wakeup = probes->ring_bytes / 4;
	bpf_map__set_max_entries(skeleton->maps.pt_slots, config->slots * probes->cpu_count);
	bpf_map__set_max_entries(skeleton->maps.pt_consumed, probes->cpu_count);
	bpf_map__set_max_entries(skeleton->maps.pt_cpus, probes->cpu_count);
	bpf_map__set_max_entries(skeleton->maps.pt_rings, probes->cpu_count);
	bpf_program__set_autoattach(skeleton->progs.pt_sys_enter, false);
	bpf_program__set_autoattach(skeleton->progs.pt_sys_exit_channel, false);
	bpf_program__set_autoattach(skeleton->progs.pt_sys_exit_mapping, false);
	bpf_program__set_autoattach(skeleton->progs.pt_memory_leave, false);
	bpf_program__set_autoload(skeleton->progs.pt_memory_leave, pt_kernel_is_before(6, 16));
	bpf_program__set_autoattach(skeleton->progs.pt_sample_turn, false);
	bpf_program__set_autoload(skeleton->progs.pt_ipc_drop, config->drop_arguments);
	choose_uring(skeleton);
	r = partrace_bpf__load(skeleton);
	return r ? load_error(err, r) : 0;
}

/* Runs an iterator over all tasks once. */
static int iterate(const struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	char buffer[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, buffer, sizeof(buffer));
	while (n > 0 || (n < 0 && errno == EINTR));
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

/* Without it eventfds are not told from other files; nothing else suffers. */
static void learn_eventfds(const struct pt_probes *probes)
{
	struct {
		uint32_t eventfd;
	} example = {(uint32_t)eventfd(0, EFD_CLOEXEC)};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &example, .ctx_size_in = sizeof(example));

	bpf_prog_test_run_opts(bpf_program__fd(probes->skeleton->progs.pt_ipc_learn), &run);
	close((int)example.eventfd);
}

/* Where kprobes are not to be had either, only the peak is known of a process that exits. */
static void watch_leaving(struct pt_probes *probes)
{
	struct partrace_bpf *skeleton = probes->skeleton;

	if (pt_kernel_is_before(6, 16))
		skeleton->links.pt_memory_leave =
			bpf_program__attach(skeleton->progs.pt_memory_leave);
}

int pt_probes_open(struct pt_probes **out, const struct pt_probes_options *options,
		   struct pt_error *err)
{
	struct pt_probes *probes = calloc(1, sizeof(*probes));
	int r;

	if (!probes)
		return pt_error_errno(err, -ENOMEM, "cannot start recording");
	probes->cpu_count = (unsigned int)libbpf_num_possible_cpus();
	size_buffers(probes, options);
	probes->skeleton = partrace_bpf__open();
	if (!probes->skeleton) {
		r = pt_error_errno(err, -errno, "cannot read the built-in probes");
		goto fail;
	}
	r = load(probes, options, err);
	if (r)
		goto fail;
	r = create_rings(probes, err);
	if (r)
		goto fail;
	r = map_cpus(probes, err);
	if (r)
		goto fail;
	r = pt_slots_open(&probes->slots, bpf_map__fd(probes->skeleton->maps.pt_slots),
			  bpf_map__fd(probes->skeleton->maps.pt_consumed), probes->cpu_count,
			  probes->skeleton->rodata->pt_config.slots, err);
	if (r)
		goto fail;
	r = pt_turn_counters_open(&probes->turn_counters,
				  bpf_map__fd(probes->skeleton->maps.pt_turn_counters),
				  bpf_map__fd(probes->skeleton->maps.pt_free_turn_counters), err);
	if (r)
		goto fail;
	r = want(probes, options);
	if (r) {
		pt_error_errno(err, r, "cannot say who is to be recorded");
		goto fail;
	}
	learn_eventfds(probes);
	r = partrace_bpf__attach(probes->skeleton);
	if (r) {
		pt_error_errno(err, r, "cannot attach the probes");
		goto fail;
	}
	watch_leaving(probes);
	r = iterate(probes->skeleton->links.pt_iter_cpus);
	if (r) {
		pt_error_errno(err, r, "cannot go through the tasks");
		goto fail;
	}
	pt_sampler_start(&probes->sampler, probes->skeleton->progs.pt_sample_turn,
			 probes->cpu_count, SAMPLE_PERIOD_NS);
	*out = probes;
	return 0;
fail:
	pt_probes_free(probes);
	return r;
}

static int mark_once(struct pt_probes *probes, uint32_t *found, struct pt_error *err)
{
	const uint32_t *marked = &probes->skeleton->bss->pt_control.marked;
	uint32_t before = __atomic_load_n(marked, __ATOMIC_RELAXED);
	int r = iterate(probes->skeleton->links.pt_iter_task);

	if (r)
		return pt_error_errno(err, r, "cannot go through the tasks");
	*found = __atomic_load_n(marked, __ATOMIC_RELAXED) - before;
	return 0;
}

int pt_probes_mark(struct pt_probes *probes, struct pt_error *err)
{
	uint32_t found = 0;
	int r;

	/* A child may stand before its parent: again, until nobody new is found. */
	do {
		r = mark_once(probes, &found, err);
		if (r)
			return r;
	} while (found);
	return pt_probes_live(probes) ? 0 : pt_error_set(err, -ESRCH, "there is nobody to record");
}

int pt_probes_mark_tasks(struct pt_probes *probes, const uint32_t *tids, uint32_t count,
			 uint32_t *found, struct pt_error *err)
{
	int set = bpf_map__fd(probes->skeleton->maps.pt_wanted);
	uint8_t one = 1;
	uint32_t i;
	int r = 0;

	for (i = 0; !r && i < count; i++) {
		uint64_t key = PT_WANTED_ALONE(tids[i]);

		if (bpf_map_update_elem(set, &key, &one, BPF_ANY))
			r = -errno;
	}
	if (r)
		pt_error_errno(err, r, "cannot say who is to be recorded");
	else
		r = mark_once(probes, found, err);
	/* A tid that is left there would be somebody else's one day. */
	while (i > 0) {
		uint64_t key = PT_WANTED_ALONE(tids[--i]);

		bpf_map_delete_elem(set, &key);
	}
	return r;
}

void pt_probes_begun(struct pt_probes *probes)
{
	probes->skeleton->bss->pt_control.joining = 1;
}

void pt_probes_expect_child(struct pt_probes *probes)
{
	probes->skeleton->bss->pt_control.launcher = (uint32_t)gettid();
}

unsigned int pt_probes_live(const struct pt_probes *probes)
{
	return __atomic_load_n(&probes->skeleton->bss->pt_control.live, __ATOMIC_RELAXED);
}

static int nothing(void *context, const struct pt_record *record)
{
	(void)context;
	(void)record;
	return 0;
}

int pt_probes_drain(struct pt_probes *probes, pt_probes_sink sink, void *context)
{
	int r;

	probes->sink = sink ? sink : nothing;
	probes->sink_context = context;
	r = ring_buffer__consume(probes->rings);
	return r < 0 ? r : pt_slots_drain(probes->slots, probes->sink, context);
}

int pt_probes_collect(struct pt_probes *probes, pt_probes_sink sink, void *context)
{
	uint32_t *count = &probes->skeleton->bss->pt_control.turn_counters;

	return pt_turn_counters_collect(probes->turn_counters,
					__atomic_load_n(count, __ATOMIC_RELAXED), sink, context);
}

int pt_probes_ready_fd(const struct pt_probes *probes)
{
	return ring_buffer__epoll_fd(probes->rings);
}

/*
 * Ends when no probe is at work any more that was when it began: the barrier waits as synchronize_rcu() does. Where it is
 * refused (nohz_full) time does: probes take microseconds.
 */
static void let_probes_end(void)
{
	const struct timespec while_ns = {.tv_nsec = GRACE_NS};

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&while_ns, NULL);
}

int pt_probes_snapshot(struct pt_probes *probes, struct pt_error *err)
{
	int r;

	__atomic_store_n(&probes->skeleton->bss->pt_control.last, 1, __ATOMIC_SEQ_CST);
	let_probes_end();
	r = iterate(probes->skeleton->links.pt_ipc_iter);
	if (!r)
		r = iterate(probes->skeleton->links.pt_ipc_iter_file);
	if (!r)
		r = iterate(probes->skeleton->links.pt_iter_task);
	return r ? pt_error_errno(err, r, "cannot go through the tasks") : 0;
}

void pt_probes_add_opposite(struct pt_probes *probes, uint64_t end)
{
	uint32_t untold = PT_DESCRIBED_TCP;

	/* When there are too many, what lies in the others is not known. */
	bpf_map_update_elem(bpf_map__fd(probes->skeleton->maps.pt_opposites), &end, &untold,
			    BPF_ANY);
	probes->has_opposites = true;
}

int pt_probes_look_opposite(struct pt_probes *probes)
{
	return probes->has_opposites ? iterate(probes->skeleton->links.pt_ipc_iter_file) : 0;
}

bool pt_probes_has_loops(const struct pt_probes *probes)
{
	return __atomic_load_n(&probes->skeleton->bss->pt_control.loops, __ATOMIC_RELAXED);
}

bool pt_probes_sees_io_uring(const struct pt_probes *probes)
{
	return probes->skeleton->rodata->pt_config.uring_arguments;
}

uint64_t pt_probes_long_turns(const struct pt_probes *probes)
{
	return __atomic_load_n(&probes->skeleton->bss->pt_control.long_turns, __ATOMIC_RELAXED);
}

int pt_probes_time_calls(struct pt_probes *probes, bool on)
{
	struct partrace_bpf *skeleton = probes->skeleton;

	if (on == (skeleton->links.pt_sys_enter != NULL))
		return 0;
	if (on) {
		skeleton->links.pt_sys_enter = bpf_program__attach(skeleton->progs.pt_sys_enter);
		if (!skeleton->links.pt_sys_enter)
			return -errno;
		skeleton->bss->pt_control.timed = 1;
		return 0;
	}
	skeleton->bss->pt_control.timed = 0;
	bpf_link__destroy(skeleton->links.pt_sys_enter);
	skeleton->links.pt_sys_enter = NULL;
	return 0;
}

/* Runs that the kernel skipped because another probe of ours was at work on that CPU. */
static uint64_t skipped_runs(const struct pt_probes *probes)
{
	struct bpf_program *program;
	uint64_t sum = 0;

	bpf_object__for_each_program (program, probes->skeleton->obj) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			sum += info.recursion_misses;
	}
	return sum;
}

void pt_probes_lost(const struct pt_probes *probes, uint64_t lost[PT_KIND_LIMIT])
{
	memset(lost, 0, sizeof(*lost) * PT_KIND_LIMIT);
	for (unsigned int cpu = 0; cpu < probes->cpu_count; cpu++)
		for (unsigned int kind = 1; kind < PT_KIND_LIMIT; kind++)
			lost[kind] +=
				__atomic_load_n(&probes->cpus[cpu].lost[kind], __ATOMIC_RELAXED);
	lost[0] = skipped_runs(probes) + probes->bad_messages;
}

void pt_probes_free(struct pt_probes *probes)
{
	if (!probes)
		return;
	pt_sampler_stop(probes->sampler);
	ring_buffer__free(probes->rings);
	pt_slots_free(probes->slots);
	pt_turn_counters_free(probes->turn_counters);
	if (probes->cpus)
		munmap(probes->cpus, probes->cpus_bytes);
	partrace_bpf__destroy(probes->skeleton);
	free(probes);
}
