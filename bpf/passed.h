/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Descriptors that go with messages through Unix sockets: SCM_RIGHTS. What was passed stands in the control data of the
 * message, in user memory: of a sender, as it gave it; of a receiver, as the kernel has written it, which are those
 * descriptors that it really got.
 */
#ifndef PT_BPF_PASSED_H
#define PT_BPF_PASSED_H

#include "bpf/endpoint.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1

#define PT_PASSED_SINGLY                                                                           \
	16 /* descriptors of a message that have a record each; the others are told by kind */
#define PT_PASSED_STEPS 128 /* squared: enough for 60 messages of 253 each */
#define PT_PASSED_NAME	64

#define TMPFS_MAGIC	 0x01021994
#define HUGETLBFS_MAGIC	 0x958458f6
#define ANON_INODE_MAGIC 0x09041934
#define PIDFS_MAGIC	 0x50494446

/* include/linux/socket.h, as user space has it */
struct pt_msghdr {
	__u64 name;
	__u64 name_length;
	__u64 vector;
	__u64 vector_length;
	__u64 control;
	__u64 control_length;
	__u64 flags;
};

struct pt_mmsghdr {
	struct pt_msghdr header;
	__u32 length;
	__u32 padding;
};

struct pt_cmsghdr {
	__u64 length;
	__s32 level;
	__s32 type;
};

struct pt_pass_message {
	struct pt_header header;
	struct pt_pass row;
	char text[PT_PASSED_NAME];
};

/* A message at whose control data we look. */
struct pt_passing {
	struct pt_ipc call;
	struct pt_end_state end; /* of the descriptor at hand */
	struct pt_pass_message message;
	__u64 at, left; /* what of the message's control data has not been looked at */
	__u64 fds; /* where the descriptors are that have not been looked at, in user memory, */
	__u32 fds_left; /* and how many of the control message at hand these are */
	__u32 kind;	/* from here on kinds of the others are to be told */
	__u64 count;	/* descriptors of the message so far */
	__u64 messages; /* what has not been looked at: in user memory, */
	__u32 messages_left;
	__u32 several; /* each with its length behind it */
	__u32 counts[PT_PASSED_KINDS];
};

struct pt_passing_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_passing);
};
extern struct pt_passing_map pt_passings SEC(".maps");

/* What has no inode of its own is known by the name that the kernel gave it: the first 8 bytes of that. */
#define PT_NAME_OF(a, b, c, d, e, f, g, h)                                                         \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 |   \
	 (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline __u8 pt_kind_of_anonymous(__u64 name)
{
	switch (name) {
	case PT_NAME_OF('[', 'e', 'v', 'e', 'n', 't', 'p', 'o'):
		return PT_PASSED_EPOLL;
	case PT_NAME_OF('[', 'p', 'i', 'd', 'f', 'd', ']', 0):
		return PT_PASSED_PIDFD;
	case PT_NAME_OF('[', 't', 'i', 'm', 'e', 'r', 'f', 'd'):
		return PT_PASSED_TIMERFD;
	case PT_NAME_OF('[', 's', 'i', 'g', 'n', 'a', 'l', 'f'):
		return PT_PASSED_SIGNALFD;
	case PT_NAME_OF('i', 'n', 'o', 't', 'i', 'f', 'y', 0):
		return PT_PASSED_INOTIFY;
	case PT_NAME_OF('[', 'i', 'o', '_', 'u', 'r', 'i', 'n'):
		return PT_CHANNEL_URING;
	}
	return PT_CHANNEL_NONE;
}

/* A memfd lies on a mount inside the kernel, below no folder. */
static __always_inline bool pt_is_memfd(struct file *file, __u64 name, unsigned long magic)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

	return (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC) &&
	       (name & 0xffffffffffffULL) == PT_NAME_OF('m', 'e', 'm', 'f', 'd', ':', 0, 0) &&
	       BPF_CORE_READ(dentry, d_parent) == dentry;
}

