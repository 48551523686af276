# SPDX-License-Identifier: BSD-2-Clause
"""Descriptors that go through Unix sockets: how many, what they stand for, and who passed them on to whom."""

import shutil

import strace_sums
from harness import Skip, case


def by_inode(report):
    """inode -> (channel, end)"""
    return {e["inode"]: (c, e) for c in report.data["ipc"]["channels"] for e in c["ends"]}


@case
def every_descriptor_is_counted_and_named(box):
    truth, report = box.record_truth("passer")
    ends, kinds = by_inode(report), [r for r in truth if r["what"] == "kind"]
    port = next(r["port"] for r in truth if r["what"] == "listener")
    for row in truth:
        if not row["what"].endswith(("-a", "-b")):
            continue
        channel, end = ends[row["inode"]]
        got = (end["sent"]["fds"], end["received"]["fds"])
        box.equal(got, (row["sent"], row["received"]), f"sent and received by {row['what']}")
        if not row["sent"]:
            continue
        box.equal(sum(channel["passed"].values()), row["sent"], f"sum by kind of {row['what']}")
        box.equal("other" in channel["passed"], False, f"others of {row['what']}")
        box.equal(channel["passed"].keys(), {k["kind"] for k in kinds}, f"kinds of {row['what']}")
        things, omitted = channel["descriptors"], channel["descriptors_omitted"]
        for way in ("sent", "received", "peeked"):
            expected = sum(r[way] for r in truth if r["what"][:-2] == row["what"][:-2] and way in r)
            box.equal(sum(t[way] for t in things) + omitted[way], expected, f"{way} in {row['what']}, one by one")
        for kind in kinds:
            found = [t for t in things if (t["kind"], t["inode"]) == (kind["kind"], kind["inode"])]
            box.check(found or kind["kind"] == "eventfd", f"{kind} is not among the descriptors of {row['what']}")
        listens = [t for t in things if t["listens"]]
        box.equal([t.get("port") for t in listens], [port], "the port of the socket that listens")
        pipes = sorted((t["reads"], t["writes"]) for t in things if t["kind"] == "pipe")
        box.equal(pipes, [(False, True), (True, False)], "ends of the pipe")
        channels = {c["id"] for c in report.data["ipc"]["channels"]}
        box.check({t["channel"] for t in things if t["kind"] in ("pipe", "tcp", "unix")} <= channels, "dangling channels")


@case
def passed_descriptors_as_strace_sees_them(box):
    """strace's own sums leave out messages of nothing, which go through sockets that are no streams."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    program = ("import os, socket\na, b = socket.socketpair()\nr, w = os.pipe()\n"
               "if os.fork():\n socket.send_fds(a, [b'x'], [r, w, 0]); os.wait()\n"
               "else:\n _, fds, _, _ = socket.recv_fds(b, 1, 2); os.write(fds[-1], b'y'); os._exit(0)\n")
    for name, command in (("passer", (box.prog("passer"),)), ("python", ("python3", "-c", program))):
        log = box.path(f"{name}.strace")
        _, path = box.record("strace", *strace_sums.OPTIONS, "-o", log, *command, env={"TRUTH": box.path("truth")})
        report, sums = box.load(path), strace_sums.sums_of(log)
        streams = {inode for inode, (channel, _) in by_inode(report).items() if channel.get("type") == "stream"}
        got, compared = strace_sums.sums_of_report(report), 0
        for key, (_, _, fds) in sums.items():
            if fds and key[0] in streams:
                box.equal(got[key][2], fds, f"descriptors {'sent' if key[1] else 'received'} through {key[0]} of {name}")
                compared += 1
        box.check(compared >= 2, f"strace of {name} saw only {sums}")


@case
def who_got_which_end(box):
    """A parent passes the ends of a pipe to its child, which then writes."""
    program = ("import os, socket\na, b = socket.socketpair()\npid = os.fork()\nif pid:\n r, w = os.pipe()\n"
               " print(os.getpid(), pid, os.fstat(r).st_ino)\n socket.send_fds(a, [b'x'], [w]); os.close(w)\n"
               " os.read(r, 10); os.wait()\n"
               "else:\n _, fds, _, _ = socket.recv_fds(b, 1, 2); os.write(fds[0], b'hello'); os._exit(0)\n")
    done, path = box.record("python3", "-c", program)
    parent, child, inode = map(int, done.out.split())
    report = box.load(path)
    pipe = by_inode(report)[inode][0]
    thing, = next(c["descriptors"] for c in report.data["ipc"]["channels"] if c.get("descriptors"))
    box.equal((thing["kind"], thing["channel"], thing["reads"], thing["writes"]), ("pipe", pipe["id"], False, True),
              "what was passed")
    tasks = {t["pid"]: (t["sent"], t["received"]) for t in thing["tasks"]}
    box.equal(tasks, {parent: (1, 0), child: (0, 1)}, "who passed it to whom")
    flow, = [f for f in report.data["ipc"]["flows"] if f["channel"] == pipe["id"]]
    box.equal((flow["from"]["pid"], flow["to"]["pid"], flow["bytes"]), (child, parent, 5), "what went through it then")
