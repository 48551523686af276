/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/uring.h"

#include <string.h>

#include <bpf/btf.h>

#include "base/types.h"

/* What may be asked for by io_uring; the numbers are those of enum io_uring_op, which older headers lack in part. */
static const struct {
	uint8_t operation;
	uint8_t end;
} uring_ends[] = {
	{1, PT_END_READV},    /* READV */
	{2, PT_END_WRITEV},   /* WRITEV */
	{4, PT_END_READ},     /* READ_FIXED */
	{5, PT_END_WRITE},    /* WRITE_FIXED */
	{9, PT_END_SENDMSG},  /* SENDMSG */
	{10, PT_END_RECVMSG}, /* RECVMSG */
	{13, PT_END_ACCEPT},  /* ACCEPT */
	{22, PT_END_READ},    /* READ */
	{23, PT_END_WRITE},   /* WRITE */
	{26, PT_END_SENDMSG}, /* SEND */
	{27, PT_END_RECVMSG}, /* RECV */
	{30, PT_END_SPLICE},  /* SPLICE */
	{33, PT_END_TEE},     /* TEE */
	{47, PT_END_SENDMSG}, /* SEND_ZC */
	{48, PT_END_SENDMSG}, /* SENDMSG_ZC */
	{49, PT_END_READ},    /* READ_MULTISHOT */
	{58, PT_END_UNTOLD},  /* RECV_ZC: its bytes complete in a way of their own */
	{60, PT_END_READV},   /* READV_FIXED */
	{61, PT_END_WRITEV},  /* WRITEV_FIXED */
};

/* Members without which the probes cannot be loaded; what they can do without, they ask for themselves. */
static const struct {
	const char *type;
	const char *member;
} needed[] = {
	{"io_kiocb", "file"},
	{"io_kiocb", "opcode"},
	{"io_kiocb", "flags"},
	{"io_kiocb", "cqe"},
	{"io_kiocb", "ctx"},
	{"io_kiocb", "hash_node"},
	{"io_kiocb", "async_data"},
	{"io_cqe", "user_data"},
	{"io_cqe", "fd"},
	{"io_uring_cqe", "user_data"},
	{"io_uring_cqe", "res"},
	{"io_uring_cqe", "flags"},
	{"io_ring_ctx", "cancel_table"},
	{"io_hash_table", "hbs"},
	{"io_hash_table", "hash_bits"},
	{"io_hash_bucket", "list"},
	{"io_async_msghdr", "namelen"},
	{"io_async_msghdr", "controllen"},
	{"io_sr_msg", "umsg"},
	{"io_sr_msg", "msg_flags"},
	{"io_sr_msg", "flags"},
	{"io_rw", "addr"},
	{"io_accept", "file_slot"},
	{"io_splice", "splice_fd_in"},
	{"io_splice", "flags"},
};

/* What was found in the kernel's types. */
struct found {
	uint32_t needed;    /* a bit for each */
	bool task, context; /* who asked is told by one of two members */
	int complete, submit,
		submit_entry; /* arguments of the tracepoints, their private ones included; 0: no such */
};

static bool has_member(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_member *member = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *inner = btf__type_by_id(btf, member[i].type);

		if (!strcmp(btf__name_by_offset(btf, member[i].name_off), name) ||
		    (!member[i].name_off && btf_is_composite(inner) &&
		     has_member(btf, inner, name)))
			return true;
	}
	return false;
}

static void look_at_struct(struct found *found, const struct btf *btf, const struct btf_type *type,
			   const char *name)
{
	for (size_t i = 0; i < PT_ARRAY_SIZE(needed); i++) {
		if (!strcmp(name, needed[i].type) && has_member(btf, type, needed[i].member))
			found->needed |= 1u << i;
	}
	if (!strcmp(name, "io_kiocb")) {
		found->task = has_member(btf, type, "task");
		found->context = has_member(btf, type, "tctx");
	}
}

static void look_at_tracepoint(struct found *found, const struct btf *btf,
			       const struct btf_type *type, const char *name)
{
	int *arguments = !strcmp(name, "complete")     ? &found->complete
			 : !strcmp(name, "submit_req") ? &found->submit
			 : !strcmp(name, "submit_sqe") ? &found->submit_entry
						       : NULL;

	if (!arguments)
		return;
	type = btf__type_by_id(btf, btf__type_by_id(btf, type->type)->type);
	if (btf_is_func_proto(type))
		*arguments = btf_vlen(type);
}

/* One way through all types: to look up each by its name would be as many. */
static void look_at_types(struct found *found, const struct btf *btf)
{
	static const char prefix[] = "btf_trace_io_uring_";
	uint32_t count = btf__type_cnt(btf), id;

	for (id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (btf_is_struct(type) && !strncmp(name, "io_", 3))
			look_at_struct(found, btf, type, name);
		else if (btf_is_typedef(type) && !strncmp(name, prefix, sizeof(prefix) - 1))
			look_at_tracepoint(found, btf, type, name + sizeof(prefix) - 1);
	}
}

void pt_uring_describe(struct pt_config *config, const struct btf *btf)
{
	struct found found = {0};

	for (size_t i = 0; i < PT_ARRAY_SIZE(uring_ends); i++)
		config->uring_end[uring_ends[i].operation] = uring_ends[i].end;
	look_at_types(&found, btf);
	if (found.needed != (1u << PT_ARRAY_SIZE(needed)) - 1 || (!found.task && !found.context) ||
	    (found.complete != 4 && found.complete != 8) ||
	    (found.submit != 2 && found.submit_entry != 3))
		return;
	config->uring_arguments = (uint32_t)found.complete;
	config->uring_submit_entry = found.submit != 2;
}
