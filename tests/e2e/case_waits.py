# SPDX-License-Identifier: BSD-2-Clause
"""Every wait call makes a loop; and several epoll files, or several threads, need not."""

from harness import Skip, case
from loops import MS, check_loops, expect, read_truth, stall_at

EPOLL = ("epoll_wait", "epoll_pwait", "epoll_pwait2")
OTHERS = ("poll", "ppoll", "select", "pselect6")


def record(box, prog, *args):
    truth = box.path(f"truth-{box.count}")
    _, path = box.record(box.prog(prog), *args, env={"TRUTH": truth})
    return read_truth(truth), check_loops(box.load(path))


def check_loop(box, report, row):
    found = [loop for loop in report.data["loops"] if loop["tid"] == row["tid"]]
    box.equal([loop["wait"] for loop in found], [row["name"]], f"loops of {row}")
    loop = found[0]
    # At last it sleeps until the process ends.
    box.check(row["waits"] <= loop["turns"] <= row["waits"] + 1, f"{row['name']}: {loop['turns']} turns, it waited {row['waits']} times")
    last = [t for t in report.tasks if t["tid"] == row["tid"]][0]
    box.check(loop["end_ns"] <= last["end_ns"], f"{row['name']}: {loop}")
    busy = loop["end_ns"] - loop["start_ns"] - loop["idle_ns"]
    box.equal(busy, loop["busy_ns"], "busy time")
    stall = stall_at(report, row)
    expect(box, stall, row, "computing")
    box.equal(loop["stalls"], len([s for s in report.data["stalls"] if s["loop"] == loop["id"]]), "stalls of the loop")
    return loop


def compare_idle(box, report, row, loop):
    """Idle up to the endless wait at the end, by the program's clock."""
    turns = row["waits"]
    final = loop["idle_ns"] - row["idle"]
    end = [t for t in report.tasks if t["tid"] == row["tid"]][0]["end_ns"]
    box.check(0 <= final + 2 * MS and final <= end - (loop["end_ns"] - final) + 2 * MS,
              f"{row['name']}: idle for {loop['idle_ns']} ns, it says {row['idle']} in {turns} waits and then to the end")


@case
def every_wait_call_makes_a_loop(box):
    truth, report = record(box, "waits", *EPOLL, *OTHERS)
    box.equal(len(truth), len(EPOLL + OTHERS), "loops that the program ran")
    for row in truth:
        compare_idle(box, report, row, check_loop(box, report, row))


@case
def a_ring_that_is_waited_for_makes_a_loop(box):
    truth, report = record(box, "waits", "io_uring_enter")
    if "error" in truth[0]:
        raise Skip(f"this kernel has no io_uring: {truth[0]['error']}")
    compare_idle(box, report, truth[0], check_loop(box, report, truth[0]))


def loops_of(box, how):
    truth, report = record(box, "pollers", how)
    return truth[0], report.data["loops"], report.data["stalls"]


@case
def two_epoll_files_by_turns_are_one_loop(box):
    row, loops, stalls = loops_of(box, "alternate")
    box.equal(len(loops), 1, f"loops {loops}")
    box.check(all(s["verdict"] == "waiting-for-cpu" for s in stalls), f"stalls of {[s['summary'] for s in stalls]}")
    box.check(row["waits"] - 1 <= loops[0]["turns"] + loops[0]["turns"] % 2 or loops[0]["turns"] >= row["waits"] // 2,
              f"{loops[0]['turns']} turns, it waited {row['waits']} times")
    box.check(loops[0]["utilization"] < 0.3, f"busy for {loops[0]['utilization']}")


def long_enough(stalls):
    return [s for s in stalls if s["parts_ns"]["user"] + s["parts_ns"]["kernel"] >= 29 * MS]


@case
def an_epoll_file_inside_another(box):
    row, loops, stalls = loops_of(box, "inside")
    outer = [loop for loop in loops if not loop["nested"]]
    box.equal(len(outer), 1, f"loops {loops}")
    box.check(row["waits"] - 1 <= outer[0]["turns"] <= row["waits"] + 1, f"{outer[0]['turns']} turns, it waited {row['waits']} times")
    box.equal(len(long_enough(stalls)), row["stalls"], f"stalls of 30 ms among {[s['summary'] for s in stalls]}")


@case
def reused_descriptors_are_other_loops(box):
    row, loops, stalls = loops_of(box, "reused")
    box.equal(len(loops), 5, f"loops {loops}")
    box.check(row["waits"] - 5 <= sum(loop["turns"] for loop in loops) <= row["waits"] + 5, f"turns of {loops}, it waited {row['waits']} times")
    box.check(not any(loop["nested"] for loop in loops), f"nested: {loops}")
    box.equal(len(long_enough(stalls)), row["stalls"], f"stalls of 30 ms among {[s['summary'] for s in stalls]}")


@case
def a_ring_that_never_makes_wait_is_no_loop(box):
    """As libuv tells epoll of its descriptors, if it uses io_uring."""
    row, loops, stalls = loops_of(box, "at-once")
    if "error" in row:
        raise Skip(f"this kernel has no io_uring: {row['error']}")
    loops = [loop for loop in loops if loop["turns"] > 1]
    box.equal([(loop["wait"], loop["nested"]) for loop in loops], [("epoll_wait", False)], "loops")
    box.check(row["waits"] - 1 <= loops[0]["turns"] <= row["waits"] + 1, f"{loops[0]['turns']} turns, it waited {row['waits']} times")
    box.equal(len(long_enough(stalls)), row["stalls"], f"stalls of 30 ms among {[s['summary'] for s in stalls]}")


@case
def threads_that_share_an_epoll_file(box):
    row, loops, stalls = loops_of(box, "shared")
    box.equal(len(loops), 4, f"loops {loops}")
    box.check(all(loop["shared_poller"] and not loop["stalls"] for loop in loops), f"loops {loops}")
    box.equal(stalls, [], "stalls")
    box.check(row["waits"] - 4 <= sum(loop["turns"] for loop in loops) <= row["waits"] + 4, f"turns of {loops}, they waited {row['waits']} times")


@case
def one_endless_wait_is_no_loop(box):
    _, loops, _ = loops_of(box, "once")
    box.equal(loops, [], "loops")
