/* SPDX-License-Identifier: BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "workload.h"

const struct kind *const kinds[] = {
	&kind_cpu,   &kind_message,	&kind_http,	    &kind_io, &kind_memory,
	&kind_crash, &kind_crash_scene, &kind_crash_worker, NULL,
};

enum {
	OPT_WORKERS = 256,
	OPT_SECONDS,
	OPT_COUNT,
	OPT_SIZE,
	OPT_SEED,
	OPT_MODE,
	OPT_ON,
	OPT_VIA,
	OPT_WORK,
	OPT_CONNECTIONS,
	OPT_SERIALIZATION,
	OPT_MEMBER,
	OPT_SHARED,
};

static const struct argp_option option_table[] = {
	{"workers", OPT_WORKERS, "N", 0, "Workers beside the main loop", 0},
	{"seconds", OPT_SECONDS, "S", 0, "Repeat the same work until S seconds are over", 0},
	{"count", OPT_COUNT, "N", 0, "Units, messages, requests or operations of one round", 0},
	{"size", OPT_SIZE, "BYTES", 0, "Bytes of a unit, message, answer, read or block", 0},
	{"seed", OPT_SEED, "N", 0, "The same seed does the same work (1)", 0},
	{"mode", OPT_MODE, "MODE", 0, "What the kind can be told, see below", 0},
	{"on", OPT_ON, "main|workers", 0, "cpu: where to compute, the same as --mode", 0},
	{"via", OPT_VIA, "message|pipe|shared", 0, "message: what to send through (message)", 0},
	{"work", OPT_WORK, "BYTES", 0, "http, io: bytes of computation per request or job", 0},
	{"connections", OPT_CONNECTIONS, "N", 0, "http: connections kept open (8)", 0},
	{"serialization", OPT_SERIALIZATION, "json|advanced", 0, "Node only, else no effect", 0},
	{"member", OPT_MEMBER, "INDEX", OPTION_HIDDEN, NULL, 0},
	{"shared", OPT_SHARED, "BYTES", OPTION_HIDDEN, NULL, 0},
	{0},
};

static const char *const model_names[] = {"thread", "process", "cluster"};
static const char *const vias[] = {"message", "pipe", "shared", NULL};
static const char *const serializations[] = {"json", "advanced", NULL};

const char *options_model(enum model model)
{
	return model_names[model];
}

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

bool options_mode_is(const struct options *opt, const char *mode)
{
	return !strcmp(opt->mode, mode);
}

bool options_via_is(const struct options *opt, const char *via)
{
	return !strcmp(opt->via, via);
}

static uint64_t number(struct argp_state *state, const char *text, uint64_t low, uint64_t high)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || end == text || strchr(text, '-') || value < low || value > high)
		argp_error(state, "'%s' is not a number from %llu to %llu", text,
			   (unsigned long long)low, (unsigned long long)high);
	return value;
}

static double seconds(struct argp_state *state, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || !(value >= 0 && value <= 86400))
		argp_error(state, "'%s' is not a number of seconds up to 86400", text);
	return value;
}

static const char *one_of(struct argp_state *state, const char *text, const char *const *list)
{
	for (size_t i = 0; list[i]; i++)
		if (!strcmp(list[i], text))
			return list[i];
	argp_error(state, "'%s' is not possible here", text);
	return NULL;
}

static void model_and_kind(struct argp_state *state, char *text)
{
	struct options *opt = state->input;
	char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	size_t i;

	for (i = 0; i < 3; i++)
		if (strlen(model_names[i]) == length && !strncmp(model_names[i], text, length))
			break;
	if (i == 3)
		argp_error(state, "'%s' is not thread, process or cluster", text);
	opt->model = i;
	opt->kind = kind_find(slash ? slash + 1 : "cpu");
	if (!opt->kind)
		argp_error(state, "there is no kind '%s'", slash + 1);
}

/* Defaults depend on the kind, which may come after the options. */
static void complete(struct argp_state *state, struct options *opt)
{
	const struct kind *kind = opt->kind;

	if (!kind)
		argp_error(state, "which model? thread, process or cluster");
	if (kind->hidden && opt->member == NOT_A_MEMBER)
		argp_error(state, "%s runs only as a part of another kind", kind->name);
	if (opt->workers == UINT32_MAX)
		opt->workers = kind->workers;
	if (opt->count == UINT64_MAX)
		opt->count = kind->count;
	if (opt->size == UINT64_MAX)
		opt->size = kind->size;
	if (opt->work == UINT64_MAX)
		opt->work = kind->work;
	if (opt->seconds < 0)
		opt->seconds = kind->seconds;
	if (opt->mode)
		opt->mode = one_of(state, opt->mode, kind->modes);
	else if (opt->model == MODEL_CLUSTER && kind->cluster_mode)
		opt->mode = kind->cluster_mode;
	else
		opt->mode = kind->modes[0];
	if (!options_via_is(opt, "message") && !kind->vias)
		argp_error(state, "--via does not apply to %s", kind->name);
	if (kind->check && kind->check(opt))
		exit(2);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *opt = state->input;

	switch (key) {
	case OPT_WORKERS:
		opt->workers = number(state, arg, 1, MAX_WORKERS);
		break;
	case OPT_SECONDS:
		opt->seconds = seconds(state, arg);
		break;
	case OPT_COUNT:
		opt->count = number(state, arg, 1, 1000000000);
		break;
	case OPT_SIZE:
		opt->size = number(state, arg, 1, 1ULL << 36);
		break;
	case OPT_SEED:
		opt->seed = number(state, arg, 0, UINT32_MAX);
		break;
	case OPT_MODE:
	case OPT_ON:
		opt->mode = arg;
		break;
	case OPT_VIA:
		opt->via = one_of(state, arg, vias);
		break;
	case OPT_WORK:
		opt->work = number(state, arg, 0, 1ULL << 36);
		break;
	case OPT_CONNECTIONS:
		opt->connections = number(state, arg, 1, 1000);
		break;
	case OPT_SERIALIZATION:
		one_of(state, arg, serializations);
		break;
	case OPT_MEMBER:
		opt->member = number(state, arg, 0, UINT32_MAX - 1);
		break;
	case OPT_SHARED:
		opt->shared_size = number(state, arg, 0, 1ULL << 40);
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			return ARGP_ERR_UNKNOWN;
		model_and_kind(state, arg);
		break;
	case ARGP_KEY_END:
		complete(state, opt);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* argp frees what it gets from here, unless it is the text itself. */
static char *kinds_help(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&help, &size);
	if (!out)
		return (char *)text;
	fputs("Kinds, and their modes, the default first:\n", out);
	for (size_t i = 0; kinds[i]; i++) {
		if (kinds[i]->hidden)
			continue;
		fprintf(out, "\n%s: %s\n ", kinds[i]->name, kinds[i]->doc);
		for (size_t j = 0; kinds[i]->modes[j]; j++)
			fprintf(out, " %s", kinds[i]->modes[j]);
		fputc('\n', out);
	}
	fclose(out);
	return help;
}

int options_parse(struct options *opt, int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "thread|process|cluster[/KIND]",
		.doc = "Run code in parallel in one of three ways, and print as JSON what happened."
		       "\v",
		.help_filter = kinds_help,
	};

	*opt = (struct options){
		.workers = UINT32_MAX,
		.count = UINT64_MAX,
		.size = UINT64_MAX,
		.work = UINT64_MAX,
		.seconds = -1,
		.seed = 1,
		.connections = 8,
		.via = vias[0],
		.member = NOT_A_MEMBER,
	};
	argp_err_exit_status = 2;
	return -argp_parse(&argp, argc, argv, 0, NULL, opt);
}

