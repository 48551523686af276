/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ends of channels: what stands behind a descriptor, by kernel identity. An end is named by an inode number, which the
 * kernel does not use again for pipes and sockets until it has gone round; eventfds share one inode, and their objects'
 * addresses and numbers are used again at once, so that they get names from a counter.
 *
 * Every end is described once, when a target is first seen to use it.
 */
#ifndef PT_BPF_ENDPOINT_H
#define PT_BPF_ENDPOINT_H

#include "bpf/ends.h"
#include "bpf/reason.h"

#define PIPEFS_MAGIC 0x50495045
#define MQUEUE_MAGIC 0x19800202

#define SOCK_STREAM	1
#define ETH_P_IP	0x0800
#define IPPROTO_TCP	6
#define IPPROTO_MPTCP	262
#define TCP_LISTEN	10
#define EFD_SEMAPHORE	1
#define FMODE_READ	1
#define FMODE_WRITE	2
#define PT_QUEUE_WALK	16 /* buffers of a queue that are looked at */
#define PT_ADDRESS_TEXT 112

struct pt_endpoint_message {
	struct pt_header header;
	struct pt_endpoint row;
	char text[PT_ADDRESS_TEXT + 8]; /* the rest for padding */
};

struct pt_endpoint_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_endpoint_message);
};
extern struct pt_endpoint_scratch_map pt_endpoint_scratch SEC(".maps");

struct pt_eventfd_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);   /* eventfd_ctx */
	__type(value, __u64); /* its name: unlike the address, never used again */
};
extern struct pt_eventfd_map pt_eventfds SEC(".maps");

/* Datagram sockets that were made or bound during the recording and not described yet. */
struct pt_fresh {
	__u64 made;
	__u64 bound; /* CLOCK_MONOTONIC, 0: not yet */
};

struct pt_fresh_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct pt_fresh);
};
extern struct pt_fresh_map pt_fresh SEC(".maps");

static __always_inline __u64 pt_eventfd_new_id(__u64 context)
{
	__u64 id = __sync_fetch_and_add(&pt_control.eventfds, 1) + 1;

	bpf_map_update_elem(&pt_eventfds, &context, &id, BPF_ANY);
	return id;
}

static __always_inline __u64 pt_eventfd_id(__u64 context)
{
	__u64 *known = bpf_map_lookup_elem(&pt_eventfds, &context);

	return known ? *known : pt_eventfd_new_id(context);
}

static __always_inline bool pt_is_eventfd(struct file *file)
{
	__u64 operations = (__u64)BPF_CORE_READ(file, f_op);

	return operations && operations == pt_control.eventfd_operations;
}

static __always_inline __u64 pt_inode_of_sock(struct sock *sock)
{
	struct socket *socket = BPF_CORE_READ(sock, sk_socket);

	return socket ? BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino) : 0;
}

static __always_inline __u8 pt_kind_of_sock(struct sock *sock)
{
	__u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
	__u16 protocol;

	if (family == AF_UNIX)
		return PT_CHANNEL_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return PT_CHANNEL_SOCKET;
	protocol = BPF_CORE_READ(sock, sk_protocol);
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP)
		return PT_CHANNEL_TCP;
	return protocol == IPPROTO_UDP ? PT_CHANNEL_UDP : PT_CHANNEL_SOCKET;
}

