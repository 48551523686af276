/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who sends how much through which channel. All is taken from the end of the call: its arguments are still there, and
 * what it returned is what was moved.
 *
 * A task keeps a table of the ends that it uses. Calls on pipes, Unix sockets and eventfds are told one by one. So are
 * those on IP sockets as far as the task's budget goes; servers make hundreds of thousands a second, of which the rest
 * is told in sums of a window, but for the first of each, so that latency can be sampled at both sides.
 */
#ifndef PT_BPF_IPC_H
#define PT_BPF_IPC_H

#include "bpf/talk.h"
#include "bpf/passed.h"

#define MSG_PEEK     2
#define MSG_COPY     040000
#define ESPIPE	     29
#define MSG_ERRQUEUE 0x2000

struct pt_ipc_call {
	struct pt_ipc is;
	struct pt_table *table;
	struct task_struct *task;
	struct pt_regs *regs;
};

/*
 * 1 + the place in a table of the end behind the struct file at an address, described if it is new; 0: that is no
 * channel. Global, as it is called from many places, which then are verified without it.
 */
__noinline __u32 pt_end_find(struct pt_ipc *call, struct pt_table *table, __u64 file)
{
	struct pt_end_state *end;
	__u64 object, number;
	__u32 place;

	if (!call || !table || !file)
		return 0;
	call->file = file;
	object = pt_object_behind(file, &number);
	place = pt_end_place(table, object);
	end = &table->ends[place % PT_TABLE_ENDS];
	if (end->object != object || end->number != number || call->flags) {
		if (end->id)
			pt_end_flush(call, end);
		pt_end_load(call, end, file, object, number);
	}
	return end->id ? place + 1 : 0;
}

/* The state of the end behind a file; NULL if that is no channel. */
static __always_inline struct pt_end_state *pt_end_of_file(struct pt_ipc_call *call, __u64 file)
{
	__u32 place = pt_end_find(&call->is, call->table, file);

	return place ? &call->table->ends[(place - 1) % PT_TABLE_ENDS] : NULL;
}

static __noinline struct pt_end_state *pt_end_of_fd(struct pt_ipc_call *call, __u32 fd)
{
	return pt_end_of_file(call, (__u64)pt_file_of(call->task, fd));
}

/* The state of something without a descriptor. */
static __always_inline struct pt_end_state *pt_end_of_number(struct pt_ipc_call *call, __u32 class,
							     __u8 kind, __u32 number)
{
	__u64 id = PT_ENDPOINT_OF(class, number);
	struct pt_end_state *end = pt_end_slot(call->table, id);

	if (end->object != id) {
		if (end->id)
			pt_end_flush(&call->is, end);
		__builtin_memset(end, 0, sizeof(*end)); /* the stack is short */
		end->object = end->id = id;
		end->kind = kind;
		pt_end_describe(&call->is, end, 0);
	}
	return end;
}

static __always_inline struct pt_end_state *pt_moved(struct pt_ipc_call *call, __u32 fd, __u8 sent,
						     __s64 bytes, __u32 count)
{
	struct pt_end_state *end;

	call->is.sent = sent;
	call->is.bytes = bytes;
	call->is.count = count;
	end = pt_end_of_fd(call, fd);
	if (end)
		pt_end_count(&call->is, call->table, end);
	return end;
}

/* A call that moved a message, or bytes of a stream, one way. */
static __always_inline struct pt_end_state *pt_moved_one(struct pt_ipc_call *call, __u8 sent)
{
	struct pt_address address;
	struct pt_end_state *end;

	call->is.sent = sent;
	call->is.bytes = call->is.result;
	call->is.count = 1;
	end = pt_end_of_fd(call, pt_syscall_first(call->regs));
	if (!end)
		return NULL;
	/* read() of nothing takes no message, unlike recv(). */
	if (end->type == SOCK_DGRAM && call->is.end == PT_END_READ && !call->is.result &&
	    !pt_syscall_third(call->regs)) {
		end->empty[0]++;
		return end;
	}
	if (end->type == SOCK_DGRAM && call->is.result >= 0 && (sent || end->open)) {
		address = pt_address_of_call(call->is.end, call->regs);
		if (address.pointer &&
		    pt_talk_count(&call->is, end->object, address.pointer, address.length))
			return end;
	}
	pt_end_count(&call->is, call->table, end);
	return end;
}

