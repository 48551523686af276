/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which cgroup each target is, and how the CPU quotas of these held them back: files of procfs and cgroupfs, read
 * when a process is new and then about once a second; the counters of those that have a quota at every look. Costs a
 * thousandth of a CPU, unless there are many quotas.
 */
#ifndef PT_CAPTURE_CGROUPS_H
#define PT_CAPTURE_CGROUPS_H

#include "base/record.h"
#include "capture/probes.h"

struct pt_cgroups;

/* -ENOMEM. That nothing of cgroups is to be seen here is no error: nothing will be told. */
int pt_cgroups_new(struct pt_cgroups **out);

/* Takes notice of a process that begins, runs another program or ends; other records are ignored. 0 or -ENOMEM. */
int pt_cgroups_note(struct pt_cgroups *cgroups, const struct pt_record *record);

/* Looks at what is due, at all if `last`; hands out cgroup, member and throttle records. The sink's result, or -ENOMEM. */
int pt_cgroups_look(struct pt_cgroups *cgroups, bool last, pt_probes_sink sink, void *context);

/* NULL is accepted. */
void pt_cgroups_free(struct pt_cgroups *cgroups);

#endif
