/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps and settings that all probes share. */
#include "bpf/core.h"

struct pt_target_map pt_targets SEC(".maps");
struct pt_loop_state_map pt_loop_states SEC(".maps");
struct pt_cpu_map pt_cpus SEC(".maps");
struct pt_ring_map pt_rings SEC(".maps");
struct pt_slot_map pt_slots SEC(".maps");
struct pt_consumed_map pt_consumed SEC(".maps");

const volatile struct pt_config pt_config = {};
struct pt_control pt_control = {};

char LICENSE[] SEC("license") = "Dual BSD/GPL";
