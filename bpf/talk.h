/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Datagrams with an address: what a socket without a peer exchanges with one address is told as if it were a connection
 * of its own. It has a place in the task's table, is described once, and has its own sums.
 */
#ifndef PT_BPF_TALK_H
#define PT_BPF_TALK_H

#include "bpf/passed.h"
#include "bpf/regs.h"

#define PT_MESSAGES_STEP 32  /* squared: the messages of sendmmsg and recvmmsg, UIO_MAXIOV */
#define PT_UNIX_NAME_MAX 108 /* sizeof(sockaddr_un.sun_path) */

struct pt_talk_message {
	struct pt_header header;
	struct pt_talk row;
	char text[PT_ADDRESS_TEXT]; /* a multiple of 8, the rest zero */
};

struct pt_talk_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_talk_message);
};
extern struct pt_talk_scratch_map pt_talk_scratch SEC(".maps");

/* sockaddr_in, or the beginning of sockaddr_in6, as user space has them */
struct pt_sockaddr {
	__u16 family;
	__u16 port;
	__u32 four;
	__u64 six[2];
};

static __always_inline __u64 pt_talk_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* The name behind the family of a sockaddr_un, without its end: "/path", or "@name". */
static __always_inline void pt_talk_read_name(struct pt_talk_message *message, __u64 pointer,
					      __u32 length)
{
	long n = length < PT_UNIX_NAME_MAX ? length : PT_UNIX_NAME_MAX;

	__builtin_memset(message->text, 0, sizeof(message->text));
	if (bpf_probe_read_user(message->text, 1, (void *)pointer))
		return;
	if (message->text[0]) {
		n = bpf_probe_read_user_str(message->text, n + 1, (void *)pointer) - 1;
		message->row.text = n > 0 ? n : 0;
		return;
	}
	if (bpf_probe_read_user(message->text, n, (void *)pointer))
		return;
	message->text[0] = '@';
	message->row.text = n;
}

static __always_inline bool pt_talk_read_inet(struct pt_talk *row, __u64 pointer, __u32 length)
{
	struct pt_sockaddr address = {};

	if (row->family == AF_INET6 && length >= sizeof(address)) {
		if (bpf_probe_read_user(&address, sizeof(address), (void *)pointer))
			return false;
		row->high = __builtin_bswap64(address.six[0]);
		row->low = __builtin_bswap64(address.six[1]);
		if (!row->high && row->low >> 32 == 0xffff) /* IPv4 in IPv6 */
			row->low = (__u32)row->low;
	} else {
		if (length < 8 || bpf_probe_read_user(&address, 8, (void *)pointer))
			return false;
		row->low = __builtin_bswap32(address.four);
	}
	row->port = __builtin_bswap16(address.port);
	return row->port != 0;
}

/* An address in user memory, and the name of what a socket has with it. False if there is none that we know. */
static __noinline bool pt_talk_read(struct pt_talk_message *message, __u64 pointer, __u32 length,
				    __u64 socket)
{
	struct pt_talk *row = &message->row;
	const __u64 *text = (const __u64 *)message->text;
	__u64 hash = socket;

	*row = (struct pt_talk){.socket = PT_ENDPOINT_OF(PT_CLASS_SOCKET, socket)};
	if (length < 3 || bpf_probe_read_user(&row->family, 2, (void *)pointer))
		return false;
	if (row->family == AF_UNIX) {
		pt_talk_read_name(message, pointer + 2, length - 2);
		for (__u32 i = 0; i < PT_ADDRESS_TEXT / 8; i++)
			hash = pt_talk_mix(hash, text[i]);
		row->end = PT_ENDPOINT_OF(PT_CLASS_TALK, hash);
		return row->text;
	}
	if ((row->family != AF_INET && row->family != AF_INET6) ||
	    !pt_talk_read_inet(row, pointer, length))
		return false;
	hash = pt_talk_mix(pt_talk_mix(pt_talk_mix(hash, row->high), row->low), row->port);
	row->end = PT_ENDPOINT_OF(PT_CLASS_TALK, hash);
	return true;
}