static __always_inline struct sock *pt_sock_of(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* Does each message have an address of its own? */
static __always_inline bool pt_sock_is_open(const struct pt_end_state *end, struct sock *sock)
{
	if (end->type != SOCK_DGRAM)
		return false;
	if (end->kind == PT_CHANNEL_UNIX)
		return !BPF_CORE_READ((struct unix_sock *)sock, peer);
	return end->kind == PT_CHANNEL_UDP && !BPF_CORE_READ(sock, __sk_common.skc_dport);
}

/*
 * The kernel object behind the struct file at an address, by which an end is found again, and what tells it from others
 * that were at the same place before.
 */
static __always_inline __u64 pt_object_behind(__u64 file, __u64 *number)
{
	__u64 object = pt_read_address(struct file, file, f_inode);

	if (object == pt_control.anonymous_inode) {
		*number = pt_control.eventfds;
		return pt_read_address(struct file, file, private_data);
	}
	*number = pt_read(struct inode, object, i_ino);
	return object;
}

/* Says what a file is: fills in the rest of a state whose object and number are known. */
static __always_inline void pt_end_identify(struct pt_end_state *end, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u16 format = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	unsigned long magic;
	struct sock *sock;

	if ((__u64)inode == pt_control.anonymous_inode) {
		if (!pt_is_eventfd(file))
			return;
		end->kind = PT_CHANNEL_EVENTFD;
		end->id = PT_ENDPOINT_OF(PT_CLASS_EVENTFD, pt_eventfd_id(end->object));
	} else if (format == S_IFSOCK) {
		sock = pt_sock_of(file);
		end->kind = pt_kind_of_sock(sock);
		end->type = BPF_CORE_READ(sock, sk_type);
		end->port = end->kind == PT_CHANNEL_TCP || end->kind == PT_CHANNEL_UDP
				    ? BPF_CORE_READ(sock, __sk_common.skc_num)
				    : 0;
		end->open = pt_sock_is_open(end, sock);
		end->summed =
			end->kind == PT_CHANNEL_UNIX || end->open ? PT_SUMMED_NOT : PT_SUMMED_BUSY;
		if (end->kind == PT_CHANNEL_TCP && BPF_CORE_READ(sock, sk_protocol) == IPPROTO_TCP)
			end->sequences =
				PT_SEQUENCES_KEPT | PT_SEQUENCES_UNTOLD(0) | PT_SEQUENCES_UNTOLD(1);
		end->id = PT_ENDPOINT_OF(PT_CLASS_SOCKET, end->number);
	} else if (format == S_IFIFO) {
		magic = BPF_CORE_READ(inode, i_sb, s_magic);
		end->kind = magic == PIPEFS_MAGIC ? PT_CHANNEL_PIPE : PT_CHANNEL_FIFO;
		end->id = magic == PIPEFS_MAGIC
				  ? PT_ENDPOINT_OF(PT_CLASS_PIPE, end->number)
				  : PT_ENDPOINT_OF_FILE(PT_CLASS_FIFO,
							BPF_CORE_READ(inode, i_sb, s_dev),
							end->number);
	} else if (format == S_IFREG && BPF_CORE_READ(inode, i_sb, s_magic) == MQUEUE_MAGIC) {
		end->kind = PT_CHANNEL_POSIX_QUEUE;
		end->id = PT_ENDPOINT_OF(PT_CLASS_POSIX_QUEUE, end->number);
	}
}

static __always_inline void pt_describe_pipe(struct pt_endpoint *row, struct file *file)
{
	struct pipe_inode_info *pipe = BPF_CORE_READ(file, private_data);
	__u32 head = BPF_CORE_READ(pipe, head), at = BPF_CORE_READ(pipe, tail);
	__u32 size = BPF_CORE_READ(pipe, ring_size), length;
	char *buffers = (char *)BPF_CORE_READ(pipe, bufs);

	if (head - at > PT_QUEUE_WALK)
		row->flags |= PT_ENDPOINT_UNSURE;
	for (__u32 i = 0; i < PT_QUEUE_WALK && at != head; i++, at++) {
		struct pipe_buffer *buffer =
			(void *)(buffers +
				 (at & (size - 1)) * bpf_core_type_size(struct pipe_buffer));

		length = BPF_CORE_READ(buffer, len);
		row->queued += length;
	}
}

/*
 * Bytes that lie in a Unix stream socket, found by its address, to be received; PT_QUEUE_LONGER is added if there are
 * more. Global, so that the verifier goes through the loop once, not for each side.
 */
#define PT_QUEUE_LONGER (1ULL << 63)

__noinline __u64 pt_unix_bytes(__u64 sock)
{
	__u64 head = sock + bpf_core_field_offset(struct sock, sk_receive_queue);
	__u64 buffer = pt_read_address(struct sock, sock, sk_receive_queue.next);
	__u64 parameters, sum = 0;

	for (int i = 0; i < PT_QUEUE_WALK && buffer != head; i++) {
		parameters = buffer + bpf_core_field_offset(struct sk_buff, cb);
		sum += pt_read(struct sk_buff, buffer, len) -
		       pt_read(struct unix_skb_parms, parameters, consumed);
		buffer = pt_read_address(struct sk_buff, buffer, next);
	}
	return buffer == head ? sum : sum | PT_QUEUE_LONGER;
}

/* What lies in a Unix socket to be received: bytes, or messages. */
static __always_inline __u64 pt_unix_queued(struct pt_endpoint *row, struct sock *sock)
{
	__u64 bytes;

	if (row->type != SOCK_STREAM)
		return BPF_CORE_READ(sock, sk_receive_queue.qlen);
	bytes = pt_unix_bytes((__u64)sock);
	if (bytes & PT_QUEUE_LONGER)
		row->flags |= PT_ENDPOINT_UNSURE;
	return bytes & ~PT_QUEUE_LONGER;
}

/*
 * The address that one of both sides is bound to: "/path", or "@name". Returns its length. Not inlined, so that the
 * length is bounded in a register: the verifier of 6.1 forgets bounds of what was spilled before.
 */
static __noinline __u32 pt_unix_address(char *text, struct unix_sock *sock)
{
	struct unix_address *address = BPF_CORE_READ(sock, addr);
	__u32 length;
	char *name;

	if (!address)
		return 0;
	length = BPF_CORE_READ(address, len) - sizeof(__u16);
	name = (char *)__builtin_preserve_access_index(&address->len) + sizeof(int) + sizeof(__u16);
	if (length > PT_ADDRESS_TEXT)
		length = PT_ADDRESS_TEXT;
	if (bpf_probe_read_kernel(text, length, name))
		return 0;
	if (length && !text[0])
		text[0] = '@';
	return length;
}

static __always_inline void pt_describe_unix(struct pt_endpoint_message *message, struct sock *sock)
{
	struct pt_endpoint *row = &message->row;
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sock, peer);
	struct pid *pid = BPF_CORE_READ(sock, sk_peer_pid);
	__u64 inode = peer ? pt_inode_of_sock(peer) : 0;
	struct dentry *bound = BPF_CORE_READ((struct unix_sock *)sock, path.dentry);

	row->queued = pt_unix_queued(row, sock);
	row->network = BPF_CORE_READ(sock, __sk_common.skc_net.net, ns.inum);
	row->text = pt_unix_address(message->text, (struct unix_sock *)sock);
	if (row->text)
		row->flags |= PT_ENDPOINT_NAMED;
	if (bound) {
		row->inode = BPF_CORE_READ(bound, d_inode, i_ino);
		row->folder = BPF_CORE_READ(bound, d_parent, d_inode, i_ino);
		row->device = BPF_CORE_READ(bound, d_inode, i_sb, s_dev);
	}
	if (pid)
		row->peer_pid = BPF_CORE_READ(pid, numbers[0].nr);
	if (!peer)
		return;
	row->peer_queued = pt_unix_queued(row, peer);
	row->peer = inode ? PT_ENDPOINT_OF(PT_CLASS_SOCKET, inode) : 0;
	if (!row->text)
		row->text = pt_unix_address(message->text, (struct unix_sock *)peer);
}

