/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of measures, in the order of the tables. To add one: a line here, and its function
 * double pt_measure_<key>(scene) in measure_time.c, measure_cost.c or a file of its own.
 */
#ifndef PT_COMPARE_MEASURE_LIST_H
#define PT_COMPARE_MEASURE_LIST_H

/* M(key, unit, shown, subject, text): `shown` is whether the tables have a row of it, or only beliefs use it. */
#define PT_MEASURES(M)                                                                             \
	M(main_delay_p99_ns, NS, true, "main loop", "delay, p99")                                  \
	M(main_delay_max_ns, NS, true, "main loop", "delay, longest")                              \
	M(main_stalls, COUNT, true, "main loop", "stalls")                                         \
	M(main_stall_ns, NS, true, "main loop", "time in stalls")                                  \
	M(main_utilization, SHARE, true, "main loop", "utilisation")                               \
	M(worker_loops, COUNT, true, "workers", "loops")                                           \
	M(worker_delay_p99_ns, NS, true, "workers", "delay, p99 of the worst")                     \
	M(worker_stalls, COUNT, true, "workers", "stalls")                                         \
	M(worker_utilization, SHARE, true, "workers", "utilisation")                               \
	M(units_per_second, COUNT, true, "work", "%ss per second")                                 \
	M(cpu_ns_per_unit, NS, true, "work", "CPU time per %s")                                    \
	M(kernel_share, SHARE, true, "work", "of it in the kernel")                                \
	M(cpus_used, FACTOR, true, "work", "CPUs in use")                                          \
	M(cpus_wanted, FACTOR, true, "work", "in use or waited for")                               \
	M(cpus_taken, FACTOR, true, "work", "taken by other programs")                             \
	M(cpus_open, FACTOR, false, "work", "in use or taken")                                     \
	M(switches_per_second, COUNT, true, "scheduling", "switches per second")                   \
	M(switches_per_unit, FACTOR, true, "scheduling", "switches per %s")                        \
	M(involuntary_share, SHARE, true, "scheduling", "of them involuntary")                     \
	M(runq_p99_ns, NS, true, "scheduling", "wait for a CPU, p99")                              \
	M(runq_share, SHARE, true, "scheduling", "waiting, of time it could run")                  \
	M(ipc_bytes, BYTES, true, "communication", "bytes through channels")                       \
	M(ipc_bytes_per_unit, BYTES, true, "communication", "bytes per %s")                        \
	M(ipc_messages, COUNT, true, "communication", "messages")                                  \
	M(ipc_latency_p50_ns, NS, true, "communication", "latency, p50 of the worst")              \
	M(ipc_latency_p99_ns, NS, true, "communication", "latency, p99 of the worst")              \
	M(memory_bytes, BYTES, true, "memory", "in all (sum of PSS)")                              \
	M(memory_per_worker_bytes, BYTES, true, "memory", "in all, per worker")                    \
	M(footprint_per_worker_bytes, BYTES, true, "memory", "and page tables, stacks")            \
	M(worker_rss_bytes, BYTES, true, "memory", "a worker process, RSS")                        \
	M(worker_uss_bytes, BYTES, true, "memory", "a worker process, its own")                    \
	M(worker_page_tables_bytes, BYTES, true, "memory", "its page tables")                      \
	M(margin_bytes, BYTES, true, "memory", "one more worker")                                  \
	M(shared_bytes, BYTES, true, "memory", "shared, counted once")                             \
	M(shared_pair_bytes, BYTES, true, "memory", "shared by two processes")                     \
	M(startup_ns, NS, true, "start-up", "of a worker, as it says")                             \
	M(fork_ns, NS, true, "start-up", "a call of fork")                                         \
	M(connections_even, SHARE, true, "balance", "connections, least to most")                  \
	M(cpu_even, SHARE, true, "balance", "workers' CPU, least to most")                         \
	M(killed_tasks, COUNT, false, "crash", "tasks ended by a signal")                          \
	M(killed_processes, COUNT, false, "crash", "processes ended by a signal")                  \
	M(units_lost, SHARE, true, "crash", "work lost")                                           \
	M(survivors, COUNT, true, "crash", "workers that survived")                                \
	M(main_survived, COUNT, false, "crash", "main loop survived")                              \
	M(claimed_shared_bytes, BYTES, false, "memory", "meant to be shared")                      \
	M(port_workers, COUNT, false, "balance", "workers with connections")                       \
	M(port_accepted, COUNT, false, "balance", "accepted by workers")                           \
	M(workers, COUNT, false, "work", "workers")                                                \
	M(cpus, COUNT, false, "work", "CPUs there are")

#endif
