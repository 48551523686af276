/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands. Each has a file cmd_<name>.c, a line here, a line in the table of main.c, and a
 * manual page. A command gets its own arguments, argv[0] being "partrace <name>", and returns the
 * exit status of the program.
 */
#ifndef PT_CMD_H
#define PT_CMD_H

#define PT_EXIT_OK	0
#define PT_EXIT_FAILURE 1
#define PT_EXIT_USAGE	2

int cmd_check(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_workload(int argc, char **argv);

#endif
