# SPDX-License-Identifier: BSD-2-Clause
"""Pools of threads in which work had to wait, though no loop stalls."""

from harness import case
from loops import node, record, script


@case
def a_starved_pool_is_found(box):
    truth, report, _ = record(box, node(), script("pool.js"), "starved")
    lookup = next(row for row in truth if row["name"] == "lookup")
    box.equal(len(report.data["pools"]), 1, "starved pools")
    pool = report.data["pools"][0]
    box.equal(len(pool["tids"]), 4, "threads of the pool")
    box.check(pool["saturated_ns"] > lookup["length"] // 2,
              f"saturated for {pool['saturated_ns']} ns, a lookup waited {lookup['length']}")


@case
def a_busy_pool_is_not_starved(box):
    _, report, _ = record(box, node(), script("pool.js"), "easy")
    box.equal(report.data["pools"], [], "starved pools")


