/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is sent and received by io_uring, as its requests complete: told like a system call of the task that asked, at
 * whichever task the completion comes up. Only users of io_uring pay for it.
 *
 * A request may complete many times. Such a completion does not say of which request it is, but by the name that the
 * program has given it: so these requests are noted when they are submitted. One that was submitted before recording
 * is looked for among those of its ring that wait for their file.
 */
#include "bpf/ipc.h"

/* include/uapi/linux/io_uring.h */
#define IOSQE_FIXED_FILE	 1  /* of a request's flags: its file is a registered one */
#define IOSQE_CQE_SKIP_SUCCESS	 64 /* it completes silently unless it fails */
#define IORING_CQE_F_MORE	 2
#define IORING_ACCEPT_MULTISHOT	 1
#define IORING_RECV_MULTISHOT	 2
#define IORING_RECVSEND_BUNDLE	 16
#define SPLICE_F_FD_IN_FIXED	 (1U << 31)
#define IORING_OP_RECVMSG	 10
#define IORING_OP_ACCEPT	 13
#define IORING_OP_SEND		 26
#define IORING_OP_RECV		 27
#define IORING_OP_READ_MULTISHOT 49
#define PT_RECVMSG_OUT		 16 /* sizeof(struct io_uring_recvmsg_out) */

/* include/linux/hash.h: GOLDEN_RATIO_64 */
#define PT_HASH_FACTOR 0x61C8864680B583EBULL

#define PT_URING_WAITING 64 /* requests with one hash that are looked at */
#define PT_SLOT_FLAGS	 3  /* below the address of a registered file */

/* A completion as the tracepoint tells it. */
struct pt_completion {
	__u64 ring;    /* if that is needed: there is no request */
	__u64 request; /* 0: this is not its last one */
	__u64 name;    /* that the program gave to the request */
	__s32 result;
	__u32 flags;
};

struct pt_uring_name {
	__u64 ring;
	__u64 name;
};

/* A request that may complete many times. Its address is not believed: it may be another one by now. */
struct pt_uring_request {
	__u64 address; /* 0: several have this name */
	__u64 header;  /* bytes of a result that are not of the message */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pt_uring_name);
	__type(value, struct pt_uring_request);
} pt_uring_requests SEC(".maps");

static __always_inline __u8 pt_uring_opcode(__u64 request)
{
	return pt_read(struct io_kiocb, request, opcode);
}

/* What an operation is to channels: enum pt_call_end. */
static __always_inline __u8 pt_uring_end(__u8 opcode)
{
	return opcode < PT_URING_OPS ? pt_config.uring_end[opcode] : PT_END_NOTHING;
}

/* Who asked for it. */
static __always_inline __u32 pt_uring_tid(__u64 request)
{
	struct io_kiocb___before_6_13 *old = NULL;
	__u64 task;

	if (bpf_core_field_exists(old->task)) {
		task = pt_read_address(struct io_kiocb___before_6_13, request, task);
	} else {
		task = pt_read_address(struct io_kiocb, request, tctx);
		task = pt_read_address(struct io_uring_task, task, task);
	}
	return pt_read(struct task_struct, task, pid);
}

/* May it complete more than once? */
static __always_inline bool pt_uring_repeats(__u64 request, __u8 opcode)
{
	struct io_accept *accept = NULL;

	switch (opcode) {
	case IORING_OP_READ_MULTISHOT:
		return true;
	case IORING_OP_ACCEPT:
		return !bpf_core_field_exists(accept->iou_flags) ||
		       pt_read(struct io_accept, request, iou_flags) & IORING_ACCEPT_MULTISHOT;
	case IORING_OP_SEND:
	case IORING_OP_RECV:
	case IORING_OP_RECVMSG:
		return pt_read(struct io_sr_msg, request, flags) &
		       (IORING_RECV_MULTISHOT | IORING_RECVSEND_BUNDLE);
	}
	return false;
}

