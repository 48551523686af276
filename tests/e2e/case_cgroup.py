# SPDX-License-Identifier: BSD-2-Clause
"""record -G: the tasks of a cgroup and below are targets, what they make too, and who is moved there later; nobody else.

Who is in the cgroup is what the kernel's files say."""

import contextlib
import json
import os
import signal
import subprocess
import sys

from case_quota import cgroup, remove
from case_record import finish
from harness import Skip, case, read, read_truth, write


def move(folder, pid):
    with open(f"{folder}/cgroup.procs", "w", encoding="utf-8") as f:
        f.write(str(pid))


def threads_in(folder):
    """By the file that this version of cgroups has for it."""
    for name in ("cgroup.threads", "tasks"):
        if os.path.exists(f"{folder}/{name}"):
            return {int(word) for word in read(f"{folder}/{name}").split()}
    raise Skip("a cgroup without a list of its threads")


@contextlib.contextmanager
def place(parent=""):
    """A cgroup that is empty in the end, whatever fails meanwhile: else it could not be removed."""
    with cgroup(parent) as (root, path):
        try:
            yield root, path
        finally:
            for tid in threads_in(root + path):
                with contextlib.suppress(OSError):
                    os.kill(tid, signal.SIGKILL)


def tids_of(pid):
    return {int(tid) for tid in os.listdir(f"/proc/{pid}/task")}


def noticed(box, path):
    """The tids that the unfinished file of a recording tells already."""
    done = box.run(box.partrace, "report", "-i", path + ".partial", "--format", "json")
    return {task["tid"] for task in json.loads(done.out)["tasks"]} if done.out else set()


def tids_in(report):
    return {task["tid"] for task in report.tasks}


@case
def a_cgroup_and_what_is_below(box):
    """And a child in another cgroup, made before, is no target, as a neighbour is none."""
    sleepers = [box.start_sleeper(2, "late") for _ in range(2)]
    outsider, _ = box.start_sleeper(1, "late")
    shell = box.start("sh", "-c", "sleep 60 & echo $!; wait")
    child = int(shell.stdout.readline())
    try:
        with place() as (root, outer), place(outer) as (_, inner):
            move(root + outer, sleepers[0][0].pid)
            move(root + inner, sleepers[1][0].pid)
            move(root + outer, shell.pid)
            members = threads_in(root + outer) | threads_in(root + inner)
            box.equal(len(members), 7, "threads in the cgroups")
            process, path = box.start_recording("-G", root + outer)
            for sleeper in (outsider, sleepers[0][0], sleepers[1][0]):
                sleeper.stdin.close()
                sleeper.wait()
            os.kill(child, 15)
            shell.wait()
            box.check(process.poll() is None, "the recording ended though the cgroup still exists")
            process.terminate()
            report = finish(box, process, path)
    finally:
        subprocess.run(["kill", "-9", str(child)], stderr=subprocess.DEVNULL, check=False)
    made = {row["tid"] for _, truth in sleepers for row in read_truth(truth)} | {shell.pid}
    box.check(members < made, f"{members - made} is in the cgroup, but not of these programs")
    box.equal(tids_in(report), made, "tasks in the report")
    for task in report.tasks:
        box.equal((task["created_by"] == "existing", task["start_ns"] == 0), (task["tid"] in members,) * 2, f"{task}")
    box.equal(report.trace["target"], f"cgroup {root}{outer}", "target")


@case
def moved_into_a_cgroup_later(box):
    """It is empty at first; what a newcomer did before is not of its life, and what it makes afterwards is recorded."""
    newcomer, truth = box.start_sleeper(2, "late")
    outsider, _ = box.start_sleeper(1)
    with place() as (root, path_in_root):
        box.equal(threads_in(root + path_in_root), set(), "threads in the cgroup")
        process, path = box.start_recording("-G", root + path_in_root)
        before = tids_of(newcomer.pid)
        move(root + path_in_root, newcomer.pid)
        box.wait_for(lambda: before <= noticed(box, path), "the newcomer is noticed")
        newcomer.stdin.close()
        newcomer.wait()
        box.check(process.poll() is None, "the recording ended though others may come")
    report = finish(box, process, path)  # the cgroup is gone, and all who were in it
    rows = read_truth(truth)
    box.equal(tids_in(report), {row["tid"] for row in rows}, "tasks in the report")
    box.equal(report.trace["ended_by"], "target-gone", "why it ended")
    for row in rows:
        task = report.one(tid=row["tid"], pid=row["pid"])
        joined = row["tid"] in before
        box.equal(task["created_by"] == "existing", joined, f"{row['comm']} was there before")
        box.check(task["start_ns"] > 0, f"{row['comm']} was no target when recording began")
        box.equal(task["state_ns"]["unknown"], 0, f"unknown time of {row['comm']}")
    box.check(outsider.poll() is None, "the outsider ended")


