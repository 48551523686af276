/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PT_CMD_H
#define PT_CMD_H

int cmd_workload(int argc, char **argv);

#endif
