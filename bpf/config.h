/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the recorder and its probes share besides records: settings fixed before loading, and the
 * state of a CPU. */
#ifndef PT_BPF_CONFIG_H
#define PT_BPF_CONFIG_H

#include "bpf/records.h"

#define PT_SYSCALL_LIMIT 512
#define PT_HISTORY	 256 /* switches between others that a CPU remembers; a power of two */
#define PT_PEER_CACHE	 64
#define PT_URING_OPS	 64 /* operations of io_uring */
#define PT_KIND_SPACE	 96 /* room for kinds in the loss counters; above the largest id */

/* How a system call that blocks finds its reason. */
enum pt_call_class {
	PT_CALL_OTHER,
	PT_CALL_FD,	   /* by the file behind its first argument */
	PT_CALL_FILE_LOCK, /* a lock, of the file behind its first argument */
	PT_CALL_REASON,	   /* PT_CALL_REASON + r: reason r, whatever its arguments */
};

/*
 * A switch on its way to the reader, with the wake-up and the migration that it ended. Switches do not go through the
 * BPF ring buffer, which costs more than all else about them, but through an array in plain shared memory: interrupts
 * are off in the scheduler, so a CPU has one writer at a time, and a cache line is all it touches.
 */
struct pt_slot {
	__u64 sequence; /* 1 + how many slots of this CPU came before; written last */
	struct pt_switch row;
	__u32 wait;
	__u16 parts; /* PT_SLOT_* */
	__u16 from_cpu;
	__u16 moves;
} __attribute__((aligned(64)));

#define PT_SLOT_WAKEUP	1 /* row.waker, row.wakeup and wait are valid */
#define PT_SLOT_MIGRATE 2 /* from_cpu and moves are valid */

/* How many slots of a CPU the reader has taken; on a cache line of its own. */
struct pt_consumed {
	__u64 count;
} __attribute__((aligned(64)));

#define PT_TURN_COUNTERS 1024

/*
 * Turns of one loop of one task that are not told one by one. The recorder reads it as it is, from time to time: all
 * counts only grow.
 */
struct pt_turn_counter {
	__u32 tid; /* 0: not in use */
	__s16 syscall;
	__u16 empty; /* the last wait was a poll that found nothing */
	__u64 loop;
	__u64 first; /* CLOCK_MONOTONIC when the first turn began */
	__u64 last;  /* and when the last wait returned */
	__u64 busy;  /* ns in turns */
	__u64 idle;  /* ns in waits that could sleep */
	__u64 waits; /* that returned */
	__u64 over;  /* the task has exited */
	__u32 turns[PT_TURN_BUCKETS];
};

/* What the end of a system call means to us. */
enum pt_call_end {
	PT_END_NOTHING,
	PT_END_EPOLL,	     /* (fd, events, limit, timeout in ms) */
	PT_END_EPOLL_PWAIT2, /* (fd, events, limit, timespec) */
	PT_END_POLL,	     /* (fds, count, timeout in ms) */
	PT_END_POLL_TIMESPEC, /* a pointer to the timeout, which the kernel has overwritten with what was left */
	PT_END_URING, /* (fd, to submit, to wait for, flags) */
	PT_END_EPOLL_CREATE,
	PT_END_READ,	 /* (fd, ...): from here on, calls that have to do with channels */
	PT_END_READV,	 /* (fd, iovec[], ...) */
	PT_END_WRITEV,	 /* (fd, iovec[], ...) */
	PT_END_WRITE,	 /* (fd, ...) */
	PT_END_SENDTO,	 /* (fd, buffer, size, flags, address, length of it) */
	PT_END_RECVFROM, /* (fd, buffer, size, flags, address, pointer to its length) */
	PT_END_SENDMSG,	 /* (fd, msghdr, flags) */
	PT_END_RECVMSG, /* (fd, msghdr, flags): up to here, a message or bytes of a stream one way */
	PT_END_SENDMMSG,   /* (fd, mmsghdr[], count, flags) */
	PT_END_RECVMMSG,   /* (fd, mmsghdr[], count, flags) */
	PT_END_SPLICE,	   /* (from, offset, to, offset, ...) */
	PT_END_TEE,	   /* (from, to, ...) */
	PT_END_VMSPLICE,   /* (fd, ...), in the direction in which the file is open */
	PT_END_SENDFILE,   /* (to, from, ...) */
	PT_END_ACCEPT,	   /* (fd, ...) */
	PT_END_LISTEN,	   /* (fd, ...) */
	PT_END_SOCKET,	   /* (family, type, ...): returns a descriptor */
	PT_END_CONNECT,	   /* (fd, ...) */
	PT_END_BIND,	   /* (fd, ...) */
	PT_END_PIPE,	   /* (int[2], ...) */
	PT_END_SOCKETPAIR, /* (family, type, protocol, int[2]) */
	PT_END_EVENTFD,	   /* returns a descriptor */
	PT_END_MQ_SEND,	   /* (mqd, text, size, ...) */
	PT_END_MQ_RECEIVE, /* (mqd, ...) */
	PT_END_MSGSND,	   /* (queue, text, size, ...) */
	PT_END_MSGRCV,	   /* (queue, ...) */
	PT_END_VM_READ,	   /* (pid, ...) */
	PT_END_VM_WRITE,   /* (pid, ...) */
	PT_END_RING,	   /* io_uring_setup: returns a descriptor */
	PT_END_MMAP, /* (address, size, protection, flags, ...) returns an address: from here on, mappings */
	PT_END_SHMAT,  /* returns an address */
	PT_END_MUNMAP, /* (address, size) */
	PT_END_SHMDT,  /* (address) */
	PT_END_PREAD, /* (fd, ...): from here on, calls that only fail where there are no positions */
	PT_END_PWRITE, /* (fd, ...) */
	PT_END_UNTOLD, /* moves something, not known through what */
};

