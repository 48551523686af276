/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <bpf/btf.h>

#include "base/parse.h"
#include "base/types.h"
#include "capture/uring.h"

/* Blocking calls whose reason follows from the call alone, or from its first argument, a
 * descriptor. */
static const struct {
	uint16_t number;
	uint8_t class;
} call_classes[] = {
#define REASON(number, reason)                                                                     \
	{                                                                                          \
		number, PT_CALL_REASON + PT_REASON_##reason                                        \
	}
#define FD(number)                                                                                 \
	{                                                                                          \
		number, PT_CALL_FD                                                                 \
	}
#ifdef SYS_epoll_wait
	REASON(SYS_epoll_wait, POLL),
	REASON(SYS_poll, POLL),
	REASON(SYS_select, POLL),
	REASON(SYS_pause, SIGNAL),
	REASON(SYS_vfork, CHILD),
#endif
	REASON(SYS_epoll_pwait, POLL),
	REASON(SYS_epoll_pwait2, POLL),
	REASON(SYS_ppoll, POLL),
	REASON(SYS_pselect6, POLL),
	REASON(SYS_io_uring_enter, POLL),
	REASON(SYS_futex, LOCK),
	REASON(SYS_futex_waitv, LOCK),
	REASON(SYS_clone, CHILD),
	REASON(SYS_clone3, CHILD),
	REASON(SYS_wait4, CHILD),
	REASON(SYS_waitid, CHILD),
	REASON(SYS_nanosleep, SLEEP),
	REASON(SYS_clock_nanosleep, SLEEP),
	REASON(SYS_rt_sigsuspend, SIGNAL),
	REASON(SYS_rt_sigtimedwait, SIGNAL),
	REASON(SYS_msgrcv, IPC),
	REASON(SYS_msgsnd, IPC),
	REASON(SYS_semop, IPC),
	REASON(SYS_semtimedop, IPC),
	REASON(SYS_mq_timedreceive, IPC),
	REASON(SYS_mq_timedsend, IPC),
	REASON(SYS_fsync, DISK),
	REASON(SYS_fdatasync, DISK),
	REASON(SYS_sync, DISK),
	REASON(SYS_syncfs, DISK),
	REASON(SYS_sync_file_range, DISK),
	REASON(SYS_msync, DISK),
	REASON(SYS_io_getevents, DISK),
	FD(SYS_read),
	FD(SYS_write),
	FD(SYS_readv),
	FD(SYS_writev),
	FD(SYS_pread64),
	FD(SYS_pwrite64),
	FD(SYS_preadv),
	FD(SYS_pwritev),
	FD(SYS_preadv2),
	FD(SYS_pwritev2),
	FD(SYS_recvfrom),
	FD(SYS_recvmsg),
	FD(SYS_recvmmsg),
	FD(SYS_sendto),
	FD(SYS_sendmsg),
	FD(SYS_sendmmsg),
	FD(SYS_accept),
	FD(SYS_accept4),
	FD(SYS_connect),
	FD(SYS_splice),
	FD(SYS_tee),
	FD(SYS_vmsplice),
	FD(SYS_sendfile),
	FD(SYS_ioctl),
	{SYS_flock, PT_CALL_FILE_LOCK},
	{SYS_fcntl, PT_CALL_FILE_LOCK},
	FD(SYS_close),
	FD(SYS_getdents64),
	FD(SYS_shutdown),
#undef REASON
#undef FD
};

/* Calls whose end is of interest. */
static const struct {
	uint16_t number;
	uint8_t end;
} call_ends[] = {
#ifdef SYS_epoll_wait
	{SYS_epoll_wait, PT_END_EPOLL},
	{SYS_poll, PT_END_POLL},
	{SYS_select, PT_END_POLL_TIMESPEC},
	{SYS_epoll_create, PT_END_EPOLL_CREATE},
	{SYS_pipe, PT_END_PIPE},
	{SYS_eventfd, PT_END_EVENTFD},
#endif
	{SYS_epoll_pwait, PT_END_EPOLL},
	{SYS_epoll_pwait2, PT_END_EPOLL_PWAIT2},
	{SYS_ppoll, PT_END_POLL_TIMESPEC},
	{SYS_pselect6, PT_END_POLL_TIMESPEC},
	{SYS_io_uring_enter, PT_END_URING},
	{SYS_io_uring_setup, PT_END_RING},
	{SYS_epoll_create1, PT_END_EPOLL_CREATE},
	{SYS_read, PT_END_READ},
	{SYS_readv, PT_END_READV},
	{SYS_preadv2, PT_END_READV},
	{SYS_write, PT_END_WRITE},
	{SYS_writev, PT_END_WRITEV},
	{SYS_pwritev2, PT_END_WRITEV},
	{SYS_sendto, PT_END_SENDTO},
	{SYS_recvfrom, PT_END_RECVFROM},
	{SYS_sendmsg, PT_END_SENDMSG},
	{SYS_recvmsg, PT_END_RECVMSG},
	{SYS_sendmmsg, PT_END_SENDMMSG},
	{SYS_recvmmsg, PT_END_RECVMMSG},
	{SYS_splice, PT_END_SPLICE},
	{SYS_tee, PT_END_TEE},
	{SYS_vmsplice, PT_END_VMSPLICE},
	{SYS_sendfile, PT_END_SENDFILE},
	{SYS_accept, PT_END_ACCEPT},
	{SYS_accept4, PT_END_ACCEPT},
	{SYS_listen, PT_END_LISTEN},
	{SYS_socket, PT_END_SOCKET},
	{SYS_connect, PT_END_CONNECT},
	{SYS_bind, PT_END_BIND},
	{SYS_pipe2, PT_END_PIPE},
	{SYS_socketpair, PT_END_SOCKETPAIR},
	{SYS_eventfd2, PT_END_EVENTFD},
	{SYS_mq_timedsend, PT_END_MQ_SEND},
	{SYS_mq_timedreceive, PT_END_MQ_RECEIVE},
	{SYS_msgsnd, PT_END_MSGSND},
	{SYS_msgrcv, PT_END_MSGRCV},
	{SYS_process_vm_readv, PT_END_VM_READ},
	{SYS_process_vm_writev, PT_END_VM_WRITE},
	{SYS_mmap, PT_END_MMAP},
	{SYS_shmat, PT_END_SHMAT},
	{SYS_munmap, PT_END_MUNMAP},
	{SYS_shmdt, PT_END_SHMDT},
	{SYS_pread64, PT_END_PREAD},
	{SYS_preadv, PT_END_PREAD},
	{SYS_pwrite64, PT_END_PWRITE},
	{SYS_pwritev, PT_END_PWRITE},
};

