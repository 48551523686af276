/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The way of a switch to the reader: see struct pt_slot. Only for programs that run with interrupts off. */
#ifndef PT_BPF_SLOT_H
#define PT_BPF_SLOT_H

#include "bpf/core.h"

#define PT_SLOT_CHECK 1024 /* slots between two looks at how full it is */

/* The next slot of this CPU, or NULL if the reader is behind by all of them. */
static __always_inline struct pt_slot *pt_slot_claim(struct pt_cpu *cpu)
{
	__u32 index = bpf_get_smp_processor_id();
	struct pt_consumed *consumed = bpf_map_lookup_elem(&pt_consumed, &index);
	__u64 behind;

	if (!consumed)
		return NULL;
	behind = cpu->slots - *(volatile __u64 *)&consumed->count;
	if (behind >= pt_config.slots)
		return NULL;
	if (!(cpu->slots % PT_SLOT_CHECK) && behind > pt_config.slots / 4)
		pt_nudge();
	index = index * pt_config.slots + (cpu->slots & (pt_config.slots - 1));
	return bpf_map_lookup_elem(&pt_slots, &index);
}

/* Hands it to the reader. x86 keeps stores in order; for others BPF has a barrier only in atomic operations. */
static __always_inline void pt_slot_publish(struct pt_cpu *cpu, struct pt_slot *slot)
{
	cpu->slots++;
#if defined(__TARGET_ARCH_x86)
	barrier();
	*(volatile __u64 *)&slot->sequence = cpu->slots;
#else
	__sync_lock_test_and_set(&slot->sequence, cpu->slots);
#endif
}

#endif
