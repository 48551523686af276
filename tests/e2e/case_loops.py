# SPDX-License-Identifier: BSD-2-Clause
"""Event loops that stall on purpose, and know when, for how long and why; loops that know how busy they are.

The machine may be busy with other things: whatever else delays a loop makes its stall longer, never shorter.
"""

import json
import math
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time

from harness import Failure, Skip, case, read, read_truth

HERE = os.path.dirname(os.path.abspath(__file__))
MS = 1_000_000
EARLY = 100_000  # ns: how exact a stall's beginning is to be
LATE = 60 * MS  # by how much a busy machine may lengthen it
BY_ITSELF = {"computing", "kernel", "waiting-for-cpu"}  # how a computation looks where others compute, too


def script(name):
    return os.path.join(HERE, "script", name)


def node():
    path = shutil.which("node")
    if not path:
        raise Skip("no node")
    return path


def environ(truth):
    # It makes Node start slower, and is none of the recording's business.
    return {"TRUTH": truth, "NODE_EXTRA_CA_CERTS": ""}


def record(box, *argv, options=(), before=(), status=0):
    """(truth, report, path) of a script that writes $TRUTH."""
    truth = box.path("truth")
    _, path = box.record(*before, *argv, env=environ(truth), options=options, status=status)
    return read_truth(truth), check_loops(box.load(path)), path


def check_loops(report):
    """What must hold of loops and stalls in any recording."""
    loops = {loop["id"]: loop for loop in report.data["loops"]}
    for loop in loops.values():
        who = f"loop {loop['id']} of {loop['tid']}"
        if loop["busy_ns"] + loop["idle_ns"] != loop["end_ns"] - loop["start_ns"]:
            raise Failure(f"{who}: busy and idle do not sum to its life")
        if not 0 <= loop["utilization"] <= 1:
            raise Failure(f"{who}: utilization {loop['utilization']}")
    for stall in report.data["stalls"]:
        who = f"stall at {stall['start_ns']} of {stall['tid']}"
        if sum(stall["parts_ns"].values()) != stall["duration_ns"] or stall["parts_ns"]["cpu"]:
            raise Failure(f"{who}: {stall['parts_ns']} do not sum to {stall['duration_ns']}")
        if stall["parts_ns"]["unknown"] * 100 > stall["duration_ns"]:
            raise Failure(f"{who}: {stall['parts_ns']['unknown']} ns unknown")
        if sum(b["ns"] for b in stall["blocked"]) != stall["parts_ns"]["blocked"]:
            raise Failure(f"{who}: its sleeps do not sum to {stall['parts_ns']['blocked']}")
        if loops[stall["loop"]]["shared_poller"] or loops[stall["loop"]]["nested"] or not stall["summary"]:
            raise Failure(f"{who} cannot be one")
    return report


def stall_at(report, row):
    """The stall in which a deliberate one began."""
    start = row["start"] - report.trace["start_monotonic_ns"]
    found = [s for s in report.data["stalls"] if s["start_ns"] - EARLY <= start < s["start_ns"] + s["duration_ns"]]
    if len(found) != 1:
        raise Failure(f"{len(found)} stalls at {start} ({row['name']}, {row['length'] / MS:.1f} ms), of "
                      f"{[(s['start_ns'], s['duration_ns'], s['verdict']) for s in report.data['stalls']]}")
    return found[0]


def expect(box, stall, row, verdicts, reasons=None):
    what = f"{row['name']}: {stall['summary']} {stall['parts_ns']}"
    box.check(row["length"] - EARLY <= stall["duration_ns"] <= row["length"] + LATE,
              f"{what}: {stall['duration_ns']} ns, it took {row['length']}")
    box.check(stall["verdict"] in verdicts, f"{what}: {stall['verdict']}, expected {sorted(verdicts)}")
    if reasons:
        box.check(stall["reason"] in reasons, f"{what}: reason {stall['reason']}, expected {sorted(reasons)}")