static void classify_calls(struct pt_config *config)
{
	for (size_t i = 0; i < PT_ARRAY_SIZE(call_ends); i++)
		config->call_end[call_ends[i].number] = call_ends[i].end;

	for (size_t i = 0; i < PT_ARRAY_SIZE(call_classes); i++)
		config->call_class[call_classes[i].number] = call_classes[i].class;
}

/* Byte offset of a member, -1 if the struct has none of that name. */
static int64_t member_offset(const struct btf *btf, uint32_t struct_id, const char *name)
{
	const struct btf_type *type = btf__type_by_id(btf, struct_id);
	const struct btf_member *member = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		int64_t inner;

		if (!strcmp(btf__name_by_offset(btf, member[i].name_off), name))
			return btf_member_bit_offset(type, i) / 8;
		if (member[i].name_off || !btf_is_composite(btf__type_by_id(btf, member[i].type)))
			continue;
		inner = member_offset(btf, member[i].type, name);
		if (inner >= 0)
			return btf_member_bit_offset(type, i) / 8 + inner;
	}
	return -1;
}

/*
 * How far from a CPU's run queue some of its other per-CPU variables lie. BTF tells their places in
 * that section, with no need of their addresses, which kallsyms may lack. The preemption count is
 * called __preempt_count up to 6.1 and since 6.15, a member of pcpu_hot between; where per-CPU
 * memory begins stands in it on x86 only.
 */
static void find_per_cpu(const struct btf *btf, struct pt_config *config)
{
	int32_t id = btf__find_by_name_kind(btf, ".data..percpu", BTF_KIND_DATASEC);
	int64_t run_queue = -1, count = -1, base = -1;
	const struct btf_var_secinfo *var;
	const struct btf_type *section;

	config->preempt_count = PT_NO_OFFSET;
	config->cpu_offset = PT_NO_OFFSET;
	if (id < 0)
		return;
	section = btf__type_by_id(btf, (uint32_t)id);
	var = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++) {
		const struct btf_type *type = btf__type_by_id(btf, var[i].type);
		const char *name = btf__name_by_offset(btf, type->name_off);

		if (!strcmp(name, "runqueues"))
			run_queue = var[i].offset;
		else if (!strcmp(name, "this_cpu_off"))
			base = var[i].offset;
		else if (!strcmp(name, "__preempt_count"))
			count = var[i].offset;
		else if (!strcmp(name, "pcpu_hot"))
			count = var[i].offset + member_offset(btf, type->type, "preempt_count");
	}
	if (run_queue >= 0 && count >= 0)
		config->preempt_count = count - run_queue;
	if (run_queue >= 0 && base >= 0)
		config->cpu_offset = base - run_queue;
}

/* Number of arguments of a tracepoint's probe function, its private first one included; 0: no such
 * tracepoint. */
static uint32_t tracepoint_arguments(const struct btf *btf, const char *typedef_name)
{
	int32_t id = btf__find_by_name_kind(btf, typedef_name, BTF_KIND_TYPEDEF);
	const struct btf_type *type;

	if (id < 0)
		return 0;
	type = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type);
	type = btf__type_by_id(btf, type->type);
	return btf_is_func_proto(type) ? btf_vlen(type) : 0;
}

int pt_kernel_describe(struct pt_config *config, struct pt_error *err)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return pt_error_set(
			err, -ENOTSUP,
			"this kernel has no type information (/sys/kernel/btf/vmlinux): "
			"it needs CONFIG_DEBUG_INFO_BTF=y");
	config->drop_arguments = tracepoint_arguments(btf, "btf_trace_udp_fail_queue_rcv_skb");
	config->switch_state_argument = tracepoint_arguments(btf, "btf_trace_sched_switch") >= 5;
	config->casts = btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;
	find_per_cpu(btf, config);
	pt_uring_describe(config, btf);
	classify_calls(config);
	pt_kernel_number_compat_calls(config);
	btf__free(btf);
	return 0;
}

bool pt_kernel_is_before(unsigned int major, unsigned int minor)
{
	struct utsname name;
	const char *at = name.release;
	uint64_t a, b;

	if (uname(&name) || !pt_parse_number(&at, 10, &a) || !pt_parse_literal(&at, ".") ||
	    !pt_parse_number(&at, 10, &b))
		return false;
	return a < major || (a == major && b < minor);
}
