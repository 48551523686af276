# SPDX-License-Identifier: BSD-2-Clause
"""Recordings of the bundled workloads, held against what each of them knows of itself."""

import json
import os
import signal
import statistics

from harness import Failure, case

MODELS = ("thread", "process", "cluster")


def record(box, name, *arguments, options=(), status=0, **run):
    """Records a workload; returns (Done, path of the file)."""
    box.count += 1
    path = box.path(f"trace-{box.count}")
    done = box.run(box.partrace, "record", "--workload", name, *options, "-o", path, "--", *arguments, **run)
    if done.status != status:
        raise Failure(f"status {status} was expected of {done}")
    return done, path


def recorded(box, name, *arguments, options=()):
    """Records one workload; returns (what it says of itself, the report)."""
    done, path = record(box, name, *arguments, options=options)
    return json.loads(done.out), box.load(path)


def offset(report, time):
    """A time of the workload as one of the recording."""
    return time - report.trace["start_monotonic_ns"]


def check_tasks(box, says, report):
    """Every task that the workload names is in the report, of the right process and model."""
    main = report.one(tid=says["tid"], pid=says["pid"])
    begin, end = offset(report, says["start_ns"]), offset(report, says["end_ns"])
    box.check(main["start_ns"] <= begin < end <= main["start_ns"] + report.life(main), "the work is not within its life")
    for worker in says["workers"]:
        task = report.one(tid=worker["tid"], pid=worker["pid"])
        if worker["role"] == "worker":
            models = {"thread": ("thread",), "process": ("process",), "cluster": ("cluster", "process")}
            box.check(task["model"] in models[says["model"]], f"model of {task['comm']}: {task['model']}")
        if "exit_code" in worker:
            got = task["exit_code"] or 0, task["exit_signal"] or 0
            box.equal(got, (worker["exit_code"], worker["exit_signal"]), f"end of {task['comm']}")


def check_loops(box, says, report):
    """Utilisation is that of the loop itself: idle is time in waits, whoever counts it. It begins with the first turn,
    so that the wait before is not in it."""
    for truth in says["loops"] if "loops" in report.data else []:
        loops = [l for l in report.data["loops"] if l["tid"] == truth["tid"] and not l["nested"]]
        if not loops and truth["utilization"] < 0.05:
            continue  # who waits once and then ends is no loop
        box.equal(len(loops), 1, f"loops of {truth['comm']}")
        before = max(0, loops[0].get("start_ns", 0) - offset(report, truth["start_ns"]))
        gap = truth["idle_ns"] - loops[0]["idle_ns"]
        wall = truth["end_ns"] - truth["start_ns"]
        own = 2000 * loops[0].get("waits", 0)  # its clock is read before the call begins and after it has ended
        box.check(-0.01 * wall - 1e6 <= gap <= 0.01 * wall + 1e6 + before + own,
                  f"{truth['comm']} idle for {loops[0]['idle_ns']} ns, it says {truth['idle_ns']}")


def check_stalls(box, says, report, threshold):
    """Each deliberate stall lies within one that was recorded, which is as long: but for what else the turn held, and
    for when the program waited for a CPU just as it was about to look at its clock."""
    slack, excesses = 100000, []
    for truth in says["stalls"] if "stalls" in report.data else []:
        begin, length = offset(report, truth["start_ns"]), truth["duration_ns"]
        if length < threshold:
            continue
        found = [s for s in report.data["stalls"] if s["tid"] == truth["tid"] and s["start_ns"] <= begin + slack
                 and s["start_ns"] + s["duration_ns"] >= begin + length - slack]
        box.equal(len(found), 1, f"recorded stalls around that of {length} ns at {begin} in {truth['tid']}")
        parts, excess = found[0]["parts_ns"], found[0]["duration_ns"] - length
        box.equal(sum(parts.values()), found[0]["duration_ns"], "the sum of its parts")
        excesses.append(excess - parts["runnable"])
    box.check(not excesses or (statistics.median(excesses) <= slack and max(excesses) <= 20 * slack),
              f"stalls are recorded longer than they are by {excesses} ns")


def check_channels(box, says, report):
    """What the system calls returned, to the byte and the message, with both ends."""
    for truth in says["channels"] if "ipc" in report.data else []:
        if not truth["system_calls"] or not truth["sent"] or not truth["received"]:
            continue
        ids = [c["id"] for c in report.data["ipc"]["channels"] if f"[{truth['from_inode']}]" in c["name"]]
        box.equal(len(ids), 1, f"channels with the inode {truth['from_inode']}")
        ends = [truth[end]["tid"] for end in ("from", "to")]
        flows = [f for f in report.data["ipc"]["flows"] if [f["from"]["tid"], f["to"]["tid"]] == ends
                 and f["channel"] == ids[0]]
        box.equal(sum(f["bytes"] for f in flows), truth["received"]["bytes"], f"bytes from {ends[0]} to {ends[1]}")
        box.equal(sum(f["messages"] for f in flows), truth["sent"]["calls"], f"messages from {ends[0]} to {ends[1]}")


def check_connections(box, says, report):
    for port in report.data.get("balance", []) if says["kind"] == "http" else []:
        if port["port"] not in says["ports"]:
            continue
        for worker in says["workers"]:
            rows = [w for w in port["workers"] if w["pid"] == worker["pid"]]
            if worker["role"] != "worker" or says["model"] != "cluster" or not rows:
                continue
            box.equal(rows[0]["accepted"], worker["server"]["accepted"], "connections accepted")
            box.equal(rows[0]["handed_over"], worker["handed_over"], "connections handed over")


