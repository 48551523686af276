/* SPDX-License-Identifier: BSD-2-Clause */
/* partrace record */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cmd.h"
#include "record_workload.h"

#define EXIT_OURS	125 /* our failure, not the command's */
#define EXIT_USAGE	2
#define MAX_TARGETS	4096
#define MAX_CGROUPS	64
#define MAX_SECONDS	(365 * 24 * 3600.0)
#define DEFAULT_STALL	10.0 /* ms */
#define DEFAULT_MEMORY	10.0 /* s */
#define WORKLOAD_MEMORY 0.25 /* s: they are short */
#define KEY_WORKLOAD	256
#define KEY_RUNTIME	257
#define KEY_REPEAT	258
#define KEY_TURNS	259

/* Of a CPU: that often, and several processes of a workload at once, take more than is granted elsewhere. */
#define WORKLOAD_PERCENT 5

struct ids {
	pid_t id[MAX_TARGETS];
	size_t count;
};

struct options {
	struct pt_recording_options recording;
	struct ids pids, tids;
	const char *cgroups[MAX_CGROUPS];
	struct record_workload workload;
	bool quiet, verbose;
	char target_text[1024];
};

static double parse_number(struct argp_state *state, const char *text, double max, const char *what)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (errno || end == text || *end || !(value > 0) || value > max)
		argp_error(state, "'%s' is not %s", text, what);
	return value;
}

static void parse_ids(struct argp_state *state, char *text, struct ids *ids, const char *what)
{
	char *rest = text, *word;

	while ((word = strsep(&rest, ","))) {
		char *end;
		long id;

		errno = 0;
		id = strtol(word, &end, 10);
		if (errno || end == word || *end || id <= 0 || id > 4194304)
			argp_error(state, "'%s' is not a %s", word, what);
		if (ids->count == MAX_TARGETS)
			argp_error(state, "more than %d %ss", MAX_TARGETS, what);
		ids->id[ids->count++] = (pid_t)id;
	}
}

static unsigned int parse_repeat(struct argp_state *state, const char *text)
{
	double count = parse_number(state, text, PT_REPEAT_MAX, "a number of repetitions");

	if (count != (unsigned int)count)
		argp_error(state, "'%s' is not a number of repetitions", text);
	return (unsigned int)count;
}

/* With a workload, what stands where a command would are its own options. */
static void check_workload(struct argp_state *state, struct options *options)
{
	struct record_workload *workload = &options->workload;

	if (!workload->name && (workload->runtime || workload->repeat))
		argp_error(state, "--runtime and --repeat need --workload");
	if (!workload->runtime)
		workload->runtime = "native";
	if (!workload->repeat)
		workload->repeat = 1;
	if (options->recording.memory_interval < 0)
		options->recording.memory_interval =
			workload->name ? WORKLOAD_MEMORY : DEFAULT_MEMORY;
	if (!workload->name)
		return;
	if (options->recording.targets.all || options->pids.count || options->tids.count ||
	    options->recording.cgroup_count)
		argp_error(state, "a workload, or -p, -t, -G and -a, but not both");
	options->recording.memory_percent = WORKLOAD_PERCENT;
	workload->arguments = options->recording.command;
	options->recording.command = &state->argv[0];
}

static void parse_cgroup(struct argp_state *state, const char *name, struct options *options)
{
	if (!*name)
		argp_error(state, "the name of the cgroup is empty");
	if (options->recording.cgroup_count == MAX_CGROUPS)
		argp_error(state, "more than %d cgroups", MAX_CGROUPS);
	options->cgroups[options->recording.cgroup_count++] = name;
}

