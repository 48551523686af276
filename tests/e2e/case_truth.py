# SPDX-License-Identifier: BSD-2-Clause
"""Recordings of programs that know the truth: switches, names, ends, ways of creation, waiting."""

import os

from harness import Failure, Skip, case


def compare_switches(box):
    """How many tasks had one involuntary switch more than they read: between reading and the end lies an instant."""
    truth, report = box.record_truth("switches")
    late = 0
    for row in truth:
        if row["mix"] in ("start", "end"):
            continue
        switches = report.one(tid=row["tid"], pid=row["pid"])["switches"]
        who = f"of task {row['tid']} ({row['mix']})"
        box.equal(switches["voluntary"], row["voluntary"], f"voluntary switches {who}")
        extra = switches["involuntary"] - row["involuntary"]
        box.check(extra in (0, 1), f"involuntary switches {who}: {switches['involuntary']}, "
                                   f"expected {row['involuntary']}")
        late += extra
    return late


@case
def switches_equal_the_kernels_counters(box):
    attempts = [compare_switches(box)]
    while attempts[-1] and len(attempts) < 4:
        attempts.append(compare_switches(box))
    box.equal(attempts[-1], 0, f"involuntary switches too many, of {len(attempts)} recordings the last")


@case
def switches_of_the_command_itself(box):
    truth, report = box.record_truth("switches")
    start, end = (next(r for r in truth if r["mix"] == mix) for mix in ("start", "end"))
    switches = report.one(tid=end["tid"])["switches"]
    for kind in ("voluntary", "involuntary"):
        low, high = end[kind] - start[kind], end[kind] + 1
        box.check(low <= switches[kind] <= high, f"{kind} switches: {switches[kind]}, expected {low} to {high}")


@case
def shortlived_processes_have_their_names(box):
    truth, report = box.record_truth("shortlived", 200)
    box.equal(len(truth), 200, "lines of truth")
    for row in truth:
        task = report.one(pid=row["pid"], tid=row["pid"])
        box.equal(task["comm"], row["comm"], f"name of {row['pid']}")
        box.equal(task["exec"], bool(row["exec"]), f"exec of {row['comm']}")
        box.equal(task["exit_code"], 0, f"exit code of {row['comm']}")
        box.equal(task["model"], "process", f"model of {row['comm']}")


@case
def threads_have_their_names(box):
    truth, report = box.record_truth("threads", 200)
    for row in truth:
        task = report.one(pid=row["pid"], tid=row["tid"])
        box.equal(task["comm"], row["comm"], f"name of {row['tid']}")
        box.equal(task["model"], "thread", f"model of {row['comm']}")


@case
def a_reused_tid_is_another_task(box):
    truth, report = box.record_truth("tidreuse", 3)
    pid = truth[0]["pid"]
    tasks = sorted(report.find(tid=pid), key=lambda t: t["start_ns"])
    box.equal([t["comm"] for t in tasks], [r["comm"] for r in truth], f"names of the tasks with tid {pid}")
    box.equal([t["exit_code"] for t in tasks], [r["code"] for r in truth], f"exit codes of the tasks with tid {pid}")
    for earlier, later in zip(tasks, tasks[1:]):
        box.check(earlier["end_ns"] <= later["start_ns"], "two tasks with one tid live at the same time")


@case
def exec_by_another_thread(box):
    """It goes on under the tid of its process; the task that had that tid is gone."""
    truth, report = box.record_truth("execthread", status=7)
    program = truth[1]
    tasks = sorted(report.find(pid=program["pid"]), key=lambda t: t["start_ns"] + report.life(t))
    box.equal(len(tasks), 2, "tasks of the process")
    first, last = tasks
    box.equal((last["tid"], last["comm"]), (program["pid"], program["comm"]), "tid and name after exec")
    box.equal(last["exec"], True, "exec")
    box.equal(last["exit_code"], 7, "exit code")
    box.check(first["end_ns"] < last["end_ns"], "the other task ends with the exec")


@case
def ends_by_code_and_signal(box):
    truth, report = box.record_truth("signals")
    for row in truth:
        task = report.one(tid=row["pid"])
        got = task["exit_code"] or 0, task["exit_signal"] or 0
        box.equal(got, (row["code"], row["signal"]), f"exit code and signal of {row['pid']}")