def make_file(box, name, megabytes):
    path = box.path(name)
    with open(path, "wb") as f:
        for _ in range(megabytes):
            f.write(os.urandom(1 << 20))
    return path


# What a Node program does to itself.

NODE_VERDICTS = {
    "busy": (BY_ITSELF - {"kernel"}, None),
    "json": (BY_ITSELF - {"kernel"} | {"blocked"}, None),
    "gc": (BY_ITSELF | {"blocked"}, None),
    "pbkdf2": (BY_ITSELF - {"kernel"}, None),
    "read": (BY_ITSELF, None),
    "exec": ({"nested-loop"}, {"child"}),
    "spawn": ({"nested-loop"}, {"child"}),
    "wait": ({"blocked"}, {"lock"}),
}


@case
def stalls_of_a_node_program(box):
    truth, report, _ = record(box, node(), "--expose-gc", script("stalls.js"), make_file(box, "file", 24))
    rows = {row["name"]: row for row in truth}
    for name, (verdicts, reasons) in NODE_VERDICTS.items():
        if rows[name]["length"] < 12 * MS:
            continue
        stall = stall_at(report, rows[name])
        expect(box, stall, rows[name], verdicts, reasons)
        if name in ("exec", "spawn"):
            box.check(stall["children"], f"{name}: no child is named")
        if name == "read" and stall["verdict"] == "kernel":
            box.equal(stall["reason"], "read", "the call that the kernel worked in")
    # Their truth is noted before they have had their effect.
    start = rows["microtasks"]["start"] - report.trace["start_monotonic_ns"]
    flood = [s for s in report.data["stalls"] if abs(s["start_ns"] - start) < 2 * MS]
    box.check(flood and flood[0]["duration_ns"] > 79 * MS, f"no stall of a flood of microtasks at {start}")
    start = rows["timers"]["start"] - report.trace["start_monotonic_ns"]
    many = [s["duration_ns"] for s in report.data["stalls"] if s["start_ns"] > start]
    # A program that is preempted while it starts them has them due at two times.
    box.check(1 <= len(many) <= 3 and sum(many) > 98 * MS, f"stalls of 50 timers that are due at once: {many}")
    main = [loop for loop in report.data["loops"] if loop["stalls"]]
    box.equal(len(main), 1, "loops that stall")
    box.check(any(loop["nested"] for loop in report.data["loops"]), "no loop is nested")


def compare_utilization(box, name):
    truth, report, _ = record(box, node(), script("utilization.js"), name)
    worst = 0
    loops = [loop for loop in report.data["loops"] if loop["comm"] == "node" and loop["end_ns"] - loop["start_ns"] > 10**9]
    for row in truth:
        expected = row["active"] / (row["active"] + row["idle"])
        nearest = min(loops, key=lambda loop: abs(loop["utilization"] - expected))
        worst = max(worst, abs(nearest["utilization"] - expected))
    return worst


@case
def utilization_equals_the_runtimes(box):
    for name in ("idle", "half", "busy", "spin", "workers"):
        worst = compare_utilization(box, name)
        if worst > 0.002:  # between the runtime's look at the clock and its system call it may have been preempted
            worst = min(worst, compare_utilization(box, name))
        box.check(worst <= 0.002, f"{name}: utilization differs by {worst * 100:.2f} points")


def rebuild_delays(turns, enabled, end, resolution):
    """The samples of monitorEventLoopDelay, as docs/loops.md says. All in ns of CLOCK_MONOTONIC."""
    last, samples = enabled, []
    for turn in turns:
        # What was due when the turn began fires first; what became due in it fires when it is over.
        for fire in (turn["start"], turn["end"]):
            if last < fire <= end and fire // MS * MS >= last // MS * MS + resolution * MS:
                samples.append(fire - last)
                last = fire
    return samples


