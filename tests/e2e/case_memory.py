# SPDX-License-Identifier: BSD-2-Clause
"""Memory: snapshots, processes between two of them, shares, and what fork costs."""

import os
import shutil
import signal
import socket
import sys
import time

from harness import Skip, case, read, write

MIB = 1 << 20
PAGE = 4096


def find_one(box, rows, what, **wanted):
    found = [row for row in rows if all(row[k] == v for k, v in wanted.items())]
    box.equal(len(found), 1, f"{what} with {wanted}")
    return found[0]


def record_forker(box, *args, options=()):
    """(the parent's truth, the child's, the section)"""
    truth, report = box.record_truth("forker", *args, options=options)
    child = next(row for row in truth if row.get("written"))
    parent = next(row for row in truth if "child" in row)
    return parent, child, report.data["memory"]


@case
def fork_bill_is_told(box):
    parent, child, memory = record_forker(box, 128, 8, 16, 100)
    bill = find_one(box, memory["forks"], "forks", child=child["pid"])
    box.equal(bill["pid"], parent["pid"], "who forked")
    box.equal(bill["parted_by"], "exit", "how they parted")
    if bill["shared_bytes"] is not None:  # since 6.2
        box.check(128 * MIB <= bill["shared_bytes"] < 136 * MIB, f"shared at birth: {bill['shared_bytes']}")
    box.check(bill["page_tables_bytes"] >= 128 * MIB // 512, f"page tables: {bill['page_tables_bytes']}")
    for key, pages in (("child_cow_faults", child["written"]), ("parent_cow_faults", 16 * MIB // PAGE)):
        box.check(pages <= bill[key] <= pages + 200, f"{key}: {bill[key]}, {pages} pages were written to")
    left = 128 * MIB - 24 * MIB
    box.check(left - MIB <= bill["still_shared_bytes"] < left + 8 * MIB, f"still shared: {bill['still_shared_bytes']}")
    if bill["call_ns"] is not None:
        # Before it returns, the caller may have lost its CPU to the child.
        box.check(0 < bill["call_ns"] <= parent["call_ns"],
                  f"time in fork: {bill['call_ns']}, measured {parent['call_ns']}")


@case
def process_between_snapshots_is_not_missed(box):
    parent, child, memory = record_forker(box, 32, 4, 0, 1, options=("--memory", "0"))
    process = find_one(box, memory["processes"], "processes", pid=child["pid"])
    if process["exit_rss_is_exact"]:
        box.check(abs(process["rss_bytes"] - child["rss"]) <= 16 * PAGE,
                  f"rss at exit: {process['rss_bytes']}, it says {child['rss']} itself")
    box.check(process["peak_rss_bytes"] >= child["rss"] - MIB, f"peak {process['peak_rss_bytes']} below {child['rss']}")


@case
def a_forked_pair_shares_by_copy_on_write(box):
    parent, child, memory = record_forker(box, 64, 8, 16, 2500)
    low, high = sorted((parent["pid"], child["pid"]))
    pair = find_one(box, memory["sharing"], "pairs", a=low, b=high)
    expected = 64 * MIB - 24 * MIB
    box.check(expected <= pair["anon_bytes"] < expected + MIB, f"copy-on-write in common: {pair['anon_bytes']}")
    box.equal(pair["same_mm"], False, "one address space")
    box.equal(pair["bytes"], pair["anon_bytes"] + pair["file_bytes"] + pair["shmem_bytes"], "sum of the pair")
    for pid in (low, high):
        process = find_one(box, memory["processes"], "processes", pid=pid)
        box.check(process["uss_bytes"] <= process["pss_bytes"] <= process["rss_bytes"], f"order of {process}")
        box.equal(sum(c["rss_bytes"] for c in process["classes"].values()), process["rss_bytes"], "sum of classes")
    group = memory["group"]
    box.check(group["cost_bytes"] < group["unshared_bytes"], "sharing saves nothing")
    box.equal(sum(c["k"] * (c["file_bytes"] + c["anon_bytes"] + c["shmem_bytes"]) for c in group["common"]),
              group["unshared_bytes"], "k of n against the whole")


@case
def who_grew_and_when(box):
    """Told by the kernel's RSS events alone: nobody looks on an interval."""
    (truth,), report = box.record_truth("grower", 160, 400, options=("--memory", "0"))
    changes = [c for c in report.data["memory"]["growth"] if c["pid"] == truth["pid"] and abs(c["bytes"]) > 40 * MIB]
    changes.sort(key=lambda change: change["from_ns"])
    box.equal(len(changes), 3, f"changes of {truth}: {changes}")
    sizes = truth["anon"], -truth["anon"], truth["shared"]
    for change, size, key in zip(changes, sizes, ("anon_bytes", "anon_bytes", "shmem_bytes")):
        box.check(0.9 <= change["bytes"] / size <= 1.02, f"{change['bytes']} bytes, it were {size}")
        box.check(abs(change[key] - change["bytes"]) < 2 * MIB, f"not {key} alone: {change}")
        box.equal(change["bytes"], change["to_bytes"] - change["from_bytes"], "from, to and the difference")
    box.equal([c["tid"] for c in changes], [truth["tid"], truth["pid"], truth["pid"]], "who did it")
    for before, after in zip(changes, changes[1:]):
        # It slept 400 ms between the two, and neither change reaches far into that.
        box.check(after["from_ns"] - before["to_ns"] >= 280_000_000, f"{after['from_ns']} too near to {before['to_ns']}")


@case
def without_the_right_to_see_frames(box):
    """CAP_SYS_ADMIN alone is missing: the figures of each are there, and the matrix is said to be not."""
    if not shutil.which("setpriv"):
        raise Skip("no setpriv")
    truth, trace = box.path("truth"), box.path("trace")
    done = box.run("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", box.partrace, "record", "-o", trace,
                   "--", box.prog("forker"), 32, 4, 4, 2500, env={"TRUTH": truth})
    box.equal(done.status, 0, str(done))
    report = box.load(trace)
    memory = report.data["memory"]
    pids = {report.find(comm="forker", model=model)[0]["pid"] for model in ("main", "process")}
    box.equal(memory["group"]["frames_hidden"], True, "frames_hidden")
    box.equal(memory["sharing"], [], "a matrix out of nothing")
    both = [find_one(box, memory["processes"], "processes", pid=pid) for pid in sorted(pids)]
    for process in both:
        box.check(4 * MIB <= process["uss_bytes"] < 10 * MIB, f"it wrote 4 MiB, as did the other: {process}")
        box.check(process["uss_bytes"] + 11 * MIB < process["pss_bytes"] < process["rss_bytes"], f"order of {process}")
    box.equal(memory["group"]["cost_bytes"], sum(process["pss_bytes"] for process in both), "cost: the sum of PSS")
    page = box.run(box.partrace, "report", "-i", trace)
    box.check("page frames are hidden" in page.out, "the text does not say so")


REDIS_KEYS = 100000


def redis_command(path, *words):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)]))
        answer = client.recv(1 << 16)
        while answer.startswith(b"$") and len(answer) < int(answer[1:answer.index(b"\r\n")]):
            answer += client.recv(1 << 16)
        return answer.decode()


