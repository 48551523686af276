/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a long sleep in the middle of a turn was about. Looked up at the end of the system call, as only then it is known
 * to have been long, and the registers and descriptors are still those it slept with.
 */
#ifndef PT_BPF_SLEEP_H
#define PT_BPF_SLEEP_H

#include "bpf/reason.h"

#define PT_PATH_DEPTH 5 /* parts of a path that are kept */
#define PT_PATH_PART  64

/* A `sleep` record with its text. */
struct pt_sleep_message {
	struct pt_header header;
	struct pt_sleep row;
	char text[PT_PATH_DEPTH * PT_PATH_PART + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_sleep_message);
} pt_sleep_scratch SEC(".maps");

/* The last parts of a path, parted by slashes; the number of bytes. */
static __always_inline __u32 pt_path(struct file *file, char *text)
{
	struct dentry *parts[PT_PATH_DEPTH] = {}, *dentry, *parent;
	__u32 length = 0;

	dentry = BPF_CORE_READ(file, f_path.dentry);
	for (int i = 0; i < PT_PATH_DEPTH && dentry; i++) {
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry)
			break;
		parts[i] = dentry;
		dentry = parent;
	}
	for (int i = PT_PATH_DEPTH - 1; i >= 0; i--) {
		long n;

		if (!parts[i])
			continue;
		if (length > (PT_PATH_DEPTH - 1) * PT_PATH_PART)
			break;
		n = bpf_probe_read_kernel_str(text + length, PT_PATH_PART,
					      BPF_CORE_READ(parts[i], d_name.name));
		if (n <= 1 || n > PT_PATH_PART)
			break;
		text[length + n - 1] = '/';
		length += n;
	}
	return length ? length - 1 : 0;
}

static __always_inline void pt_sleep_socket(struct file *file, struct pt_sleep *row)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sock = BPF_CORE_READ(socket, sk);

	if (row->reason == PT_REASON_UNIX) {
		row->peer = BPF_CORE_READ(sock, sk_peer_pid, numbers[0].nr);
		return;
	}
	row->local_port = BPF_CORE_READ(sock, __sk_common.skc_num);
	row->peer_port = __builtin_bswap16(BPF_CORE_READ(sock, __sk_common.skc_dport));
	if (BPF_CORE_READ(sock, __sk_common.skc_family) == AF_INET)
		row->address = BPF_CORE_READ(sock, __sk_common.skc_daddr);
}

static __always_inline __u32 pt_sleep_file(struct task_struct *task, struct pt_sleep *row,
					   char *text)
{
	struct file *file = pt_file_of(task, row->fd);
	struct inode *inode;

	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	row->object = BPF_CORE_READ(inode, i_ino);
	row->device = BPF_CORE_READ(inode, i_sb, s_dev);
	row->reason = pt_reason_of_file((__u64)file);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFSOCK) {
		pt_sleep_socket(file, row);
		return 0;
	}
	return row->reason == PT_REASON_PIPE ? 0 : pt_path(file, text);
}

/* The current task slept for `length`, up to `time`. Not inlined: the verifier goes through it once. */
__noinline int pt_sleep_emit(struct pt_cpu *cpu, __u64 time, __u64 length)
{
	__u32 zero = 0, index = bpf_get_smp_processor_id(), text = 0;
	struct pt_sleep_message *message = bpf_map_lookup_elem(&pt_sleep_scratch, &zero);
	void *ring = bpf_map_lookup_elem(&pt_rings, &index);
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	__u8 class;

	if (!cpu || !message || !ring)
		return 0;
	regs = pt_regs_of(task);
	message->row = (struct pt_sleep){
		.time = time,
		.length = length,
		.tid = task->pid,
		.fd = -1,
		.syscall = pt_number_of(task, regs),
	};
	class = pt_call_class(message->row.syscall);
	if (class == PT_CALL_FD || class == PT_CALL_FILE_LOCK ||
	    class == PT_CALL_REASON + PT_REASON_DISK) {
		message->row.fd = pt_argument_of(task, regs, 0);
		text = pt_sleep_file(task, &message->row, message->text);
	} else if (class == PT_CALL_REASON + PT_REASON_LOCK) {
		message->row.object = pt_argument_of(task, regs, 0);
	} else if (class == PT_CALL_REASON + PT_REASON_CHILD) {
		message->row.peer = pt_argument_of(task, regs, 0);
	}
	message->row.text = text;
	message->header = PT_HEADER(sleep);
	message->header.size += text;
	text = (text + 7) & ~7u;
	if (text > sizeof(message->text))
		return 0;
	if (bpf_ringbuf_output(ring, message, sizeof(*message) - sizeof(message->text) + text,
			       BPF_RB_NO_WAKEUP))
		cpu->lost[PT_KIND_sleep]++;
	return 0;
}

#endif
