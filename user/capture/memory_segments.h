/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that a process shares with others by mapping one file, memfd or System V segment. */
#ifndef PT_CAPTURE_MEMORY_SEGMENTS_H
#define PT_CAPTURE_MEMORY_SEGMENTS_H

#include "capture/memory_snapshot.h"

/* Emits the largest of them, from tools->mappings, which are those of that process. 0 or what emit returned. */
int pt_mem_segments_emit(struct pt_mem_tools *tools, pid_t pid, int proc);

#endif
