/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's types as far as the probes read them, and no further: what stands here is what we rely on. Every record
 * is relocated by name when it is loaded (CO-RE), so that order and omissions do not matter; fields that some kernels
 * lack are tested with bpf_core_field_exists() where they are used.
 */
#ifndef PT_VMLINUX_H
#define PT_VMLINUX_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

typedef int pid_t;
typedef __u16 umode_t;

/* include/uapi/linux/bpf.h; the values are ABI. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

/* Only values that some kernels lack. */
enum bpf_func_id {
	BPF_FUNC_find_vma = 180, /* 5.17 */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long long counter;
} atomic64_t;

struct timespec64 {
	__s64 tv_sec;
};

struct rq {
	__u64 clock; /* ns, sched_clock(): fresh whenever sched_switch fires */
	unsigned int nr_running;
	int cpu;
};

struct cfs_rq {
	struct rq *rq; /* CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq; /* CONFIG_FAIR_GROUP_SCHED */
	__u64 nr_migrations;
};

struct sched_info {		      /* CONFIG_SCHED_INFO */
	unsigned long long run_delay; /* ns waited on run queues, up to the last time it ran */
	unsigned long long
		last_arrival; /* rq->clock when it took the CPU that it has, or had last */
	unsigned long long last_queued; /* rq->clock when it joined the queue it is on, or 0 */
};

struct percpu_counter {
	__s64 count;
	__s32 *counters; /* per-CPU: what count does not have yet */
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	unsigned long hiwater_rss; /* pages; what it was before it last shrank */
	atomic64_t pgtables_bytes;
	struct percpu_counter
		rss_stat[4]; /* since 6.2: file, anon, swap, shared memory, in pages */
};

struct mm_rss_stat {
	atomic64_t count[4];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat rss_stat;
};

struct signal_struct {
	atomic_t live;
	unsigned long maxrss; /* pages */
};

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	umode_t i_mode;
	__u32 i_rdev;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct inode *d_inode;
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	struct path f_path;
	struct inode *f_inode;
	const struct file_operations *f_op;
	void *private_data;
};

/* What overlayfs puts behind a mapping in place of its own file; 6.7. */
struct backing_file {
	struct file file;
	struct path user_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct pipe_buffer {
	unsigned int len;
};

struct pipe_inode_info {
	unsigned int head; /* of an unsigned short on 32 bits only */
	unsigned int tail;
	unsigned int ring_size;
	struct pipe_buffer *bufs;
};

struct eventfd_ctx {
	__u64 count;
	unsigned int flags;
	int id;
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* own port, host order */
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;	  /* CONFIG_IPV6 */
	struct in6_addr skc_v6_rcv_saddr; /* CONFIG_IPV6 */
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
};

struct sk_buff {
	struct sk_buff *next;
	unsigned int len;
	char cb[48];
	__be16 protocol;
	__u16 transport_header; /* from head, as below */
	__u16 network_header;
	unsigned char *head;
};

struct iphdr {
	__be32 saddr;
};

struct ipv6hdr {
	struct in6_addr saddr;
};

struct udphdr {
	__be16 source;
};

struct sk_buff_head {
	struct sk_buff *next;
	__u32 qlen;
};

struct unix_skb_parms {
	__u32 consumed; /* bytes of the buffer that have been read */
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	struct sk_buff_head sk_receive_queue;
	struct socket *sk_socket;
	struct pid *sk_peer_pid;
};

struct unix_address {
	int len;
};

struct unix_sock {
	struct unix_address *addr;
	struct path path; /* what it is bound to */
	struct sock *peer;
};

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
};

struct udp_sock {
	struct sk_buff_head reader_queue; /* taken from sk_receive_queue, not yet read */
};

struct socket {
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct io_hash_bucket {
	struct hlist_head list;
};

struct io_hash_table {
	struct io_hash_bucket *hbs;
	unsigned int hash_bits;
};

struct io_ring_ctx {
	struct io_hash_table cancel_table; /* requests that wait for a file to become ready */
};

struct io_ring_ctx___before_6_10 {
	struct io_hash_table cancel_table_locked; /* those of rings with one submitter */
};

struct io_uring_task {
	struct task_struct *task;
};

struct io_uring_cqe {
	__u64 user_data;
	__s32 res;
	__u32 flags;
};

struct io_cqe {
	__u64 user_data;
	int fd; /* until the file is known, the descriptor or the place among registered files */
};

struct io_kiocb {
	struct file *file; /* what is special to an operation lies over it, and begins with it */
	__u8 opcode;
	__u32 flags;
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	struct io_uring_task *tctx; /* since 6.13 */
	struct hlist_node hash_node;
	void *async_data; /* what it keeps while it waits */
};

struct io_async_msghdr {
	__u32 namelen;
	unsigned long controllen;
};

struct io_kiocb___before_6_13 {
	struct task_struct *task;
};

struct io_rw {
	__u64 addr;
};

struct io_sr_msg {
	void *umsg;
	unsigned int msg_flags;
	__u16 flags;
};

struct io_accept {
	int iou_flags; /* after 6.1 */
	__u32 file_slot;
};

struct io_rsrc_node {
	unsigned long file_ptr;
};

struct io_splice {
	int splice_fd_in;
	unsigned int flags;
	struct io_rsrc_node *rsrc_node; /* since 6.13 */
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_flags;
	struct file *vm_file;
};

struct thread_info {
	__u64 preempt_count; /* arm64 only */
	__u32 status;	     /* x86 only */
};

struct fs_struct {
	struct path pwd;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	void *stack;
	unsigned int flags;
	unsigned int on_cpu; /* u8 since 7.x, int before: only an unsigned load is adjusted */
	unsigned int on_rq;  /* likewise */
	struct sched_entity se;
	struct sched_info sched_info;
	struct mm_struct *mm;
	int exit_state;
	int exit_code;
	unsigned in_iowait : 1;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 utime;
	__u64 stime;
	unsigned long nvcsw;
	unsigned long nivcsw;
	__u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
};

struct linux_binprm;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	__u64 orig_x0;
	__s32 syscallno;
};
#else
#error "no probes for this architecture"
#endif

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