/* One way to say what to record; -p and -t go together, and so do -a and a command. */
static void check_targets(struct argp_state *state, const struct options *options)
{
	const struct pt_recording_options *recording = &options->recording;
	bool ids = options->pids.count || options->tids.count;
	bool all = recording->targets.all;

	if (recording->command && !*recording->command[0])
		argp_error(state, "the command is empty");
	if (recording->command && ids)
		argp_error(state, "a command, or -p and -t, but not both");
	if (all && ids)
		argp_error(state, "-a, or -p and -t, but not both");
	if (recording->cgroup_count && (ids || all || recording->command))
		argp_error(state, "-G, or a command, -p, -t and -a, but not both");
	if (!recording->command && !all && !ids && !recording->cgroup_count)
		argp_error(state, "say what to record: a COMMAND, -p PID, -t TID, -G CGROUP or -a");
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
		parse_ids(state, argument, &options->pids, "pid");
		break;
	case 't':
		parse_ids(state, argument, &options->tids, "tid");
		break;
	case 'G':
		parse_cgroup(state, argument, options);
		break;
	case 'a':
		options->recording.targets.all = true;
		break;
	case 'd':
		options->recording.duration_ns =
			(uint64_t)(parse_number(state, argument, MAX_SECONDS,
						"a number of seconds") *
				   1e9);
		break;
	case 'o':
		options->recording.output = argument;
		break;
	case 's':
		options->recording.targets.stall_ns =
			(uint64_t)(parse_number(state, argument, 3600e3,
						"a number of milliseconds") *
				   1e6);
		break;
	case 'm':
		options->recording.memory_interval =
			strcmp(argument, "0")
				? parse_number(state, argument, MAX_SECONDS, "a number of seconds")
				: 0;
		break;
	case 'q':
		options->quiet = options->workload.quiet = true;
		break;
	case 'v':
		options->verbose = true;
		break;
	case KEY_WORKLOAD:
		options->workload.name = argument;
		break;
	case KEY_RUNTIME:
		options->workload.runtime = argument;
		break;
	case KEY_REPEAT:
		options->workload.repeat = parse_repeat(state, argument);
		break;
	case KEY_TURNS:
		options->recording.targets.every_turn = true;
		break;
	case ARGP_KEY_ARGS:
		options->recording.command = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		check_workload(state, options);
		check_targets(state, options);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option option_table[] = {
	{"pid", 'p', "PID[,PID...]", 0, "record these processes, their threads and children", 0},
	{"tid", 't', "TID[,TID...]", 0, "record these threads and what they make", 0},
	{"cgroup", 'G', "CGROUP", 0,
	 "record the tasks in this cgroup and below, also those that come later, and what they "
	 "make; its folder, or its path in version 2; may be repeated",
	 0},
	{"all", 'a', NULL, 0, "record every task of the machine", 0},
	{"workload", KEY_WORKLOAD, "MODEL[/KIND]", 0,
	 "record a bundled workload; all: one file for each model", 0},
	{"runtime", KEY_RUNTIME, "native|node", 0, "of the workload", 0},
	{"repeat", KEY_REPEAT, "N", 0, "record it N times, into FILE.1 to FILE.N", 0},
	{"duration", 'd', "SECONDS", 0, "stop after so long", 0},
	{"output", 'o', "FILE", 0, "write FILE, not partrace.data", 0},
	{"stall", 's', "MS", 0, "what counts as a stall (default 10)", 0},
	{"turns", KEY_TURNS, NULL, 0, "keep every turn of every loop; else short ones are added up",
	 0},
	{"memory", 'm', "SECONDS", 0,
	 "look at the memory of the targets so often (default 10, of a workload 0.25); 0: only at "
	 "the start and the "
	 "end",
	 0},
	{"quiet", 'q', NULL, 0, "print errors only", 0},
	{"verbose", 'v', NULL, 0, "print what the kernel says of the probes", 0},
	{0},
};

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level <= LIBBPF_INFO ? vfprintf(stderr, format, arguments) : 0;
}

/* "no such process" is a matter of the command line: said before anything is loaded. */
static int check_ids(const struct ids *ids, const char *what, struct pt_error *err)
{
	for (size_t i = 0; i < ids->count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/stat", ids->id[i]);
		if (access(path, F_OK))
			return pt_error_set(err, -ESRCH, "there is no %s %d", what, ids->id[i]);
	}
	return 0;
}

static void describe_cgroups(struct options *options)
{
	size_t size = sizeof(options->target_text), used = 0;

	for (size_t i = 0; i < options->recording.cgroup_count && used < size; i++)
		used += (size_t)snprintf(options->target_text + used, size - used, "%s%s",
					 i ? "," : "cgroup ", options->cgroups[i]);
}