/* What a file is that is no end of a channel. */
static __always_inline __u8 pt_kind_of_file(struct file *file, struct inode *inode, __u64 name)
{
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);

	if (magic == ANON_INODE_MAGIC)
		return pt_kind_of_anonymous(name);
	if (magic == PIDFS_MAGIC)
		return PT_PASSED_PIDFD;
	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFREG:
		return pt_is_memfd(file, name, magic) ? PT_PASSED_MEMFD : PT_PASSED_FILE;
	case S_IFDIR:
		return PT_PASSED_DIRECTORY;
	case S_IFBLK:
		return PT_PASSED_BLOCK;
	case S_IFCHR:
		return pt_reason_of_device((__u64)inode) == PT_REASON_TTY ? PT_PASSED_TTY
									  : PT_PASSED_DEVICE;
	}
	return PT_CHANNEL_NONE;
}

/* Fills in what a file is that is no end of a channel, its name included. */
__noinline int pt_pass_file(struct pt_pass_message *message, __u64 address)
{
	struct file *file = (struct file *)address;
	struct inode *inode;
	long length;

	if (!message || !file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	*(__u64 *)message->text = 0;
	length = bpf_probe_read_kernel_str(message->text, PT_PASSED_NAME,
					   BPF_CORE_READ(file, f_path.dentry, d_name.name));
	message->row.text = length > 1 ? length - 1 : 0;
	message->row.kind = pt_kind_of_file(file, inode, *(__u64 *)message->text);
	message->row.inode = BPF_CORE_READ(inode, i_ino);
	message->row.device = BPF_CORE_READ(inode, i_sb, s_dev);
	return 0;
}

static __always_inline int pt_pass_emit(struct pt_passing *passing)
{
	struct pt_cpu *cpu = pt_this_cpu();
	__u32 index = bpf_get_smp_processor_id();
	__u32 length = passing->message.row.text;
	void *ring = bpf_map_lookup_elem(&pt_rings, &index);

	if (!cpu || !ring)
		return 0;
	if (length >= PT_PASSED_NAME)
		length = PT_PASSED_NAME - 1;
	passing->message.row.time = pt_ipc_now(&passing->call);
	passing->message.header = PT_HEADER(pass);
	passing->message.header.size += length;
	if (bpf_ringbuf_output(ring, &passing->message,
			       sizeof(passing->message) - PT_PASSED_NAME + ((length + 7) & ~7U),
			       BPF_RB_NO_WAKEUP))
		cpu->lost[PT_KIND_pass]++;
	passing->message.row.bytes = 0; /* they went once */
	return 0;
}

/*
 * The next of the descriptors. Looked up without the task's table of ends: it is not used here, and many at a time would
 * push out all that are.
 */
static __always_inline int pt_passed_one(struct pt_passing *passing)
{
	struct pt_pass *row = &passing->message.row;
	__u64 file, object, number;
	__u32 fd = ~0u, mode;

	bpf_probe_read_user(&fd, sizeof(fd), (void *)passing->fds);
	passing->fds += sizeof(fd);
	passing->fds_left--;
	file = (__u64)pt_file_of(bpf_get_current_task_btf(), fd);
	row->object = row->inode = 0;
	row->text = row->device = 0;
	row->kind = PT_CHANNEL_NONE;
	row->port = 0;
	row->count = 1;
	row->flags &= PT_TRANSFER_SENT | PT_PASS_PEEKED;
	passing->end.id = 0;
	if (file) {
		mode = pt_read(struct file, file, f_mode);
		row->flags |= (mode & FMODE_READ ? PT_PASS_READS : 0) |
			      (mode & FMODE_WRITE ? PT_PASS_WRITES : 0);
		object = pt_object_behind(file, &number);
		pt_end_load(&passing->call, &passing->end, file, object, number);
	}
	if (passing->end.id) {
		row->object = passing->end.id;
		row->port = passing->end.port;
		row->kind = passing->end.kind;
	} else if (file) {
		pt_pass_file(&passing->message, file);
	}
	if (passing->count++ < PT_PASSED_SINGLY)
		return pt_pass_emit(passing);
	if (row->kind < PT_PASSED_KINDS)
		passing->counts[row->kind]++;
	return 0;
}

/* The next control message, in which there may be descriptors. */
static __always_inline void pt_passed_control(struct pt_passing *passing)
{
	struct pt_cmsghdr header;
	__u64 length;

	if (bpf_probe_read_user(&header, sizeof(header), (void *)passing->at) ||
	    header.length < sizeof(header) || header.length > passing->left) {
		passing->left = 0;
		return;
	}
	if (header.level == SOL_SOCKET && header.type == SCM_RIGHTS) {
		passing->fds = passing->at + sizeof(header);
		passing->fds_left = (header.length - sizeof(header)) / sizeof(__u32);
	}
	length = (header.length + 7) & ~7ULL;
	passing->at += length;
	passing->left = length < passing->left ? passing->left - length : 0;
}

/* The next kind of those descriptors that have no record each. */
static __always_inline int pt_passed_others(struct pt_passing *passing)
{
	struct pt_pass *row = &passing->message.row;
	__u32 kind = passing->kind++;

	if (kind >= PT_PASSED_KINDS || !passing->counts[kind])
		return 0;
	row->object = row->inode = 0;
	row->text = row->device = 0;
	row->port = 0;
	row->kind = kind;
	row->count = passing->counts[kind];
	row->flags &= PT_TRANSFER_SENT | PT_PASS_PEEKED;
	row->flags |= PT_PASS_ALIKE;
	passing->counts[kind] = 0;
	return pt_pass_emit(passing);
}

static __always_inline void pt_passed_message(struct pt_passing *passing)
{
	const struct pt_mmsghdr *message = (void *)passing->messages;
	struct {
		__u64 at, length;
	} control = {};

	/* Two members that follow each other. */
	bpf_probe_read_user(&control, sizeof(control), &message->header.control);
	passing->at = control.at;
	passing->left = control.at ? control.length : 0;
	passing->count = 0;
	passing->kind = 0;
	if (passing->several)
		bpf_probe_read_user(&passing->message.row.bytes, sizeof(__u32), &message->length);
	passing->messages += sizeof(*message);
	passing->messages_left--;
}

/* One step through what went along with messages; 0: there is nothing left. Global, as the functions below: verified once. */
__noinline int pt_passed_step(struct pt_passing *passing)
{
	if (!passing)
		return 0;
	if (passing->fds_left)
		pt_passed_one(passing);
	else if (passing->left >= sizeof(struct pt_cmsghdr))
		pt_passed_control(passing);
	else if (passing->count > PT_PASSED_SINGLY && passing->kind < PT_PASSED_KINDS)
		pt_passed_others(passing);
	else if (passing->messages_left)
		pt_passed_message(passing);
	else
		return 0;
	return 1;
}

/* In two loops, as the verifier goes through each round of each. */
__noinline int pt_passed_steps(struct pt_passing *passing)
{
	for (int i = 0; i < PT_PASSED_STEPS; i++) {
		if (!pt_passed_step(passing))
			return 0;
	}
	return 1;
}

__noinline int pt_passed_all(struct pt_passing *passing)
{
	struct pt_cpu *cpu = pt_this_cpu();

	for (int i = 0; i < PT_PASSED_STEPS; i++) {
		if (!pt_passed_steps(passing))
			return 0;
	}
	if (cpu)
		cpu->lost[PT_KIND_pass]++;
	return 0;
}

/*
 * What went along with the messages of a call through `end`, at an address in user memory: with several of them, or one of
 * `bytes`.
 */
static __always_inline void pt_passed_with(const struct pt_ipc *call, __u64 end, __u8 flags,
					   __u64 messages, __u32 count, __u32 bytes)
{
	__u32 zero = 0;
	struct pt_passing *passing = bpf_map_lookup_elem(&pt_passings, &zero);

	if (!passing)
		return;
	passing->call = *call;
	/* No use of what is passed is to be made up for where that is described. */
	passing->call.bytes = 0;
	passing->message.row.end = end;
	passing->message.row.tid = call->tid;
	passing->message.row.flags = flags;
	passing->message.row.bytes = bytes;
	passing->left = passing->fds_left = passing->count = 0;
	passing->messages = messages;
	passing->messages_left = count ? count : 1;
	passing->several = count;
	pt_passed_all(passing);
}

#endif
