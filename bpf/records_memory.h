/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fields and flags of the records about memory, ids 60 to 79. bpf/records.h, which includes this, says how to read and change it. */
#ifndef PT_RECORDS_MEMORY_H
#define PT_RECORDS_MEMORY_H

/* flags of memory, memory_class, memory_share, memory_common and memory_group */
#define PT_MEMORY_LAST	     1	 /* taken at the end of the recording */
#define PT_MEMORY_SAMPLED    2	 /* estimated from a part of the pages: see `sampling`, `error` */
#define PT_MEMORY_CUT	     4	 /* cut short by the time budget or a limit: too low */
#define PT_MEMORY_NO_FRAMES  8	 /* page frames are hidden (no CAP_SYS_ADMIN): no matrix */
#define PT_MEMORY_NO_DIRTY   16	 /* anonymous and shared memory stand as dirty, files as clean */
#define PT_MEMORY_WALKED     32	 /* summed from page entries, piece by piece, not at one instant */
#define PT_MEMORY_SAME_SPACE 64	 /* memory_share: a and b are one address space */
#define PT_MEMORY_NO_PSS     128 /* pss is not known and 0 */

/* flags of memory_exit, memory_fork and memory_rss */
#define PT_MEMORY_EXIT_ONLY_PEAK 1 /* this kernel has no figures any more at that moment */
#define PT_MEMORY_EXIT_ROUGH	 2 /* without the counters' shares of single CPUs: some pages off */
#define PT_MEMORY_RSS_FIRST	 4 /* memory_rss: first word of this address space, by fork or exec */

/* memory_parted.flags */
#define PT_PARTED_EXEC	    1 /* by exec; otherwise by exit */
#define PT_PARTED_NO_PARENT 2 /* the parent's faults are not known: it is gone, or no target */

#define PT_FIELDS_memory(F)                                                                        \
	F(__u64, time, TIME, "when the snapshot was ready")                                        \
	F(__u64, span, NS, "how long taking it took, up to then")                                  \
	F(__u64, start, NS, "the process's start time, CLOCK_BOOTTIME in clock ticks' precision")  \
	F(__u64, rss, BYTES, "resident, as smaps_rollup has it")                                   \
	F(__u64, pss, BYTES, "its proportional share: each page divided by the mappings it has")   \
	F(__u64, uss, BYTES, "mapped by nobody else: private clean + private dirty")               \
	F(__u64, pss_error, BYTES, "standard error of pss, 0: counted, not estimated")             \
	F(__u64, uss_error, BYTES, "standard error of uss")                                        \
	F(__u64, anon, BYTES, "resident anonymous memory, by the kernel's counters")               \
	F(__u64, file, BYTES, "resident file pages, likewise")                                     \
	F(__u64, shmem, BYTES, "resident shared memory, likewise")                                 \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u64, shared_clean, BYTES, "mapped by others too, unchanged")                           \
	F(__u64, shared_dirty, BYTES, "mapped by others too, changed")                             \
	F(__u64, private_clean, BYTES, "mapped by nobody else, unchanged")                         \
	F(__u64, private_dirty, BYTES, "mapped by nobody else, changed")                           \
	F(__u64, hugetlb, BYTES, "hugetlb pages, which are in none of the above")                  \
	F(__u64, peak, BYTES, "highest rss so far")                                                \
	F(__u64, page_tables, BYTES, "its page tables")                                            \
	F(__u64, kernel_stacks, BYTES, "kernel stacks of its tasks")                               \
	F(__u64, minor_faults, COUNT, "of all its tasks, dead ones too, over its life so far")     \
	F(__u64, major_faults, COUNT, "likewise")                                                  \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, threads, COUNT, "its tasks")                                                      \
	F(__u32, sampling, COUNT, "one in so many pieces of 2 MiB was read")                       \
	F(__u32, flags, FLAGS, "PT_MEMORY_*")

