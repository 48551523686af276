# SPDX-License-Identifier: BSD-2-Clause
"""What a report says of a workload, held against what the workload says of itself: to the byte, the message, the
connection and the task, and within 0.1 ms for what it did on purpose."""

import statistics

SLACK = 100000  # ns


def offset(report, time):
    """A time of the workload as one of the recording."""
    return time - report.trace["start_monotonic_ns"]


def scenes(says):
    """Itself and, of a crash, what it ran for somebody to die in."""
    return [says] + ([says["scene"]] if "scene" in says else [])


def model_of(says):
    """Who serves no port is no worker of a cluster."""
    idle = says["kind"] == "http" and says["options"]["mode"] == "single"
    return "process" if says["model"] == "cluster" and idle else says["model"]


def check_tasks(box, says, report):
    """Every task that the workload names is in the report, of the right process and model, and ended as it says."""
    for scene in scenes(says):
        main = report.one(tid=scene["tid"], pid=scene["pid"])
        begin, end = offset(report, scene["start_ns"]), offset(report, scene["end_ns"])
        box.check(main["start_ns"] <= begin < end <= main["start_ns"] + report.life(main),
                  "the work is not within its life")
        for worker in scene["workers"]:
            task = report.one(tid=worker["tid"], pid=worker["pid"])
            if worker["role"] == "worker":
                box.equal(task["model"], model_of(says), f"model of {task['comm']}")
            if "exit_code" in worker:
                got = task["exit_code"] or 0, task["exit_signal"] or 0
                box.equal(got, (worker["exit_code"], worker["exit_signal"]), f"end of {task['comm']}")


def check_crash(box, says, report):
    """Whose process a signal ended: the victim's, which may be everybody's, and of it every task."""
    crash = says.get("crash")
    dead = {t["pid"] for t in report.tasks if t["exit_signal"]}
    tasks = [t for t in report.tasks if t["pid"] in dead]
    box.equal([t["tid"] for t in tasks if not t["exit_signal"]], [], "tasks that outlived their process")
    if not crash:
        box.equal(dead, set(), "processes that a signal ended")
    elif not crash["main_survived"]:
        box.equal(dead, {says["workers"][0]["pid"]}, "processes that a signal ended")
        box.equal({t["exit_signal"] for t in tasks}, {says["workers"][0]["exit_signal"]}, "the signal")
    else:
        victim = says["scene"]["workers"][crash["victim"]]
        box.equal(dead, {victim["pid"]} if victim.get("exit_signal") else set(), "processes that a signal ended")


def check_loops(box, says, report):
    """Utilisation is that of the loop itself: idle is time in waits, whoever counts it. It begins with the first turn,
    so that the wait before is not in it; and libuv forgets a wait that a signal ends, as the end of a child does."""
    for truth in says["loops"]:
        loops = [l for l in report.data["loops"] if l["tid"] == truth["tid"] and not l["nested"]]
        if not loops and truth["utilization"] < 0.05:
            continue  # who waits once and then ends is no loop
        box.equal(len(loops), 1, f"loops of {truth['comm']}")
        task = report.one(tid=truth["tid"], pid=truth["pid"])
        children = len({t["pid"] for t in report.tasks if t["ppid"] == truth["pid"]})
        forgotten = children * says["heartbeat"]["interval_ns"]
        before = max(0, loops[0].get("start_ns", 0) - offset(report, truth["start_ns"]))
        gap = truth["idle_ns"] - loops[0]["idle_ns"]
        wall = truth["end_ns"] - truth["start_ns"]
        own = 2000 * loops[0].get("waits", 0)  # its clock is read before the call begins and after it has ended
        # Who waits for a CPU to look at the clock takes that for idleness, too.
        box.check(-0.01 * wall - 1e6 - forgotten <= gap <= 0.01 * wall + 1e6 + before + own + task["state_ns"]["runnable"],
                  f"{truth['comm']} idle for {loops[0]['idle_ns']} ns, it says {truth['idle_ns']}")


def check_stalls(box, says, report, threshold):
    """Each deliberate stall lies within one that was recorded, which begins with it and is as long: but for when the
    program waited for a CPU just as it was about to look at its clock."""
    late, longer = [], []
    for truth in says["stalls"]:
        begin, length = offset(report, truth["start_ns"]), truth["duration_ns"]
        if length < threshold:
            continue
        found = [s for s in report.data["stalls"] if s["tid"] == truth["tid"] and s["start_ns"] <= begin + SLACK
                 and s["start_ns"] + s["duration_ns"] >= begin + length - SLACK]
        box.equal(len(found), 1, f"recorded stalls around that of {length} ns at {begin} in {truth['tid']}")
        parts = found[0]["parts_ns"]
        box.equal(sum(parts.values()), found[0]["duration_ns"], "the sum of its parts")
        late.append(begin - found[0]["start_ns"] - parts["runnable"])
        longer.append(found[0]["duration_ns"] - length - parts["runnable"])
    # Beside what is done on purpose a turn may hold a timer, or in Node a collection of garbage.
    for what, excess in (("before it", late), ("longer", longer)):
        box.check(not excess or (statistics.median_low(excess) <= SLACK and max(excess) <= 20 * SLACK),
                  f"stalls are recorded {what} by {excess} ns")