/* Set before load, constant for the verifier. */
struct pt_config {
	__u32 recorder_pid;	     /* never a target, nor its threads */
	__u32 all;		     /* every task is a target */
	__u32 switch_state_argument; /* trace_sched_switch() has the state as its fourth argument */
	__u32 drop_arguments; /* of trace_udp_fail_queue_rcv_skb(), its private one included; 0: no such tracepoint */
	__u32 slots;	     /* of one CPU; a power of two */
	__u64 ring_wakeup;   /* bytes in a ring that wake the reader */
	__s64 preempt_count; /* from &rq to this CPU's preempt_count, PT_NO_OFFSET: not known */
	__s64 cpu_offset;    /* from &rq to where this CPU's per-CPU memory begins, likewise */
	__u32 cpus;
	__u32 page_shift;
	__u32 casts;	  /* the kernel has bpf_rdonly_cast() */
	__u32 every_turn; /* a record for each turn, however short */
	__u32 uring_arguments; /* of trace_io_uring_complete(), its private one included; 0: not one of the known */
	__u32 uring_submit_entry; /* trace_io_uring_submit_req() has its older name */
	__u64 stall;		  /* ns */
	__u64 sample_period;	  /* ns */
	__u32 tick;		  /* ns that a jiffy takes */
	__u32 window_shift; /* windows of channels are of so many jiffies, as a power of two */
	__u8 call_class[PT_SYSCALL_LIMIT]; /* enum pt_call_class, or above */
	__u8 call_end[PT_SYSCALL_LIMIT];   /* enum pt_call_end */
	__u8 uring_end[PT_URING_OPS];	   /* likewise, of what is asked for by io_uring */
	__u16 compat_call
		[PT_SYSCALL_LIMIT]; /* by the number in a 32-bit program: that here, or PT_SYSCALL_FOREIGN */
};

#define PT_NO_OFFSET (-0x7fffffffffffffffLL)

/* Changed while it runs. */
struct pt_control {
	__u32 launcher; /* the next task that this task makes is a target */
	__u32 last; /* the iterator takes the snapshot at the end, and nothing is summed up any more */
	__u32 live;	   /* targets that have not exited */
	__u32 timed;	   /* system calls are being timed: pt_sys_enter is attached */
	__u64 epoll_files; /* made so far: an address may belong to another file since */
	__u64 eventfds;	   /* made so far, likewise */
	__u64 eventfd_operations; /* file_operations of an eventfd: an address, never followed; 0: not known */
	__u32 tables;		  /* of ends, handed out for the first time */
	__u32 loop_states;   /* likewise */
	__u32 turn_counters; /* likewise */
	__u32 marked;	     /* tasks that the iterator has made targets, so far */
	__u32 joining;	/* recording has begun: whom the iterator marks was no target until then */
	__u32 segments; /* memory that is shared has been told of */
	__u64 registers; /* from the lowest address of a task's kernel stack to the registers it came with; 0: not
			    known yet */
	__u64 anonymous_inode; /* the inode that all eventfds share */
	__u64 long_turns;      /* samples of turns that had the CPU for more than half a stall */
	__u64 loops;	       /* some target has returned from a wait call */
};

/* Somebody, not a target, who took a CPU. */
struct pt_history {
	__u64 clock; /* rq->clock */
	__u32 tid;
	__u32 pid;
	struct pt_comm comm;
};

struct pt_cpu {
	__u64 clock_offset;	   /* CLOCK_MONOTONIC - rq->clock */
	__u64 clock_synced;	   /* rq->clock when that was measured */
	__u64 clock_last;	   /* the latest time given out */
	__u64 clock_syncs;	   /* how often that was measured */
	__u64 messages;		   /* in the ring, so far */
	__u64 slots;		   /* filled, so far */
	__u64 lost[PT_KIND_SPACE]; /* by kind */
	__u64 history_first; /* rq->clock of the first switch that the history has had since it was
				emptied */
	__u32 history_count; /* switches since it was emptied, also those that it no longer holds */
	__u32 target;	     /* the task that took this CPU last is one */
	__u32 tid;	     /* which is this */
	__u32 here; /* the task that has this CPU is a target, whether it was seen to come or not */
	__u64 registers; /* of that task: an address, by which it is known again at its system calls */
	__u64 task;	 /* its task_struct: an address */
	__u32 loop;	 /* 1 + the number of its pt_loop_state, 0: it has none */
	__u32 table;	 /* 1 + the number of its table of ends, 0: it has none */
	__u64 switched; /* rq->clock of the last switch */
	__u64 nvcsw;	/* its count of voluntary switches then */
	__u64 turn;	/* CLOCK_MONOTONIC when the turn began that it is in, 0: it is in none */
	struct pt_history history[PT_HISTORY];
	__u64 peers[PT_PEER_CACHE]; /* hashes of the names that were lately recorded */
} __attribute__((aligned(64)));

/* In the set of ends: it is a TCP socket, and what is left in it when recording ends is still to be told. */
#define PT_DESCRIBED_TCP 8

/* Keys of the set of what was asked for. */
#define PT_WANTED_PID(pid) ((__u64)(pid))
#define PT_WANTED_TID(tid) ((__u64)(tid) | 1ULL << 32)
/* This task, but not the children that it has already: they may be in another cgroup. */
#define PT_WANTED_ALONE(tid) ((__u64)(tid) | 2ULL << 32)

#endif
