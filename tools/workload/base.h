/* SPDX-License-Identifier: BSD-2-Clause */
/* A workload that cannot get what it needs has nothing to measure: it says so and exits. */
#ifndef WORKLOAD_BASE_H
#define WORKLOAD_BASE_H

#include <stddef.h>
#include <stdint.h>

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Dies with what and the text of a negative errno; returns others unchanged. */
int must(int status, const char *what);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
/* Anonymous memory of this process, in bytes; 0: not known. */
uint64_t own_memory(void);
void name_task(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The computation of all workloads, the same in Node. */
uint32_t work_compute(uint32_t seed, uint64_t bytes);
/* Letters, so that any serialisation leaves them as they are. */
void work_fill(uint32_t seed, void *data, size_t size);
uint32_t work_hash(const void *data, size_t size);

#endif