def compare_delays(box):
    """What differs, or None."""
    truth, report, path = record(box, node(), script("delay.js"), options=("--turns",))
    start, row = truth
    turns = box.path("turns")
    box.equal(box.run(box.partrace, "report", "-i", path, "--turns", turns).status, 0, "report --turns")
    offset = report.trace["start_monotonic_ns"]
    main = max(report.data["loops"], key=lambda loop: loop["stalls"])["id"]
    rows = [t for t in map(json.loads, read(turns).splitlines()) if t["loop"] == main]
    for turn in rows:
        turn["start"], turn["end"] = turn["start_ns"] + offset, turn["end_ns"] + offset
    samples = sorted(rebuild_delays(rows, start["at"], row["at"], row["resolution"])[1:])
    if abs(len(samples) - row["count"]) > 2 + row["count"] // 20:
        return f"{len(samples)} samples rebuilt, there were {row['count']}"
    p99 = samples[math.ceil(0.99 * len(samples)) - 1]
    for what, got, expected in (("p99", p99, row["p99"]), ("max", samples[-1], row["max"])):
        if abs(got - expected) > max(MS, 0.02 * expected):
            return f"{what} {got}, the runtime says {expected}"
    return None


@case
def delays_can_be_rebuilt_from_turns(box):
    # If a machine is so busy that two timers are due at once, turns do not tell which of them fires first.
    for _ in range(4):
        wrong = compare_delays(box)
        if not wrong:
            return
    raise Failure(wrong)


@case
def a_starved_pool_is_found(box):
    truth, report, _ = record(box, node(), script("pool.js"), "starved")
    lookup = next(row for row in truth if row["name"] == "lookup")
    box.equal(len(report.data["pools"]), 1, "starved pools")
    pool = report.data["pools"][0]
    box.equal(len(pool["tids"]), 4, "threads of the pool")
    box.check(pool["saturated_ns"] > lookup["length"] // 2,
              f"saturated for {pool['saturated_ns']} ns, a lookup waited {lookup['length']}")


@case
def a_busy_pool_is_not_starved(box):
    _, report, _ = record(box, node(), script("pool.js"), "easy")
    box.equal(report.data["pools"], [], "starved pools")


# Loops of Python.

def python_case(box, kind, verdicts, reasons=None, *, options=(), before=(), args=()):
    truth, report, _ = record(box, sys.executable, script("stalls.py"), kind, *args, options=options, before=before)
    stall = stall_at(report, truth[0])
    expect(box, stall, truth[0], verdicts, reasons)
    return truth[0], stall


@case
def sleep_in_a_callback(box):
    _, stall = python_case(box, "sleep", {"blocked"}, {"sleep"})
    box.equal(len(stall["blocked"]), 1, f"sleeps of {stall['blocked']}")


@case
def a_contended_lock(box):
    _, stall = python_case(box, "lock", {"blocked"}, {"lock"})
    waker = stall["blocked"][0]["woken_by"]
    box.check(waker and waker["pid"] == stall["pid"] and waker["tid"] != stall["tid"], f"woken by {waker}")
    box.check("futex" in stall["blocked"][0]["object"], f"object {stall['blocked'][0]['object']!r}")


@case
def a_full_pipe(box):
    _, stall = python_case(box, "pipe", {"blocked"}, {"pipe"})
    box.check("pipe:[" in stall["blocked"][0]["object"], f"object {stall['blocked'][0]['object']!r}")
    box.equal(stall["blocked"][0]["syscall"], "write", "system call")


@case
def blocking_sockets(box):
    _, stall = python_case(box, "tcp", {"blocked"}, {"tcp"})
    box.check("127.0.0.1" in stall["blocked"][0]["object"], f"object {stall['blocked'][0]['object']!r}")
    python_case(box, "unix", {"blocked"}, {"unix"})
    python_case(box, "poll", {"blocked"}, {"poll"})


@case
def waiting_for_children(box):
    _, stall = python_case(box, "wait", {"blocked"}, {"child"})
    box.check(stall["children"], "no child is named")
    python_case(box, "run", {"blocked", "nested-loop"}, {"child"})