def check_flow(box, channel, report, flows):
    """What arrived; what only one side can tell is that side's."""
    sent, received, everything = channel["sent"], channel["received"], channel.get("all_bytes")
    who = f"from {channel['from']['tid']} to {channel['to']['tid']}"
    got = sum(f["bytes"] for f in flows)
    if sent and received and everything is not None:
        box.equal(got, everything, f"bytes {who}, those of the runtime included")
    if channel.get("complete", True) and received:
        box.equal(got, received["bytes"], f"bytes {who}")
    else:
        box.check(got >= (received or {"bytes": 0})["bytes"], f"bytes {who}: {got}")
    if channel.get("complete", True) and sent and received:
        box.equal(sum(f["messages"] for f in flows), sent.get("calls", sent["messages"]), f"messages {who}")


def check_end(box, channel, recorded):
    """The counts of the system calls themselves, of one direction."""
    for inode, what in ((channel["from_inode"], "sent"), (channel["to_inode"], "received")):
        truth, end = channel[what], next(e for e in recorded["ends"] if e["inode"] == inode)
        if truth:
            box.equal([end[what][key] for key in ("bytes", "messages", "would_block", "fds")],
                      [truth[key] for key in ("bytes", "calls", "would_block", "fds")], f"{what} at {inode}")
    if channel["sent"] and channel["received"]:
        box.equal(recorded["unread_bytes"], 0, "unread bytes")


def check_channels(box, says, report):
    """What the system calls returned, to the byte and the message, with both ends."""
    for channel in says["channels"]:
        if not channel["system_calls"]:
            continue
        flows = [f for f in report.data["ipc"]["flows"] if f["kind"] in ("unix", "pipe") and
                 (f["from"]["tid"], f["to"]["tid"]) == (channel["from"]["tid"], channel["to"]["tid"])]
        if "from_inode" in channel:
            recorded = [c for c in report.data["ipc"]["channels"] if f"[{channel['from_inode']}]" in c["name"]]
            box.equal(len(recorded), 1, f"channels with the inode {channel['from_inode']}")
            flows = [f for f in flows if f["channel"] == recorded[0]["id"]]
            if channel["kind"] == "unix":
                check_end(box, channel, recorded[0])
        check_flow(box, channel, report, flows)


def servers(says):
    """Who answers requests: (pid, what it says of that)."""
    if says["options"]["mode"] in ("single", "offload"):
        return [(says["pid"], says["server"])]
    return [(w["pid"], w["server"]) for w in says["workers"] if w["role"] == "worker"]


def check_requests(box, says, report):
    """Requests and answers through TCP, as the client and each server count them."""
    helper = next(w for w in says["workers"] if w["role"] == "helper")
    flows = [f for f in report.data["ipc"]["flows"] if f["kind"] == "tcp"]
    sides = [(helper["pid"], helper["client"])] + servers(says)
    for pid, truth in sides:
        for what, end in (("sent", "from"), ("received", "to")):
            mine = [f for f in flows if f[end]["pid"] == pid]
            box.equal(sum(f["bytes"] for f in mine), truth[what]["bytes"], f"bytes {what} by {pid}")
            box.equal(sum(f["messages"] for f in mine), truth[what].get("calls", truth[what]["messages"]),
                      f"messages {what} by {pid}")


def check_connections(box, says, report):
    """Who was given how many connections, and by which way. Outside http a cluster hands one to each worker."""
    ports = report.data["balance"]
    box.equal(sorted(p["port"] for p in ports), sorted(says["ports"]), "ports")
    if says["kind"] != "http":
        workers = len(scenes(says)[-1]["workers"])
        for port in ports:
            box.equal(sorted(w["handed_over"] for w in port["workers"]), [0] + [1] * workers, "greetings handed over")
        return
    handed = says["options"]["mode"] == "handed"
    for pid, truth in servers(says):
        row = next((w for w in ports[0]["workers"] if w["pid"] == pid), {"accepted": 0, "handed_over": 0})
        expected = (0, truth["connections"]) if handed else (truth["connections"], 0)
        box.equal((row["accepted"], row["handed_over"]), expected, f"connections accepted by and handed to {pid}")


def check_pools(box, says, report):
    """Where more was asked of a pool than it has threads, it shows as starved, in every process that has one."""
    if says["options"].get("mode") != "starve":
        return
    starved = {p["pid"] for p in report.data["pools"] if p["saturated_ns"] > 0}
    box.check(starved and starved <= {w["pid"] for w in says["workers"]}, f"starved pools are in {starved}")


def check_all(box, says, report, threshold=10e6):
    box.equal(report.data["workloads"], [says], "what is kept of what it says")
    check_tasks(box, says, report)
    check_crash(box, says, report)
    check_loops(box, says, report)
    check_stalls(box, says, report, threshold)
    check_channels(box, says, report)
    if says["kind"] == "http":
        check_requests(box, says, report)
    check_connections(box, says, report)
    check_pools(box, says, report)