/* Of a socket's inode. */
static __always_inline __u32 pt_network_of(__u64 inode)
{
	__u64 socket = inode - bpf_core_field_offset(struct socket_alloc, vfs_inode);
	struct sock *sock = BPF_CORE_READ((struct socket *)socket, sk);

	return BPF_CORE_READ(sock, __sk_common.skc_net.net, ns.inum);
}

/* Where a relative path begins. */
static __always_inline void pt_talk_folder(struct pt_talk *row)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct inode *folder = BPF_CORE_READ(task, fs, pwd.dentry, d_inode);

	row->high = BPF_CORE_READ(folder, i_sb, s_dev);
	row->low = BPF_CORE_READ(folder, i_ino);
}

static __noinline int pt_talk_describe(struct pt_ipc *call, struct pt_talk_message *message,
				       __u64 inode)
{
	__u32 index = bpf_get_smp_processor_id(), length = message->row.text;
	void *ring = bpf_map_lookup_elem(&pt_rings, &index);
	struct pt_cpu *cpu = pt_this_cpu();
	__u32 described = PT_DESCRIBED;

	if (bpf_map_update_elem(&pt_described, &message->row.end, &described, BPF_NOEXIST))
		return 0;
	if (!ring || !cpu)
		return 0;
	message->row.time = pt_ipc_now(call);
	message->row.tid = call->tid;
	message->row.network = pt_network_of(inode);
	if (message->row.family == AF_UNIX && message->text[0] != '@' && message->text[0] != '/')
		pt_talk_folder(&message->row);
	message->header = PT_HEADER(talk);
	message->header.size += length;
	length = (length + 7) & ~7U;
	if (length > sizeof(message->text))
		return 0;
	if (bpf_ringbuf_output(ring, message, sizeof(*message) - sizeof(message->text) + length,
			       BPF_RB_NO_WAKEUP))
		cpu->lost[PT_KIND_talk]++;
	return 0;
}

/* Whether a message still belongs to those of a window that are told one by one: all that a socket talks to share these. */
static __always_inline bool pt_talk_hurries(struct pt_end_state *socket, __u32 sent)
{
	__u32 window = pt_window_of(bpf_jiffies64());

	if (socket->kind != PT_CHANNEL_UDP)
		return false;
	if (socket->window[sent] != window) {
		socket->window[sent] = window;
		socket->told = 0;
		socket->summed = PT_SUMMED_NOT;
	}
	return socket->told >= PT_TOLD_MAX || ++socket->told >= PT_TOLD_MAX;
}

/*
 * Notes a datagram that a socket sent to an address, or received from it: that of length `length` at `pointer` in user
 * memory. `inode` is the socket's, which is in the table. 0: there is no such address.
 */
__noinline int pt_talk_count(struct pt_ipc *call, __u64 inode, __u64 pointer, __u32 length)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_talk_message *message;
	struct pt_end_state *socket, *talk;
	struct pt_table *table;
	__u32 zero = 0;
	__u64 number;
	bool hurries;
	__u8 kind;

	if (!call || !cpu)
		return 0;
	table = call->spare ? bpf_map_lookup_elem(&pt_spare_tables, &zero)
			    : pt_table_at(cpu->table);
	message = bpf_map_lookup_elem(&pt_talk_scratch, &zero);
	if (!table || !message)
		return 0;
	socket = pt_end_slot(table, inode);
	if (socket->object != inode ||
	    (socket->kind != PT_CHANNEL_UDP && socket->kind != PT_CHANNEL_UNIX) ||
	    !pt_talk_read(message, pointer, length, socket->number))
		return 0;
	hurries = pt_talk_hurries(socket, call->sent & 1);
	number = socket->number;
	kind = socket->kind;
	talk = pt_end_slot(table, message->row.end);
	if (talk->object != message->row.end) {
		if (talk->id)
			pt_end_flush(call, talk);
		__builtin_memset(talk, 0, sizeof(*talk));
		talk->object = talk->id = message->row.end;
		talk->number = number;
		talk->kind = kind;
		talk->type = SOCK_DGRAM;
		pt_talk_describe(call, message, inode);
	}
	talk->summed = hurries ? PT_SUMMED_HURRIED : PT_SUMMED_NOT;
	pt_end_count(call, table, talk);
	return 1;
}