#define PT_FIELDS_memory_class(F)                                                                  \
	F(__u64, time, TIME, "when it was ready, soon after the memory record of the process")     \
	F(__u64, size, BYTES, "of address space")                                                  \
	F(__u64, rss, BYTES, "resident")                                                           \
	F(__u64, pss, BYTES, "proportional share")                                                 \
	F(__u64, uss, BYTES, "mapped by nobody else")                                              \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, mappings, COUNT, "how many mappings")                                             \
	F(__u16, class, ENUM, "pt_mapping_class")                                                  \
	F(__u16, flags, FLAGS, "PT_MEMORY_*")                                                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_thread(F)                                                                 \
	F(__u64, time, TIME, "when it was ready, soon after the memory record of the process")     \
	F(__u64, stack_size, BYTES, "address space of its stack")                                  \
	F(__u64, stack_rss, BYTES, "resident part of its stack")                                   \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, tid, ID, "the task")

#define PT_FIELDS_memory_share(F)                                                                  \
	F(__u64, time, TIME, "of the memory_group record it belongs to")                           \
	F(__u64, file, BYTES, "page frames of files that both map")                                \
	F(__u64, anon, BYTES, "anonymous page frames that both map (copy-on-write)")               \
	F(__u64, shmem, BYTES, "page frames of shared memory, hugetlb included, that both map")    \
	F(__u64, error, BYTES, "bound of the standard error of the sum, 0: counted")               \
	F(__u32, a, ID, "a process")                                                               \
	F(__u32, b, ID, "another; a < b")                                                          \
	F(__u32, flags, FLAGS, "PT_MEMORY_*")                                                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_common(F)                                                                 \
	F(__u64, time, TIME, "of the memory_group record it belongs to")                           \
	F(__u64, file, BYTES, "page frames of files that exactly k of the n map")                  \
	F(__u64, anon, BYTES, "anonymous page frames, likewise")                                   \
	F(__u64, shmem, BYTES, "page frames of shared memory, likewise")                           \
	F(__u32, k, COUNT, "by how many address spaces these frames are mapped")                   \
	F(__u32, n, COUNT, "of how many")

#define PT_FIELDS_memory_group(F)                                                                  \
	F(__u64, time, TIME, "when the matrix was ready")                                          \
	F(__u64, span, NS, "how long reading it took: what changed meanwhile blurs it")            \
	F(__u64, unshared, BYTES, "what the group would cost if nothing were shared")              \
	F(__u64, cost, BYTES, "what it costs: every page frame once; sum of pss if NO_FRAMES")     \
	F(__u32, processes, COUNT, "processes in the matrix")                                      \
	F(__u32, spaces, COUNT, "address spaces in the matrix")                                    \
	F(__u32, left_out, COUNT, "processes that are not in it, for want of room or time")        \
	F(__u32, sampling, COUNT, "one in so many pieces of 2 MiB was read")                       \
	F(__u32, flags, FLAGS, "PT_MEMORY_*")                                                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_exit(F)                                                                   \
	F(__u64, time, TIME, "when the process began to exit")                                     \
	F(__u64, anon, BYTES, "resident anonymous memory then")                                    \
	F(__u64, file, BYTES, "resident file pages then")                                          \
	F(__u64, shmem, BYTES, "resident shared memory then")                                      \
	F(__u64, swap, BYTES, "swapped out then")                                                  \
	F(__u64, page_tables, BYTES, "its page tables then")                                       \
	F(__u64, peak, BYTES, "highest rss of its life since the last exec")                       \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, flags, FLAGS, "PT_MEMORY_EXIT_*")

