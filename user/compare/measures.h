/* SPDX-License-Identifier: BSD-2-Clause */
/* What recordings are compared by: measure_list.h is the list. */
#ifndef PT_COMPARE_MEASURES_H
#define PT_COMPARE_MEASURES_H

#include "compare/scene.h"

/* U(name, text in JSON) */
#define PT_UNITS(U)                                                                                \
	U(NS, "ns")                                                                                \
	U(BYTES, "bytes")                                                                          \
	U(COUNT, "count")                                                                          \
	U(SHARE, "share")   /* 1 is all */                                                         \
	U(FACTOR, "factor") /* a number of times */

enum pt_unit {
#define U(name, text) PT_UNIT_##name,
	PT_UNITS(U)
#undef U
};

struct pt_measure {
	const char *key;
	const char *subject; /* whose figure it is: the heading of a group of rows */
	const char *text;    /* "%s" is the unit of work */
	double (*of)(const struct pt_scene *scene); /* NAN: not recorded, or there is none */
	enum pt_unit unit;
	bool hidden; /* of use for beliefs, no row of the table */
};

size_t pt_measure_count(void);
const struct pt_measure *pt_measure(size_t index);

/* The place of a measure, which must be there. */
size_t pt_measure_find(const char *key);

/* What a kind of workload counts its work in: "request", "message", ...; "unit" of anything else. */
const char *pt_measure_work(const struct pt_scene *scene);

#endif
