# SPDX-License-Identifier: BSD-2-Clause
"""Pools of threads in which work had to wait, though no loop stalls."""

import sys

from harness import case
from loops import MS, node, record, script


def check_lookup(box, truth, report, threads):
    """A name was looked up behind other work: that it had to wait is found, as are those who kept it waiting."""
    lookup = next(row for row in truth if row["name"] == "lookup")
    box.equal(len(report.data["pools"]), 1, "starved pools")
    pool = report.data["pools"][0]
    box.equal(len(pool["tids"]), threads, "threads of the pool")
    box.check(pool["saturated_ns"] > lookup["length"] // 2,
              f"saturated for {pool['saturated_ns']} ns, a lookup waited {lookup['length']}")
    box.check(pool["saturated_ns"] < lookup["length"] * 2, f"saturated for {pool['saturated_ns']} ns of {lookup['length']}")
    doing = pool["doing_ns"]
    box.check(doing["user"] + doing["kernel"] + doing["cpu"] + doing["runnable"] > sum(doing.values()) * 0.8,
              f"its threads computed, {doing} is told")


@case
def a_starved_pool_is_found(box):
    truth, report, _ = record(box, node(), script("pool.js"), "starved")
    check_lookup(box, truth, report, 4)


@case
def a_busy_pool_is_not_starved(box):
    _, report, _ = record(box, node(), script("pool.js"), "easy")
    box.equal(report.data["pools"], [], "starved pools")


@case
def a_starved_executor_of_python_is_found(box):
    """Its threads were not made in one go."""
    truth, report, _ = record(box, sys.executable, script("pool.py"), "starved")
    check_lookup(box, truth, report, 4)
    _, report, _ = record(box, sys.executable, script("pool.py"), "easy")
    box.equal(report.data["pools"], [], "starved pools")


def pool_of_c(box, *args):
    truth, report = box.record_truth("pool", *args)
    return [row["tid"] for row in truth[:-1]], truth[-1]["waited"], report.data["pools"]


@case
def a_starved_pool_of_plain_threads(box):
    tids, waited, pools = pool_of_c(box, "starved")
    box.equal(len(pools), 1, "starved pools")
    box.equal(sorted(pools[0]["tids"]), sorted(tids), "threads of the pool")
    # Told is up to the last moment that a worker took more work at once.
    box.check(waited // 2 < pools[0]["saturated_ns"] < waited + 100 * MS, f"saturated for {pools[0]['saturated_ns']} ns, work waited for {waited}")
    _, waited, pools = pool_of_c(box, "starved", "sleeps")
    box.equal(len(pools), 1, "starved pools")
    box.check(pools[0]["blocked_ns"].get("sleep", 0) * 10 > sum(pools[0]["doing_ns"].values()) * 8,
              f"its threads slept, {pools[0]['doing_ns']} and {pools[0]['blocked_ns']} are told")


@case
def pools_with_room_are_not_starved(box):
    for how in ("easy", "idle"):
        _, waited, pools = pool_of_c(box, how)
        box.equal((pools, waited < 10 * MS), ([], True), f"starved pools with {how} work, which waited for {waited} ns")
