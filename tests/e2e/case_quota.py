# SPDX-License-Identifier: BSD-2-Clause
"""CPU quotas of cgroups: told from neighbours that want the same CPU, and the cgroup is named."""

import contextlib
import os
import sys
import time

from harness import Skip, case
from loops import MS, expect, record, script, stall_at

HIERARCHIES = (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"), ("/sys/fs/cgroup", "cpu.max"))


def remove(path):
    for _ in range(100):
        try:
            os.rmdir(path)
            return
        except OSError:
            time.sleep(0.02)


@contextlib.contextmanager
def cgroup(parent="", quota=None):
    """A CPU cgroup, of version 1 or 2, with a quota in per cent of one CPU; its path from the root of the hierarchy."""
    for root, file in HIERARCHIES:
        path = f"{parent}/partrace-e2e-{os.getpid()}"
        try:
            os.mkdir(root + path)
        except OSError:
            continue
        try:
            if quota:
                with open(f"{root}{path}/{file}", "w", encoding="utf-8") as f:
                    f.write(f"{quota * 1000} 100000" if file == "cpu.max" else f"{quota * 1000}")
            elif not os.path.exists(f"{root}{path}/cgroup.procs"):
                raise OSError
        except OSError:
            remove(root + path)
            continue
        try:
            yield root, path
        finally:
            remove(root + path)
        return
    raise Skip("no cgroup with a CPU quota can be made here")


def inside(root, path):
    """Words before a command that make it run in this cgroup."""
    return ("sh", "-c", f'echo $$ > {root}{path}/cgroup.procs; exec "$@"', "sh")


def throttled_ns(root, path):
    with open(f"{root}{path}/cpu.stat", encoding="utf-8") as f:
        figures = dict(line.split() for line in f)
    return int(figures["throttled_time"]) if "throttled_time" in figures else int(figures["throttled_usec"]) * 1000


def work(box, before):
    truth, report, _ = record(box, sys.executable, script("stalls.py"), "work", before=before)
    stall = stall_at(report, truth[0])
    expect(box, stall, truth[0], "waiting-for-cpu", late=150 * MS)  # it may be held back at the end of the turn
    return report, stall


@case
def a_cpu_quota(box):
    """The quota is that of a cgroup around the one in which the loop is, as with a container in a pod."""
    with cgroup(quota=20) as (root, outer), cgroup(parent=outer) as (_, inner):
        report, stall = work(box, inside(root, inner))
        told = throttled_ns(root, outer)
    box.equal((stall["reason"], stall["throttled_by"]), ("cpu-quota", outer), stall["summary"])
    box.check(outer + "," in stall["summary"], stall["summary"])
    box.check(stall["throttled_ns"] * 10 > stall["parts_ns"]["runnable"] * 8,
              f"throttled for {stall['throttled_ns']} of {stall['parts_ns']['runnable']} ns")
    box.equal(report.one(tid=stall["tid"])["cgroup"], inner, "cgroup of the loop's task")
    group = next(g for g in report.data["cgroups"] if g["path"] == outer)
    box.equal((group["quota_ns"], group["period_ns"]), (20 * MS, 100 * MS), "quota")
    # What was before the first look is not of the recording.
    box.check(told // 2 < group["throttled_ns"] <= told, f"throttled for {group['throttled_ns']} ns, the kernel says {told}")


@case
def a_cpu_quota_with_a_neighbour(box):
    """While the quota holds the loop back its CPU is not idle: that is not why it waits."""
    hog = box.start("taskset", "-c", "1", "sh", "-c", "while :; do :; done")
    with cgroup(quota=20) as (root, path):
        _, stall = work(box, (*inside(root, path), "taskset", "-c", "1"))
    box.equal((stall["verdict"], stall["reason"], stall["throttled_by"]), ("waiting-for-cpu", "cpu-quota", path), stall["summary"])
    box.check(any(t["tid"] == hog.pid for t in stall["cpu_taken_by"]), f"the hog had the CPU: {stall['cpu_taken_by']}")


@case
def a_neighbour_beside_a_generous_quota(box):
    hog = box.start("taskset", "-c", "1", "nice", "-n", "-10", "sh", "-c", "while :; do :; done")
    with cgroup(quota=95) as (root, path):
        report, stall = work(box, (*inside(root, path), "taskset", "-c", "1"))
    box.equal((stall["verdict"], stall["reason"], stall["throttled_by"]), ("waiting-for-cpu", "other-tasks", None), stall["summary"])
    box.equal(stall["cpu_taken_by"][0]["tid"], hog.pid, "who had the CPU longest")
    box.equal(report.one(tid=stall["tid"])["cgroup"], path, "cgroup of the loop's task")
