/* SPDX-License-Identifier: BSD-2-Clause */
#include "seat.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

void seat_take(struct seat *seat, uv_loop_t *loop)
{
	memset(seat, 0, sizeof(*seat));
	seat->loop = loop;
	seat->pid = getpid();
	seat->tid = gettid();
	seat->start_ns = uv_hrtime();
	must(uv_loop_configure(loop, UV_METRICS_IDLE_TIME), "idle time of the loop");
}

void seat_leave(struct seat *seat)
{
	free(seat->stalls);
	memset(seat, 0, sizeof(*seat));
}

void seat_stalled(struct seat *seat, uint64_t start_ns, const char *what)
{
	uint64_t end_ns = uv_hrtime();

	if (seat->stall_count == seat->stall_capacity) {
		seat->stall_capacity = seat->stall_capacity ? 2 * seat->stall_capacity : 16;
		seat->stalls = xrealloc(seat->stalls, seat->stall_capacity * sizeof(*seat->stalls));
	}
	seat->stalls[seat->stall_count++] = (struct stall){
		.start_ns = start_ns,
		.duration_ns = end_ns - start_ns,
		.what = what,
	};
}

json_t *seat_loop_json(const struct seat *seat)
{
	uint64_t idle_ns = uv_metrics_idle_time(seat->loop);
	uint64_t end_ns = uv_hrtime();
	char comm[16] = "";

	pthread_getname_np(pthread_self(), comm, sizeof(comm));
	return json_pack("{s:i, s:i, s:s, s:I, s:I, s:I, s:f}", "pid", (int)seat->pid, "tid",
			 (int)seat->tid, "comm", comm, "start_ns", (json_int_t)seat->start_ns,
			 "end_ns", (json_int_t)end_ns, "idle_ns", (json_int_t)idle_ns,
			 "utilization", 1.0 - (double)idle_ns / (double)(end_ns - seat->start_ns));
}

json_t *seat_stalls_json(const struct seat *seat)
{
	json_t *list = json_array();

	for (size_t i = 0; i < seat->stall_count; i++) {
		const struct stall *stall = &seat->stalls[i];

		json_array_append_new(list, json_pack("{s:i, s:i, s:I, s:I, s:s}", "pid",
						      (int)seat->pid, "tid", (int)seat->tid,
						      "start_ns", (json_int_t)stall->start_ns,
						      "duration_ns", (json_int_t)stall->duration_ns,
						      "what", stall->what));
	}
	return list;
}
