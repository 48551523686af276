/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory that a target maps and others can map, too: told when it is mapped, as a process may not live to see the
 * recorder look at its mappings. What is behind an address only the kernel's list of mappings tells: MAP_SHARED without
 * a file and System V segments have no descriptor. Before 5.17 probes have no way into that, and the recorder's looks
 * must do.
 */
#ifndef PT_BPF_MAPPING_H
#define PT_BPF_MAPPING_H

#include "bpf/passed.h"

#define MAP_SHARED    1
#define MAP_ANONYMOUS 0x20

#define VM_WRITE    0x02
#define VM_MAYSHARE 0x80

struct pt_segment_message {
	struct pt_header header;
	struct pt_segment row;
	char text[PT_PASSED_NAME + 8]; /* the rest for padding */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_segment_message);
} pt_segment_scratch SEC(".maps");

struct pt_mapped_key {
	__u64 mm; /* an address */
	__u64 start;
};

/* What was told of lately, so that its end can be told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct pt_mapped_key);
	__type(value, struct pt_segment);
} pt_mapped SEC(".maps");

/* As stat() has it. */
static __always_inline __u32 pt_device_of(__u32 device)
{
	__u32 major = device >> 20, minor = device & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

/*
 * Fills in what a mapping is, if others can map it too and something can be written there: else its flags stay 0. Called
 * by the kernel, which would pass on nothing but addresses of the stack.
 */
static long pt_segment_look(struct task_struct *task, struct vm_area_struct *area, void *unused)
{
	__u32 zero = 0;
	struct pt_segment_message *message = bpf_map_lookup_elem(&pt_segment_scratch, &zero);
	struct file *file = area->vm_file;
	struct pt_segment *row;
	struct inode *inode;
	unsigned long magic;
	long length;

	if (!message || !file || !(area->vm_flags & VM_MAYSHARE))
		return 0;
	row = &message->row;
	inode = BPF_CORE_READ(file, f_inode);
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG || magic == ANON_INODE_MAGIC)
		return 0;
	if (!(area->vm_flags & VM_WRITE) && magic != TMPFS_MAGIC && magic != HUGETLBFS_MAGIC)
		return 0;
	row->inode = BPF_CORE_READ(inode, i_ino);
	row->device = pt_device_of(BPF_CORE_READ(inode, i_sb, s_dev));
	row->bytes = area->vm_end - area->vm_start;
	row->flags = PT_SEGMENT_MAPPED | (area->vm_flags & VM_WRITE ? PT_SEGMENT_WRITES : 0);
	length = bpf_probe_read_kernel_str(message->text, PT_PASSED_NAME,
					   BPF_CORE_READ(file, f_path.dentry, d_name.name));
	row->text = length > 1 ? length - 1 : 0;
	return 0;
}

static __always_inline int pt_segment_emit(struct pt_cpu *cpu, struct pt_segment_message *message)
{
	__u32 index = bpf_get_smp_processor_id(), length = message->row.text;
	void *ring = bpf_map_lookup_elem(&pt_rings, &index);

	if (length >= PT_PASSED_NAME)
		length = PT_PASSED_NAME - 1;
	message->header = PT_HEADER(segment);
	message->header.size += length;
	if (!ring ||
	    bpf_ringbuf_output(ring, message,
			       sizeof(*message) - sizeof(message->text) + ((length + 7) & ~7U),
			       BPF_RB_NO_WAKEUP))
		cpu->lost[PT_KIND_segment]++;
	return 0;
}

/*
 * Behind the mapping of a file on overlayfs stands the file below it. Since 6.7 that one leads back to the file that was
 * asked for, and /proc/PID/maps shows this; so it is taken from the descriptor.
 */
static __always_inline void pt_segment_asked_for(struct task_struct *task,
						 const struct pt_regs *regs, struct pt_segment *row)
{
	struct backing_file *backing = NULL;
	struct inode *inode;
	struct file *file;

	if (!bpf_core_field_exists(backing->user_path) || pt_syscall_fourth(regs) & MAP_ANONYMOUS)
		return;
	file = pt_file_of(task, pt_syscall_fifth(regs));
	if (!file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return;
	row->inode = BPF_CORE_READ(inode, i_ino);
	row->device = pt_device_of(BPF_CORE_READ(inode, i_sb, s_dev));
}

static __always_inline int pt_segment_begins(struct pt_cpu *cpu, struct task_struct *task,
					     const struct pt_regs *regs, __u8 end,
					     struct pt_segment_message *message, __u64 address)
{
	struct pt_mapped_key key = {pt_read_address(struct task_struct, task, mm), address};

	message->row = (struct pt_segment){.pid = task->tgid};
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma))
		return 0;
	/* Another thread of the process may be changing its mappings. */
	if (bpf_find_vma(task, address, pt_segment_look, NULL, 0)) {
		cpu->lost[PT_KIND_segment]++;
		return 0;
	}
	if (!message->row.flags)
		return 0;
	if (end == PT_END_MMAP)
		pt_segment_asked_for(task, regs, &message->row);
	pt_control.segments = 1;
	message->row.time = bpf_ktime_get_ns();
	bpf_map_update_elem(&pt_mapped, &key, &message->row, BPF_ANY);
	return pt_segment_emit(cpu, message);
}

static __always_inline int pt_segment_ends(struct pt_cpu *cpu, struct task_struct *task,
					   struct pt_segment_message *message, __u64 address)
{
	struct pt_mapped_key key = {pt_read_address(struct task_struct, task, mm), address};
	struct pt_segment *row = bpf_map_lookup_elem(&pt_mapped, &key);

	if (!row)
		return 0;
	message->row = *row;
	bpf_map_delete_elem(&pt_mapped, &key);
	message->row.time = bpf_ktime_get_ns();
	message->row.pid = task->tgid;
	message->row.flags = PT_SEGMENT_ENDED;
	message->row.text = 0;
	return pt_segment_emit(cpu, message);
}

/* Whether a call that maps memory, or undoes that, may have to do with memory that is shared: most do not. */
static __always_inline bool pt_maps_shared(const struct pt_regs *regs, __u8 end, __s64 result)
{
	bool failed = result < 0 && result > -4096;

	switch (end) {
	case PT_END_MMAP:
		return pt_syscall_fourth(regs) & MAP_SHARED && !failed;
	case PT_END_SHMAT:
		return !failed;
	}
	return !failed && pt_control.segments;
}

static __always_inline int pt_mapping_ended(struct pt_cpu *cpu, const struct pt_regs *regs,
					    __u8 end, __s64 result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 zero = 0;
	struct pt_segment_message *message = bpf_map_lookup_elem(&pt_segment_scratch, &zero);

	if (!message)
		return 0;
	if (end == PT_END_MUNMAP || end == PT_END_SHMDT)
		return pt_segment_ends(cpu, task, message, pt_syscall_first(regs));
	return pt_segment_begins(cpu, task, regs, end, message, result);
}

#endif