/* What a read took from an eventfd, or a write added to it. Asked before that is known to be one: only 8 bytes fit. */
static __always_inline void pt_value_of(struct pt_ipc_call *call, __u64 buffer)
{
	__u64 value = 1;

	if (call->is.result != 8)
		return;
	/* The first piece of several, which nearly always has it all. */
	if (call->is.end == PT_END_READV || call->is.end == PT_END_WRITEV)
		bpf_probe_read_user(&buffer, sizeof(buffer), (void *)buffer);
	bpf_probe_read_user(&value, sizeof(value), (void *)buffer);
	call->is.value = value < 0xffffffff ? value : 0xffffffff;
}

/* An end that has just been made. */
static __always_inline struct pt_end_state *pt_made(struct pt_ipc_call *call, __u32 fd)
{
	struct pt_end_state *end;

	call->is.bytes = 0;
	call->is.flags = PT_ENDPOINT_CREATED;
	end = pt_end_of_fd(call, fd);
	call->is.flags = 0;
	return end;
}

static __always_inline void pt_made_pair(struct pt_ipc_call *call, __u64 pointer)
{
	__u32 fds[2];

	if (call->is.result || bpf_probe_read_user(fds, sizeof(fds), (void *)pointer))
		return;
	pt_made(call, fds[0]);
	pt_made(call, fds[1]);
}

static __always_inline void pt_made_eventfd(struct pt_ipc_call *call)
{
	struct file *file;

	if (call->is.result < 0)
		return;
	file = pt_file_of(call->task, call->is.result);
	if (!file)
		return;
	pt_eventfd_new_id((__u64)BPF_CORE_READ(file, private_data));
	pt_made(call, call->is.result);
}

/*
 * What went along with a message. A stream that took no byte has taken nothing else either.
 */
static __always_inline void pt_passed(struct pt_ipc_call *call, const struct pt_end_state *end,
				      __u8 flags, __u32 count)
{
	if (end->kind != PT_CHANNEL_UNIX || call->is.result < 0 ||
	    (flags & PT_TRANSFER_SENT && !call->is.result && end->type == SOCK_STREAM))
		return;
	pt_passed_with(&call->is, PT_ENDPOINT_OF(PT_CLASS_SOCKET, end->number), flags,
		       pt_syscall_second(call->regs), count, call->is.result);
}

static __always_inline void pt_moved_message(struct pt_ipc_call *call, __u8 sent)
{
	struct pt_end_state *end = pt_moved_one(call, sent);

	if (end)
		pt_passed(call, end, sent ? PT_TRANSFER_SENT : 0, 0);
}

/* A look at messages leaves them where they are, but gives the descriptors that came with them. */
static __noinline int pt_peeked(struct pt_ipc_call *call, __u32 count)
{
	struct pt_end_state *end;

	call->is.sent = 0;
	call->is.bytes = 0;
	end = pt_end_of_fd(call, pt_syscall_first(call->regs));
	if (end)
		pt_passed(call, end, PT_PASS_PEEKED, count);
	return 0;
}

/* Global, so that they are verified once and by themselves; two, as the verifier goes through each round of a loop. */
__noinline __u64 pt_messages_sum_some(__u64 messages, __u32 from, __u32 count)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < PT_MESSAGES_STEP && from + i < count; i++)
		sum += pt_message_length(messages, from + i);
	return sum;
}

__noinline __u64 pt_messages_sum(__u64 messages, __u32 count)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < PT_MESSAGES_STEP && i * PT_MESSAGES_STEP < count; i++)
		sum += pt_messages_sum_some(messages, i * PT_MESSAGES_STEP, count);
	return sum;
}