/* The kernel has written into each message how much of it went. A function of its own, so that the loop around it is short. */
__noinline __u64 pt_message_length(__u64 messages, __u32 i)
{
	struct pt_mmsghdr *message = (void *)messages;
	__u32 length = 0;

	bpf_probe_read_user(&length, sizeof(length), &message[i].length);
	return length;
}

/* One of several messages. */
__noinline int pt_talk_message(struct pt_ipc *call, __u64 inode, __u64 at)
{
	const struct pt_mmsghdr *message = (void *)at;
	struct {
		__u64 pointer, length;
	} name = {};

	if (!call)
		return 0;
	call->bytes = pt_message_length(at, 0);
	call->count = 1;
	bpf_probe_read_user(&name, sizeof(name), &message->header.name);
	if (name.pointer && pt_talk_count(call, inode, name.pointer, name.length))
		return 0;
	call->plain++;
	call->plain_bytes += call->bytes;
	return 0;
}

__noinline int pt_talk_some(struct pt_ipc *call, __u64 inode, __u64 messages, __u32 from,
			    __u32 count)
{
	if (!call)
		return 0;
	for (__u32 i = 0; i < PT_MESSAGES_STEP && from + i < count; i++)
		pt_talk_message(call, inode, messages + (from + i) * sizeof(struct pt_mmsghdr));
	return 0;
}

/* Several messages. Those without an address are left in `call`, to be counted. */
__noinline int pt_talk_messages(struct pt_ipc *call, __u64 inode, __u64 messages, __u32 count)
{
	if (!call)
		return 0;
	for (__u32 i = 0; i < PT_MESSAGES_STEP && i * PT_MESSAGES_STEP < count; i++)
		pt_talk_some(call, inode, messages, i * PT_MESSAGES_STEP, count);
	call->bytes = call->plain_bytes;
	call->count = call->plain;
	return 0;
}

/* An address in user memory: 0 if there is none. */
struct pt_address {
	__u64 pointer;
	__u32 length;
};

/* The address that a message went to, or came from as far as the caller asked for that. */
static __always_inline struct pt_address pt_address_of_call(__u8 end, const struct pt_regs *regs)
{
	struct pt_address address = {};
	struct pt_msghdr *message = (void *)pt_syscall_second(regs);

	switch (end) {
	case PT_END_SENDTO:
		address.pointer = pt_syscall_fifth(regs);
		address.length = pt_syscall_sixth(regs);
		break;
	case PT_END_RECVFROM:
		address.pointer = pt_syscall_fifth(regs);
		if (address.pointer)
			bpf_probe_read_user(&address.length, sizeof(address.length),
					    (void *)pt_syscall_sixth(regs));
		break;
	case PT_END_SENDMSG:
	case PT_END_RECVMSG:
		bpf_probe_read_user(&address.pointer, sizeof(address.pointer), &message->name);
		if (address.pointer)
			bpf_probe_read_user(&address.length, sizeof(address.length),
					    &message->name_length);
		break;
	}
	return address;
}

/* Whether a message through a datagram socket went to an address, or its sender was asked for where that may be anybody. */
static __always_inline bool pt_may_have_address(const struct pt_end_state *end,
						const struct pt_regs *regs, __u8 call)
{
	const struct pt_msghdr *message = (void *)pt_syscall_second(regs);
	__u64 name = 0;

	switch (call) {
	case PT_END_SENDTO:
		return pt_syscall_fifth(regs);
	case PT_END_SENDMSG:
		bpf_probe_read_user(&name, sizeof(name), &message->name);
		return name;
	case PT_END_RECVFROM:
		return end->open && pt_syscall_fifth(regs);
	case PT_END_RECVMSG:
		return end->open;
	}
	return false;
}

/* The end of a datagram socket, 0: it is none. */
static __noinline __u64 pt_datagrams_of(struct file *file)
{
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;

	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK ||
	    BPF_CORE_READ(pt_sock_of(file), sk_type) != SOCK_DGRAM)
		return 0;
	return PT_ENDPOINT_OF(PT_CLASS_SOCKET, BPF_CORE_READ(inode, i_ino));
}

#endif