/* Does it put a header, the sender's name and control data before each message? */
static __always_inline bool pt_uring_has_header(__u64 request, __u8 opcode)
{
	return opcode == IORING_OP_RECVMSG &&
	       pt_read(struct io_sr_msg, request, flags) & IORING_RECV_MULTISHOT;
}

/* Their size, from what the program handed in. */
static __always_inline __u64 pt_uring_header(__u64 request)
{
	__u64 pointer = pt_read_address(struct io_sr_msg, request, umsg);
	struct pt_msghdr message;

	bpf_probe_read_user(&message, sizeof(message), (void *)pointer);
	return PT_RECVMSG_OUT + (__u32)message.name_length + message.control_length;
}

/* And from what the kernel keeps of a request that waits. */
static __always_inline __u64 pt_uring_kept_header(__u64 request)
{
	__u64 kept = pt_read_address(struct io_kiocb, request, async_data);

	return PT_RECVMSG_OUT + pt_read(struct io_async_msghdr, kept, namelen) +
	       pt_read(struct io_async_msghdr, kept, controllen);
}

static __always_inline bool pt_uring_is(__u64 request, const struct pt_uring_name *name)
{
	return pt_read_address(struct io_kiocb, request, ctx) == name->ring &&
	       pt_read(struct io_kiocb, request, cqe.user_data) == name->name;
}

/* A search for a request by its name among those that wait for their file. */
struct pt_uring_scan {
	__u64 name;
	__u64 node;  /* the next in the list; 0: it has ended */
	__u64 found; /* a request */
};

/* One step of it; 0: it is over. Global, so that it is verified once, and the loop around it is short. */
__noinline int pt_uring_step(struct pt_uring_scan *scan)
{
	__u64 request;

	if (!scan || !scan->node)
		return 0;
	request = scan->node - bpf_core_field_offset(struct io_kiocb, hash_node);
	scan->node = pt_read_word(scan->node);
	if (pt_read(struct io_kiocb, request, cqe.user_data) != scan->name)
		return 1;
	if (scan->found) {
		scan->found = 0;
		return 0;
	}
	scan->found = request;
	return 1;
}

/* The request of that name in a table of its ring; 0: none, or several. */
__noinline __u64 pt_uring_waiting(__u64 table, __u64 name)
{
	__u32 bits = pt_read(struct io_hash_table, table, hash_bits);
	__u64 bucket = pt_read_address(struct io_hash_table, table, hbs);
	struct pt_uring_scan scan = {.name = name};

	if (!bits || bits > 31)
		return 0;
	bucket +=
		(name * PT_HASH_FACTOR >> (64 - bits)) * bpf_core_type_size(struct io_hash_bucket);
	scan.node = pt_read_address(struct io_hash_bucket, bucket, list.first);
	for (int i = 0; i < PT_URING_WAITING; i++) {
		if (!pt_uring_step(&scan))
			break;
	}
	return scan.found;
}

static __always_inline __u64 pt_uring_search(const struct pt_uring_name *name)
{
	struct io_ring_ctx___before_6_10 *old = NULL;
	__u64 found = pt_uring_waiting(
		name->ring + bpf_core_field_offset(struct io_ring_ctx, cancel_table), name->name);

	if (found || !bpf_core_field_exists(old->cancel_table_locked))
		return found;
	return pt_uring_waiting(name->ring + bpf_core_field_offset(struct io_ring_ctx___before_6_10,
								   cancel_table_locked),
				name->name);
}

/* Finds the request that a completion is of, if that does not say it: its address, 0: not known. */
static __always_inline void pt_uring_find(const struct pt_completion *done,
					  struct pt_uring_request *request)
{
	struct pt_uring_name name = {done->ring, done->name};
	struct pt_uring_request *known;

