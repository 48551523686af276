# SPDX-License-Identifier: BSD-2-Clause
"""A loop of libuv's in C (prog/uv_stalls.c) that stalls in every way it can."""

import os

from harness import case
from loops import MS, expect, make_file, record, stall_at

# Verdict, reason, and the system call of the longest sleep.
STALLS = {
    "busy": ("computing", "user-code", None),
    "zero": ("kernel", "read", None),
    "read": ("kernel", "pread64", None),
    "mutex": ("blocked", "lock", "futex"),
    "timeout": ("blocked", "lock", "futex"),
    "flock": ("blocked", "lock", "flock"),
    "pipe_write": ("blocked", "pipe", "write"),
    "pipe_read": ("blocked", "pipe", "read"),
    "tty": ("blocked", "tty", "write"),
    "unix_connect": ("blocked", "unix", "connect"),
    "tcp_connect": ("blocked", "tcp", "connect"),
    "tcp_receive": ("blocked", "tcp", "recvfrom"),
    "sleep": ("blocked", "sleep", "clock_nanosleep"),
    "child": ("blocked", "child", "wait4"),
    "stop": ("blocked", "stopped", None),
    "nested": ("nested-loop", "loop", None),
    "poll": ("blocked", "poll", "poll"),
}


def check_sleep(box, sleep, row, syscall):
    """On what it slept, and who woke it, as the program knows."""
    what = f"{row['name']}: {sleep}, the program says {row}"
    if syscall:
        box.equal(sleep["syscall"], syscall, what)
    expected = row["object"].replace("~", " ")
    # A path is told from the root of its file system.
    box.check(expected == "-" or expected in sleep["object"] or
              ("/" in expected and expected.endswith(sleep["object"].lstrip("."))), what)
    woken_by = sleep["woken_by"]
    if row["waker"]:
        box.equal(woken_by and woken_by["tid"], row["waker"], f"who ended it, {what}")
    if row["name"] in ("timeout", "sleep", "poll"):
        box.check(woken_by is None, f"an interrupt ended it: {what}")


def stalls(box, *kinds):
    """(row of truth, stall) for each kind."""
    box.deep = make_file(box, "file", 64)
    truth, report, _ = record(box, box.prog("uv_stalls"), box.deep, *kinds)
    box.equal([row["name"] for row in truth], list(kinds), "stalls that the program made")
    return [(row, stall_at(report, row)) for row in truth]


@case
def stalls_of_a_libuv_program(box):
    for row, stall in stalls(box, *STALLS):
        verdict, reason, syscall = STALLS[row["name"]]
        if expect(box, stall, row, verdict, reason) and verdict == "blocked":
            check_sleep(box, stall["blocked"][0], row, syscall)


@case
def a_handler_of_a_signal_that_interrupts_the_wait(box):
    (row, stall), = stalls(box, "handler")
    box.check(abs(stall["duration_ns"] - row["length"]) < 10 * MS, f"{stall['summary']}: the handler ran for {row['length']}")
    box.check(stall["verdict"] in ("computing", "waiting-for-cpu"), stall["summary"])


@case
def a_fork_that_copies_page_tables(box):
    (row, stall), = stalls(box, "fork")
    expect(box, stall, row, "fork", "page-tables")
    box.equal([child["pid"] for child in stall["children"]], [int(row["object"])], "children")
    box.check(any(call["name"] in ("clone", "fork") and call["ns"] > row["cpu"] // 2 for call in stall["syscalls"]),
              f"no long fork among {stall['syscalls']}")


@case
def disks(box):
    """Whether a disk is slow is the machine's business; what is told of it is ours."""
    for row, stall in stalls(box, "read_cold", "fsync"):
        slept = [b for b in stall["blocked"] if b["reason"] == "disk"]
        sleep = row["length"] - row["cpu"] - row["wait"]
        box.check(abs(sum(b["ns"] for b in slept) - sleep) < 5 * MS + sleep // 20,
                  f"{row['name']}: {slept}, it slept for {sleep} ns")
        if expect(box, stall, row, None) and sleep > row["length"] // 2:
            box.equal(stall["reason"], "disk", stall["summary"])
        for b in slept:
            if b["max_ns"] >= MS:
                box.check(os.path.basename(row["object"]) in b["object"], f"{row['name']}: {b}")
                box.check(b["syscall"] in ("pread64", "fsync"), f"{row['name']}: {b}")


def errors_of(box, count):
    """How far the report is off, (start, length) in ns, for each of so many stalls, by the program's own clock."""
    truth, report, _ = record(box, box.prog("uv_stalls"), "-", "many", count)
    box.equal(len(truth), count, "stalls that the program made")
    errors = []
    for row in truth:
        stall = stall_at(report, row)
        errors.append((abs(stall["start_ns"] + report.trace["start_monotonic_ns"] - row["turn"]),
                       abs(stall["duration_ns"] - row["turn_length"])))
    return errors


@case
def stalls_are_measured_to_a_tenth_of_a_millisecond(box):
    """From the return of the poll to the next; the program looks at its clock right behind the one and before the other.

    If it is preempted just there, its clock is late and not the report: that happens to few."""
    for what, errors in zip(("start", "length"), zip(*errors_of(box, 100))):
        errors = sorted(errors)
        box.check(errors[50] <= 50_000, f"{what}: off by {errors[50]} ns in the middle")
        box.check(errors[94] <= 100_000, f"{what}: off by {errors[90:]} ns at most")