/* An IPv6 address that stands for one of IPv4 becomes it. */
static __always_inline void pt_address_of(__u64 *high, __u64 *low, const struct in6_addr *from)
{
	__u64 words[2] = {};

	bpf_probe_read_kernel(words, sizeof(words), from);
	*high = __builtin_bswap64(words[0]);
	*low = __builtin_bswap64(words[1]);
	if (!*high && *low >> 32 == 0xffff)
		*low = (__u32)*low;
}

static __always_inline bool pt_is_loopback(__u64 high, __u64 low)
{
	return !high && (low == 1 || low >> 24 == 127);
}

static __always_inline void pt_describe_udp(struct pt_endpoint *row, struct sock *sock)
{
	struct sock_common *common = &sock->__sk_common;

	row->queued += BPF_CORE_READ((struct udp_sock *)sock, reader_queue.qlen);
	if (BPF_CORE_READ_BITFIELD_PROBED(common, skc_reuseport) ||
	    BPF_CORE_READ_BITFIELD_PROBED(common, skc_reuse))
		row->flags |= PT_ENDPOINT_SHARED;
	if (row->family == AF_INET6 && BPF_CORE_READ_BITFIELD_PROBED(common, skc_ipv6only))
		row->flags |= PT_ENDPOINT_SIX_ONLY;
}