	request->address = done->request;
	if (done->request) {
		if (!pt_uring_repeats(done->request, pt_uring_opcode(done->request)))
			return;
		name.ring = pt_read_address(struct io_kiocb, done->request, ctx);
	}
	known = bpf_map_lookup_elem(&pt_uring_requests, &name);
	if (known) {
		request->header = known->header;
		if (done->request)
			bpf_map_delete_elem(&pt_uring_requests, &name);
		else if (known->address && pt_uring_is(known->address, &name))
			request->address = known->address;
	} else if (!done->request) {
		request->address = pt_uring_search(&name);
		if (!request->address)
			return;
		if (pt_uring_has_header(request->address, pt_uring_opcode(request->address)))
			request->header = pt_uring_kept_header(request->address);
		bpf_map_update_elem(&pt_uring_requests, &name, request, BPF_ANY);
	}
}

/* True if it was an end of a channel. */
static __noinline bool pt_uring_moved(struct pt_ipc_call *call, __u64 file, __u8 sent)
{
	struct pt_end_state *end;

	call->is.sent = sent;
	call->is.bytes = call->is.result;
	call->is.count = 1;
	end = pt_end_of_file(call, file);
	if (end)
		pt_end_count(&call->is, call->table, end);
	return end;
}

/* Where splice and tee take from; 0: not known. */
static __always_inline __u64 pt_uring_source(struct pt_ipc_call *call, __u64 request)
{
	struct io_splice *splice = NULL;
	__u64 node;

	if (!(pt_read(struct io_splice, request, flags) & SPLICE_F_FD_IN_FIXED))
		return (__u64)pt_file_of(call->task,
					 pt_read(struct io_splice, request, splice_fd_in));
	if (!bpf_core_field_exists(splice->rsrc_node))
		return 0;
	node = pt_read_address(struct io_splice, request, rsrc_node);
	return pt_read(struct io_rsrc_node, node, file_ptr) & ~(__u64)PT_SLOT_FLAGS;
}

static __always_inline bool pt_uring_spliced(struct pt_ipc_call *call, __u64 request, __u64 file)
{
	__u64 from = pt_uring_source(call, request);
	bool told = from && pt_uring_moved(call, from, 0);

	return (call->is.result > 0 && pt_uring_moved(call, file, 1)) || told;
}

static __always_inline bool pt_uring_accepted(struct pt_ipc_call *call, __u64 request, __u64 file)
{
	/* What goes to a place among the registered files has no descriptor. */
	if (call->is.result >= 0 && pt_read(struct io_accept, request, file_slot))
		call->is.result = 0x7fffffff;
	pt_accepted(call, file);
	return true;
}

static __always_inline bool pt_uring_message(struct pt_ipc_call *call, __u64 request, __u64 file)
{
	__u32 flags = pt_read(struct io_sr_msg, request, msg_flags);
	bool sent = call->is.end == PT_END_SENDMSG;

	if (!sent && flags & (MSG_PEEK | MSG_ERRQUEUE))
		return false;
	return pt_uring_moved(call, file, sent);
}

static __always_inline bool pt_uring_ended(struct pt_ipc_call *call, __u64 request, __u64 file)
{
	switch (call->is.end) {
	case PT_END_READ:
	case PT_END_READV:
	case PT_END_WRITE:
	case PT_END_WRITEV:
		pt_value_of(call, pt_read(struct io_rw, request, addr));
		return pt_uring_moved(
			call, file, call->is.end == PT_END_WRITE || call->is.end == PT_END_WRITEV);
	case PT_END_SENDMSG:
	case PT_END_RECVMSG:
		return pt_uring_message(call, request, file);
	case PT_END_SPLICE:
		return pt_uring_spliced(call, request, file);
	case PT_END_TEE:
		return pt_uring_moved(call, file, 1);
	case PT_END_ACCEPT:
		return pt_uring_accepted(call, request, file);
	}
	return false;
}

