/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/measures.h"

#include <string.h>

#include "base/types.h"
#include "compare/measure_tools.h"

static const struct pt_measure measures[] = {
#define M(key_, unit_, shown_, subject_, text_)                                                    \
	{.key = #key_,                                                                             \
	 .subject = subject_,                                                                      \
	 .text = text_,                                                                            \
	 .unit = PT_UNIT_##unit_,                                                                  \
	 .of = pt_measure_##key_,                                                                  \
	 .hidden = !(shown_)},
	PT_MEASURES(M)
#undef M
};

size_t pt_measure_count(void)
{
	return PT_ARRAY_SIZE(measures);
}

const struct pt_measure *pt_measure(size_t index)
{
	return &measures[index];
}

size_t pt_measure_find(const char *key)
{
	size_t i = 0;

	while (strcmp(measures[i].key, key) != 0)
		i++;
	return i;
}

const char *pt_measure_work(const struct pt_scene *scene)
{
	static const struct {
		const char *kind, *unit;
	} units[] = {
		{"message", "message"},
		{"http", "request"},
		{"io", "operation"},
		{"memory", "block"},
	};
	const char *kind = pt_scene_text(scene, "kind");
	size_t i;

	for (i = 0; i < PT_ARRAY_SIZE(units); i++) {
		if (!strcmp(units[i].kind, kind))
			return units[i].unit;
	}
	return "unit";
}
