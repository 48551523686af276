/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of system calls, also of other machines than this one. */
#ifndef PT_BASE_SYSCALLS_H
#define PT_BASE_SYSCALLS_H

/* arch as `uname -m` has it, may be NULL. NULL for a number that has no name there. */
const char *pt_syscall_name(const char *arch, int number);

#endif
