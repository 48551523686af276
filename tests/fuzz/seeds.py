#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes fuzz seeds from traces: seeds.py CORPUS TRACE...: whole files, their pieces, and single blocks."""
import hashlib
import os
import struct
import subprocess
import sys


def frames(data):
    count = struct.unpack("<I", data[-9:-5])[0]
    offset = 0
    for i in range(count):
        size = struct.unpack_from("<I", data, len(data) - 9 - 8 * (count - i))[0]
        yield subprocess.run(["zstd", "-dcq"], input=data[offset:offset + size], stdout=subprocess.PIPE,
                             check=True).stdout
        offset += size


def store(folder, content):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha1(content).hexdigest()[:16]), "wb") as file:
        file.write(content)


def main():
    corpus = sys.argv[1]
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            data = file.read()
        pieces = list(frames(data))
        packed = b"".join(struct.pack("<I", len(p))[:3] + p for p in pieces)
        store(corpus + "/reader", b"\0" + data)
        store(corpus + "/reader", b"\1" + packed)
        store(corpus + "/reader", b"\2" + packed)
        for piece in pieces[1:-1]:
            store(corpus + "/block", piece)


main()
