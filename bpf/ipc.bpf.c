/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Channels: what a task has summed up is told when it exits and when recording ends. */
#include "bpf/endpoint.h"
#include "bpf/reason.h"

static __always_inline void pt_task_flush(struct task_struct *task, bool exits)
{
	struct pt_target *target = pt_target_of(task);
	struct pt_ipc call = {.tid = task->pid};
	struct pt_table *table;

	if (!target || !target->table)
		return;
	table = pt_table_at(target->table);
	/* At the end of the recording a task may exit while the iterator is at it. */
	if (!table || __sync_lock_test_and_set(&table->closed, 1))
		return;
	pt_table_flush(&call, table);
	if (exits)
		pt_table_give(target, table);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pt_ipc_exit, struct task_struct *task)
{
	pt_task_flush(task, true);
	return 0;
}

SEC("iter/task")
int pt_ipc_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		pt_task_flush(task, false);
	return 0;
}

/* What lies in the TCP sockets that targets have used, or at their other sides, whoever has them open. Run when recording ends. */
static __always_inline int pt_leftover_tell(struct file *file, __u64 id, bool target)
{
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_sequences is = {};
	__u64 tcp = pt_tcp_behind((__u64)file);

	pt_sequences_read(&is, tcp);
	if (!cpu || !is.open)
		return 0;
	PT_MESSAGE(leftover);
	message->row = (struct pt_leftover){
		.time = bpf_ktime_get_ns(),
		.end = id,
		.unread = is.unread,
		.unacked = is.written - pt_tcp_acked(tcp, is.written),
		.copied = is.copied,
		.written = is.written,
		.flags = target ? PT_LEFTOVER_TARGET : 0,
	};
	pt_commit(cpu, message);
	return 0;
}

SEC("iter/task_file")
int pt_ipc_iter_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct inode *inode;
	__u32 *known;
	bool target;
	__u64 id;

	if (!file || !task)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	id = PT_ENDPOINT_OF(PT_CLASS_SOCKET, BPF_CORE_READ(inode, i_ino));
	known = bpf_map_lookup_elem(&pt_described, &id);
	if (!known)
		known = bpf_map_lookup_elem(&pt_opposites, &id);
	if (!known || !(*known & PT_DESCRIBED_TCP))
		return 0;
	/* Several may have it open. */
	target = pt_target_of(task) != NULL;
	if (target)
		*known &= ~PT_DESCRIBED_TCP;
	return pt_leftover_tell(file, id, target);
}

/* Who had sent a packet, as far as it still tells. */
static __always_inline void pt_drop_sender(struct pt_drop *row, struct sk_buff *packet)
{
	unsigned char *head = BPF_CORE_READ(packet, head);
	unsigned char *network = head + BPF_CORE_READ(packet, network_header);
	struct udphdr *udp = (struct udphdr *)(head + BPF_CORE_READ(packet, transport_header));

	row->bytes = BPF_CORE_READ(packet, len);
	row->port = __builtin_bswap16(BPF_CORE_READ(udp, source));
	if (BPF_CORE_READ(packet, protocol) == __builtin_bswap16(ETH_P_IP))
		row->low = __builtin_bswap32(BPF_CORE_READ((struct iphdr *)network, saddr));
	else
		pt_address_of(&row->high, &row->low,
			      __builtin_preserve_access_index(&((struct ipv6hdr *)network)->saddr));
}

static __always_inline int pt_drop_emit(struct pt_cpu *cpu, __u64 end, struct sk_buff *packet)
{
	PT_MESSAGE(drop);
	message->row = (struct pt_drop){
		.time = bpf_ktime_get_ns(),
		.end = end,
		.tid = bpf_get_current_task_btf()->pid,
	};
	if (packet)
		pt_drop_sender(&message->row, packet);
	pt_commit(cpu, message);
	return 0;
}

#define PT_DROP_SHOWS_PACKET 4 /* arguments, with which the packet is the third */

/*
 * A datagram found no room. On loopback that happens within the call that sends it; else whoever runs is not concerned, and
 * only a socket that a target has used is of interest.
 */
SEC("tp_btf/udp_fail_queue_rcv_skb")
int pt_ipc_drop(unsigned long long *ctx)
{
	struct sock *sock = (struct sock *)ctx[1];
	struct pt_cpu *cpu = pt_this_cpu();
	__u64 end = PT_ENDPOINT_OF(PT_CLASS_SOCKET, pt_inode_of_sock(sock));

	if (!cpu || (!pt_target_of(bpf_get_current_task_btf()) &&
		     !bpf_map_lookup_elem(&pt_described, &end)))
		return 0;
	if (pt_config.drop_arguments >= PT_DROP_SHOWS_PACKET)
		return pt_drop_emit(cpu, end, (struct sk_buff *)ctx[2]);
	return pt_drop_emit(cpu, end, NULL);
}

struct pt_learn {
	__u32 eventfd; /* a descriptor of the caller */
};

/* Learns by an example how an eventfd is known from other files without an inode of their own. */
SEC("syscall")
int pt_ipc_learn(struct pt_learn *example)
{
	struct file *file = pt_file_of(bpf_get_current_task_btf(), example->eventfd);

	if (!file)
		return 0;
	pt_control.eventfd_operations = (__u64)BPF_CORE_READ(file, f_op);
	pt_control.anonymous_inode = (__u64)BPF_CORE_READ(file, f_inode);
	return 0;
}
