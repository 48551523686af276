# SPDX-License-Identifier: BSD-2-Clause
"""Recordings of the bundled workloads, held against what each of them knows of itself."""

import json
import os
import shutil
import signal
import sys

from claims import check_all
from harness import Failure, Skip, case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "workload"))

from variants import MODELS, RUNTIMES, VARIANTS, possible, to_arguments  # noqa: E402


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


def every_workload(runtime, model):
    """The case of one model: all that it can be told to do, each held against what it says of itself."""
    def run(box):
        if runtime == "node" and not shutil.which("node"):
            raise Skip("Node.js is not installed")
        for kind, (sizes, variants) in VARIANTS.items():
            for options in variants:
                if not possible(runtime, model, kind, options):
                    continue
                name, *arguments = to_arguments(model, kind, {**sizes, **options})
                try:
                    says, report = recorded(box, name, *arguments, options=("--stall", "1", "--runtime", runtime))
                    check_all(box, says, report, threshold=1.2e6)
                except Failure as why:
                    raise Failure(f"{name} {' '.join(arguments)}: {why}") from None

    run.__name__ = f"every_{runtime}_{model}"
    return run


for of_runtime in RUNTIMES:
    for of_model in MODELS:
        case(every_workload(of_runtime, of_model))


@case
def what_a_workload_computes(box):
    for model in MODELS:
        check_all(box, *recorded(box, f"{model}/cpu", "--count", "6"))


@case
def what_a_main_loop_computes(box):
    for model in MODELS:
        check_all(box, *recorded(box, model, "--count", "4", "--on", "main", options=("--stall", "5")), threshold=5e6)


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


def processes_below(pid):
    """What it started, and what these started, however deep."""
    below = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as f:
                parent = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            below += [int(name)] + processes_below(int(name))
    return below


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@case
def nothing_outlives_its_recorder(box):
    """Killed outright, the recorder takes the workload with it; of a series, the recording at hand is finished."""
    for runtime in RUNTIMES:
        if runtime == "node" and not shutil.which("node"):
            continue
        path = box.path("trace-killed")
        process = box.start(box.partrace, "record", "--workload", "process/cpu", "--runtime", runtime, "-o", path,
                            "--", "--seconds", "60")
        box.wait_for(lambda: len(processes_below(process.pid)) >= 3, "the workers run")
        below = processes_below(process.pid)
        process.kill()
        process.wait()
        box.wait_for(lambda: not any(map(alive, below)), f"{below} end", 10)
    process = box.start(box.partrace, "record", "--workload", "all/cpu", "-o", box.path("trace-series"), "--",
                        "--seconds", "60", stderr=open(box.path("err"), "wb"), stdout=open(box.path("out"), "wb"))
    box.wait_for(lambda: len(processes_below(process.pid)) >= 2, "the workload runs")
    below = processes_below(process.pid)
    process.kill()
    process.wait()
    box.wait_for(lambda: not any(map(alive, below)), f"{below} end", 10)
    box.check(box.load(box.path("trace-series.thread")).trace["complete"], "the recording at hand is not complete")


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