static __always_inline void pt_describe_inet(struct pt_endpoint *row, struct sock *sock)
{
	struct sock_common *common = &sock->__sk_common;
	struct tcp_sock *tcp = (struct tcp_sock *)sock;

	row->network = BPF_CORE_READ(common, skc_net.net, ns.inum);
	row->local_port = BPF_CORE_READ(common, skc_num);
	row->peer_port = __builtin_bswap16(BPF_CORE_READ(common, skc_dport));
	if (row->family == AF_INET) {
		row->local_low = __builtin_bswap32(BPF_CORE_READ(common, skc_rcv_saddr));
		row->peer_low = __builtin_bswap32(BPF_CORE_READ(common, skc_daddr));
	} else if (bpf_core_field_exists(common->skc_v6_daddr)) {
		pt_address_of(&row->local_high, &row->local_low,
			      __builtin_preserve_access_index(&common->skc_v6_rcv_saddr));
		pt_address_of(&row->peer_high, &row->peer_low,
			      __builtin_preserve_access_index(&common->skc_v6_daddr));
	}
	if (row->peer_port &&
	    (pt_is_loopback(row->peer_high, row->peer_low) ||
	     (row->peer_high == row->local_high && row->peer_low == row->local_low)))
		row->flags |= PT_ENDPOINT_LOOPBACK;
	if (row->kind == PT_CHANNEL_TCP && BPF_CORE_READ(common, skc_state) == TCP_LISTEN)
		row->flags |= PT_ENDPOINT_LISTENS;
	else if (row->kind == PT_CHANNEL_TCP && !(row->flags & PT_ENDPOINT_SEQUENCE))
		row->flags |= row->flags & PT_ENDPOINT_CREATED ? 0 : PT_ENDPOINT_UNSURE; /* MPTCP */
	else if (row->kind == PT_CHANNEL_TCP)
		row->queued = (__u32)(BPF_CORE_READ(tcp, rcv_nxt) - BPF_CORE_READ(tcp, copied_seq));
	else
		row->queued = BPF_CORE_READ(sock, sk_receive_queue.qlen);
	if (row->kind == PT_CHANNEL_UDP)
		pt_describe_udp(row, sock);
}

/* What was in the queues before the call at hand: messages count as one where they are kept apart. */
static __always_inline void pt_queues_before(struct pt_endpoint *row, const struct pt_ipc *call)
{
	bool whole = row->type && row->type != SOCK_STREAM;
	__u64 moved = call->bytes <= 0 ? 0 : whole ? call->count : call->bytes;
	/* What has no other side is written into and read from at one place. */
	__u64 *queue = !row->type || !call->sent ? &row->queued : &row->peer_queued;

	if (row->kind == PT_CHANNEL_EVENTFD && moved)
		moved = call->value;
	if (call->flags & PT_ENDPOINT_CREATED || !moved)
		return;
	if (!call->sent) {
		*queue += moved;
	} else if (row->kind == PT_CHANNEL_TCP || row->kind == PT_CHANNEL_UDP) {
		*queue = 0;
	} else if (*queue >= moved) {
		*queue -= moved;
	} else { /* the other side was quicker */
		*queue = 0;
	}
}

static __always_inline void pt_describe_socket(struct pt_endpoint_message *message,
					       struct file *file)
{
	struct sock *sock = pt_sock_of(file);
	struct pt_endpoint *row = &message->row;

	row->family = BPF_CORE_READ(sock, __sk_common.skc_family);
	if (row->kind == PT_CHANNEL_UNIX)
		pt_describe_unix(message, sock);
	else if (row->kind != PT_CHANNEL_SOCKET)
		pt_describe_inet(row, sock);
}

static __always_inline void pt_describe_fifo(struct pt_endpoint_message *message, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	long length = bpf_probe_read_kernel_str(message->text, PT_ADDRESS_TEXT, name);

	message->row.device = BPF_CORE_READ(inode, i_sb, s_dev);
	message->row.text = length > 1 ? length - 1 : 0;
}

static __always_inline void pt_describe_eventfd(struct pt_endpoint *row, struct file *file)
{
	struct eventfd_ctx *context = BPF_CORE_READ(file, private_data);

	row->queued = BPF_CORE_READ(context, count);
	if (bpf_core_field_exists(context->id))
		row->device = BPF_CORE_READ(context, id);
	if (BPF_CORE_READ(context, flags) & EFD_SEMAPHORE)
		row->flags |= PT_ENDPOINT_SEMAPHORE;
}

