/* SPDX-License-Identifier: BSD-2-Clause */
/* What the builders of the document's sections share. */
#ifndef PT_VIEW_SECTION_H
#define PT_VIEW_SECTION_H

#include "analysis/states.h"
#include "base/histogram.h"
#include "model/cgroup.h"
#include "view/document.h"

/* A group of so many similar processes or threads is shown as one row. */
#define PT_GROUP_PROCESSES 4
#define PT_GROUP_THREADS   17

/* pt_section_trace(), ...: the section's value; NULL without memory. */
#define S(key) json_t *pt_section_##key(const struct pt_source *source);
PT_SECTIONS(S)
#undef S

/* Puts `value`, whose reference is taken, under `key`. 0, or -1 also if value is NULL. */
int pt_json_put(json_t *object, const char *key, json_t *value);

/* Figures beyond what JSON integers hold become the greatest. */
json_t *pt_json_int(uint64_t value);

/* Bytes that are no UTF-8 are spelt out. NULL reads as "". */
json_t *pt_json_text(const char *text);
json_t *pt_json_texts(const char *texts, size_t length);

json_t *pt_json_quantiles(const struct pt_histogram *histogram);
json_t *pt_json_parts(const struct pt_states_of *states);
/* user + kernel + cpu */
json_t *pt_json_on_cpu(const struct pt_states_of *states);
/* "lock", "disk", ...: not to be freed */
const char *pt_json_reason(unsigned int reason);
json_t *pt_json_reasons(const struct pt_states_of *states);

/* {"tid", "pid", "comm"} of any task, the idle one included. */
json_t *pt_json_who(const struct pt_model_task *task);

/* Its path; null for NULL. */
json_t *pt_json_cgroup(const struct pt_cgroup_of *group);

/* "?" if the task never got a name. */
const char *pt_task_name(const struct pt_model_task *task);

#endif
