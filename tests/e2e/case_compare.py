# SPDX-License-Identifier: BSD-2-Clause
"""Recordings side by side."""

import fcntl
import json
import os
import pty
import shutil
import struct
import termios

from harness import case

QUICK = ("--count", "200")


def series(box, name, *arguments, repeat=1):
    """Records a series of workloads; returns the files."""
    box.count += 1
    base = f"trace-{box.count}"
    done = box.run(box.partrace, "record", "-q", "--workload", name, "--repeat", repeat, "-o", box.path(base), "--",
                   *arguments)
    box.equal(done.status, 0, str(done))
    return sorted(box.path(n) for n in os.listdir(box.dir) if n == base or n.startswith(base + "."))


def compare(box, *files):
    done = box.run(box.partrace, "compare", "--format", "json", *files)
    box.equal((done.status, done.err), (0, ""), str(done))
    return json.loads(done.out)


def row(table, key):
    return next(r["values"] for r in table["rows"] if r["key"] == key)


@case
def repeated_runs_are_one_column(box):
    files = series(box, "all/message", *QUICK, repeat=3)
    box.equal(len(files), 9, "files")
    data = compare(box, *files)
    box.equal(len(data["tables"]), 1, "tables")
    table = data["tables"][0]
    box.equal([(c["model"], c["runs"]) for c in table["columns"]],
              [("cluster", 3), ("process", 3), ("thread", 3)], "columns, in the order of the files")
    for r in table["rows"]:
        for value in r["values"]:
            box.check(value is None or value["low"] <= value["median"] <= value["high"], f"spread of {r['key']}")
    for d in table["differences"]:
        values = row(table, d["key"])
        box.equal(d["difference"], values[d["a"]]["median"] - values[d["b"]]["median"], f"difference of {d['key']}")
        box.equal(d["method"], "means", "how three runs each are told apart")
        box.check(abs(d["uncertainty"] - (d["high"] - d["low"]) / 2) <= 1e-9 * abs(d["uncertainty"]), "the interval")
        box.equal(d["larger"], d["low"] > 0 or d["high"] < 0, f"is {d['key']} larger")
        box.equal(bool(d["text"]), d["larger"], f"a sentence on {d['key']}")


@case
def the_order_of_enough_runs_decides(box):
    """Five runs of 100 messages and five of 200: no run of these has as few system calls as any of those."""
    few = series(box, "process/message", "--count", "100", repeat=5)
    many = series(box, "process/message", "--count", "200", repeat=5)
    table = compare(box, *few, *many)["tables"][0]
    one = next(d for d in table["differences"] if d["key"] == "ipc_bytes")
    box.equal((one["method"], one["larger"]), ("ranks", True), "bytes")
    runs = [row(compare(box, f)["tables"][0], "ipc_bytes")[0]["median"] for f in few + many]
    pairs = sorted(a - b for a in runs[:5] for b in runs[5:])
    box.equal((one["low"], one["high"]), (pairs[2], pairs[-3]), "the interval of Hodges and Lehmann")


@case
def figures_are_those_of_the_report(box):
    path = series(box, "process/message", *QUICK)[0]
    report = box.load(path)
    says = report.data["workloads"][0]
    table = compare(box, path)["tables"][0]
    pids = {says["pid"]} | {w["pid"] for w in says["workers"]}
    tasks = [t for t in report.tasks if t["pid"] in pids]
    switches = sum(sum(t["switches"].values()) for t in tasks)
    box.equal(row(table, "switches_per_unit")[0]["median"], switches / says["work"]["units"], "switches per message")
    box.equal(row(table, "cpu_ns_per_unit")[0]["median"], sum(t["on_cpu_ns"] for t in tasks) / says["work"]["units"],
              "CPU time per message")
    box.equal(row(table, "startup_ns")[0]["median"], sum(w["startup_ns"] for w in says["workers"]) / 2, "start-up")
    box.equal([d["uncertainty"] for d in table["differences"]], [], "differences of one column")


@case
def the_client_is_no_part_of_the_server(box):
    path = series(box, "cluster/http", *QUICK)[0]
    report = box.load(path)
    says = report.data["workloads"][0]
    client = next(w for w in says["workers"] if w["role"] == "helper")
    tasks = [t for t in report.tasks if t["pid"] != client["pid"]]
    table = compare(box, path)["tables"][0]
    box.equal(row(table, "switches_per_unit")[0]["median"],
              sum(sum(t["switches"].values()) for t in tasks) / says["work"]["units"], "switches per request")