@case
def an_empty_cgroup_for_a_while(box):
    with place() as (root, path_in_root):
        process, path = box.start_recording("-G", root + path_in_root, "-d", "0.5")
        report = finish(box, process, path)
    box.equal((report.tasks, report.trace["ended_by"]), ([], "duration"), "tasks, and why it ended")


CHAINS = """
import os, time
for _ in range(15):
    if not os.fork():
        break
while not os.path.exists("stop"):
    time.sleep(0.001)
    if os.fork():
        os._exit(0)
open(f"last-{os.getpid()}", "w").close()
"""


@case
def forks_while_it_is_found(box):
    """Sixteen chains of processes that fork and end all the time: each is recorded from the beginning to its end.

    There are so many threads beside them that those of the chains that were listed are gone before they can be marked."""
    crowd, _ = box.start_sleeper(1000)
    with place() as (root, path_in_root):
        move(root + path_in_root, crowd.pid)
        into = f"echo $$ > {root}{path_in_root}/cgroup.procs; exec {sys.executable} -c \"$0\""
        box.start("sh", "-c", into, CHAINS).wait()
        process, path = box.start_recording("-G", root + path_in_root)
        write(box.path("stop"), "")
        crowd.stdin.close()
        box.wait_for(lambda: not threads_in(root + path_in_root), "the chains end")
    report = finish(box, process, path)
    box.equal(report.trace["ended_by"], "target-gone", "why it ended")
    last = [int(name[len("last-"):]) for name in os.listdir(box.dir) if name.startswith("last-")]
    box.equal(len(last), 16, "chains that ended")
    tasks = {task["tid"]: task for task in report.tasks}
    for tid in last:
        box.check(tid in tasks, f"{tid}, the last of its chain, is not in the report")
        while tasks[tid]["created_by"] != "existing":
            box.check(tasks[tid]["ppid"] in tasks, f"who made {tid} is not in the report")
            tid = tasks[tid]["ppid"]
        box.equal(tasks[tid]["start_ns"], 0, f"when the first of a chain, {tid}, became a target")


@case
def below_the_mount_of_version_2(box):
    mounts = [line.split() for line in read("/proc/self/mounts").splitlines()]
    roots = [words[1] for words in mounts if words[2] == "cgroup2"]
    if not roots:
        raise Skip("cgroups of version 2 are not mounted")
    name = f"partrace-e2e-{os.getpid()}"
    os.mkdir(f"{roots[0]}/{name}")
    sleeper, _ = box.start_sleeper(1)
    try:
        move(f"{roots[0]}/{name}", sleeper.pid)
        for spelt in (name, "/" + name):
            process, path = box.start_recording("-G", spelt, "-d", "0.2")
            report = finish(box, process, path)
            box.equal(tids_in(report), tids_of(sleeper.pid), f"tasks of {spelt}")
            box.equal(report.trace["target"], f"cgroup {spelt}", "target")
    finally:
        sleeper.kill()
        sleeper.wait()
        remove(f"{roots[0]}/{name}")


@case
def what_is_no_cgroup(box):
    def refused(name):
        return box.run(box.partrace, "record", "-G", name, "-d", "0.1", "-o", box.path("none"))

    box.one_line(refused(box.dir), 125, "is not a cgroup")
    box.one_line(refused("partrace-e2e-none/at-all"), 125, "there is no cgroup 'partrace-e2e-none/at-all'")
    box.one_line(refused("/sys/fs/cgroup/partrace-e2e-none"), 125, "there is no cgroup")
    box.one_line(refused(""), 2, "empty")
    for other in (("-p", "1"), ("-t", "1"), ("-a",), ("--workload", "thread/cpu"), ("--", "true")):
        done = box.run(box.partrace, "record", "-G", "x", *other)
        box.one_line(done, 2, "not both")
    box.check(not os.path.exists(box.path("none")), "a file was written")