static __always_inline int pt_moved_messages(struct pt_ipc_call *call, __u8 sent)
{
	__u64 messages = pt_syscall_second(call->regs);
	struct pt_end_state *end, *again;

	call->is.sent = sent;
	call->is.bytes = call->is.result;
	call->is.count = call->is.result;
	end = pt_end_of_fd(call, pt_syscall_first(call->regs));
	if (!end)
		return 0;
	if (call->is.result > 0 && end->type == SOCK_DGRAM && (sent || end->open)) {
		pt_talk_messages(&call->is, end->object, messages, call->is.result);
		again = call->is.count ? pt_end_of_fd(call, pt_syscall_first(call->regs)) : NULL;
		if (again)
			pt_end_count(&call->is, call->table, again);
	} else {
		if (call->is.result > 0)
			call->is.bytes = pt_messages_sum(messages, call->is.result);
		pt_end_count(&call->is, call->table, end);
	}
	if (call->is.result > 0)
		pt_passed(call, end, sent ? PT_TRANSFER_SENT : 0, call->is.result);
	return 0;
}

/* Not inlined: the stack is short. */
static __noinline int pt_accept_emit(struct pt_ipc_call *call, __u64 id, __u64 object, __u32 port)
{
	struct pt_cpu *cpu = pt_this_cpu();

	if (!cpu)
		return 0;
	PT_MESSAGE(accept);
	message->row = (struct pt_accept){
		.time = pt_ipc_now(&call->is),
		.end = id,
		.object = object,
		.tid = call->is.tid,
		.port = port,
	};
	pt_commit(cpu, message);
	return 0;
}

/* By the struct file of the socket that listens. */
static __always_inline void pt_accepted(struct pt_ipc_call *call, __u64 file)
{
	struct pt_end_state *end, *connection;
	__u64 id;
	__u16 port;

	call->is.sent = 0;
	call->is.bytes = 0;
	end = pt_end_of_file(call, file);
	if (!end)
		return;
	if (call->is.result < 0) {
		call->is.bytes = call->is.result;
		pt_end_count(&call->is, call->table, end);
		return;
	}
	id = end->id;
	port = end->port;
	connection = pt_made(call, call->is.result);
	pt_accept_emit(call, id, connection ? connection->id : 0, port);
}

static __always_inline void pt_moved_pages(struct pt_ipc_call *call)
{
	struct file *file = pt_file_of(call->task, pt_syscall_first(call->regs));
	bool writes = file && BPF_CORE_READ(file, f_mode) & FMODE_WRITE;

	pt_moved(call, pt_syscall_first(call->regs), writes, call->is.result, 1);
}

static __noinline int pt_moved_number(struct pt_ipc_call *call, __u32 class, __u8 kind, __u8 sent,
				      __s64 bytes)
{
	call->is.sent = sent;
	call->is.bytes = bytes;
	call->is.count = 1;
	pt_end_count(&call->is, call->table,
		     pt_end_of_number(call, class, kind, pt_syscall_first(call->regs)));
	return 0;
}

/* What a sender of a whole message moved: these calls return 0. */
static __always_inline __s64 pt_sent_whole(const struct pt_ipc_call *call)
{
	return call->is.result ? call->is.result : (__s64)pt_syscall_third(call->regs);
}

static __noinline int pt_made_ring(struct pt_ipc_call *call)
{
	call->is.flags = PT_ENDPOINT_CREATED;
	if (call->is.result >= 0)
		pt_end_of_number(call, PT_CLASS_URING, PT_CHANNEL_URING, call->is.tid);
	call->is.flags = 0;
	return 0;
}

/* A datagram socket is described only when it is used, and has its address. */
static __always_inline void pt_made_socket(struct pt_ipc_call *call)
{
	struct pt_fresh fresh = {.made = 1};
	__u64 id;

	if (call->is.result < 0 || (pt_syscall_second(call->regs) & 0xf) != SOCK_DGRAM)
		return;
	id = pt_datagrams_of(pt_file_of(call->task, call->is.result));
	if (id)
		bpf_map_update_elem(&pt_fresh, &id, &fresh, BPF_ANY);
}

/* What was sent to its address before was not for it. */
static __always_inline void pt_bound(struct pt_ipc_call *call)
{
	__u64 id = pt_datagrams_of(pt_file_of(call->task, pt_syscall_first(call->regs)));
	struct pt_fresh fresh = {}, *known;

	if (!id)
		return;
	known = bpf_map_lookup_elem(&pt_fresh, &id);
	if (known)
		fresh.made = known->made;
	fresh.bound = pt_ipc_now(&call->is);
	bpf_map_update_elem(&pt_fresh, &id, &fresh, BPF_ANY);
}

