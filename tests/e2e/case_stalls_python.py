# SPDX-License-Identifier: BSD-2-Clause
"""Loops of asyncio, stalled by what a callback does, or by others."""

import os
import signal
import subprocess
import sys
import time

from harness import case, read_truth
from loops import MS, check_loops, environ, expect, make_file, record, script, stall_at


def stalled(box, kind, verdict, reason=None, *, options=(), before=(), args=()):
    """(truth, stall, whether the stall has that verdict: the machine may have made it another)."""
    truth, report, _ = record(box, sys.executable, script("stalls.py"), kind, *args, options=options, before=before)
    stall = stall_at(report, truth[0])
    return truth[0], stall, expect(box, stall, truth[0], verdict, reason)


@case
def sleep_in_a_callback(box):
    _, stall, _ = stalled(box, "sleep", "blocked", "sleep")
    box.equal(len(stall["blocked"]), 1, f"sleeps of {stall['blocked']}")


@case
def a_contended_lock(box):
    _, stall, _ = stalled(box, "lock", "blocked", "lock")
    waker = stall["blocked"][0]["woken_by"]
    box.check(waker and waker["pid"] == stall["pid"] and waker["tid"] != stall["tid"], f"woken by {waker}")
    box.check("futex" in stall["blocked"][0]["object"], f"object {stall['blocked'][0]['object']!r}")


@case
def a_full_pipe(box):
    _, stall, _ = stalled(box, "pipe", "blocked", "pipe")
    box.check("pipe:[" in stall["blocked"][0]["object"], f"object {stall['blocked'][0]['object']!r}")
    box.equal(stall["blocked"][0]["syscall"], "write", "system call")


@case
def blocking_sockets(box):
    _, stall, _ = stalled(box, "tcp", "blocked", "tcp")
    box.check("127.0.0.1" in stall["blocked"][0]["object"], f"object {stall['blocked'][0]['object']!r}")
    stalled(box, "unix", "blocked", "unix")
    stalled(box, "poll", "blocked", "poll")


@case
def waiting_for_children(box):
    _, stall, _ = stalled(box, "wait", "blocked", "child")
    box.check(stall["children"], "no child is named")
    truth, report, _ = record(box, sys.executable, script("stalls.py"), "run")
    stall = stall_at(report, truth[0])
    # It polls for the child, or waits for it in wait4(), as this version of Python does.
    nested = any(b["reason"] == "poll" and b["ns"] > stall["duration_ns"] // 2 for b in stall["blocked"])
    expect(box, stall, truth[0], "nested-loop" if nested else "blocked", "child")


@case
def another_selector_in_one_turn(box):
    stalled(box, "nested", "nested-loop", "loop")


@case
def a_signal_handler(box):
    truth, report, _ = record(box, sys.executable, script("stalls.py"), "handler")
    long = [s for s in report.data["stalls"] if s["duration_ns"] > 99 * MS
            and s["start_ns"] > truth[0]["start"] - report.trace["start_monotonic_ns"]]
    box.equal(len(long), 1, "stalls of a signal handler")
    parts = long[0]["parts_ns"]
    box.equal(long[0]["verdict"], "computing" if parts["user"] > parts["runnable"] else "waiting-for-cpu", long[0]["summary"])


def check_disk(box, row, stall, *reasons):
    """Whether a disk is slow is the machine's business: then it must be named."""
    if stall["verdict"] == "blocked":
        box.check(stall["reason"] in reasons, f"{row['name']}: {stall['summary']}")
    slept = sum(b["ns"] for b in stall["blocked"] if b["reason"] in reasons)
    sleep = row["length"] - row["cpu"] - row["wait"]
    box.check(abs(slept - sleep) < 5 * MS + row["length"] // 20, f"{row['name']}: {stall['blocked']}, it slept {sleep} ns")


@case
def a_cold_disk(box):
    path = make_file(box, "cold", 96)
    row, stall, _ = stalled(box, "cold_read", None, args=(path,))
    check_disk(box, row, stall, "disk")
    row, stall, _ = stalled(box, "cold_map", None, args=(path,))
    check_disk(box, row, stall, "page-fault", "disk")


@case
def fsync_on_the_loop(box):
    row, stall, _ = stalled(box, "fsync", None, args=(box.path("file"),))
    check_disk(box, row, stall, "disk")


@case
def forking_a_big_process(box):
    _, stall, _ = stalled(box, "fork", "fork", "page-tables")
    box.check(any(c["name"] == "clone" for c in stall["syscalls"]), f"no clone among {stall['syscalls']}")
    box.equal(len(stall["children"]), 1, "children")


@case
def hogs_beside_it(box):
    """Everybody on one CPU: the loop gets a part of it, and those that had the rest are named."""
    for count in (2, 8):
        hogs = [box.start("taskset", "-c", "1", "sh", "-c", "while :; do :; done") for _ in range(count)]
        _, stall, _ = stalled(box, "work", "waiting-for-cpu", "other-tasks", before=("taskset", "-c", "1"))
        takers = {t["tid"]: t["ns"] for t in stall["cpu_taken_by"]}
        for hog in hogs:
            box.check(takers.get(hog.pid, 0) > 5 * MS, f"{hog.pid} is not among {takers}")
            hog.kill()
            hog.wait()
        box.check(abs(sum(takers.values()) - stall["parts_ns"]["runnable"]) * 50 <= stall["duration_ns"],
                  f"{sum(takers.values())} ns taken, {stall['parts_ns']['runnable']} waited")
        box.check(sum(takers[hog.pid] for hog in hogs) * 10 > sum(takers.values()) * 8, f"hogs had less than the most of {takers}")
        box.equal(stall["throttled_by"], None, "no quota held it back")


@case
def stopped_by_a_signal(box):
    truth, path = box.path("truth"), box.path("trace-stop")
    process = box.start(box.partrace, "record", "-o", path, "--", sys.executable, script("stalls.py"), "stop",
                        env=environ(truth))
    process.stdout.readline()
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout.split()
    box.check(children, "the recorder has no child")
    os.kill(int(children[0]), signal.SIGSTOP)
    time.sleep(0.25)
    os.kill(int(children[0]), signal.SIGCONT)
    box.equal(box.finish(process).status, 0, "status")
    report = check_loops(box.load(path))
    row = read_truth(truth)[0]
    stall = stall_at(report, row)
    expect(box, stall, row, "blocked", "stopped")
    box.equal(stall["blocked"][0]["woken_by"]["pid"], os.getpid(), "who let it go on")
