/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/beliefs.h"

#include <string.h>

#include "base/types.h"
#include "compare/belief_list.h"
#include "view/section.h"

static const struct {
	const char *text;
	enum pt_verdict (*judge)(struct pt_trial *trial);
} beliefs[] = {
#define B(name, text) {text, pt_belief_##name},
	PT_BELIEFS(B)
#undef B
};

static const char *const verdicts[] = {
#define V(name, text) text,
	PT_VERDICTS(V)
#undef V
};

static json_t *belief_json(const struct pt_comparison *comparison, const char *runtime, size_t i)
{
	struct pt_trial trial = {.comparison = comparison, .runtime = runtime};
	enum pt_verdict verdict = beliefs[i].judge(&trial);
	bool known = verdict != PT_VERDICT_UNMEASURED;

	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "runtime", runtime, "belief", beliefs[i].text,
			 "verdict", verdicts[verdict], "says", known ? trial.says : "", "runs",
			 pt_json_int(known ? trial.fewest_runs : 0));
}

static bool has_runtime(const struct pt_comparison *comparison, const char *runtime)
{
	size_t i;

	for (i = 0; i < comparison->group_count; i++) {
		const struct pt_scene *scene = comparison->groups[i].runs[0];

		if (scene->claims && !strcmp(pt_scene_text(scene, "runtime"), runtime))
			return true;
	}
	return false;
}

json_t *pt_beliefs_json(const struct pt_comparison *comparison)
{
	static const char *const runtimes[] = {"native", "node"};
	json_t *list = json_array();
	size_t i, j;
	int ret = list ? 0 : -1;

	for (i = 0; i < PT_ARRAY_SIZE(runtimes); i++) {
		if (!has_runtime(comparison, runtimes[i]))
			continue;
		for (j = 0; !ret && j < PT_ARRAY_SIZE(beliefs); j++)
			ret = json_array_append_new(list, belief_json(comparison, runtimes[i], j));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
