# SPDX-License-Identifier: BSD-2-Clause
"""Memory: snapshots, processes between two of them, shares, and what fork costs."""

from harness import case

MIB = 1 << 20
PAGE = 4096


def find_one(box, rows, what, **wanted):
    found = [row for row in rows if all(row[k] == v for k, v in wanted.items())]
    box.equal(len(found), 1, f"{what} with {wanted}")
    return found[0]


def record_forker(box, *args, options=()):
    """(the parent's truth, the child's, the section)"""
    truth, report = box.record_truth("forker", *args, options=options)
    child = next(row for row in truth if row.get("written"))
    parent = next(row for row in truth if "child" in row)
    return parent, child, report.data["memory"]


@case
def fork_bill_is_told(box):
    parent, child, memory = record_forker(box, 128, 8, 16, 100)
    bill = find_one(box, memory["forks"], "forks", child=child["pid"])
    box.equal(bill["pid"], parent["pid"], "who forked")
    box.equal(bill["parted_by"], "exit", "how they parted")
    if bill["shared_bytes"] is not None:  # since 6.2
        box.check(128 * MIB <= bill["shared_bytes"] < 136 * MIB, f"shared at birth: {bill['shared_bytes']}")
    box.check(bill["page_tables_bytes"] >= 128 * MIB // 512, f"page tables: {bill['page_tables_bytes']}")
    for key, pages in (("child_cow_faults", child["written"]), ("parent_cow_faults", 16 * MIB // PAGE)):
        box.check(pages <= bill[key] <= pages + 200, f"{key}: {bill[key]}, {pages} pages were written to")
    if bill["call_ns"] is not None:
        # Before it returns, the caller may have lost its CPU to the child.
        box.check(0 < bill["call_ns"] <= parent["call_ns"],
                  f"time in fork: {bill['call_ns']}, measured {parent['call_ns']}")


@case
def process_between_snapshots_is_not_missed(box):
    parent, child, memory = record_forker(box, 32, 4, 0, 1, options=("--memory", "0"))
    process = find_one(box, memory["processes"], "processes", pid=child["pid"])
    if process["rss_bytes"] is not None:  # before 6.16 the kernel only has the peak at that moment
        box.check(abs(process["rss_bytes"] - child["rss"]) <= 16 * PAGE,
                  f"rss at exit: {process['rss_bytes']}, it says {child['rss']} itself")
    # From 6.2 to 6.15 the kernel's peak leaves out what single CPUs have not added up yet.
    box.check(process["peak_rss_bytes"] >= child["rss"] - MIB, f"peak {process['peak_rss_bytes']} below {child['rss']}")


@case
def a_forked_pair_shares_by_copy_on_write(box):
    parent, child, memory = record_forker(box, 64, 8, 16, 2500)
    low, high = sorted((parent["pid"], child["pid"]))
    pair = find_one(box, memory["sharing"], "pairs", a=low, b=high)
    expected = 64 * MIB - 24 * MIB
    box.check(expected <= pair["anon_bytes"] < expected + MIB, f"copy-on-write in common: {pair['anon_bytes']}")
    box.equal(pair["same_mm"], False, "one address space")
    box.equal(pair["bytes"], pair["anon_bytes"] + pair["file_bytes"] + pair["shmem_bytes"], "sum of the pair")
    for pid in (low, high):
        process = find_one(box, memory["processes"], "processes", pid=pid)
        box.check(process["uss_bytes"] <= process["pss_bytes"] <= process["rss_bytes"], f"order of {process}")
        box.equal(sum(c["rss_bytes"] for c in process["classes"].values()), process["rss_bytes"], "sum of classes")
    group = memory["group"]
    box.check(group["cost_bytes"] < group["unshared_bytes"], "sharing saves nothing")
    box.equal(sum(c["k"] * (c["file_bytes"] + c["anon_bytes"] + c["shmem_bytes"]) for c in group["common"]),
              group["unshared_bytes"], "k of n against the whole")


@case
def who_grew_and_when(box):
    """Told by the kernel's RSS events alone: nobody looks on an interval."""
    (truth,), report = box.record_truth("grower", 160, 400, options=("--memory", "0"))
    changes = [c for c in report.data["memory"]["growth"] if c["pid"] == truth["pid"] and abs(c["bytes"]) > 40 * MIB]
    changes.sort(key=lambda change: change["from_ns"])
    box.equal(len(changes), 3, f"changes of {truth}: {changes}")
    sizes = truth["anon"], -truth["anon"], truth["shared"]
    for change, size, key in zip(changes, sizes, ("anon_bytes", "anon_bytes", "shmem_bytes")):
        box.check(0.9 <= change["bytes"] / size <= 1.02, f"{change['bytes']} bytes, it were {size}")
        box.check(abs(change[key] - change["bytes"]) < 2 * MIB, f"not {key} alone: {change}")
        box.equal(change["bytes"], change["to_bytes"] - change["from_bytes"], "from, to and the difference")
    box.equal([c["tid"] for c in changes], [truth["tid"], truth["pid"], truth["pid"]], "who did it")
    for before, after in zip(changes, changes[1:]):
        # It slept 400 ms between the two, and neither change reaches far into that.
        box.check(after["from_ns"] - before["to_ns"] >= 280_000_000, f"{after['from_ns']} too near to {before['to_ns']}")