@case
def beliefs_are_held_against_what_was_seen(box):
    beliefs = {b["belief"]: b for b in compare(box, *series(box, "all/crash"))["beliefs"]}
    crash = beliefs["Processes are isolated from each other, threads are not."]
    box.equal((crash["verdict"], crash["runs"]), ("holds", 1), "isolation")
    box.check("4 tasks killed" in crash["says"], crash["says"])
    box.equal(beliefs["A crash takes down one worker only."]["verdict"], "partly", "one or all")
    box.equal(beliefs["Each worker has a loop of its own."]["verdict"], "not measured", "without a cpu workload")


@case
def every_kind_in_one_file(box):
    """The scenes of one recording do not mix: each has its own processes and its own time."""
    path = series(box, "thread/all", "--count", "20", "--size", "65536", "--seconds", "0")[0]
    says = box.load(path).data["workloads"]
    tables = compare(box, path)["tables"]
    box.equal(len(tables), len(says), "tables")
    for table, scene in zip(tables, says):
        seconds = (scene["end_ns"] - scene["start_ns"]) / 1e9
        box.check(abs(row(table, "units_per_second")[0]["median"] - scene["work"]["units"] / seconds) < 1e-6 *
                  scene["work"]["units"] / seconds, f"units per second of {table['title']}")


@case
def any_recordings(box):
    _, first = box.record(box.prog("getppid"), "1000")
    _, second = box.record(box.prog("getppid"), "1000")
    _, other = box.record("true")
    data = compare(box, first, second, other)
    columns = data["tables"][0]["columns"]
    box.equal([c["runs"] for c in columns], [2, 1], "runs of the same command count as repetitions")
    box.equal(columns[1]["label"], os.path.basename(other), "label")
    box.equal(data["beliefs"], [], "beliefs")
    shutil.copy(first, box.path("copy"))
    columns = compare(box, first, second, box.path("copy"), first)["tables"][0]["columns"]
    box.equal([c["runs"] for c in columns], [2], "runs, of which one is named three times")


@case
def one_run_each_is_said(box):
    files = series(box, "thread/message", *QUICK) + series(box, "process/message", *QUICK)
    done = box.run(box.partrace, "compare", *files)
    box.equal((done.status, done.err), (0, ""), str(done))
    box.check("One run each" in done.out and "--repeat" in done.out, done.out)
    brief = box.run(box.partrace, "compare", "--brief", *files)
    box.equal(brief.status, 0, str(brief))
    box.check("messages per second" not in brief.out and "What people say" in brief.out, brief.out)
    box.check(done.out.endswith(brief.out), "the brief one is not the end of the other")


@case
def columns_fit_the_terminal(box):
    files = series(box, "all/message", *QUICK, repeat=2)
    for width in (40, 70, 100, 200):
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 5000, width, 0, 0))
        process = box.start(box.partrace, "compare", *files, stdout=follower)
        os.close(follower)
        text = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:
                break
            text += piece
        os.close(leader)
        box.finish(process)
        lines = text.decode().replace("\033[1m", "").replace("\033[0m", "").splitlines()
        box.check(max(map(len, lines)) <= width, f"a line of {max(map(len, lines))} on {width} columns")
        box.check(sum("thread" in line for line in lines) > 0, "no thread on the page")


@case
def names_cannot_steer_the_terminal(box):
    _, path = box.record("true")
    nasty = box.path("a\033[2Jb\n")
    shutil.copy(path, nasty)
    done = box.run(box.partrace, "compare", nasty)
    box.equal(done.status, 0, str(done))
    box.check("\033" not in done.out and "b\n" not in done.out.splitlines()[1] + "\n", repr(done.out[:300]))


@case
def what_cannot_be_compared(box):
    _, path = box.record("true")
    with open(box.path("text"), "w", encoding="utf-8") as f:
        f.write("no trace")
    for wrong in ("text", "nowhere", "."):
        for files in ((wrong,), (path, wrong), (wrong, path)):
            box.one_line(box.run(box.partrace, "compare", *files), 1, wrong)
    box.one_line(box.run(box.partrace, "compare"), 2)
    box.one_line(box.run(box.partrace, "compare", "--format", "yaml", path), 2, "text or json")
    box.one_line(box.run(box.partrace, "compare", "--frobnicate", path), 2)