static void append(char **argv, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char **argv, const char *format, ...)
{
	va_list args;
	int status;

	while (*argv)
		argv++;
	va_start(args, format);
	status = vasprintf(argv, format, args);
	va_end(args);
	if (status < 0)
		die("%s", strerror(ENOMEM));
}

char **options_argv(const struct options *opt, uint32_t member, uint64_t shared_size)
{
	char **argv = xcalloc(16, sizeof(*argv));

	append(argv, "partrace-workload");
	append(argv, "%s/%s", model_names[opt->model], opt->kind->name);
	append(argv, "--workers=%u", opt->workers);
	append(argv, "--seconds=%.6f", opt->seconds);
	append(argv, "--count=%llu", (unsigned long long)opt->count);
	append(argv, "--size=%llu", (unsigned long long)opt->size);
	append(argv, "--seed=%u", opt->seed);
	append(argv, "--mode=%s", opt->mode);
	append(argv, "--via=%s", opt->via);
	append(argv, "--work=%llu", (unsigned long long)opt->work);
	append(argv, "--connections=%u", opt->connections);
	if (member != NOT_A_MEMBER)
		append(argv, "--member=%u", member);
	if (shared_size)
		append(argv, "--shared=%llu", (unsigned long long)shared_size);
	return argv;
}

void options_argv_free(char **argv)
{
	for (char **arg = argv; *arg; arg++)
		free(*arg);
	free(argv);
}

json_t *options_json(const struct options *opt)
{
	return json_pack("{s:I, s:f, s:I, s:I, s:I, s:s, s:s, s:I, s:I}", "workers",
			 (json_int_t)opt->workers, "seconds", opt->seconds, "count",
			 (json_int_t)opt->count, "size", (json_int_t)opt->size, "seed",
			 (json_int_t)opt->seed, "mode", opt->mode, "via", opt->via, "work",
			 (json_int_t)opt->work, "connections", (json_int_t)opt->connections);
}