/* A datagram socket may change its peer, and is described anew when it is used next. */
static __always_inline void pt_connected(struct pt_ipc_call *call)
{
	struct file *file = pt_file_of(call->task, pt_syscall_first(call->regs));
	__u64 id = pt_datagrams_of(file), inode;
	struct pt_end_state *end;

	if (!id)
		return;
	bpf_map_delete_elem(&pt_described, &id);
	inode = pt_read_address(struct file, (__u64)file, f_inode);
	end = pt_end_slot(call->table, inode);
	if (end->object == inode && end->id == id)
		pt_end_flush(&call->is, end);
	if (end->object == inode)
		end->object = end->id = 0;
}

/* Calls that make ends of channels with a descriptor. Apart from the others that are rare, as the stack is short. */
static __noinline int pt_ipc_made(struct pt_ipc_call *call)
{
	struct pt_regs *regs = call->regs;

	switch (call->is.end) {
	case PT_END_ACCEPT:
		pt_accepted(call, (__u64)pt_file_of(call->task, pt_syscall_first(regs)));
		return 0;
	case PT_END_LISTEN:
		if (!call->is.result)
			pt_made(call, pt_syscall_first(regs));
		return 0;
	case PT_END_SOCKET:
		pt_made_socket(call);
		return 0;
	case PT_END_CONNECT:
		if (!call->is.result)
			pt_connected(call);
		return 0;
	case PT_END_BIND:
		if (!call->is.result)
			pt_bound(call);
		return 0;
	case PT_END_PIPE:
		pt_made_pair(call, pt_syscall_first(regs));
		return 0;
	case PT_END_SOCKETPAIR:
		pt_made_pair(call, pt_syscall_fourth(regs));
		return 0;
	case PT_END_EVENTFD:
		pt_made_eventfd(call);
		return 0;
	}
	return 0;
}

/* The rarer calls. */
static __noinline int pt_ipc_other(struct pt_ipc_call *call)
{
	struct pt_regs *regs = call->regs;

	switch (call->is.end) {
	case PT_END_SENDMMSG:
		return pt_moved_messages(call, 1);
	case PT_END_RECVMMSG:
		return pt_moved_messages(call, 0);
	case PT_END_SPLICE:
		/* It may have been either that could do no more: the first that is a channel. */
		if (!pt_moved(call, pt_syscall_first(regs), 0, call->is.result, 1) ||
		    call->is.result > 0)
			pt_moved(call, pt_syscall_third(regs), 1, call->is.result, 1);
		return 0;
	case PT_END_TEE:
		pt_moved(call, pt_syscall_second(regs), 1, call->is.result, 1);
		return 0;
	case PT_END_VMSPLICE:
		pt_moved_pages(call);
		return 0;
	case PT_END_SENDFILE:
		pt_moved(call, pt_syscall_first(regs), 1, call->is.result, 1);
		if (call->is.result > 0)
			pt_moved(call, pt_syscall_second(regs), 0, call->is.result, 1);
		return 0;
	case PT_END_MQ_SEND:
		pt_moved(call, pt_syscall_first(regs), 1, pt_sent_whole(call), 1);
		return 0;
	case PT_END_MQ_RECEIVE:
		pt_moved(call, pt_syscall_first(regs), 0, call->is.result, 1);
		return 0;
	case PT_END_MSGSND:
		pt_moved_number(call, PT_CLASS_SYSV_QUEUE, PT_CHANNEL_SYSV_QUEUE, 1,
				pt_sent_whole(call));
		return 0;
	case PT_END_MSGRCV:
		if (pt_syscall_fifth(regs) & MSG_COPY)
			return 0;
		pt_moved_number(call, PT_CLASS_SYSV_QUEUE, PT_CHANNEL_SYSV_QUEUE, 0,
				call->is.result);
		return 0;
	case PT_END_PREAD:
	case PT_END_PWRITE:
		pt_moved(call, pt_syscall_first(regs), call->is.end == PT_END_PWRITE,
			 call->is.result, 1);
		return 0;
	case PT_END_RING:
		return pt_made_ring(call);
	case PT_END_VM_READ:
	case PT_END_VM_WRITE:
		pt_moved_number(call, PT_CLASS_MEMORY, PT_CHANNEL_MEMORY,
				call->is.end == PT_END_VM_WRITE, call->is.result);
		return 0;
	}
	return 0;
}

