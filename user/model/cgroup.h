/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of processes whose CPU time the kernel limits together. Analyses and views read these; only the model writes them. */
#ifndef PT_MODEL_CGROUP_H
#define PT_MODEL_CGROUP_H

#include "model/model.h"

/* A stretch at whose end the kernel's counters had grown. */
struct pt_throttled {
	uint64_t from, to; /* ns since the start of the recording */
	uint64_t ns;	   /* for which its tasks were held back, all CPUs together */
};

struct pt_cgroup_of {
	uint64_t number;			   /* in this recording */
	uint32_t index;				   /* dense */
	char *path;				   /* NULL: not told */
	struct pt_cgroup_of *parent;		   /* the one around it; NULL: none, or not known */
	uint64_t quota, period;			   /* ns; 0: no limit */
	bool read;				   /* whether it has a limit is known */
	uint64_t processes;			   /* that were put into it, or found there */
	uint64_t periods, throttled, throttled_ns; /* by the kernel's counters, in the recording */
	uint64_t base_periods, base_throttled, base_throttled_ns; /* when they were first read */
	bool counted;						  /* they were */
	struct pt_throttled *times;
	size_t time_count, time_room;
};

size_t pt_model_cgroup_count(const struct pt_model *model);
const struct pt_cgroup_of *pt_model_cgroup(const struct pt_model *model, size_t index);

/*
 * For how long, of the time from `from` to `to`, this cgroup or one around it was held back by its quota; *by is the one
 * that was so longest, NULL if none was. Never more than that time.
 */
uint64_t pt_cgroup_held(const struct pt_cgroup_of *group, uint64_t from, uint64_t to,
			const struct pt_cgroup_of **by);

/* Whether the quotas of it and of all around it are known. NULL: no. */
bool pt_cgroup_is_read(const struct pt_cgroup_of *group);

#endif