#define PT_FIELDS_memory_fork(F)                                                                   \
	F(__u64, time, TIME, "when the child was made, as in fork")                                \
	F(__u64, copying, NS,                                                                      \
	  "time in the call from the making of the child's address space, 0: unknown")             \
	F(__u64, anon, BYTES, "anonymous memory that the child was given to share")                \
	F(__u64, file, BYTES, "file pages likewise")                                               \
	F(__u64, shmem, BYTES, "shared memory likewise")                                           \
	F(__u64, page_tables, BYTES, "the child's page tables: what was copied")                   \
	F(__u64, cow_faults, COUNT, "the caller's copy-on-write faults so far, see memory_faults") \
	F(__u64, minor_faults, COUNT, "the caller's minor faults so far")                          \
	F(__u32, pid, ID, "the child")                                                             \
	F(__u32, parent_tid, ID, "who called")                                                     \
	F(__u32, parent_pid, ID, "the caller's process")                                           \
	F(__u32, flags, FLAGS, "PT_MEMORY_EXIT_*")                                                 \
	F(__u64, others_cow_faults, COUNT,                                                         \
	  "copy-on-write faults of the caller's other threads so far")

#define PT_FIELDS_memory_parted(F)                                                                 \
	F(__u64, time, TIME, "when child and parent ceased to share what fork gave to both")       \
	F(__u64, cow_faults, COUNT, "the child's copy-on-write faults since its birth")            \
	F(__u64, minor_faults, COUNT, "the child's minor faults since its birth")                  \
	F(__u64, parent_cow_faults, COUNT, "those of the task that had called fork, so far")       \
	F(__u64, parent_minor_faults, COUNT, "likewise")                                           \
	F(__u32, pid, ID, "the child")                                                             \
	F(__u32, flags, FLAGS, "PT_PARTED_*")                                                      \
	F(__u64, others_cow_faults, COUNT, "copy-on-write faults of the child's other tasks")      \
	F(__u64, parent_others_cow_faults, COUNT, "of the caller's other threads, so far")

#define PT_FIELDS_memory_faults(F)                                                                 \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, cow_faults, COUNT, "writes to present, write-protected pages while recorded")     \
	F(__u32, tid, ID, "the task")                                                              \
	F(__u32, pid, ID, "its process")

#define PT_FIELDS_memory_pulse(F)                                                                  \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, anon, BYTES, "resident anonymous memory, by the kernel's counters")               \
	F(__u64, file, BYTES, "resident file pages, likewise")                                     \
	F(__u64, shmem, BYTES, "resident shared memory, likewise")                                 \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u64, page_tables, BYTES, "its page tables")                                            \
	F(__u64, minor_faults, COUNT, "of all its tasks, dead ones too, over its life so far")     \
	F(__u64, major_faults, COUNT, "likewise")                                                  \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, threads, COUNT, "its tasks")

#define PT_FIELDS_memory_rss(F)                                                                    \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, anon, BYTES, "resident anonymous memory")                                         \
	F(__u64, file, BYTES, "resident file pages")                                               \
	F(__u64, shmem, BYTES, "resident shared memory")                                           \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u64, page_tables, BYTES, "its page tables")                                            \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, tid, ID, "the task that did it")                                                  \
	F(__u32, flags, FLAGS, "PT_MEMORY_EXIT_*")                                                 \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_host(F)                                                                   \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, free, BYTES, "unused memory of the machine")                                      \
	F(__u64, available, BYTES, "what could be had without swapping, as the kernel guesses")    \
	F(__u64, cached, BYTES, "page cache, shared memory included")                              \
	F(__u64, shmem, BYTES, "shared memory")                                                    \
	F(__u64, dirty, BYTES, "page cache that must be written yet")                              \
	F(__u64, writeback, BYTES, "page cache that is being written")                             \
	F(__u64, swap_free, BYTES, "unused swap")                                                  \
	F(__u64, swapped_in, BYTES, "since the machine started, as all that follows")              \
	F(__u64, swapped_out, BYTES, "written to swap")                                            \
	F(__u64, reclaimed, BYTES, "pages taken away: files dropped, or swapped out")              \
	F(__u64, refaulted, BYTES, "of files, read again soon after they were taken away")         \
	F(__u64, stalls, COUNT, "allocations that had to take pages away themselves")              \
	F(__u64, oom_kills, COUNT, "processes that the kernel killed for want of memory")

#endif