@case
def ways_of_creation(box):
    truth, report = box.record_truth("makers")
    expected = {"fork": {"fork"}, "libc-fork": {"fork", "clone"}, "vfork": {"vfork"}, "clone": {"clone"},
                "clone3": {"clone"}, "thread": {"clone"}}
    for row in truth:
        task = report.one(tid=row["tid"])
        box.check(task["created_by"] in expected[row["made"]],
                  f"created_by is {task['created_by']} of a task made by {row['made']}")
        box.equal(task["model"], row["model"], f"model of a task made by {row['made']}")
        if row["model"] == "process":
            box.equal(task["ppid"], row["parent"], f"parent of a task made by {row['made']}")
        else:
            box.equal(task["pid"], row["parent"], "process of a thread")


def compare_waiting(box):
    """What differs from the scheduler's own figures, in words."""
    truth, report = box.record_truth("waiter")
    for row in truth:
        states = report.one(tid=row["tid"])["state_ns"]
        on_cpu = states["user"] + states["kernel"] + states["cpu"]
        for what, got, expected in (("runnable", states["runnable"], row["delay_ns"]),
                                    ("on a CPU", on_cpu, row["cpu_ns"])):
            slack = 500_000 + expected // 50  # it goes on a little after it has read its figures
            if not expected - slack - states["unknown"] <= got <= expected + slack:
                yield f"{row['comm']}: {got} ns {what}, the scheduler says {expected} (slack {slack})"


@case
def runnable_time_equals_the_schedulers(box):
    """Again if it does not: a task can be kept waiting between reading its figures and its end."""
    for _ in range(4):
        found = list(compare_waiting(box))
        if not found:
            return
    raise Failure("; ".join(found))


@case
def waits_are_charged_to_who_had_the_cpu(box):
    """The spinners had the CPU while the other one waited, and the charges sum to the wait."""
    truth, report = box.record_truth("waiter")
    tasks = {row["comm"]: report.one(tid=row["tid"]) for row in truth}
    if "waited_for" not in tasks["spin-a"]:
        raise Skip("the report has no waited_for for tasks")
    for name, other in (("spin-a", "spin-b"), ("spin-b", "spin-a")):
        charges = tasks[name]["waited_for"]
        box.equal(sum(c["ns"] for c in charges), tasks[name]["state_ns"]["runnable"], f"sum of the charges of {name}")
        most = max(charges, key=lambda c: c["ns"])
        box.equal(most["comm"], other, f"who had the CPU most while {name} waited")


@case
def the_command_line_is_kept(box):
    _, path = box.record("/bin/sh", "-c", "exit 0", "with space", "")
    report = box.load(path)
    box.equal(report.trace["command"], ["/bin/sh", "-c", "exit 0", "with space", ""], "trace.command")
    box.equal(report.trace["kernel"], os.uname().release, "trace.kernel")
    box.equal(report.trace["host"], os.uname().nodename, "trace.host")
    box.equal(report.trace["file_bytes"], os.path.getsize(path), "trace.file_bytes")
    box.check(report.trace["duration_ns"] > 0 and report.trace["recorder"]["max_rss_bytes"] > 0, "trace's figures")


@case
def a_pipe_line_of_a_shell(box):
    """Names, parents and ends of what a shell starts."""
    _, path = box.record("/bin/sh", "-c", "seq 1000 | sort | tail -n1; (exit 5)", status=5)
    report = box.load(path)
    shell = next(t for t in report.tasks if t["comm"] == "sh" and t["exit_code"] == 5 and t["exec"])
    for name in ("seq", "sort", "tail"):
        task = report.one(comm=name)
        box.equal(task["ppid"], shell["pid"], f"parent of {name}")
        box.equal(task["exec"], True, f"exec of {name}")


@case
def the_text_report_names_the_tasks(box):
    _, path = box.record(box.prog("threads"), 3)
    done = box.run(box.partrace, "report", "-i", path)
    box.equal(done.status, 0, str(done))
    for word in ("threads", "thread-00000", "thread-00002"):
        box.check(word in done.out, f"{word} is not in the report")
    if "\x1b" in done.out:
        raise Failure("escape sequences although stdout is no terminal")
