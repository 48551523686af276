/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/sampler.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

struct pt_sampler {
	struct bpf_link **links; /* NULL for a CPU that is offline */
	unsigned int cpus;
};

static struct bpf_link *attach(struct bpf_program *program, int cpu, uint64_t period_ns)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period_ns,
	};
	struct bpf_link *link;
	int fd;

	fd = (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link)
		close(fd);
	return link;
}

int pt_sampler_start(struct pt_sampler **out, struct bpf_program *program, unsigned int cpus,
		     uint64_t period_ns)
{
	struct pt_sampler *sampler = calloc(1, sizeof(*sampler));
	unsigned int running = 0;

	if (!sampler)
		return -ENOMEM;
	sampler->cpus = cpus;
	sampler->links = calloc(cpus, sizeof(struct bpf_link *));
	for (unsigned int cpu = 0; sampler->links && cpu < cpus; cpu++) {
		sampler->links[cpu] = attach(program, (int)cpu, period_ns);
		running += sampler->links[cpu] != NULL;
	}
	if (!running) {
		int r = sampler->links ? -errno : -ENOMEM;

		pt_sampler_stop(sampler);
		return r;
	}
	*out = sampler;
	return 0;
}

void pt_sampler_stop(struct pt_sampler *sampler)
{
	if (!sampler)
		return;
	for (unsigned int cpu = 0; sampler->links && cpu < sampler->cpus; cpu++)
		bpf_link__destroy(sampler->links[cpu]);
	free(sampler->links);
	free(sampler);
}
