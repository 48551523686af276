/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the program's helpers are: next to it in a build tree, beside its bin where installed. */
#ifndef PT_BASE_LIBEXEC_H
#define PT_BASE_LIBEXEC_H

#include <stddef.h>

#include "base/error.h"

/* Puts the path of name, as in "node/main.js", into path; -ENOENT if it is at neither place. */
int pt_libexec_find(const char *name, char *path, size_t size, struct pt_error *err);

#endif
