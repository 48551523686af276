# SPDX-License-Identifier: BSD-2-Clause
"""Shared memory: who maps it, and who wakes whom."""

import os

from harness import Skip, case

NAMES = {"memfd": "/memfd:futexes", "posix": "/dev/shm/futexes-", "file": "futexes-", "anonymous": "/dev/zero",
         "sysv": "/SYSV00000000"}


def wakes_of(report, a, b):
    """channel -> wake-ups, of the flows from one tid to another"""
    channels = {c["id"]: c for c in report.data["ipc"]["channels"]}
    return [(channels[f["channel"]], f) for f in report.data["ipc"]["flows"]
            if f["from"]["tid"] == a and f["to"]["tid"] == b and f["kind"] in ("futex", "shared-memory")]


@case
def wake_ups_are_the_messages_of_shared_memory(box):
    truth, report = box.record_truth("futexes")
    box.equal(len(truth), 6, "pairs in the truth")
    for row in truth:
        for a, b, woke in ((row["a"], row["b"], row["a_woke"]), (row["b"], row["a"], row["b_woke"])):
            found = wakes_of(report, a, b)
            box.equal(len(found), 1, f"channels through which {a} woke {b} ({row['what']})")
            channel, flow = found[0]
            # One that is woken on its way to sleep is counted by the kernel, and never slept.
            box.check(0.8 * woke <= flow["messages"] <= woke,
                      f"{a} woke {b} {flow['messages']} times, {woke} by its own count ({row['what']})")
            box.equal((flow["bytes"], flow["uncertain"], flow["latency_ns"]), (0, False, None), "what is not seen")
            if row["what"] == "threads":
                box.equal(channel["kind"], "futex", "kind of threads")
                continue
            box.equal(channel["kind"], "shared-memory", f"kind of {row['what']}")
            box.check(NAMES[row["what"]] in channel["name"], f"{row['what']} is called {channel['name']}")
            mapped = {m["pid"] for m in channel["mapped_by"] if m["writes"]}
            box.equal(mapped, {row["a"], row["b"]}, f"who maps {row['what']}")
            box.equal(channel["mapped_bytes"], 4096, f"size of {row['what']}")


@case
def threads_that_wait_for_a_lock(box):
    """A thread that holds a lock is who wakes those that wait for it."""
    program = ("import threading, time, os\nlock = threading.Lock()\nlock.acquire()\n"
               "def wait():\n for _ in range(40): lock.acquire()\n"
               "t = threading.Thread(target=wait); t.start()\n"
               "for _ in range(40): time.sleep(0.003); lock.release()\nt.join()\n")
    _, path = box.record("python3", "-c", program)
    report = box.load(path)
    flows = [f for f in report.data["ipc"]["flows"] if f["kind"] == "futex" and f["messages"] >= 30]
    box.check(any(f["from"]["pid"] == f["to"]["pid"] and f["from"]["tid"] == f["from"]["pid"] for f in flows),
              f"no flow of 30 wake-ups from a main thread: {flows}")
    done = box.run(box.partrace, "report", "-i", path)
    box.check("wake-ups through futexes" in done.out, "the text does not tell of wake-ups")


def holders_of(report, inode, device):
    """pid -> whether it has it from its parent"""
    for channel in report.data["ipc"]["channels"]:
        if channel["kind"] == "shared-memory" and channel["ends"][0]["inode"] == device << 32 | inode & 0xffffffff:
            return {m["pid"]: m["inherited"] for m in channel["mapped_by"]}
    return {}


@case
def memory_of_processes_that_nobody_had_time_to_look_at(box):
    if tuple(map(int, os.uname().release.split("-")[0].split(".")[:2])) < (5, 17):
        raise Skip("before Linux 5.17 a mapping is not told when it is made")
    truth, report = box.record_truth("mapper")
    for row in truth:
        expected = {row["parent"]: False, row["child"]: True, row["grandchild"]: True}
        if row["own"]:
            expected[row["own"]] = False
        box.equal(holders_of(report, row["inode"], row["device"]), expected, f"who maps the {row['what']}: {row}")


@case
def children_have_what_was_mapped_before_the_recording(box):
    program = ("import mmap, os, sys, time\nm = mmap.mmap(-1, 12288)\nprint('ready', flush=True)\nsys.stdin.readline()\n"
               "pid = os.fork()\nif not pid: time.sleep(0.02); os._exit(0)\nos.wait()\n"
               "line = next(l.split() for l in open('/proc/self/maps') if '/dev/zero' in l)\n"
               "print(pid, line[4], line[3], flush=True)\ntime.sleep(1.5)\n")
    process = box.start("python3", "-c", program)
    box.equal(process.stdout.readline(), "ready\n", "what the program says")
    recorder, path = box.start_recording("-p", process.pid)
    process.stdin.write("\n")
    process.stdin.flush()
    pid, inode, device = process.stdout.readline().split()
    box.finish(process)
    box.finish(recorder)
    major, minor = (int(n, 16) for n in device.split(":"))
    box.equal(holders_of(box.load(path), int(inode), os.makedev(major, minor)), {process.pid: False, int(pid): True},
              "who maps it")