def redis_info(path):
    lines = redis_command(path, b"INFO").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


@case
def redis_saves_under_writes(box):
    """Its own figures of the fork: how long it took, and how much was copied until it had saved."""
    if not shutil.which("redis-server"):
        raise Skip("no redis-server")
    path = box.path("redis.sock")
    server = box.start("redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no",
                       "--enable-debug-command", "yes", "--rdb-key-save-delay", "5")
    box.wait_for(lambda: os.path.exists(path), "redis listens")
    redis_command(path, b"DEBUG", b"POPULATE", str(REDIS_KEYS).encode(), b"k", b"500")
    process, trace = box.start_recording("-p", server.pid)
    redis_command(path, b"BGSAVE")
    for i in range(0, 3000):
        redis_command(path, b"SET", b"k:%d" % (i * 31), b"x" * 500)
    box.wait_for(lambda: redis_info(path)["rdb_bgsave_in_progress"] == "0", "it has saved")
    info = redis_info(path)
    server.send_signal(signal.SIGTERM)
    box.equal(box.finish(process).status, 0, "status of the recorder")
    bill = find_one(box, box.load(trace).data["memory"]["forks"], "forks", pid=server.pid)
    fork_ns, copied = int(info["latest_fork_usec"]) * 1000, int(info["rdb_last_cow_size"])
    if bill["call_ns"] is not None:
        box.check(0.3 * fork_ns <= bill["call_ns"] <= fork_ns + 1000, f"call {bill['call_ns']}, redis says {fork_ns}")
    box.check(bill["shared_bytes"] >= REDIS_KEYS * 500, f"shared at birth: {bill['shared_bytes']}")
    if bill["cow_faults"] is not None:
        # Redis looks shortly before its child's end.
        box.check(copied * 0.95 <= bill["cow_faults"] * PAGE <= copied * 1.5 + 2 * MIB,
                  f"{bill['cow_faults']} copies, redis says {copied // PAGE}")
        box.check(bill["parent_cow_faults"] > bill["child_cow_faults"], f"it is redis who wrote: {bill}")