/* The task that has the CPU, as a number: the verifier takes longer over what is read through a pointer. */
static __always_inline __u64 pt_uring_current(void)
{
	return bpf_get_current_task();
}

/* Does the CPU know the task that has it? */
static __always_inline bool pt_uring_is_known(const struct pt_cpu *cpu)
{
	return cpu->registers && cpu->task == pt_uring_current();
}

static __always_inline bool pt_uring_is_target(const struct pt_cpu *cpu)
{
	return pt_uring_is_known(cpu) ? cpu->here
				      : pt_target_of(bpf_get_current_task_btf()) != NULL;
}

/* The table of the task that has the CPU; NULL: it has none, or not known which. */
static __always_inline struct pt_table *pt_uring_table(struct pt_cpu *cpu)
{
	struct pt_table *table = pt_uring_is_known(cpu) ? pt_table_take(cpu) : NULL;

	return cpu->table ? table : NULL;
}

/* Counts a request: in the table of whoever completes it. */
static __always_inline void pt_uring_count(struct pt_ipc *call, struct pt_table *table, __u32 tid,
					   bool told)
{
	__u64 window = pt_window_of(bpf_jiffies64());

	if (!table) {
		pt_uring_emit(call, tid, told, !told);
		return;
	}
	table->uring_told += told;
	table->uring_untold += !told;
	if (table->uring_window == window)
		return;
	table->uring_window = window;
	pt_uring_emit(call, tid, table->uring_told, table->uring_untold);
	table->uring_told = table->uring_untold = 0;
}

/* The table for what is told: that of the task that asked, if it has the CPU and one; else each call is told at once. */
static __always_inline struct pt_table *pt_uring_table_for(struct pt_ipc_call *call,
							   struct pt_table *own, __u32 tid)
{
	__u32 zero = 0;

	if (own && call->is.tid == tid)
		return own;
	call->is.spare = 1;
	return bpf_map_lookup_elem(&pt_spare_tables, &zero);
}

static __always_inline int pt_uring_completed(const struct pt_completion *done)
{
	struct pt_uring_request request = {};
	struct pt_cpu *cpu = pt_this_cpu();
	struct pt_ipc_call call = {};
	struct pt_table *own;
	__u64 file;
	__u32 tid;

	if (!cpu || pt_control.last || !pt_uring_is_target(cpu))
		return 0;
	tid = pt_read(struct task_struct, pt_uring_current(), pid);
	own = pt_uring_table(cpu);
	pt_uring_find(done, &request);
	if (!request.address) {
		if (done->flags & IORING_CQE_F_MORE)
			pt_uring_count(&call.is, own, tid, false);
		return 0;
	}
	call.is.end = pt_uring_end(pt_uring_opcode(request.address));
	file = pt_read_address(struct io_kiocb, request.address, file);
	if (!call.is.end || !file)
		return 0;
	call.is.result = done->result;
	if (call.is.result >= (__s64)request.header)
		call.is.result -= request.header;
	call.is.tid = pt_uring_tid(request.address);
	call.is.number = PT_CALL_URING;
	call.task = (struct task_struct *)pt_uring_current();
	call.table = pt_uring_table_for(&call, own, tid);
	if (!call.table)
		return 0;
	if (!call.is.spare)
		pt_table_turn(&call.is, call.table);
	if (call.is.end == PT_END_UNTOLD)
		pt_uring_count(&call.is, own, tid, false);
	else if (pt_uring_ended(&call, request.address, file))
		pt_uring_count(&call.is, own, tid, true);
	return 0;
}

/* A ring's address as a number, which the argument is not to all verifiers. */
static __always_inline __u64 pt_uring_ring(const __u64 *arguments)
{
	__u64 ring = 0;

	bpf_probe_read_kernel(&ring, sizeof(ring), arguments);
	return ring;
}

