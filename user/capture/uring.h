/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running kernel tells of io_uring. */
#ifndef PT_CAPTURE_URING_H
#define PT_CAPTURE_URING_H

#include <linux/types.h>

#include "bpf/config.h"

struct btf;

/* Fills in the settings of the probes of io_uring: they are not loaded where the kernel lacks what they read. */
void pt_uring_describe(struct pt_config *config, const struct btf *btf);

#endif
