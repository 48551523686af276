/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be known of the running kernel before the probes are loaded. */
#ifndef PT_CAPTURE_KERNEL_H
#define PT_CAPTURE_KERNEL_H

#include <linux/types.h>
#include <stdbool.h>

#include "base/error.h"
#include "bpf/records.h"
#include "bpf/config.h"

/* Fills in what depends on the kernel's BTF and on the architecture's system calls. -ENOTSUP
 * without BTF. */
/* Says what the system calls of 32-bit programs are. */
void pt_kernel_number_compat_calls(struct pt_config *config);

int pt_kernel_describe(struct pt_config *config, struct pt_error *err);

/* By its name; what has been ported back to it does not show. */
bool pt_kernel_is_before(unsigned int major, unsigned int minor);

#endif
