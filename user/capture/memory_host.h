/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of the whole machine: what it has left, and what it takes from others to have it. */
#ifndef PT_CAPTURE_MEMORY_HOST_H
#define PT_CAPTURE_MEMORY_HOST_H

#include "base/types.h"
#include "bpf/records.h"

/* Into row, but for its time; what this kernel does not count is 0. 0 or a negative errno. */
int pt_mem_host_read(struct pt_memory_host *row);

#endif