NODE_WORKERS = """
const fs = require('fs'), { Worker, isMainThread } = require('worker_threads'), { fork } = require('child_process');
const [, , model, count] = process.argv;
const hold = () => { globalThis.data = Array.from({ length: 100000 }, (_, i) => 'x' + i); setInterval(() => {}, 50); };
const kib = (file, keys) => fs.readFileSync('/proc/self/' + file, 'latin1').split('\\n')
  .filter(line => keys.includes(line.split(':')[0])).reduce((sum, line) => sum + parseInt(line.split(/ +/)[1]), 0);
if (!isMainThread) hold();
else if (process.env.WORKER) {
  hold();
  setTimeout(() => console.log(`uss=${kib('smaps_rollup', ['Private_Clean', 'Private_Dirty']) * 1024}`), 1200);
  setTimeout(() => process.exit(), 2500);
} else {
  const before = kib('status', ['VmRSS']);
  for (let i = 0; i < count; i++)
    if (model === 'thread') new Worker(__filename);
    else fork(__filename, { env: { ...process.env, WORKER: 1 } });
  setTimeout(() => model === 'thread' && console.log(`each=${(kib('status', ['VmRSS']) - before) * 1024 / count}`), 1500);
  setTimeout(() => process.exit(), 2600);
}
"""


def record_node_workers(box, model, count):
    if not shutil.which("node"):
        raise Skip("no node")
    write(box.path("workers.js"), NODE_WORKERS)
    done, path = box.record("node", "workers.js", model, count, options=("--memory", "1"),
                            env={"NODE_EXTRA_CA_CERTS": ""})
    said = [float(line.split("=")[1]) for line in done.out.splitlines()]
    box.equal(len(said), 1 if model == "thread" else count, f"what {model} says: {done}")
    margins = [row for row in box.load(path).data["memory"]["margin"] if row["model"] == model]
    box.equal(len(margins), 1, f"margins of {model}")
    return sum(said) / len(said), margins[0]


@case
def what_one_more_node_process_costs(box):
    said, margin = record_node_workers(box, "process", 3)
    box.equal(margin["workers"], 3, "workers")
    box.check(0.85 <= margin["uss_bytes"] / said <= 1.15, f"{margin['uss_bytes']}, their own mean is {said}")
    box.check(margin["rss_bytes"] > 2 * margin["uss_bytes"], f"RSS counts the program in each: {margin}")