static void describe_target(struct options *options)
{
	const struct ids *ids = options->pids.count ? &options->pids : &options->tids;
	const char *what = options->pids.count ? "pid" : "tid";
	size_t size = sizeof(options->target_text), used;

	options->recording.target_text = options->target_text;
	if (options->recording.cgroup_count) {
		describe_cgroups(options);
		return;
	}
	if (!ids->count) {
		snprintf(options->target_text, size, "%s",
			 options->recording.targets.all ? "all" : "command");
		return;
	}
	used = (size_t)snprintf(options->target_text, size, "%s %d", what, ids->id[0]);
	for (size_t i = 1; i < ids->count && used < size; i++)
		used += (size_t)snprintf(options->target_text + used, size - used, ",%d",
					 ids->id[i]);
}

static void print_size(char *text, size_t size, uint64_t bytes)
{
	if (bytes < 10000)
		snprintf(text, size, "%llu bytes", (unsigned long long)bytes);
	else if (bytes < 10000000)
		snprintf(text, size, "%.1f kB", (double)bytes / 1e3);
	else
		snprintf(text, size, "%.1f MB", (double)bytes / 1e6);
}

static void print_result(const struct options *options, const struct pt_recording_result *result)
{
	uint64_t lost = 0, records = 0;
	char size[32];

	for (size_t kind = 0; kind < PT_KIND_LIMIT; kind++) {
		lost += result->lost[kind];
		records += result->written.records[kind];
	}
	print_size(size, sizeof(size), result->written.file_bytes);
	fprintf(stderr, "partrace: wrote %s: %s, %llu records in %.3f s, ",
		options->recording.output, size, (unsigned long long)records,
		(double)result->duration_ns / 1e9);
	if (lost)
		fprintf(stderr, "%llu lost\n", (unsigned long long)lost);
	else
		fprintf(stderr, "none lost\n");
}

static int run(struct options *options)
{
	struct pt_recording_result result;
	struct pt_error error = {0}, *err = &error;
	int r;

	r = check_ids(&options->pids, "process", err);
	if (!r)
		r = check_ids(&options->tids, "thread", err);
	if (r) {
		fprintf(stderr, "partrace: %s\n", err->text);
		return EXIT_OURS;
	}
	r = pt_recording_run(&options->recording, &result, err);
	if (r)
		fprintf(stderr, "partrace: %s\n", err->text);
	else if (!options->quiet)
		print_result(options, &result);
	if (result.child.error)
		return pt_child_exit_status(&result.child);
	/* A command that we started does not outlive a recording that ended before it. */
	if (result.child.pid && !result.child.gone && (r || result.timed_out))
		kill(result.child.pid, SIGTERM);
	pt_child_reap(&result.child, true);
	if (r)
		return EXIT_OURS;
	return result.child.pid && !result.timed_out ? pt_child_exit_status(&result.child) : 0;
}

static int run_workload(void *context)
{
	return run(context);
}

int cmd_record(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "[-- COMMAND...|WORKLOAD-OPTION...]",
		.doc = "Records what tasks do into one file, for `partrace report`.",
	};
	struct options *options = calloc(1, sizeof(*options));
	int status;

	if (!options) {
		fprintf(stderr, "partrace: out of memory\n");
		return EXIT_OURS;
	}
	options->recording.output = "partrace.data";
	options->recording.targets.stall_ns = (uint64_t)(DEFAULT_STALL * 1e6);
	options->recording.memory_interval = -1;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, options);
	options->recording.targets.pids = options->pids.id;
	options->recording.targets.pid_count = options->pids.count;
	options->recording.targets.tids = options->tids.id;
	options->recording.targets.tid_count = options->tids.count;
	options->recording.cgroups = options->cgroups;
	describe_target(options);
	libbpf_set_print(options->verbose ? print_libbpf : NULL);
	status = options->workload.name ? record_workloads(&options->workload, &options->recording,
							   run_workload, options)
					: run(options);
	free(options);
	return status;
}
