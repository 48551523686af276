/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading the kernel's structures from an address. Since 6.2 the verifier lets an address be cast (bpf_rdonly_cast), after
 * which a read is one load that cannot fault; before, every read is a call of a helper, several times as dear. Reads
 * through a cast also spare the verifier its search of all of BTF for each pointer that is followed (6.4 and later).
 *
 * An address is kept as a number. It is never believed: what stands there may be another thing by now.
 */
#ifndef PT_BPF_READ_H
#define PT_BPF_READ_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "bpf/config.h"

extern const volatile struct pt_config pt_config;

extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym __weak;

/* `address` as a pointer to a kernel type that may be followed; only if pt_config.casts. */
#define pt_cast(type, address)                                                                     \
	((type *)bpf_rdonly_cast((void *)(address), bpf_core_type_id_kernel(type)))

/* A member that is a pointer, to be followed at once, of a structure that a program was handed by the kernel. */
#define pt_follow(type, pointer, member)                                                           \
	(pt_config.casts ? pt_cast(type, pointer)->member : (pointer)->member)

/* A member of the structure at an address; not a pointer, see pt_read_address(). 0 if it cannot be read. */
#define pt_read(type, address, member...)                                                          \
	({                                                                                         \
		typeof(((type *)0)->member) value_ = 0;                                            \
                                                                                                   \
		if (pt_config.casts)                                                               \
			value_ = pt_cast(type, address)->member;                                   \
		else                                                                               \
			bpf_core_read(&value_, sizeof(value_), &((type *)(address))->member);      \
		value_;                                                                            \
	})

/* Eight bytes of kernel memory. The type is one that begins with a plain number of this size. */
static __always_inline __u64 pt_read_word(__u64 address)
{
	__u64 word = 0;

	if (pt_config.casts)
		return pt_cast(struct timespec64, address)->tv_sec;
	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

/* A member that is a pointer, as a number. */
#define pt_read_address(type, address, member...)                                                  \
	pt_read_word((__u64)(address) + bpf_core_field_offset(type, member))

#endif