@case
def another_selector_in_one_turn(box):
    python_case(box, "nested", {"nested-loop"}, {"loop"})


@case
def a_signal_handler(box):
    truth, report, _ = record(box, sys.executable, script("stalls.py"), "handler")
    long = [s for s in report.data["stalls"] if s["duration_ns"] > 99 * MS
            and s["start_ns"] > truth[0]["start"] - report.trace["start_monotonic_ns"]]
    box.equal(len(long), 1, "stalls of a signal handler")
    box.check(long[0]["verdict"] in BY_ITSELF, long[0]["summary"])


@case
def a_cold_disk(box):
    path = make_file(box, "cold", 96)
    row, stall = python_case(box, "cold_read", {"blocked", "kernel", "waiting-for-cpu"}, args=(path,))
    if stall["verdict"] == "blocked":
        box.equal(stall["reason"], "disk", "reason")
    row, stall = python_case(box, "cold_map", {"blocked", "kernel", "computing", "waiting-for-cpu"}, args=(path,))
    if stall["verdict"] == "blocked":
        box.check(stall["reason"] in ("page-fault", "disk"), f"reason {stall['reason']}")


@case
def fsync_on_the_loop(box):
    # Random bytes are made before: that may be the greater part.
    _, stall = python_case(box, "fsync", {"blocked", "kernel", "waiting-for-cpu"}, args=(box.path("file"),))
    disk = sum(b["ns"] for b in stall["blocked"] if b["reason"] == "disk")
    box.check(disk or stall["verdict"] != "blocked", f"blocked, but not on the disk: {stall['summary']}")


@case
def forking_a_big_process(box):
    _, stall = python_case(box, "fork", {"fork", "blocked", "kernel", "waiting-for-cpu"})
    box.check(any(c["name"] == "clone" for c in stall["syscalls"]), f"no clone among {stall['syscalls']}")
    box.equal(len(stall["children"]), 1, "children")


@case
def hogs_beside_it(box):
    """Everybody on one CPU: the loop gets a part of it, and those that had the rest are named."""
    hogs = [box.start("taskset", "-c", "1", "sh", "-c", "while :; do :; done") for _ in range(3)]
    _, stall = python_case(box, "work", {"waiting-for-cpu"}, {"other-tasks"}, before=("taskset", "-c", "1"))
    takers = {t["tid"]: t["ns"] for t in stall["cpu_taken_by"]}
    for hog in hogs:
        box.check(takers.get(hog.pid, 0) > 5 * MS, f"{hog.pid} is not among {takers}")
    box.check(abs(sum(takers.values()) - stall["parts_ns"]["runnable"]) * 50 <= stall["duration_ns"],
              f"{sum(takers.values())} ns taken, {stall['parts_ns']['runnable']} waited")


