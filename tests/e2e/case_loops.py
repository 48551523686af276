# SPDX-License-Identifier: BSD-2-Clause
"""Loops that are found by themselves, and know how busy they are."""

import json
import math
import shutil
import signal
import time

from harness import Failure, case, read
from loops import MS, check_loops, node, record, script


def compare_utilization(box, name):
    truth, report, _ = record(box, node(), script("utilization.js"), name)
    worst = 0
    loops = [loop for loop in report.data["loops"] if loop["comm"] == "node" and not loop["nested"] and loop["end_ns"] - loop["start_ns"] > 10**9]
    for row in truth:
        expected = row["active"] / (row["active"] + row["idle"])
        nearest = min(loops, key=lambda loop: abs(loop["utilization"] - expected))
        worst = max(worst, abs(nearest["utilization"] - expected))
    return worst


@case
def utilization_equals_the_runtimes(box):
    for name in ("idle", "half", "busy", "spin", "workers", "nested"):
        worst = compare_utilization(box, name)
        if worst > 0.002:  # between the runtime's look at the clock and its system call it may have been preempted
            worst = min(worst, compare_utilization(box, name))
        box.check(worst <= 0.002, f"{name}: utilization differs by {worst * 100:.2f} points")


def rebuild_delays(turns, enabled, end, resolution):
    """The samples of monitorEventLoopDelay, as docs/loops.md says. All in ns of CLOCK_MONOTONIC."""
    last, samples = enabled, []
    for turn in turns:
        # What was due when the turn began fires first; what became due in it fires when it is over.
        for fire in (turn["start"], turn["end"]):
            if last < fire <= end and fire // MS * MS >= last // MS * MS + resolution * MS:
                samples.append(fire - last)
                last = fire
    return samples


def compare_delays(box):
    """What differs, or None."""
    truth, report, path = record(box, node(), script("delay.js"), options=("--turns",))
    start, row = truth
    turns = box.path("turns")
    box.equal(box.run(box.partrace, "report", "-i", path, "--turns", turns).status, 0, "report --turns")
    offset = report.trace["start_monotonic_ns"]
    main = max(report.data["loops"], key=lambda loop: loop["stalls"])["id"]
    rows = [t for t in map(json.loads, read(turns).splitlines()) if t["loop"] == main]
    for turn in rows:
        turn["start"], turn["end"] = turn["start_ns"] + offset, turn["end_ns"] + offset
    samples = sorted(rebuild_delays(rows, start["at"], row["at"], row["resolution"])[1:])
    if abs(len(samples) - row["count"]) > 2 + row["count"] // 20:
        return f"{len(samples)} samples rebuilt, there were {row['count']}"
    p99 = samples[math.ceil(0.99 * len(samples)) - 1]
    for what, got, expected in (("p99", p99, row["p99"]), ("max", samples[-1], row["max"])):
        if abs(got - expected) > max(MS, 0.02 * expected):
            return f"{what} {got}, the runtime says {expected}"
    return None


@case
def delays_can_be_rebuilt_from_turns(box):
    # If a machine is so busy that two timers are due at once, turns do not tell which of them fires first.
    for _ in range(4):
        wrong = compare_delays(box)
        if not wrong:
            return
    raise Failure(wrong)


STEP = 10_000  # ns between two events that arrive


def delays_by_trial(turns, start, end):
    """What events wait that arrive every STEP ns from `start` to `end`, in ascending order."""
    delays, at = [], iter(sorted((t["start_ns"], t["end_ns"]) for t in turns))
    turn = next(at, None)
    for now in range(start, end, STEP):
        while turn and turn[1] <= now:
            turn = next(at, None)
        delays.append(turn[1] - now if turn and turn[0] <= now else 0)
    return sorted(delays)


@case
def delay_is_what_an_event_waits(box):
    _, report, path = record(box, node(), script("delay.js"), options=("--turns",))
    done = box.run(box.partrace, "report", "-i", path, "--turns", "-")
    turns = [json.loads(line) for line in done.out.splitlines()]
    loop = max(report.data["loops"], key=lambda loop: loop["stalls"])
    delays = delays_by_trial([t for t in turns if t["loop"] == loop["id"]], loop["start_ns"], loop["end_ns"])
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)):
        expected = delays[min(len(delays) - 1, int(share * len(delays)))]
        box.check(abs(loop["delay_ns"][name] - expected) <= 3 * STEP + expected // 50,
                  f"{name}: {loop['delay_ns'][name]} ns, {len(delays)} events waited {expected}")


def workload_loops(box, *args):
    """Pairs of what a bundled workload says of a loop of libuv's, and the report."""
    done, path = box.record(box.partrace, "workload", *args)
    report = check_loops(box.load(path))
    pairs = []
    for said in json.loads(done.out)["loops"]:
        found = [loop for loop in report.data["loops"] if loop["tid"] == said["tid"] and not loop["nested"]]
        if said["end_ns"] - said["start_ns"] > 500 * MS and said["idle_ns"]:
            box.equal(len(found), 1, f"loops of {said['tid']} in the report")
            pairs.append((said, found[0]))
    box.check(pairs, "the workload says nothing of loops")
    return pairs


@case
def workloads_know_how_busy_their_loops_are(box):
    for runtime in ("native", "node"):
        if runtime == "node":
            node()
        for said, loop in workload_loops(box, "thread/cpu", f"--runtime={runtime}", "--mode=main", "--seconds=1"):
            slack = (said["end_ns"] - said["start_ns"]) // 100 + 5 * MS
            box.check(abs(loop["idle_ns"] - said["idle_ns"]) <= slack,
                      f"{runtime}, {said['comm']}: idle for {loop['idle_ns']}, it says {said['idle_ns']}")


@case
def loops_that_are_there_already(box):
    """One that sleeps in its wait when recording starts; and no line for what waits but once."""
    server = box.start("node" if shutil.which("node") else node(), "-e",
                       "process.stdin.on('data', () => { const end = Date.now() + 50; while (Date.now() < end); })"
                       ".on('end', () => process.exit(0)); console.log('ready')")
    box.equal(server.stdout.readline(), "ready\n", "what the server says")
    time.sleep(0.2)
    recorder, path = box.start_recording("-p", server.pid)
    time.sleep(0.5)
    server.stdin.write("x")
    server.stdin.flush()
    time.sleep(0.5)
    recorder.send_signal(signal.SIGINT)
    box.equal(box.finish(recorder).status, 0, "status")
    box.finish(server)
    report = check_loops(box.load(path))
    box.equal(len(report.data["loops"]), 1, "loops")
    loop = report.data["loops"][0]
    box.equal(loop["stalls"], 1, "stalls")
    box.check(loop["start_ns"] < 50 * MS, f"its first wait began at {loop['start_ns']}")
    box.check(loop["idle_ns"] > 800 * MS, f"idle for {loop['idle_ns']} ns")


@case
def the_threshold_can_be_raised(box):
    _, report, path = record(box, node(), script("delay.js"))
    done = box.run(box.partrace, "report", "-i", path, "--format", "json", "--stall", "40")
    box.equal(done.status, 0, str(done))
    raised = json.loads(done.out)
    expected = [s["duration_ns"] for s in report.data["stalls"] if s["duration_ns"] >= 40 * MS]
    box.equal([s["duration_ns"] for s in raised["stalls"]], expected, "stalls of at least 40 ms")
    box.check(0 < len(expected) < len(report.data["stalls"]), "none or all are longer than 40 ms")
    text = box.run(box.partrace, "report", "-i", path)
    box.check("Event loops" in text.out and "Stalls" in text.out, "the text names neither loops nor stalls")
