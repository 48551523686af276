# SPDX-License-Identifier: BSD-2-Clause
"""What the cases about loops and stalls share.

Programs stall on purpose, and know when and for how long, and what the scheduler gave them meanwhile (`cpu` and `wait`, by
the kernel's own account). What other programs do to them on a busy machine is in that, too: which verdict is right
follows from it, and no other is accepted.
"""

import os
import shutil

from harness import Failure, Skip, read_truth

HERE = os.path.dirname(os.path.abspath(__file__))
MS = 1_000_000
EARLY = 100_000  # ns: how exact a stall's beginning is to be
LATE = 60 * MS  # by how much a busy machine may lengthen it
SLACK = 5 * MS  # the scheduler counts a task that runs once in a tick


def script(name):
    return os.path.join(HERE, "script", name)


def node():
    path = shutil.which("node")
    if not path:
        raise Skip("no node")
    return path


def environ(truth):
    # It makes Node start slower, and is none of the recording's business.
    return {"TRUTH": truth, "NODE_EXTRA_CA_CERTS": ""}


def record(box, *argv, options=(), before=(), status=0):
    """(truth, report, path) of a script that writes $TRUTH."""
    truth = box.path("truth")
    if os.path.exists(truth):
        os.unlink(truth)
    _, path = box.record(*before, *argv, env=environ(truth), options=options, status=status)
    return read_truth(truth), check_loops(box.load(path)), path


def check_loops(report):
    """What must hold of loops and stalls in any recording."""
    loops = {loop["id"]: loop for loop in report.data["loops"]}
    for loop in loops.values():
        who = f"loop {loop['id']} of {loop['tid']}"
        if loop["busy_ns"] + loop["idle_ns"] != loop["end_ns"] - loop["start_ns"]:
            raise Failure(f"{who}: busy and idle do not sum to its life")
        if not 0 <= loop["utilization"] <= 1:
            raise Failure(f"{who}: utilization {loop['utilization']}")
    for stall in report.data["stalls"]:
        who = f"stall at {stall['start_ns']} of {stall['tid']}"
        if sum(stall["parts_ns"].values()) != stall["duration_ns"] or stall["parts_ns"]["cpu"]:
            raise Failure(f"{who}: {stall['parts_ns']} do not sum to {stall['duration_ns']}")
        if stall["parts_ns"]["unknown"] * 100 > stall["duration_ns"]:
            raise Failure(f"{who}: {stall['parts_ns']['unknown']} ns unknown")
        if sum(b["ns"] for b in stall["blocked"]) != stall["parts_ns"]["blocked"]:
            raise Failure(f"{who}: its sleeps do not sum to {stall['parts_ns']['blocked']}")
        if loops[stall["loop"]]["shared_poller"] or loops[stall["loop"]]["nested"] or not stall["summary"]:
            raise Failure(f"{who} cannot be one")
    return report


def stall_at(report, row):
    """The stall in which a deliberate one began."""
    start = row["start"] - report.trace["start_monotonic_ns"]
    found = [s for s in report.data["stalls"] if row.get("tid", s["tid"]) == s["tid"]
             and s["start_ns"] - EARLY <= start < s["start_ns"] + s["duration_ns"]]
    if len(found) != 1:
        raise Failure(f"{len(found)} stalls at {start} ({row['name']}, {row['length'] / MS:.1f} ms), of "
                      f"{[(s['start_ns'], s['duration_ns'], s['verdict']) for s in report.data['stalls']]}")
    return found[0]


def leading(row, verdict):
    """The verdicts that are right for a deliberate stall of this sort: mostly one, more where they are close.

    verdict None: whatever the runtime made of it. user and kernel are in ticks of the kernel's, and tell a ratio."""
    ticks = max(1, row["user"] + row["kernel"])
    user, kernel = (row["cpu"] * row[mode] // ticks for mode in ("user", "kernel"))
    sleep = row["length"] - row["cpu"] - row["wait"]
    weights = {"waiting-for-cpu": row["wait"]}
    if verdict in ("computing", "kernel", "waiting-for-cpu", None):
        weights.update(computing=user, kernel=kernel)
    elif verdict == "fork":
        weights["fork"] = row["cpu"]
    if verdict not in ("computing", "kernel", "waiting-for-cpu", "fork"):
        weights[verdict or "blocked"] = sleep
    most = max(weights.values())
    return {name for name, weight in weights.items() if weight >= 0.7 * most}


def compare_parts(box, stall, row, what):
    """What the scheduler says of the deliberate stall is found in its parts; the turn around it is hardly longer."""
    parts = stall["parts_ns"]
    more = stall["duration_ns"] - row["length"]
    for name, got, expected in (("on a CPU", parts["user"] + parts["kernel"], row["cpu"]),
                                ("runnable", parts["runnable"], row["wait"]),
                                ("blocked", parts["blocked"], row["length"] - row["cpu"] - row["wait"])):
        slack = SLACK + row["length"] // 50
        box.check(expected - slack <= got <= expected + slack + more,
                  f"{what}: {name} for {got} ns, the scheduler says {expected}")


def expect(box, stall, row, verdict, reason=None, late=LATE):
    """The stall is as long as its deliberate cause, parted as the scheduler says, and has the one right verdict."""
    what = f"{row['name']}: {stall['summary']} {stall['parts_ns']}"
    box.check(row["length"] - EARLY <= stall["duration_ns"] <= row["length"] + late,
              f"{what}: {stall['duration_ns']} ns, it took {row['length']}")
    compare_parts(box, stall, row, what)
    right = leading(row, verdict)
    box.check(stall["verdict"] in right, f"{what}: {stall['verdict']}, expected {sorted(right)} of {row}")
    if reason and stall["verdict"] == verdict:
        box.equal(stall["reason"], reason, what)
    return stall["verdict"] == verdict


def make_file(box, name, megabytes):
    path = box.path(name)
    with open(path, "wb") as f:
        for _ in range(megabytes):
            f.write(os.urandom(1 << 20))
    return path