@case
def what_one_more_node_thread_costs(box):
    said, margin = record_node_workers(box, "thread", 3)
    box.equal(margin["with_loop"]["threads"], 3, "threads with a loop")
    brought = margin["with_loop"]["brought_bytes"]
    box.check(0.7 <= brought / said <= 1.2, f"{brought} each, the process grew by {said} for each")


PYTHON_WORKERS = """
import multiprocessing, os, sys, time
from multiprocessing.shared_memory import SharedMemory
def work(name, ready):
    shared = SharedMemory(name)
    ready.put((os.getpid(), sum(shared.buf[::4096])))
    time.sleep(3)
if __name__ == '__main__':
    multiprocessing.set_start_method(sys.argv[1])
    ballast = bytearray(b'x' * (16 << 20))
    shared = SharedMemory(create=True, size=8 << 20)
    shared.buf[:] = b'y' * len(shared.buf)
    ready = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(shared.name, ready)) for _ in range(2)]
    for worker in workers: worker.start()
    print(os.getpid(), *sorted(ready.get()[0] for _ in workers), flush=True)
    for worker in workers: worker.join()
    shared.unlink()
"""


def check_python_workers(box, method, anon_low, anon_high):
    write(box.path("workers.py"), PYTHON_WORKERS)
    done, path = box.record(sys.executable, "workers.py", method)
    main, *workers = (int(word) for word in done.out.split())
    memory = box.load(path).data["memory"]
    for pid in workers:
        pair = find_one(box, memory["sharing"], "pairs", a=min(main, pid), b=max(main, pid))
        box.check(8 * MIB - 64 * PAGE <= pair["shmem_bytes"] <= 8 * MIB + 64 * PAGE, f"shared_memory of 8 MiB: {pair}")
        box.check(anon_low <= pair["anon_bytes"] <= anon_high, f"copy-on-write after {method}: {pair}")


@case
def python_forks_its_workers(box):
    check_python_workers(box, "fork", 16 * MIB, 40 * MIB)


@case
def python_spawns_its_workers(box):
    check_python_workers(box, "spawn", 0, 0)


@case
def nginx_and_its_workers(box):
    """Each worker's USS is what its own smaps say at the same time: nothing happens."""
    if not shutil.which("nginx"):
        raise Skip("no nginx")
    write(box.path("nginx.conf"), f"""daemon off; worker_processes 3; pid {box.path("pid")}; error_log stderr;
        events {{ worker_connections 64; }}
        http {{ access_log off; server {{ listen unix:{box.path("sock")}; }} }}""")
    server = box.start("nginx", "-p", box.dir, "-c", box.path("nginx.conf"))
    children = f"/proc/{server.pid}/task/{server.pid}/children"
    box.wait_for(lambda: os.path.exists(box.path("sock")) and len(read(children).split()) == 3, "nginx serves")
    workers = [int(word) for word in read(children).split()]
    process, trace = box.start_recording("-p", server.pid, *(f"-p{pid}" for pid in workers))
    time.sleep(1)
    private = {pid: sum(int(line.split()[1]) * 1024 for line in read(f"/proc/{pid}/smaps_rollup").splitlines()
                        if line.startswith(("Private_Clean", "Private_Dirty"))) for pid in workers}
    process.send_signal(signal.SIGINT)
    box.equal(box.finish(process).status, 0, "status of the recorder")
    server.terminate()  # it ends its workers, which a kill at the end of the case would leave behind
    box.finish(server)
    memory = box.load(trace).data["memory"]
    for pid in workers:
        found = find_one(box, memory["processes"], "processes", pid=pid)
        box.check(abs(found["uss_bytes"] - private[pid]) <= 16 * PAGE, f"{found['uss_bytes']}, smaps: {private[pid]}")
        pair = find_one(box, memory["sharing"], "pairs", a=min(pid, server.pid), b=max(pid, server.pid))
        box.check(pair["anon_bytes"] > 16 * PAGE, f"nothing left of what fork shared: {pair}")
    box.equal(memory["group"]["spaces"], 4, "address spaces")
