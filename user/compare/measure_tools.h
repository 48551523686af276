/* SPDX-License-Identifier: BSD-2-Clause */
/* What the functions of measures are made with. */
#ifndef PT_COMPARE_MEASURE_TOOLS_H
#define PT_COMPARE_MEASURE_TOOLS_H

#include "compare/measure_list.h"
#include "compare/scene.h"

#define M(key, unit, shown, subject, text) double pt_measure_##key(const struct pt_scene *scene);
PT_MEASURES(M)
#undef M

/* How the figures of several tasks, loops or processes become one. */
enum pt_fold { PT_FOLD_SUM, PT_FOLD_MOST, PT_FOLD_LEAST, PT_FOLD_MEAN };

/* The number at a path of keys; NAN if there is none. */
double pt_measure_number(const json_t *json, const char *path);

/* Of the entries of a list that have the role (PT_ROLE_NONE: of all); NAN without any. Nested loops and shared pollers
 * are nobody's. */
double pt_measure_fold(const struct pt_scene *scene, const json_t *list, enum pt_role role,
		       const char *path, enum pt_fold how);

double pt_measure_per_unit(const struct pt_scene *scene, double value);
double pt_measure_per_second(const struct pt_scene *scene, double value);

#endif
