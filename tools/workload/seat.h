/* SPDX-License-Identifier: BSD-2-Clause */
/* A seat is one task with its loop: who it is, how idle it was, and how it stalled on purpose. */
#ifndef WORKLOAD_SEAT_H
#define WORKLOAD_SEAT_H

#include <jansson.h>
#include <sys/types.h>
#include <uv.h>

struct stall {
	uint64_t start_ns, duration_ns;
	const char *what;
};

struct seat {
	uv_loop_t *loop;
	pid_t pid, tid;
	uint64_t start_ns;
	struct stall *stalls;
	size_t stall_count, stall_capacity;
};

/* Called on the seat's own task; turns the idle-time metric of its loop on. */
void seat_take(struct seat *seat, uv_loop_t *loop);
void seat_leave(struct seat *seat);
/* Remembers that the loop was blocked by what since start_ns, until now. */
void seat_stalled(struct seat *seat, uint64_t start_ns, const char *what);
json_t *seat_loop_json(const struct seat *seat);
json_t *seat_stalls_json(const struct seat *seat);

#endif
