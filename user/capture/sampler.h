/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock that looks at each CPU: perf's software events, on all CPUs that are online now. */
#ifndef PT_CAPTURE_SAMPLER_H
#define PT_CAPTURE_SAMPLER_H

#include <stdint.h>

struct bpf_program;
struct pt_sampler;

/* Runs the program on each CPU every period_ns. -errno if not even one CPU allows it. */
int pt_sampler_start(struct pt_sampler **out, struct bpf_program *program, unsigned int cpus,
		     uint64_t period_ns);

/* NULL is accepted. */
void pt_sampler_stop(struct pt_sampler *sampler);

#endif