def cpu_cgroup(box, quota):
    """A CPU cgroup with a quota in per cent of one CPU, v1 or v2; returns how to enter it."""
    for root, write_quota in (("/sys/fs/cgroup/cpu", lambda d: [("cpu.cfs_period_us", "100000"),
                                                                ("cpu.cfs_quota_us", str(quota * 1000))]),
                              ("/sys/fs/cgroup", lambda d: [("cpu.max", f"{quota * 1000} 100000")])):
        path = os.path.join(root, f"partrace-e2e-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            for name, value in write_quota(path):
                with open(os.path.join(path, name), "w", encoding="utf-8") as f:
                    f.write(value)
            return path
        except OSError:
            os.rmdir(path)
    raise Skip("no cgroup with a CPU quota can be made")


@case
def a_cpu_quota(box):
    group = cpu_cgroup(box, 20)
    try:
        enter = ("sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh")
        _, stall = python_case(box, "work", {"waiting-for-cpu"}, {"cpu-quota", "other-tasks"}, before=enter)
        others = sum(t["ns"] for t in stall["cpu_taken_by"] if t["tid"])
        if stall["reason"] == "other-tasks" and others * 2 > stall["parts_ns"]["runnable"]:
            raise Skip("others had the CPU meanwhile, which hides the quota")
        box.equal(stall["reason"], "cpu-quota", stall["summary"])
    finally:
        for _ in range(100):
            try:
                os.rmdir(group)
                break
            except OSError:
                time.sleep(0.02)


@case
def stopped_by_a_signal(box):
    truth, path = box.path("truth"), box.path("trace-stop")
    process = box.start(box.partrace, "record", "-o", path, "--", sys.executable, script("stalls.py"), "stop",
                        env=environ(truth))
    process.stdout.readline()
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout.split()
    box.check(children, "the recorder has no child")
    os.kill(int(children[0]), signal.SIGSTOP)
    time.sleep(0.15)
    os.kill(int(children[0]), signal.SIGCONT)
    box.equal(box.finish(process).status, 0, "status")
    report = check_loops(box.load(path))
    stall = stall_at(report, read_truth(truth)[0])
    expect(box, stall, read_truth(truth)[0], {"blocked"}, {"stopped"})


@case
def a_terminal_that_nobody_reads(box):
    main, terminal = pty.openpty()
    truth, path = box.path("truth"), box.path("trace-tty")
    code = ("const { run, timed, write } = require(process.argv[1]);"
            "run([['tty', () => console.log('x'.repeat(200000))]], () => setTimeout(write, 100))")
    process = box.start(box.partrace, "record", "-o", path, "--", node(), "-e", code, script("truth.js"),
                        env=environ(truth), stdout=terminal)
    os.close(terminal)
    time.sleep(1.5)
    try:
        while os.read(main, 65536):
            pass
    except OSError:
        pass
    process.wait()
    os.close(main)
    report = check_loops(box.load(path))
    row = read_truth(truth)[0]
    if row["length"] < 50 * MS:
        raise Skip("it was read before it was full")
    expect(box, stall_at(report, row), row, {"blocked"}, {"tty"})


@case
def many_sockets_at_once(box):
    """More than one wait returns: one turn."""
    code = ("const net = require('net'); let n = 0;"
            "const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };"
            "const server = net.createServer((s) => { s.on('data', () => busy(0.1)); s.on('error', () => {});"
            " if (++n === 1500) console.log('all'); })"
            ".listen({ port: 0, host: '127.0.0.1', backlog: 2000 }, () => console.log(server.address().port));"
            "process.stdin.on('data', () => { busy(400); setTimeout(() => process.exit(0), 1500); });")
    path = box.path("trace-sockets")
    process = box.start("sh", "-c", 'ulimit -n 4096; exec "$@"', "sh", box.partrace, "record", "-o", path, "--",
                        node(), "-e", code)
    port = int(process.stdout.readline())
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    try:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(1500)]
        box.equal(process.stdout.readline(), "all\n", "what the server says")
        time.sleep(0.2)
        process.stdin.write("x")
        process.stdin.flush()
        time.sleep(0.1)
        for s in sockets:
            s.send(b"x")
        box.equal(box.finish(process).status, 0, "status")
        for s in sockets:
            s.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    report = check_loops(box.load(path))
    long = [s for s in report.data["stalls"] if s["duration_ns"] >= 150 * MS]
    if len(long) < 2:
        raise Failure(f"{[(s['start_ns'], s['duration_ns']) for s in report.data['stalls']]}: "
                      "a stall of 400 ms and one of 1,500 sockets were expected")


def workload_loops(box, *args):
    """Pairs of what a bundled workload says of a loop of libuv's, and the report."""
    done, path = box.record(box.partrace, "workload", *args)
    report = check_loops(box.load(path))
    pairs = []
    for said in json.loads(done.out)["loops"]:
        found = [loop for loop in report.data["loops"] if loop["tid"] == said["tid"] and not loop["nested"]]
        if said["end_ns"] - said["start_ns"] > 500 * MS and said["idle_ns"]:
            box.equal(len(found), 1, f"loops of {said['tid']} in the report")
            pairs.append((said, found[0]))
    box.check(pairs, "the workload says nothing of loops")
    return pairs


