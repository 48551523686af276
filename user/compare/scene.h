/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of one thing, cut out of a report document: a recording may hold several workloads that ran one after the
 * other, and each is compared with its like. A recording of anything else is one scene.
 */
#ifndef PT_COMPARE_SCENE_H
#define PT_COMPARE_SCENE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/idmap.h"

enum pt_role {
	PT_ROLE_NONE,  /* not in the scene, or there only to measure: an HTTP client */
	PT_ROLE_OTHER, /* of the program, but no loop of its own: pool threads, what it ran */
	PT_ROLE_MAIN,  /* the main loop */
	PT_ROLE_WORKER,
};

/* Lists of the document's entries that belong to it; NULL: that was not recorded. */
struct pt_scene {
	const char *file;     /* of the caller */
	const json_t *trace;  /* of the document, as claims: lives as long as that */
	const json_t *claims; /* what the workload says of itself; NULL: it is none */
	json_t *tasks, *loops, *stalls, *flows, *processes, *sharing, *forks, *ports;
	const json_t *margins; /* of the whole recording: only where it is one scene */
	double seconds;	       /* it lasted */
	struct pt_idmap roles; /* by tid; leave it to pt_scene_role() */
};

struct pt_scenes {
	struct pt_scene *items;
	size_t count;
};

/* Appends the scenes of a document, which must live as long. 0 or -ENOMEM; clear in either case. */
int pt_scenes_add(struct pt_scenes *scenes, const json_t *document, const char *file);
void pt_scenes_clear(struct pt_scenes *scenes);

enum pt_role pt_scene_role(const struct pt_scene *scene, const json_t *tid);

/* Is the process part of the scene, and not there only to measure? */
bool pt_scene_has_pid(const struct pt_scene *scene, const json_t *pid);

/* A text of the claims, as "model" or "options.mode"; "" without. */
const char *pt_scene_text(const struct pt_scene *scene, const char *path);

#endif
