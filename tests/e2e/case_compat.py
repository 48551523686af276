# SPDX-License-Identifier: BSD-2-Clause
"""System calls of 32 bits: their numbers and registers are others, and must not be taken for those of 64 bits."""

import os
import platform
import shutil

from harness import Skip, case


def loop32(box):
    """The 32-bit program, if it can be built and run here."""
    path = box.path("loop32")
    if platform.machine() != "x86_64":
        raise Skip("32-bit programs of this machine are not tested")
    if not shutil.which("cc"):
        raise Skip("there is no C compiler")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "script", "loop32.c")
    built = box.run("cc", "-m32", "-O1", "-nostdlib", "-static", "-fno-stack-protector", "-fno-pie", "-no-pie",
                    "-o", path, source)
    if built.status:
        raise Skip(f"the C compiler does not build for 32 bits: {built.err.strip().splitlines()[-1]}")
    try:
        if box.run(path).status:
            raise Skip("this kernel does not run 32-bit programs")
    except OSError as error:
        raise Skip(f"this kernel does not run 32-bit programs: {error}") from None
    return path


@case
def a_32_bit_loop(box):
    _, path = box.record(loop32(box))
    report = box.load(path)
    parent = next(t for t in report.tasks if t["model"] == "main")
    child = next(t for t in report.tasks if t["model"] == "process")
    box.equal(child["created_by"], "fork", "how the child was made")
    loop, = report.data["loops"]
    box.equal((loop["pid"], loop["wait"]), (parent["pid"], "epoll_wait"), "the loop")
    box.check(58 <= loop["turns"] <= 60, f"turns: {loop['turns']}")
    stall, = [s for s in report.data["stalls"] if s["duration_ns"] > 45_000_000]
    box.equal(stall["loop"], loop["id"], "whose stall it is")
    box.check(child["blocked_ns"]["sleep"] > 0.9 * sum(child["blocked_ns"].values()), f"child: {child['blocked_ns']}")
    box.check(parent["blocked_ns"]["poll"] > 0.9 * sum(parent["blocked_ns"].values()), f"loop: {parent['blocked_ns']}")
    box.equal({p["pid"] for p in report.data["ipc"]["compat"]}, {parent["pid"], child["pid"]}, "who is not seen")
    box.equal(report.data["ipc"]["flows"], [], "flows")
    text = box.run(box.partrace, "report", "-i", path).out
    box.check("makes 32-bit system calls: what these move is not seen" in text, "the text does not say so")


@case
def a_64_bit_program_with_32_bit_calls(box):
    if box.run(box.prog("int80")).status == 77:
        raise Skip("this kernel has no 32-bit system calls")
    (truth,), report = box.record_truth("int80")
    pipe = next(c for c in report.data["ipc"]["channels"] if c["kind"] == "pipe"
                and c["ends"][0]["inode"] == truth["inode"])
    box.equal((pipe["sent"], pipe["failed"]), ({"bytes": 5, "messages": 1}, 0), "what went through the pipe")
    box.equal([p["pid"] for p in report.data["ipc"]["compat"]], [truth["pid"]], "who is not seen in full")
