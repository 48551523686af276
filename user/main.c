/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/types.h"
#include "cmd.h"

/* A name further away than this is no slip of the finger. */
#define GUESS_DISTANCE 3
#define NAME_LIMIT     32

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{"record", cmd_record, "run a command, or attach to what runs, and record it"},
	{"report", cmd_report, "say what a recording holds, for people or as JSON"},
	{"check", cmd_check, "say what can be recorded on this machine"},
	{"compare", cmd_compare, "put recordings side by side, and say what differs for sure"},
	{"workload", cmd_workload, "run one of the bundled programs: thread, process or cluster"},
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < PT_ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be added, left out or changed to make one name of the other. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_LIMIT + 1], diagonal, above;
	size_t i, j, length = strlen(b);

	if (length > NAME_LIMIT || strlen(a) > NAME_LIMIT)
		return NAME_LIMIT;
	for (j = 0; j <= length; j++)
		row[j] = (unsigned int)j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0]++;
		for (j = 0; j < length; j++) {
			above = row[j + 1];
			row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[length];
}

static const char *guess_command(const char *name)
{
	unsigned int best = GUESS_DISTANCE + 1;
	const char *guess = NULL;
	size_t i;

	for (i = 0; i < PT_ARRAY_SIZE(commands); i++) {
		unsigned int d = distance(name, commands[i].name);

		if (d < best) {
			best = d;
			guess = commands[i].name;
		}
	}
	return guess;
}

static void print_help(FILE *out)
{
	size_t i;

	fputs("Usage: partrace COMMAND [OPTION...]\n\n", out);
	for (i = 0; i < PT_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("  help       explain a command: partrace help COMMAND\n\n"
	      "Options: --help, --version\n",
	      out);
}

static int unknown_command(const char *name)
{
	const char *guess = guess_command(name);
	const char *c;

	fputs("partrace: there is no command '", stderr);
	for (c = name; *c; c++)
		fputc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, stderr);
	if (guess)
		fprintf(stderr, "'; did you mean '%s'?\n", guess);
	else
		fputs("'; see 'partrace --help'\n", stderr);
	return PT_EXIT_USAGE;
}

static int run_command(const char *name, int argc, char **argv)
{
	const struct command *command = find_command(name);
	char title[NAME_LIMIT + sizeof("partrace ")];

	if (!command)
		return unknown_command(name);
	snprintf(title, sizeof(title), "partrace %s", command->name);
	argv[0] = title;
	return command->run(argc, argv);
}

static int explain(int argc, char **argv)
{
	char help[] = "--help";
	char *args[] = {NULL, help, NULL};

	if (argc > 1)
		return run_command(argv[1], 2, args);
	print_help(stdout);
	return PT_EXIT_OK;
}

/* A closed standard stream would give its number to the next file that is opened. In the wrong
 * mode, /dev/null makes its use fail. */
static void keep_streams(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			abort();
	}
}

/* What stdio still holds may not reach a full disk: then the exit status must say so. */
static int flush_output(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	perror("partrace: cannot write the output");
	return status == PT_EXIT_OK ? PT_EXIT_FAILURE : status;
}

int main(int argc, char **argv)
{
	keep_streams();
	if (argc < 2) {
		print_help(stderr);
		return PT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("partrace " PT_VERSION);
		return flush_output(PT_EXIT_OK);
	}
	if (!strcmp(argv[1], "help"))
		return flush_output(explain(argc - 1, argv + 1));
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return flush_output(explain(1, argv));
	return run_command(argv[1], argc - 1, argv + 1);
}
