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
	if (!table)
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
	if (pt_config.drop_shows_packet)
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
