/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bpf/config.h"

/* The writer gets room again after so many. */
#define BATCH 256

struct pt_slots {
	const struct pt_slot *slots; /* of all CPUs, one CPU's after the other's */
	struct pt_consumed *consumed;
	unsigned int cpus;
	unsigned int count; /* of one CPU */
};

static size_t page_align(size_t bytes)
{
	return (bytes + 4095) & ~(size_t)4095;
}

int pt_slots_open(struct pt_slots **out, int slots_map, int consumed_map, unsigned int cpus,
		  unsigned int slots, struct pt_error *err)
{
	struct pt_slots *opened = calloc(1, sizeof(*opened));
	void *memory;

	if (!opened)
		return pt_error_errno(err, -ENOMEM, "cannot map the slots");
	opened->cpus = cpus;
	opened->count = slots;
	memory = mmap(NULL, page_align(sizeof(struct pt_slot) * slots * cpus), PROT_READ,
		      MAP_SHARED, slots_map, 0);
	if (memory == MAP_FAILED)
		goto fail;
	opened->slots = memory;
	memory = mmap(NULL, page_align(sizeof(struct pt_consumed) * cpus), PROT_READ | PROT_WRITE,
		      MAP_SHARED, consumed_map, 0);
	if (memory == MAP_FAILED)
		goto fail;
	opened->consumed = memory;
	*out = opened;
	return 0;
fail:
	pt_error_errno(err, -errno, "cannot map the slots");
	pt_slots_free(opened);
	return -ENOMEM;
}

static int hand_out(const struct pt_slot *slot, pt_probes_sink sink, void *context)
{
	struct pt_switch row = slot->row;
	int r = 0;

	if (slot->parts & PT_SLOT_WAKEUP && !slot->wait) {
		row.flags |= PT_SWITCH_WOKEN;
	} else {
		row.waker = 0;
		row.wakeup = 0;
	}
	if (slot->parts & PT_SLOT_WAKEUP && slot->wait) {
		struct pt_wakeup wakeup = {
			.time = row.time - slot->wait,
			.tid = row.next_tid,
			.waker = slot->row.waker,
			.cpu = row.cpu,
			.flags = slot->row.wakeup,
			.wait = slot->wait,
		};

		r = sink(context, &(struct pt_record){.kind = PT_KIND_wakeup, .row = &wakeup});
	}
	if (!r && slot->parts & PT_SLOT_MIGRATE) {
		struct pt_migrate migrate = {
			.time = row.time,
			.tid = row.next_tid,
			.from_cpu = slot->from_cpu,
			.to_cpu = row.cpu,
			.count = slot->moves,
		};

		r = sink(context, &(struct pt_record){.kind = PT_KIND_migrate, .row = &migrate});
	}
	return r ? r : sink(context, &(struct pt_record){.kind = PT_KIND_switch, .row = &row});
}

static int drain_cpu(struct pt_slots *slots, unsigned int cpu, pt_probes_sink sink, void *context)
{
	const struct pt_slot *first = slots->slots + (size_t)cpu * slots->count;
	uint64_t taken = slots->consumed[cpu].count;
	int r = 0;

	for (;;) {
		const struct pt_slot *slot = &first[taken & (slots->count - 1)];

		if (__atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE) != taken + 1)
			break;
		r = hand_out(slot, sink, context);
		if (r)
			break;
		if (!(++taken % BATCH))
			__atomic_store_n(&slots->consumed[cpu].count, taken, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&slots->consumed[cpu].count, taken, __ATOMIC_RELEASE);
	return r;
}

int pt_slots_drain(struct pt_slots *slots, pt_probes_sink sink, void *context)
{
	int r = 0;

	for (unsigned int cpu = 0; !r && cpu < slots->cpus; cpu++)
		r = drain_cpu(slots, cpu, sink, context);
	return r;
}

void pt_slots_free(struct pt_slots *slots)
{
	if (!slots)
		return;
	if (slots->slots)
		munmap((void *)slots->slots,
		       page_align(sizeof(struct pt_slot) * slots->count * slots->cpus));
	if (slots->consumed)
		munmap(slots->consumed, page_align(sizeof(struct pt_consumed) * slots->cpus));
	free(slots);
}
