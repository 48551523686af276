#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the traces of tests/golden/bad, which must be rejected for the reason that NAME.why gives."""
import json
import os
import struct
import subprocess

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bad")
FIELDS = [("time", "u64", "time"), ("prev_tid", "u32", "chain"), ("next_tid", "u32", "id"), ("cpu", "u16", "id")]
SCHEMA = [{"kind": 1, "name": "switch", "fields": [{"name": n, "type": t, "class": c} for n, t, c in FIELDS]},
          {"kind": 5, "name": "command", "fields": [{"name": "time", "type": "u64", "class": "time"},
                                                    {"name": "text", "type": "u32", "class": "text"}]}]
TIMES = (0, 2, b"\x02" + bytes(range(8)) + bytes(8))


def frame(content):
    return subprocess.run(["zstd", "-qc", "--check", "--stream-size=%d" % len(content)], input=content,
                          stdout=subprocess.PIPE, check=True).stdout


def meta(body=None, version=2):
    body = json.dumps({"schema": SCHEMA}) if body is None else body
    return frame(("partrace trace %d\n%s\n" % (version, body)).encode())


def block(columns, count=8, kind=1, group=0xFFFF, first=0, last=7, tag=b"PTB1"):
    out = tag + struct.pack("<IIIIHHQQ", kind, 0, count, 0, group, len(columns), first, last)
    out += b"".join(struct.pack("<HHI", field, encoding, len(payload)) for field, encoding, payload in columns)
    return frame(out + b"".join(payload for _, _, payload in columns))


def store(name, why, *parts):
    with open(os.path.join(HERE, name + ".partrace"), "wb") as file:
        file.write(b"".join(parts))
    with open(os.path.join(HERE, name + ".why"), "w") as file:
        file.write(why + "\n")


def main():
    good = meta()
    store("empty", "no trace")
    store("text", "no trace", b"#!/bin/sh\necho hello\n")
    store("other-zstd", "no trace of partrace", frame(b"something else"))
    store("newer-format", "format version 3", meta("{}", 3))
    store("meta-not-json", "not JSON", meta("{"))
    store("meta-no-schema", "no schema", meta("{}"))
    store("schema-field-twice", "schema is not valid",
          meta(json.dumps({"schema": [dict(SCHEMA[0], fields=2 * SCHEMA[0]["fields"])]})))
    store("meta-truncated", "ends within a frame", good[:-9])
    store("claims-terabytes", "a frame is not a block", good,
          bytes.fromhex("28b52ffde0 0000000000010000 010000"))
    store("unpacks-to-64-mib", "claims to unpack to more", good,
          frame(b"PTB1" + struct.pack("<IIIIHHQQ", 1, 0, 1, 0, 0xFFFF, 0, 0, 0) + bytes(64 << 20)))
    store("checksum", "a frame is damaged", good, block([TIMES])[:-1] + b"\x00")
    store("not-a-block", "not a block", good, block([TIMES], tag=b"PTX1"))
    store("count-zero", "impossible header", good, block([TIMES], count=0))
    store("count-huge", "impossible header", good, block([TIMES], count=1 << 31))
    store("no-times", "no times", good, block([(1, 0, bytes(4))]))
    store("times-not-those-of-header", "not those of its header", good, block([TIMES], last=9))
    store("column-twice", "a column twice", good, block([TIMES, TIMES]))
    store("column-not-in-schema", "that the schema does not have", good, block([TIMES, (9, 0, bytes(4))]))
    store("column-ends-early", "ends early", good, block([TIMES, (1, 2, b"\x01" + bytes(3))]))
    store("column-too-long", "longer than its rows", good, block([TIMES, (1, 0, bytes(9))]))
    store("unknown-encoding", "unknown encoding", good, block([TIMES, (1, 77, bytes(4))]))
    store("planes-too-many", "more planes", good, block([TIMES, (1, 2, b"\x05" + bytes(40))]))
    store("dictionary-index", "outside its dictionary", good,
          block([TIMES, (1, 3, struct.pack("<HI", 1, 5) + bytes(7) + b"\x01")]))
    store("run-too-long", "impossible length", good, block([TIMES, (1, 1, struct.pack("<II", 9, 5))]))
    store("run-of-nothing", "impossible length", good, block([TIMES, (1, 1, struct.pack("<II", 0, 5))]))
    store("key-comes-later", "depends on one", good,
          block([TIMES, (1, 6, struct.pack("<BHBB", 1, 2, 0, 0)), (2, 0, bytes(4))]))
    store("key-is-itself", "depends on one", good, block([TIMES, (1, 6, struct.pack("<BHBB", 1, 1, 0, 0))]))
    store("log-symbol", "too many bits", good,
          block([TIMES, (1, 4, b"\x00\x00" + b"\x7f" * 8 + bytes(4) + bytes(99))]))
    store("log-escapes", "escapes", good, block([TIMES, (1, 4, b"\x00\x00" + b"\xff" * 8 + bytes(4))]))
    store("log-bits", "ends early", good, block([TIMES, (1, 4, b"\x00\x00" + b"\x20" * 8 + bytes(4) + bytes(3))]))
    store("text-too-long", "a text", good,
          block([(0, 0, bytes(8)), (1, 7, b"\xff\xff\xff\xff\x0f")], kind=5, count=1, last=0))


main()
