# SPDX-License-Identifier: BSD-2-Clause
"""What goes through channels by io_uring."""

from case_ipc import ends_of, figures_of, flows_of
from harness import Skip, case

KINDS = {"pipe": "pipe", "near": "pipe", "far": "pipe", "shared": "pipe", "splice": "pipe", "stream": "unix",
         "seqpacket": "unix", "dgram": "unix", "tcp": "tcp", "eventfd": "eventfd"}


def compare(box, mode):
    truth, report = box.record_truth("uring", mode)
    if "error" in truth[0]:
        raise Skip(f"this kernel has no such ring: {truth[0]['error']}")
    ends = ends_of(report)
    pipes = {}
    for row in truth:
        what = row["what"]
        if what in ("port", "ring"):
            continue
        kind = KINDS[what.split("-")[0]]
        inode = row["inode"] or next(e[1] for e in ends if e[0] == "eventfd")
        box.check((kind, inode) in ends, f"{what} ({kind} {inode}) is not in the report")
        channel, end = ends[kind, inode]
        got, expected = figures_of(end), {k: v for k, v in row.items() if k in figures_of(end)}
        if what in ("near", "far"):
            sums = pipes.setdefault(inode, dict.fromkeys(expected, 0))
            for key in sums:
                sums[key] += expected[key]
            expected = sums
            if what == "near":
                continue
        box.equal(got, expected, f"figures of {what}")
        if what in ("pipe", "stream-a", "shared", "splice-to"):
            flows = flows_of(report, channel)
            box.equal(sum(f["bytes"] for f in flows), channel["received"]["bytes"], f"bytes of the flows of {what}")
            box.check(all(f["from"]["pid"] == f["to"]["pid"] == row["pid"] for f in flows), f"ends of {what}: {flows}")
            box.equal(channel["unread_bytes"], 0, f"unread bytes of {what}")
    return truth, report


@case
def uring_plain(box):
    compare(box, "plain")


@case
def uring_async(box):
    compare(box, "async")


@case
def uring_sqpoll(box):
    compare(box, "sqpoll")


@case
def uring_defer(box):
    compare(box, "defer")


@case
def uring_fixed(box):
    compare(box, "fixed")