/* Which way a call moved what it moved, of the calls up to PT_END_RECVMSG: 1 sent, 0 received, -1: not at all, it peeked. */
static __always_inline __s32 pt_plain_direction(__u8 end, const struct pt_regs *regs)
{
	switch (end) {
	case PT_END_READ:
	case PT_END_READV:
		return 0;
	case PT_END_WRITE:
	case PT_END_SENDTO:
	case PT_END_WRITEV:
	case PT_END_SENDMSG:
		return 1;
	case PT_END_RECVFROM:
		return pt_syscall_fourth(regs) & (MSG_PEEK | MSG_ERRQUEUE) ? -1 : 0;
	case PT_END_RECVMSG:
		return pt_syscall_third(regs) & (MSG_PEEK | MSG_ERRQUEUE) ? -1 : 0;
	}
	return -1;
}

/*
 * The calls that servers make most: moved something through a socket that is summed up, in the same window, or through
 * what is no channel. True if that was it.
 */
static __always_inline bool pt_ipc_summed(const struct pt_cpu *cpu, struct task_struct *task,
					  const struct pt_regs *regs, __s64 result, __u8 call)
{
	struct pt_table *table =
		result > 0 && call <= PT_END_RECVMSG ? pt_table_at(cpu->table) : NULL;
	__s32 sent = pt_plain_direction(call, regs);
	struct pt_end_state *end;
	__u64 file, inode, jiffies;
	__u32 window;

	if (!table || sent < 0)
		return false;
	file = (__u64)pt_file_of(task, pt_syscall_first(regs));
	if (!file)
		return false;
	inode = pt_read_address(struct file, file, f_inode);
	end = &table->ends[pt_end_search(table, inode) % PT_TABLE_ENDS];
	if (end->object != inode || (end->id && !end->summed) ||
	    end->number != pt_read(struct inode, inode, i_ino))
		return false;
	if (!end->id)
		return true;
	/* Messages on Unix sockets may carry descriptors. */
	if (call > PT_END_SENDTO && end->kind == PT_CHANNEL_UNIX)
		return false;
	if (end->type == SOCK_DGRAM && pt_may_have_address(end, regs, call))
		return false;
	jiffies = bpf_jiffies64();
	window = pt_window_of(jiffies);
	/* Equal: in the same window, and nothing is left of the budget. */
	if (end->window[sent & 1] != window ||
	    (end->summed == PT_SUMMED_BUSY && table->state != window))
		return false;
	pt_sum_up(table, end, sent & 1, result, 1, jiffies);
	return true;
}

/* A call that moved nothing by its flags: it looked at messages, or at the errors of earlier ones. */
static __always_inline bool pt_is_look(const struct pt_ipc_call *call)
{
	if (call->is.end == PT_END_RECVMMSG)
		return pt_syscall_fourth(call->regs) & (MSG_PEEK | MSG_ERRQUEUE);
	return call->is.end <= PT_END_RECVMSG && pt_plain_direction(call->is.end, call->regs) < 0;
}

static __always_inline int pt_looked(struct pt_ipc_call *call)
{
	if (call->is.end == PT_END_RECVMSG)
		return pt_peeked(call, 0);
	if (call->is.end == PT_END_RECVMMSG && call->is.result > 0 &&
	    !(pt_syscall_fourth(call->regs) & MSG_ERRQUEUE))
		return pt_peeked(call, call->is.result);
	return 0;
}

/* The end of a call that has to do with channels. */
static __always_inline int pt_ipc_ended(struct pt_ipc_call *call)
{
	__s32 sent;

	if (call->is.end >= PT_END_ACCEPT && call->is.end <= PT_END_EVENTFD)
		return pt_ipc_made(call);
	if (pt_is_look(call))
		return pt_looked(call);
	if (call->is.end > PT_END_RECVMSG)
		return pt_ipc_other(call);
	sent = pt_plain_direction(call->is.end, call->regs);
	if (call->is.end == PT_END_SENDMSG || call->is.end == PT_END_RECVMSG) {
		pt_moved_message(call, sent);
		return 0;
	}
	if (call->is.end <= PT_END_WRITE)
		pt_value_of(call, pt_syscall_second(call->regs));
	pt_moved_one(call, sent);
	return 0;
}

#endif