/* In newer kernels the last argument is what the program will see of the completion. */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(pt_uring_complete, void *ring, __u64 request, __u64 entry)
{
	struct pt_completion done = {
		.ring = request ? 0 : pt_uring_ring(ctx),
		.request = request,
		.name = pt_read(struct io_uring_cqe, entry, user_data),
		.result = pt_read(struct io_uring_cqe, entry, res),
		.flags = pt_read(struct io_uring_cqe, entry, flags),
	};

	return pt_uring_completed(&done);
}

/* In older ones the arguments are its members. */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(pt_uring_complete_by_value, void *ring, __u64 request, __u64 name, __s32 result,
	     __u32 flags)
{
	struct pt_completion done = {request ? 0 : pt_uring_ring(ctx), request, name, result,
				     flags};

	return pt_uring_completed(&done);
}

/* One more request of the task that has the CPU of which it is not known what it moved. */
static __always_inline int pt_uring_untold(struct pt_cpu *cpu)
{
	struct pt_ipc call = {};

	pt_uring_count(&call, pt_uring_table(cpu),
		       pt_read(struct task_struct, pt_uring_current(), pid), false);
	return 0;
}

/* There was no room for a completion. It may be one that moved something: of which request it is is not said. */
SEC("tp_btf/io_uring_cqe_overflow")
int BPF_PROG(pt_uring_overflow)
{
	struct pt_cpu *cpu = pt_this_cpu();

	return cpu && !pt_control.last && pt_uring_is_target(cpu) ? pt_uring_untold(cpu) : 0;
}

/* Whether a request that completes silently moves something through a channel cannot be told, but of files by their descriptors. */
static __always_inline bool pt_uring_is_regular(__u64 request, __u32 flags)
{
	struct task_struct *task = (struct task_struct *)pt_uring_current();
	__u64 file, inode;

	if (flags & IOSQE_FIXED_FILE)
		return false;
	file = (__u64)pt_file_of(task, pt_read(struct io_kiocb, request, cqe.fd));
	inode = pt_read_address(struct file, file, f_inode);
	return (pt_read(struct inode, inode, i_mode) & S_IFMT) == S_IFREG;
}

static __always_inline void pt_uring_note(__u64 request, __u8 opcode)
{
	struct pt_uring_name name = {
		.ring = pt_read_address(struct io_kiocb, request, ctx),
		.name = pt_read(struct io_kiocb, request, cqe.user_data),
	};
	struct pt_uring_request note = {.address = request}, *known;

	if (pt_uring_has_header(request, opcode))
		note.header = pt_uring_header(request);

	known = bpf_map_lookup_elem(&pt_uring_requests, &name);
	if (known && known->address != request && pt_uring_is(known->address, &name) &&
	    pt_uring_repeats(known->address, pt_uring_opcode(known->address)))
		note.address = 0;
	bpf_map_update_elem(&pt_uring_requests, &name, &note, BPF_ANY);
}

static __always_inline int pt_uring_submitted(__u64 request)
{
	__u8 opcode = pt_uring_opcode(request), end = pt_uring_end(opcode);
	__u32 flags = pt_read(struct io_kiocb, request, flags);
	struct pt_cpu *cpu = pt_this_cpu();
	bool repeats;

	if (!end || !cpu || pt_control.last)
		return 0;
	repeats = pt_uring_repeats(request, opcode);
	if ((!repeats && !(flags & IOSQE_CQE_SKIP_SUCCESS)) || !pt_uring_is_target(cpu))
		return 0;
	if (repeats)
		pt_uring_note(request, opcode);
	if (flags & IOSQE_CQE_SKIP_SUCCESS && !pt_uring_is_regular(request, flags))
		pt_uring_untold(cpu);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(pt_uring_submit, struct io_kiocb *request)
{
	return pt_uring_submitted((__u64)request);
}

/* Its name before 6.4. */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(pt_uring_submit_entry, struct io_kiocb *request)
{
	return pt_uring_submitted((__u64)request);
}
