/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/measure_tools.h"

#include <math.h>

#include "view/text_part.h"

double pt_measure_number(const json_t *json, const char *path)
{
	const json_t *value = pt_text_at(json, path);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

double pt_measure_fold(const struct pt_scene *scene, const json_t *list, enum pt_role role,
		       const char *path, enum pt_fold how)
{
	double result = NAN;
	size_t i, count = 0;

	for (i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		double value = pt_measure_number(entry, path);

		if (isnan(value) || json_is_true(json_object_get(entry, "nested")) ||
		    json_is_true(json_object_get(entry, "shared_poller")))
			continue;
		if (role && pt_scene_role(scene, json_object_get(entry, "tid")) != role)
			continue;
		if (!count++)
			result = value;
		else if (how == PT_FOLD_MOST)
			result = fmax(result, value);
		else if (how == PT_FOLD_LEAST)
			result = fmin(result, value);
		else
			result += value;
	}
	return how == PT_FOLD_MEAN && count ? result / (double)count : result;
}

double pt_measure_per_unit(const struct pt_scene *scene, double value)
{
	double units = pt_measure_number(scene->claims, "work.units");

	return units > 0 ? value / units : NAN;
}

double pt_measure_per_second(const struct pt_scene *scene, double value)
{
	return scene->seconds > 0 ? value / scene->seconds : NAN;
}
