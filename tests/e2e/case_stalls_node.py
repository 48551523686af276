# SPDX-License-Identifier: BSD-2-Clause
"""What a Node program does to itself."""

import os
import pty
import resource
import socket
import time

from harness import Skip, case, read_truth
from loops import EARLY, MS, check_loops, environ, expect, make_file, node, record, script, stall_at

# Verdict (None: whatever it is by the scheduler's account) and reason.
STALLS = {
    "busy": ("computing", "user-code"),
    "json": (None, None),
    "gc": (None, None),
    "pbkdf2": ("computing", "user-code"),
    "read": (None, None),
    "read_cold": (None, None),
    "fsync": (None, None),
    "exec": ("nested-loop", "child"),
    "spawnSync": ("nested-loop", "child"),
    "wait": ("blocked", "lock"),
    "notified": ("blocked", "lock"),
    "pipe": ("blocked", "pipe"),
    "microtasks": ("computing", "user-code"),
    "timers": ("computing", "user-code"),
    "handler": ("computing", "user-code"),
}


def check_details(box, report, row, stall):
    """What each of them must say besides its verdict."""
    name, verdict = row["name"], stall["verdict"]
    if name in ("exec", "spawnSync"):
        box.check(any(child["comm"] in ("sh", "sleep") for child in stall["children"]), f"{name}: {stall['children']}")
    if name == "read" and verdict == "kernel":
        box.equal(stall["reason"], "read", "the call that the kernel worked in")
    if name in ("read_cold", "fsync") and verdict == "blocked":
        box.equal(stall["reason"], "disk", stall["summary"])
        box.check("cold" in stall["blocked"][0]["object"], f"{name}: {stall['blocked'][0]}")
    if name == "wait" and verdict == "blocked":
        box.check(stall["blocked"][0]["woken_by"] is None, f"{name}: {stall['blocked'][0]}, its time was up")
    if name in ("notified", "pipe") and verdict == "blocked":
        waker = stall["blocked"][0]["woken_by"]
        box.check(waker and waker["pid"] == stall["pid"] and waker["tid"] != stall["tid"], f"{name}: {stall['blocked'][0]}")
    if name == "gc" and verdict == "blocked":
        box.equal(stall["reason"], "lock", stall["summary"])


def check_immediates(box, report, row):
    """A chain of them keeps the loop busy; each is a turn of its own, and no stall unless the machine makes it one."""
    start = row["start"] + row["length"] - report.trace["start_monotonic_ns"]
    for stall in report.data["stalls"]:
        if start <= stall["start_ns"] < start + 200 * MS:
            box.equal(stall["verdict"], "waiting-for-cpu", f"a stall in a chain of immediates: {stall['summary']}")


@case
def stalls_of_a_node_program(box):
    fifo, cold = box.path("fifo"), make_file(box, "cold", 64)
    os.mkfifo(fifo)
    with open(cold, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    truth, report, _ = record(box, node(), "--expose-gc", script("stalls.js"), make_file(box, "file", 24), cold, fifo)
    rows = {row["name"]: row for row in truth}
    for name, (verdict, reason) in STALLS.items():
        if rows[name]["length"] < 12 * MS:
            continue
        stall = stall_at(report, rows[name])
        expect(box, stall, rows[name], verdict, reason)
        check_details(box, report, rows[name], stall)
    check_immediates(box, report, rows["immediates"])
    stall = stall_at(report, rows["spawn"])
    expect(box, stall, rows["spawn"], "fork", "page-tables")
    box.equal([child["comm"] for child in stall["children"]], ["true"], "children")
    # The helper thread sleeps on purpose, too.
    box.equal({loop["tid"] == loop["pid"] for loop in report.data["loops"] if loop["stalls"]}, {True, False}, "loops that stall")
    box.check(any(loop["nested"] for loop in report.data["loops"]), "no loop is nested")


@case
def a_terminal_that_nobody_reads(box):
    main, terminal = pty.openpty()
    truth, path, name = box.path("truth"), box.path("trace-tty"), os.ttyname(terminal)
    code = ("const { run, write } = require(process.argv[1]);"
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
    stall = stall_at(report, row)
    expect(box, stall, row, "blocked", "tty")
    box.check(name.endswith(stall["blocked"][0]["object"]), f"{stall['blocked'][0]}: its terminal is {name}")


SERVER = """
const net = require('net');
const { busy, note, write, look, since } = require(process.argv[1]);
let open = 0, heard = 0, before, start;
const hear = () => {
  if (!heard++) [before, start] = [look(), process.hrtime.bigint()];
  busy(0.1);
  if (heard === 1500) {
    note({ name: 'sockets', start, length: process.hrtime.bigint() - start, ...since(before) });
    setTimeout(() => { write(); process.exit(0); }, 100);
  }
};
const server = net.createServer((s) => {
  s.on('data', hear);
  s.on('error', () => {});
  if (++open === 1500) console.log('all');
}).listen({ port: 0, host: '127.0.0.1', backlog: 2000 }, () => console.log(server.address().port));
process.stdin.on('data', () => busy(400));
"""


@case
def many_sockets_at_once(box):
    """More than one wait returns: one turn."""
    path, truth = box.path("trace-sockets"), box.path("truth")
    process = box.start("sh", "-c", 'ulimit -n 4096; exec "$@"', "sh", box.partrace, "record", "-o", path, "--",
                        node(), "-e", SERVER, script("truth.js"), env=environ(truth))
    port = int(process.stdout.readline())
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
    row = read_truth(truth)[0]
    stall = stall_at(report, row)
    expect(box, stall, row, None)
    box.check(stall["start_ns"] > row["start"] - report.trace["start_monotonic_ns"] - 5 * MS - EARLY,
              f"{stall['start_ns']}: it began with the first of the sockets")
