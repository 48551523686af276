/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/types.h"
#include "capture/memory_proc.h"

#define TEXT_MAX (256U << 10)

#define KEY(name, field, unit)                                                                     \
	{                                                                                          \
		name, offsetof(struct pt_memory_host, field), unit                                 \
	}

static const struct pt_mem_key meminfo_keys[] = {
	KEY("MemFree", free, 1024),	  KEY("MemAvailable", available, 1024),
	KEY("Cached", cached, 1024),	  KEY("Shmem", shmem, 1024),
	KEY("Dirty", dirty, 1024),	  KEY("Writeback", writeback, 1024),
	KEY("SwapFree", swap_free, 1024),
};

static int read_keys(int proc, const char *name, const struct pt_mem_key *keys, size_t count,
		     struct pt_memory_host *row)
{
	char *text;
	int ret = pt_mem_read_text(proc, name, TEXT_MAX, &text);

	if (ret)
		return ret;
	pt_mem_parse_keys(text, keys, count, row);
	free(text);
	return 0;
}

int pt_mem_host_read(struct pt_memory_host *row)
{
	unsigned int page = (unsigned int)sysconf(_SC_PAGESIZE);
	const struct pt_mem_key vmstat_keys[] = {
		KEY("pswpin", swapped_in, page),
		KEY("pswpout", swapped_out, page),
		KEY("pgsteal_kswapd", reclaimed, page),
		KEY("pgsteal_direct", reclaimed, page),
		KEY("workingset_refault_file", refaulted, page),
		KEY("allocstall_dma", stalls, 1),
		KEY("allocstall_dma32", stalls, 1),
		KEY("allocstall_normal", stalls, 1),
		KEY("allocstall_movable", stalls, 1),
		KEY("oom_kill", oom_kills, 1),
	};
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (proc < 0)
		return -errno;
	*row = (struct pt_memory_host){.time = row->time};
	ret = read_keys(proc, "meminfo", meminfo_keys, PT_ARRAY_SIZE(meminfo_keys), row);
	if (!ret)
		ret = read_keys(proc, "vmstat", vmstat_keys, PT_ARRAY_SIZE(vmstat_keys), row);
	close(proc);
	return ret;
}
