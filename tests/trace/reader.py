#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A second reader of traces, written from docs/trace-format.md alone: prints what tools/trace-dump prints.

Slow and simple on purpose: it is there to be compared with, not to be used.
"""
import json
import struct
import subprocess
import sys

ZSTD_MAGIC = 0xFD2FB528
RANK = {"task": 0, "fork": 1, "exec": 2, "wakeup": 4, "occupant": 5, "switch": 6, "exit": 7, "loss": 8}
WORD = (1 << 64) - 1


def fail(why):
    raise ValueError(why)


def unpack_frame(data):
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def split_frames(data):
    """By the seek table."""
    count, flags, magic = struct.unpack("<IBI", data[-9:])
    if magic != 0x8F92EAB1:
        fail("no seek table")
    width = 12 if flags & 0x80 else 8
    table = data[-9 - width * count:-9]
    frames, offset = [], 0
    for i in range(count):
        size, content = struct.unpack_from("<II", table, i * width)
        if struct.unpack_from("<I", data, offset)[0] != ZSTD_MAGIC:
            fail("frame %d does not begin where the seek table says" % i)
        frames.append(unpack_frame(data[offset:offset + size]))
        if len(frames[-1]) != content:
            fail("frame %d is not as long as the seek table says" % i)
        offset += size
    return frames


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        piece = self.data[self.at:self.at + n]
        if len(piece) != n:
            fail("ends early")
        self.at += n
        return piece

    def int(self, n):
        return int.from_bytes(self.take(n), "little")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.int(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def done(self):
        return self.at == len(self.data)


class Field:
    def __init__(self, spec):
        self.name, self.type, self.kind = spec["name"], spec["type"], spec["class"]
        self.is_name = self.type == "char16"
        self.size = 16 if self.is_name else int(self.type[1:]) // 8

    def value(self, raw):
        return raw if self.is_name else int.from_bytes(raw, "little")

    def show(self, value):
        if self.kind == "text":
            return escape(value)
        if self.is_name:
            return escape(value.split(b"\0")[0])
        value &= (1 << 8 * self.size) - 1
        if self.type[0] == "s" and value >> (8 * self.size - 1):
            value -= 1 << 8 * self.size
        return str(value)


def escape(raw):
    return "".join(chr(c) if 0x20 < c < 0x7F and c != 0x5C else "\\x%02x" % c for c in raw)


class Block:
    def __init__(self, content, kinds):
        if content[:4] != b"PTB1":
            fail("not a block")
        (self.kind, self.interval, self.count, self.flags, self.group, columns, self.first,
         self.last) = struct.unpack_from("<IIIIHHQQ", content, 4)
        self.fields = kinds[self.kind][1]
        self.columns = {}
        cursor = Cursor(content)
        cursor.at = 40
        directory = [struct.unpack("<HHI", cursor.take(8)) for _ in range(columns)]
        for position, encoding, length in directory:
            payload = Cursor(cursor.take(length))
            self.columns[position] = self.column(position, encoding, payload, self.count)
            if not payload.done():
                fail("column %d is too long" % position)
        if not cursor.done():
            fail("block is too long")

    def column(self, position, encoding, data, n):
        field = self.fields[position]
        decoders = {0: self.constant, 1: self.runs, 2: self.planes, 3: self.dictionary, 4: self.log_split,
                    5: self.delta, 6: self.keyed, 7: self.text, 8: self.shifted}
        return decoders[encoding](position, field, data, n)

    def constant(self, _position, field, data, n):
        return [field.value(data.take(field.size))] * n

    def runs(self, _position, field, data, n):
        values = []
        while len(values) < n:
            length = data.int(4)
            values += [field.value(data.take(field.size))] * length
        return values

    def planes(self, _position, field, data, n):
        planes = [data.take(n) for _ in range(data.int(1))]
        return [field.value(bytes(p[i] for p in planes)) for i in range(n)]

    def dictionary(self, _position, field, data, n):
        values = [field.value(data.take(field.size)) for _ in range(data.int(2))]
        return [values[i] for i in data.take(n)]

    def key(self, position, lag, i, own=None):
        column = own if own is not None else self.columns[position]
        return column[i - lag] if i >= lag else 0

    def log_split(self, _position, _field, data, n):
        listed = data.int(1)
        if listed:
            source, lag = data.int(2), data.int(1)
        keys = [data.int(8) for _ in range(listed)]
        ks = [data.int(1) for _ in range(listed + 1)]
        streams = [[] for _ in ks]
        for i in range(n):
            key = self.key(source, lag, i) if listed else None
            streams[keys.index(key) if key in keys else listed].append(i)
        symbols = iter(data.take(n))
        escapes = iter([data.int(8) for _ in range(data.int(4))])
        bits = BitReader(data)
        values = [0] * n
        for k, rows in zip(ks, streams):
            for i in rows:
                symbol = next(symbols)
                octave, low = symbol >> k, symbol & ((1 << k) - 1)
                if symbol == 255:
                    values[i] = next(escapes)
                elif octave == 0:
                    values[i] = low
                else:
                    values[i] = (((1 << k) + low) << (octave - 1)) + bits.take(octave - 1)
        return values

    def shifted(self, position, field, data, n):
        return self.delta(position, field, data, n, data.int(1))

    def delta(self, position, field, data, n, shift=0):
        base = data.int(8)
        values = self.log_split(position, field, data, n)
        group = self.columns.get(self.group)
        last = base
        for i in range(n):
            if i and group and group[i] != group[i - 1]:
                last = base
            values[i] = last = (last + (values[i] << shift)) & WORD
        return values

    def keyed(self, position, _field, data, n):
        keys = [(data.int(2), data.int(1)) for _ in range(data.int(1))]
        bitmap = data.take((n + 7) // 8)
        missed = [bool(bitmap[i // 8] >> i % 8 & 1) for i in range(n)]
        others = iter(self.column(position, data.int(1), data, sum(missed)) if any(missed) else [])
        predictions = [0] * 4096
        values = []
        for i in range(n):
            a, b = ([self.key(f, lag, i, values if f == position else None) for f, lag in keys] + [0])[:2]
            slot = ((a * 0x9E3779B97F4A7C15 + b * 0xC2B2AE3D27D4EB4F) & WORD) >> 52
            if missed[i]:
                predictions[slot] = next(others)
            values.append(predictions[slot])
        return values

    def text(self, _position, _field, data, n):
        lengths = [data.varint() for _ in range(n)]
        return [data.take(length) for length in lengths]

    def records(self, name):
        time = next(p for p, f in enumerate(self.fields) if f.kind == "time")
        order = sorted(range(self.count), key=lambda i: self.columns[time][i])
        if (self.columns[time][order[0]], self.columns[time][order[-1]]) != (self.first, self.last):
            fail("times are not those of the header")
        for i in order:
            shown = ["%s=%s" % (f.name, f.show(self.columns[p][i]) if p in self.columns else "0")
                     for p, f in enumerate(self.fields)]
            yield (self.columns[time][i], RANK.get(name, 3)), " ".join([name] + shown)


class BitReader:
    def __init__(self, cursor):
        self.cursor, self.word, self.have = cursor, 0, 0

    def take(self, n):
        while self.have < n:
            self.word |= self.cursor.int(1) << self.have
            self.have += 8
        value = self.word & ((1 << n) - 1)
        self.word >>= n
        self.have -= n
        return value


def main():
    with open(sys.argv[1], "rb") as file:
        frames = split_frames(file.read())
    signature, _, text = frames[0].partition(b"\n")
    if signature not in (b"partrace trace 1", b"partrace trace 2"):
        fail("no trace")
    meta = json.loads(text)
    kinds = {k["kind"]: (k["name"], [Field(f) for f in k["fields"]]) for k in meta["schema"]}
    end = frames[-1]
    blocks = [Block(frame, kinds) for frame in frames[1:-1]]
    if end[:4] != b"PTE1" or struct.unpack_from("<I", end, 4)[0] != len(blocks):
        fail("the index does not fit")
    for i, block in enumerate(blocks):
        if struct.unpack_from("<IIIIQQ", end, 8 + 32 * i) != (block.kind, block.interval, block.count, block.flags,
                                                              block.first, block.last):
            fail("entry %d of the index is not like its block" % i)
    json.loads(end[8 + 32 * len(blocks):])
    blocks.sort(key=lambda b: b.first)
    records = [r for block in blocks for r in block.records(kinds[block.kind][0])]
    records.sort(key=lambda r: r[0])
    sys.stdout.write("".join(line + "\n" for _, line in records))


main()