def check_all(box, says, report, threshold=10e6):
    box.equal(report.data["workloads"], [says], "what is kept of what it says")
    check_tasks(box, says, report)
    check_loops(box, says, report)
    check_stalls(box, says, report, threshold)
    check_channels(box, says, report)
    check_connections(box, says, report)


@case
def what_a_workload_computes(box):
    for model in MODELS:
        check_all(box, *recorded(box, f"{model}/cpu", "--count", "6"))


@case
def what_a_main_loop_computes(box):
    for model in MODELS:
        check_all(box, *recorded(box, model, "--count", "4", "--on", "main", options=("--stall", "5")), threshold=5e6)


@case
def what_a_workload_sends(box):
    for model in MODELS:
        for mode in ("burst", "ping-pong"):
            check_all(box, *recorded(box, f"{model}/message", "--count", "2000", "--mode", mode))


@case
def what_a_workload_serves(box):
    check_all(box, *recorded(box, "thread/http", "--count", "500"))
    check_all(box, *recorded(box, "process/http", "--count", "500"))
    for mode in ("handed", "shared"):
        check_all(box, *recorded(box, "cluster/http", "--count", "500", "--mode", mode))


def held_together(report, main, pids):
    """What the processes took, all at one time, when it was most."""
    series = [s for s in report.data["memory"]["series"] if s["pid"] in pids]
    rounds = [p["at_ns"] for s in series if s["pid"] == main for p in s["points"]]
    return max(sum(p["pss_bytes"] or 0 for s in series for p in s["points"] if abs(p["at_ns"] - at) < 40e6)
               for at in rounds)


@case
def what_a_workload_holds(box):
    """The size of what every worker loaded is in its memory, and a shared block is there once."""
    size = 16 << 20
    options = ("-m", "0.1")
    for model in MODELS:
        for mode in ("own", "shared"):
            says, report = recorded(box, f"{model}/memory", "--size", size, "--mode", mode, options=options)
            check_all(box, says, report)
            pids = {w["pid"] for w in says["workers"]} | {says["pid"]}
            total = held_together(report, says["pid"], pids)
            blocks = len(says["workers"]) if mode == "own" else 1
            box.check(blocks * size <= total < (blocks + 0.5) * size, f"{model}, {mode}: {total} bytes in all")


@case
def who_survives_a_crash(box):
    for model in MODELS:
        says, report = recorded(box, f"{model}/crash")
        check_all(box, says, report)
        killed = [t for t in report.tasks if t["exit_signal"]]
        box.equal(len(killed), 4 if model == "thread" else 1, f"tasks of {model} that a signal ended")
        box.equal({t["exit_signal"] for t in killed}, {signal.SIGABRT}, "the signal")


@case
def all_models_one_file_each(box):
    done, path = record(box, "all/message", "--count", "100", options=("--repeat", "2"))
    names = sorted(n for n in os.listdir(box.dir) if n.startswith("trace-"))
    base = os.path.basename(path)
    box.equal(names, sorted(f"{base}.{m}.{i}" for m in MODELS for i in (1, 2)), "the files")
    wrote = [line.split("wrote ")[1].split(":")[0] for line in done.err.splitlines() if "wrote" in line]
    box.equal(wrote, [f"{path}.{m}.{i}" for i in (1, 2) for m in MODELS], "the order")
    for name in names:
        says = box.load(box.path(name)).data["workloads"]
        box.equal([w["model"] for w in says], [name.split(".")[1]], "the model in its file")


@case
def quiet_keeps_what_it_says(box):
    done, path = record(box, "thread/message", "--count", "100", options=("-q",))
    box.equal((done.out, done.err), ("", ""), "output with -q")
    box.equal(box.load(path).data["workloads"][0]["work"]["units"], 200, "units")


@case
def a_workload_that_fails(box):
    done, _ = record(box, "thread/cpu", "--count", "none", status=2)
    box.check("none" in done.err, str(done))
    done, _ = record(box, "cluster/http", "--mode", "offload", status=2)


@case
def no_such_workload(box):
    for name in ("bogus", "thread/bogus", "", "/", "all/", "al", "thread/cpu/x", "process/http-"):
        box.one_line(box.run(box.partrace, "record", "--workload", name, "-o", box.path("out")), 2)
    for options in (("--repeat", "2"), ("--runtime", "node"), ("--workload", "thread", "-a"),
                    ("--workload", "thread", "--repeat", "0"), ("--workload", "thread", "--repeat", "1.5"),
                    ("--workload", "thread", "--runtime", "perl"), ("--workload", "thread", "-p", "1")):
        box.one_line(box.run(box.partrace, "record", *options, "-o", box.path("out")), 2)
    box.equal([n for n in os.listdir(box.dir) if n.startswith("out")], [], "files")


@case
def node_may_be_missing(box):
    for name in ("thread", "all"):
        done = box.run(box.partrace, "record", "--workload", name, "--runtime", "node", "-o", box.path("out"),
                       env={"PATH": box.dir})
        box.one_line(done, 127, "native")


@case
def a_series_can_be_ended(box):
    """One signal ends the recording at hand, whose file is finished, and begins no other; nobody stays."""
    process = box.start(box.partrace, "record", "--workload", "all/cpu", "--repeat", "3", "-o", box.path("trace-1"),
                        "--", "--seconds", "30")
    first = box.path("trace-1.thread.1")
    box.wait_for(lambda: any(n.startswith("trace-1.thread.1") for n in os.listdir(box.dir)), "recording begins")
    box.wait_for(lambda: box.is_recording_below(process.pid), "the workload runs")
    process.send_signal(signal.SIGTERM)
    box.finish(process)
    box.equal([n for n in os.listdir(box.dir) if n.startswith("trace-")], [os.path.basename(first)], "files")
    box.check(box.load(first).trace["complete"], "the file is not complete")
