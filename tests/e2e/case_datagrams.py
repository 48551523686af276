# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams: who sent them to whom, where no socket is connected."""

from harness import case


def between(report):
    """(from pid, to pid) -> [bytes, messages] of datagrams, and whether any of it is uncertain."""
    kinds = {c["id"] for c in report.data["ipc"]["channels"] if c.get("type") == "dgram"}
    sums, unsure = {}, {}
    for flow in report.data["ipc"]["flows"]:
        if flow["channel"] in kinds:
            key = flow["from"]["pid"], flow["to"]["pid"]
            entry = sums.setdefault(key, [0, 0])
            entry[0] += flow["bytes"]
            entry[1] += flow["messages"]
            unsure[key] = unsure.get(key, False) or flow["uncertain"]
    return sums, unsure


@case
def every_datagram_has_both_its_ends(box):
    truth, report = box.record_truth("datagrams")
    sums, unsure = between(report)
    expected = {}
    for row in truth:
        expected[row["from"], row["to"]] = [row["bytes"], row["messages"]]
        box.equal(sums.get((row["from"], row["to"])), [row["bytes"], row["messages"]],
                  f"from {row['from']} to {row['to']} in {row['scene']}")
        box.equal(unsure[row["from"], row["to"]], False, f"uncertain in {row['scene']}")
    box.check(len(expected) >= 30, f"only {len(expected)} flows")
    box.equal({k: v for k, v in sums.items() if k not in expected}, {}, "what else is said to have been sent")
