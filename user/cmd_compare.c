/* SPDX-License-Identifier: BSD-2-Clause */
/* partrace compare */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "compare/compare.h"
#include "report.h"
#include "view/page.h"

#define KEY_FORMAT 1
#define KEY_BRIEF  2

struct options {
	char **files;
	size_t count;
	bool json, brief;
};

static const struct argp_option option_table[] = {
	{"format", KEY_FORMAT, "text|json", 0, "For people (default), or for programs", 0},
	{"brief", KEY_BRIEF, NULL, 0,
	 "No figures, only what follows from them: differences that are sure, and beliefs", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_FORMAT:
		options->json = strcmp(arg, "json") == 0;
		if (!options->json && strcmp(arg, "text") != 0)
			argp_error(state, "--format is text or json");
		return 0;
	case KEY_BRIEF:
		options->brief = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->files = state->argv + state->next;
		options->count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "say which recordings to compare");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int show(const struct options *options, const struct pt_scenes *scenes, struct pt_error *err)
{
	pt_text_renderer *render =
		options->brief ? pt_comparison_render_brief : pt_comparison_render;
	struct pt_comparison comparison;
	json_t *document = NULL;
	int ret = pt_comparison_make(&comparison, scenes);

	if (!ret) {
		document = pt_comparison_json(&comparison);
		ret = document ? 0 : -ENOMEM;
	}
	if (ret)
		pt_error_errno(err, ret, "cannot compare");
	else
		ret = pt_page_show(document, options->json ? NULL : render, err);
	json_decref(document);
	pt_comparison_clear(&comparison);
	return ret;
}

static int compare(const struct options *options, json_t **documents, struct pt_error *err)
{
	struct pt_scenes scenes = {0};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < options->count; i++) {
		ret = pt_report_load(&documents[i],
				     &(struct pt_report_options){.file = options->files[i]}, err);
		if (!ret && pt_scenes_add(&scenes, documents[i], options->files[i]))
			ret = pt_error_errno(err, -ENOMEM, "cannot compare");
	}
	if (!ret)
		ret = show(options, &scenes, err);
	pt_scenes_clear(&scenes);
	return ret;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "FILE...",
		.doc = "Puts recordings side by side. Several of the same thing count as its "
		       "repetitions, and tell how sure a difference is.",
	};
	struct options options = {0};
	struct pt_error err = {0};
	json_t **documents;
	size_t i;
	int ret;

	argp_err_exit_status = PT_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	documents = calloc(options.count, sizeof(json_t *));
	ret = documents ? compare(&options, documents, &err)
			: pt_error_errno(&err, -ENOMEM, "cannot compare");
	for (i = 0; documents && i < options.count; i++)
		json_decref(documents[i]);
	free(documents);
	if (ret)
		fprintf(stderr, "partrace: %s\n", err.text);
	return ret ? PT_EXIT_FAILURE : PT_EXIT_OK;
}