static __always_inline void pt_sequence_begin(struct pt_ipc *call, __u64 id, struct file *file)
{
	struct pt_sequences is = {};

	pt_sequences_read(&is, pt_tcp_behind((__u64)file));
	if (is.open)
		pt_sequence_emit(call, id, PT_SEQUENCE_RECEIVED | PT_SEQUENCE_SENT, &is);
}

static __always_inline void pt_describe_fresh(struct pt_endpoint *row, __u64 id)
{
	struct pt_fresh *fresh = bpf_map_lookup_elem(&pt_fresh, &id);

	if (!fresh)
		return;
	if (fresh->made)
		row->flags |= PT_ENDPOINT_FRESH;
	if (fresh->bound && fresh->bound < row->time)
		row->age = row->time - fresh->bound;
	bpf_map_delete_elem(&pt_fresh, &id);
}

/*
 * Emits the description of an end that has none yet. At `address` is the struct file, 0: there is none behind it. Global,
 * as it is long and called for ends of both sorts.
 */
__noinline int pt_end_describe(struct pt_ipc *call, struct pt_end_state *end, __u64 address)
{
	struct file *file = (struct file *)address;
	struct pt_endpoint_message *message;
	struct pt_cpu *cpu = pt_this_cpu();
	__u32 zero = 0, index = bpf_get_smp_processor_id(), length;
	__u32 known = PT_DESCRIBED;
	__u64 id;
	void *ring;

	if (!call || !end)
		return 0;
	id = end->id;
	if (end->sequences)
		known |= PT_DESCRIBED_TCP;
	/* Nobody has used it yet: both its directions begin here. */
	if (end->sequences && call->flags & PT_ENDPOINT_CREATED)
		known |= PT_DESCRIBED_SEQUENCE(0) | PT_DESCRIBED_SEQUENCE(1);
	if (bpf_map_update_elem(&pt_described, &id, &known, BPF_NOEXIST))
		return 0;
	message = bpf_map_lookup_elem(&pt_endpoint_scratch, &zero);
	ring = bpf_map_lookup_elem(&pt_rings, &index);
	if (!message || !ring || !cpu)
		return 0;
	message->row = (struct pt_endpoint){
		.time = pt_ipc_now(call),
		.end = id,
		.tid = call->tid,
		.flags = call->flags | (end->sequences ? PT_ENDPOINT_SEQUENCE : 0),
		.kind = end->kind,
		.type = end->type,
	};
	if (end->kind == PT_CHANNEL_PIPE || end->kind == PT_CHANNEL_FIFO)
		pt_describe_pipe(&message->row, file);
	if (end->kind == PT_CHANNEL_FIFO)
		pt_describe_fifo(message, file);
	else if (end->kind == PT_CHANNEL_EVENTFD)
		pt_describe_eventfd(&message->row, file);
	else if (end->kind >= PT_CHANNEL_UNIX && end->kind <= PT_CHANNEL_SOCKET)
		pt_describe_socket(message, file);
	pt_queues_before(&message->row, call);
	if (end->type == SOCK_DGRAM)
		pt_describe_fresh(&message->row, id);
	length = message->row.text;
	if (length > PT_ADDRESS_TEXT)
		length = PT_ADDRESS_TEXT;
	message->row.text = length;
	message->header = PT_HEADER(endpoint);
	message->header.size += length;
	if (bpf_ringbuf_output(ring, message,
			       sizeof(*message) - sizeof(message->text) + ((length + 7) & ~7U),
			       BPF_RB_NO_WAKEUP))
		cpu->lost[PT_KIND_endpoint]++;
	if (known & PT_DESCRIBED_SEQUENCE(0))
		pt_sequence_begin(call, id, file);
	return 0;
}

/*
 * Another end takes the place of the one in the table, of which all has been told: that behind the struct file at an
 * address.
 */
__noinline int pt_end_load(struct pt_ipc *call, struct pt_end_state *end, __u64 address,
			   __u64 object, __u64 number)
{
	struct file *file = (struct file *)address;

	if (!call || !end)
		return 0;
	__builtin_memset(end, 0, sizeof(*end)); /* the stack is short */
	end->object = object;
	end->number = number;
	pt_end_identify(end, file);
	if (end->kind == PT_CHANNEL_EVENTFD)
		end->number = pt_control.eventfds; /* a new name has raised that */
	if (end->id)
		pt_end_describe(call, end, address);
	return 0;
}

#endif
