# SPDX-License-Identifier: BSD-2-Clause
"""What goes through channels by io_uring: as every_call_to_the_byte, whoever completes a request, and however often."""

from case_ipc import ends_of, figures_of, flows_of
from harness import Skip, case, read_truth

KINDS = {"pipe": "pipe", "near": "pipe", "far": "pipe", "shared": "pipe", "splice": "pipe", "stream": "unix",
         "seqpacket": "unix", "dgram": "unix", "tcp": "tcp", "client": "tcp", "server": "tcp", "eventfd": "eventfd"}
INSIDE = {"pipe", "stream-a", "shared", "splice-to"}  # of which one process has both sides, and all is read


def compare_ends(box, truth, report):
    ends = ends_of(report)
    sums = {}
    for row in truth:
        what = row["what"]
        if what in ("port", "ring"):
            continue
        kind = KINDS[what.split("-")[0]]
        inode = row["inode"] or next(e[1] for e in ends if e[0] == "eventfd")
        expected = sums.setdefault((kind, inode), {})
        for key, value in row.items():
            if key not in ("what", "inode", "pid"):
                expected[key] = expected.get(key, 0) + value
    for (kind, inode), expected in sums.items():
        box.check((kind, inode) in ends, f"{kind} {inode} is not in the report")
        box.equal(figures_of(ends[kind, inode][1]), expected, f"figures of {kind} {inode}")


def compare_flows(box, truth, report):
    ends = ends_of(report)
    for row in truth:
        if row["what"] not in INSIDE:
            continue
        channel, _ = ends[KINDS[row["what"].split("-")[0]], row["inode"]]
        flows = flows_of(report, channel)
        box.equal(sum(f["bytes"] for f in flows), channel["received"]["bytes"], f"bytes of the flows of {row['what']}")
        box.check(all(f["from"]["pid"] == f["to"]["pid"] == row["pid"] for f in flows),
                  f"ends of the flows of {row['what']}: {flows}")
        box.equal(channel["unread_bytes"], 0, f"unread bytes of {row['what']}")


def compare(box, truth, report):
    if "error" in truth[0]:
        raise Skip(f"this kernel has no such ring: {truth[0]['error']}")
    ring = truth[-1]
    port = next(row["port"] for row in truth if row["what"] == "port")
    user = next(u for u in report.data["ipc"]["io_uring"] if u["pid"] == ring["pid"])
    if not user["seen"]:
        raise Skip("this kernel does not tell what io_uring moves")
    compare_ends(box, truth, report)
    compare_flows(box, truth, report)
    # requests that are under way at the exit may be cancelled in time to be told
    box.check(0 <= user["transfers"] - ring["requests"] <= ring["waiting"], f"{user}, it made {ring['requests']} requests")
    box.equal(user["not_attributed"], ring["untold"], "requests that cannot be attributed")
    workers = next(b["workers"] for b in report.data["balance"] if b["port"] == port)
    box.equal([(w["pid"], w["accepted"]) for w in workers], [(ring["pid"], ring["accepted"])], "who accepted")


def two_ends(report, truth):
    """The flow between two processes through one pipe, and the two rows that tell of it."""
    near, far = (next(r for r in truth if r["what"] == w) for w in ("near", "far"))
    channel, _ = ends_of(report)["pipe", near["inode"]]
    return flows_of(report, channel), near, far


def in_mode(box, mode):
    truth, report = box.record_truth("uring", mode)
    compare(box, truth, report)
    flows, near, far = two_ends(report, truth)
    box.equal({(f["from"]["pid"], f["to"]["pid"]) for f in flows}, {(near["pid"], far["pid"])}, "who sent to whom")
    box.equal(sum(f["bytes"] for f in flows), near["sent"], "bytes of that flow")
    box.check(all(f["latency_ns"]["count"] for f in flows), f"latencies of that flow: {flows}")
    return truth, report


@case
def uring_in_the_task(box):
    truth, report = in_mode(box, "plain")
    flows, near, _ = two_ends(report, truth)
    box.equal({f["from"]["tid"] for f in flows}, {near["pid"]}, "the task that sent")


@case
def uring_by_workers(box):
    """The kernel's own threads complete what others asked for, and it counts as theirs who asked."""
    truth, report = in_mode(box, "async")
    flows, near, _ = two_ends(report, truth)
    box.equal({f["from"]["tid"] for f in flows}, {near["pid"]}, "the task that sent")
    workers = [t for t in report.tasks if t["comm"].startswith("iou-wrk")]
    box.check(workers and all(t["pid"] == near["pid"] for t in workers), f"workers of the ring: {workers}")


@case
def uring_polled_by_a_thread(box):
    """Who asks is the thread that polls the ring; it belongs to the process."""
    truth, report = in_mode(box, "sqpoll")
    flows, _, _ = two_ends(report, truth)
    box.check(all(f["from"]["comm"].startswith("iou-sqp") for f in flows), f"who sent: {flows}")


@case
def uring_deferred(box):
    in_mode(box, "defer")


@case
def uring_with_registered_files(box):
    in_mode(box, "fixed")


@case
def uring_requests_that_complete_often(box):
    truth, report = box.record_truth("uring_many")
    compare(box, truth, report)


@case
def uring_requests_from_before(box):
    """Requests that were made before the recording complete many times."""
    truth = box.path("truth")
    process = box.start(box.prog("uring_many"), "attach", env={"TRUTH": truth})
    if process.stdout.readline() != "ready\n":
        raise Skip("this kernel has no such requests")
    recorder, path = box.start_recording("-p", process.pid)
    process.stdin.write("\n")
    process.stdin.flush()
    box.finish(process)
    box.finish(recorder)
    compare(box, read_truth(truth), box.load(path))