@case
def workloads_know_how_busy_their_loops_are(box):
    for runtime in ("native", "node"):
        if runtime == "node":
            node()
        for said, loop in workload_loops(box, "thread/cpu", f"--runtime={runtime}", "--mode=main", "--seconds=1"):
            slack = (said["end_ns"] - said["start_ns"]) // 100 + 5 * MS
            box.check(abs(loop["idle_ns"] - said["idle_ns"]) <= slack,
                      f"{runtime}, {said['comm']}: idle for {loop['idle_ns']}, it says {said['idle_ns']}")


@case
def redis_asleep(box):
    if not shutil.which("redis-server"):
        raise Skip("no redis-server")
    path, address = box.path("trace-redis"), box.path("redis.sock")
    process = box.start(box.partrace, "record", "-o", path, "--", "redis-server", "--port", "0", "--unixsocket", address,
                        "--enable-debug-command", "yes", "--save", "", "--dir", box.dir)
    box.wait_for(lambda: os.path.exists(address), "redis listens")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address)
        for command in (b"PING\r\n", b"DEBUG SLEEP 0.2\r\n", b"PING\r\n"):
            client.sendall(command)
            client.recv(100)
        time.sleep(0.3)
        client.sendall(b"SHUTDOWN NOSAVE\r\n")
    box.equal(box.finish(process).status, 0, "status")
    report = check_loops(box.load(path))
    slept = [s for s in report.data["stalls"] if s["duration_ns"] >= 200 * MS - EARLY]
    box.equal(len(slept), 1, f"stalls of 200 ms among {[s['summary'] for s in report.data['stalls']]}")
    box.equal((slept[0]["verdict"], slept[0]["reason"]), ("blocked", "sleep"), "verdict and reason")


@case
def loops_that_are_there_already(box):
    """One that sleeps in its wait when recording starts; and no line for what waits but once."""
    server = box.start("node" if shutil.which("node") else node(), "-e",
                       "process.stdin.on('data', () => { const end = Date.now() + 50; while (Date.now() < end); })"
                       ".on('end', () => process.exit(0)); console.log('ready')")
    box.equal(server.stdout.readline(), "ready\n", "what the server says")
    time.sleep(0.2)
    recorder, path = box.start_recording("-p", server.pid)
    time.sleep(0.5)
    server.stdin.write("x")
    server.stdin.flush()
    time.sleep(0.5)
    recorder.send_signal(signal.SIGINT)
    box.equal(box.finish(recorder).status, 0, "status")
    box.finish(server)
    report = check_loops(box.load(path))
    box.equal(len(report.data["loops"]), 1, "loops")
    loop = report.data["loops"][0]
    box.equal(loop["stalls"], 1, "stalls")
    box.check(loop["start_ns"] < 50 * MS, f"its first wait began at {loop['start_ns']}")
    box.check(loop["idle_ns"] > 800 * MS, f"idle for {loop['idle_ns']} ns")


@case
def the_threshold_can_be_raised(box):
    _, report, path = record(box, node(), script("delay.js"))
    done = box.run(box.partrace, "report", "-i", path, "--format", "json", "--stall", "40")
    box.equal(done.status, 0, str(done))
    raised = json.loads(done.out)
    expected = [s["duration_ns"] for s in report.data["stalls"] if s["duration_ns"] >= 40 * MS]
    box.equal([s["duration_ns"] for s in raised["stalls"]], expected, "stalls of at least 40 ms")
    box.check(0 < len(expected) < len(report.data["stalls"]), "none or all are longer than 40 ms")
    text = box.run(box.partrace, "report", "-i", path)
    box.check("Event loops" in text.out and "Stalls" in text.out, "the text names neither loops nor stalls")
