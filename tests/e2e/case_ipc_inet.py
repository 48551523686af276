# SPDX-License-Identifier: BSD-2-Clause
"""IP sockets: every message, what lay in them when recording began and when it ended, and how deep they were."""

import json
import os
import signal
import sys
import time

from harness import case

SERVER = """
import socket, sys
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1], flush=True)
c, _ = l.accept()
for line in sys.stdin:
    print(len(c.recv(int(line), socket.MSG_WAITALL)), flush=True)
"""
CLIENT = """
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.setblocking(False)
print('up', flush=True)
for line in sys.stdin:
    sent = 0
    if int(line) < 0: s.shutdown(socket.SHUT_WR)
    try:
        while sent < int(line): sent += s.send(b'x' * min(3001, int(line) - sent))
    except BlockingIOError: pass
    print(sent, flush=True)
"""


def ask(process, number):
    process.stdin.write(f"{number}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def tables_of_the_kernel(port):
    """/proc/net/tcp: (unread, unacknowledged) at the side that has this port, and at the other one."""
    sides = {}
    with open("/proc/net/tcp", encoding="utf-8") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            local, remote = (int(w.split(":")[1], 16) for w in words[1:3])
            if port in (local, remote) and words[3] == "01":
                sides[local == port] = tuple(int(w, 16) for w in reversed(words[4].split(":")))
    return sides[True], sides[False]


def end_of(channel, port):
    """(the end with this port, the other one)"""
    ends = channel["ends"]
    return ends if ends[0]["address"].endswith(f":{port}") else ends[::-1]


def tcp_channel(report, port):
    return next(c for c in report.data["ipc"]["channels"]
                if c["kind"] == "tcp" and len(c["ends"]) == 2 and any(e["address"].endswith(f":{port}") for e in c["ends"])
                and sum(e["sent"]["bytes"] + e["received"]["bytes"] for e in c["ends"]))


@case
def what_is_left_is_what_the_kernel_counts(box):
    """Of both sides, or of one whose other side is not recorded; with what lay there before, and a full connection."""
    for who in ("both", "server", "client"):
        for before, sent, read in ((5000, 3000, 1000), (0, 10**8, 500000), (100, 10, 50)):
            server = box.start(sys.executable, "-c", SERVER)
            port = int(server.stdout.readline())
            client = box.start(sys.executable, "-c", CLIENT, port)
            box.equal(client.stdout.readline(), "up\n", "what the client says")
            ask(client, before)
            pids = {"both": (server.pid, client.pid), "server": (server.pid,), "client": (client.pid,)}[who]
            recorder, path = box.start_recording("-p", ",".join(map(str, pids)))
            sent = ask(client, sent)
            box.equal(ask(server, read), read, "what the server read")
            # what has been read is acknowledged a moment later
            box.wait_for(lambda sent=before + sent - read: sum(x[i] for i, x in enumerate(tables_of_the_kernel(port)))
                         == sent, "the kernel's queues hold what was sent and not read")
            (unread, _), (_, unacked) = tables_of_the_kernel(port)
            recorder.terminate()
            box.finish(recorder)
            channel = tcp_channel(box.load(path), port)
            own, other = end_of(channel, port)
            what = f"{who} recorded, {before} before, {sent} sent, {read} read"
            box.equal(channel["unread_bytes"], unread + unacked, f"unread bytes, {what}")
            box.equal(own["kernel"]["unread_bytes"], unread, f"the receiver's queue, {what}")
            box.equal(other["kernel"]["unacked_bytes"], unacked, f"the sender's queue, {what}")
            if who == "both":
                box.equal(own["before_bytes"], before, f"bytes that lay there before, {what}")
            for process in (client, server):
                box.finish(process)


@case
def the_end_of_a_direction_is_no_byte(box):
    """TCP numbers it like one, and it lies in the queue behind what was sent."""
    server = box.start(sys.executable, "-c", SERVER)
    port = int(server.stdout.readline())
    client = box.start(sys.executable, "-c", CLIENT, port)
    box.equal(client.stdout.readline(), "up\n", "what the client says")
    ask(client, 1000)
    ask(client, -1)
    for read, before in ((400, 1000), (600, 600)):
        recorder, path = box.start_recording("-p", f"{server.pid},{client.pid}")
        box.equal(ask(server, read), read, "what the server read")
        recorder.terminate()
        box.finish(recorder)
        own, _ = end_of(tcp_channel(box.load(path), port), port)
        box.equal((own["before_bytes"], own["unread_bytes"], own["kernel"]["unread_bytes"]),
                  (before, before - read, before - read), "before, unread, and in the kernel's queue")


@case
def a_target_that_never_reads_is_told(box):
    server = box.start(sys.executable, "-c", SERVER)
    port = int(server.stdout.readline())
    client = box.start(sys.executable, "-c", CLIENT, port)
    box.equal(client.stdout.readline(), "up\n", "what the client says")
    ask(client, 700)
    recorder, path = box.start_recording("-p", f"{server.pid},{client.pid}")
    ask(client, 6000)
    recorder.terminate()
    box.finish(recorder)
    own, _ = end_of(tcp_channel(box.load(path), port), port)
    box.equal((own["before_bytes"], own["unread_bytes"], own["depth_bytes"]["max"]), (700, 6700, 6700),
              "before, unread, and the deepest it was")


BUSY = """
import os, random, socket, sys
mode = sys.argv[1]
l = socket.create_server(('127.0.0.1', 0))
if not os.fork():
    s = socket.create_connection(l.getsockname())
    while True:
        s.sendall(b'x' * (100 if mode == 'ping' else random.choice((10, 1000, 70000, 400000))))
        if mode == 'ping': s.recv(1000)
c, _ = l.accept()
print('up', flush=True)
while data := c.recv(1000 if mode == 'ping' else random.choice((100, 5000, 65536))):
    if mode == 'ping': c.sendall(b'q' * 77)
"""


@case
def attached_in_the_middle_of_traffic(box):
    """Whatever was in flight at that moment: what was sent and lay there before is what was received and still lies there."""
    for mode in ("bulk", "ping"):
        busy = box.start(sys.executable, "-c", BUSY, mode)
        box.equal(busy.stdout.readline(), "up\n", "what the program says")
        lay_there = 0
        with open(f"/proc/{busy.pid}/task/{busy.pid}/children", encoding="utf-8") as f:
            pids = busy.pid, int(f.read())
        for _ in range(5):
            recorder, path = box.start_recording("-p", busy.pid)
            time.sleep(0.2)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(0.1)  # until all is acknowledged
            recorder.terminate()
            box.finish(recorder)
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            channels = [c for c in box.load(path).data["ipc"]["channels"] if c["kind"] == "tcp"]
            box.equal(len(channels), 1, "connections")
            for sender, receiver in (channels[0]["ends"], channels[0]["ends"][::-1]):
                if not sender["sent"]["bytes"]:
                    continue
                box.check(receiver["before_bytes"] is not None, f"it is not known what lay there: {channels[0]}")
                lay_there += receiver["before_bytes"] != 0
                box.equal(sender["sent"]["bytes"] + sender["unfinished_bytes"] + receiver["before_bytes"],
                          receiver["received"]["bytes"] + receiver["unread_bytes"], f"bytes ({mode})")
                left = receiver["kernel"]["unread_bytes"] + sender["kernel"]["unacked_bytes"]
                box.equal(receiver["unread_bytes"] - sender["unfinished_bytes"], left, f"what the kernel has left ({mode})")
                box.check(sender["unfinished_bytes"] <= 400000, f"more than one call is under way: {sender}")
                # socket buffers hold 4 and 6 MiB, and twice that for a moment
                box.check(receiver["depth_bytes"]["max"] < 25 << 20, f"depth: {receiver['depth_bytes']}")
        # a ping is nearly always just being answered, and may be so each time
        box.check(lay_there or mode == "ping", f"nothing was ever in flight ({mode})")
        busy.kill()


STALLING = """
import asyncio, json, os, sys, time
messages, every = 40, 0.01
class Server(asyncio.Protocol):
    def __init__(self): self.left, self.got = b'', []
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        now = time.monotonic()
        self.left += data
        while len(self.left) >= 64:
            message, self.left = self.left[:64], self.left[64:]
            self.got.append(now)
            if message.startswith(b'stall'): time.sleep(0.3)
            self.transport.write(message)
    def connection_lost(self, error):
        print(json.dumps({'port': self.transport.get_extra_info('peername')[1], 'got': self.got}), flush=True)
async def client(port, stalls):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    sent = []
    for i in range(messages):
        writer.write((b'stall' if stalls and i == 10 else b'go on').ljust(64))
        sent.append(time.monotonic())
        await asyncio.sleep(every)
    await reader.readexactly(64 * messages)
    print(json.dumps({'port': writer.get_extra_info('sockname')[1], 'sent': sent}), flush=True)
    writer.close()
async def serve(pipe):
    server = await asyncio.get_running_loop().create_server(Server, '127.0.0.1', 0)
    os.write(pipe, str(server.sockets[0].getsockname()[1]).encode())
    await asyncio.sleep(2)
async def run(port): await asyncio.gather(*(client(port, i == 0) for i in range(3)))
r, w = os.pipe()
child = os.fork()
asyncio.run(run(int(os.read(r, 10))) if child else serve(w))
if child: os.wait()
"""


@case
def a_stall_shows_in_the_latency_of_every_message(box):
    """What piled up while a callback of the server slept, as both programs timed it."""
    done, path = box.record(sys.executable, "-c", STALLING)
    truth = {}
    for row in map(json.loads, done.out.splitlines()):
        truth.setdefault(row["port"], {}).update(row)
    report = box.load(path)
    box.equal(len(truth), 3, "connections")
    for port, row in truth.items():
        channel = tcp_channel(report, port)
        own, other = end_of(channel, port)
        waits = sorted(got - sent for sent, got in zip(row["sent"], row["got"]))
        to_server = next(f for f in report.data["ipc"]["flows"]
                         if f["channel"] == channel["id"] and own["sent"]["bytes"] == f["bytes"]
                         and f["latency_ns"]["max"] > 100_000_000)
        latency = to_server["latency_ns"]
        box.equal((latency["count"], to_server["uncertain"]), (40, False), f"messages with a latency of {to_server}")
        box.check(abs(latency["max"] / 1e9 - waits[-1]) < 0.05, f"longest: {latency}, the programs say {waits[-1]}")
        box.check(abs(latency["p50"] / 1e9 - waits[20]) < 0.06, f"p50: {latency}, the programs say {waits[20]}")
        depth = other["depth_bytes"]
        box.check(10 * 64 < depth["max"] <= 40 * 64 and not depth["estimated"], f"depth: {depth}")


BURST = """
import os, socket, time
l = socket.create_server(('127.0.0.1', 0))
if not os.fork():
    s = socket.create_connection(l.getsockname())
    for i in range(1500): s.send(b'x' * 10)
    time.sleep(0.4)
    for i in range(30000): s.send(b'x' * 10)
    os._exit(0)
c, _ = l.accept()
time.sleep(0.3)
print(len(c.recv(15000, socket.MSG_WAITALL)))
time.sleep(0.5)
print(len(c.recv(300000, socket.MSG_WAITALL)))
os.wait()
"""


@case
def bursts_that_wait_to_be_read(box):
    """1500 messages are told one by one, 30000 in sums: the depth is exact, or nearly so."""
    done, path = box.record(sys.executable, "-c", BURST)
    box.equal(done.out, "15000\n300000\n", "what the program read")
    report = box.load(path)
    channel = next(c for c in report.data["ipc"]["channels"] if c["kind"] == "tcp" and c["sent"]["bytes"])
    box.equal((channel["sent"], channel["received"]["bytes"]), ({"bytes": 315000, "messages": 31500}, 315000), "sums")
    receiver = next(e for e in channel["ends"] if e["received"]["bytes"])
    depth, series = receiver["depth_bytes"], receiver["depth_series"]
    box.check(depth["estimated"], f"an estimate is not said to be one: {depth}")
    box.check(290000 <= depth["max"] <= 310000, f"the deepest it was: {depth}")
    early = series["max"][:len(series["max"]) // 3]
    box.check(max(early) == 15000, f"the first burst: {series}")
    flow = next(f for f in report.data["ipc"]["flows"] if f["channel"] == channel["id"])
    box.check(flow["latency_ns"]["count"] >= 1500, f"latencies: {flow}")
    box.check(250_000_000 < flow["latency_ns"]["p50"], f"latencies: {flow}")


CONNECTED = """
import os, socket, time
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
for s in (a, b): s.bind(('127.0.0.1', 0))
a.connect(b.getsockname()); b.connect(a.getsockname())
if not os.fork():
    for i in range(1000): b.send(b.recv(1000) * 2)
    time.sleep(0.2)
    for i in range(20): b.recv(1000)
    os._exit(0)
sent = received = 0
for i in range(1000):
    sent += a.send(b'x' * (i % 400 + 1))
    received += len(a.recv(1000))
for i in range(20): sent += a.send(b'x' * 100)
os.wait()
print(a.getsockname()[1], sent, received)
"""


@case
def connected_datagrams_to_and_fro(box):
    done, path = box.record(sys.executable, "-c", CONNECTED)
    port, sent, received = map(int, done.out.split())
    report = box.load(path)
    channel = next(c for c in report.data["ipc"]["channels"] if c["kind"] == "udp" and c["sent"]["messages"])
    own, other = end_of(channel, port)
    for end, bytes_sent, bytes_received, more in ((own, sent, received, 20), (other, received, sent, 0)):
        box.equal((end["sent"]["bytes"], end["sent"]["messages"]), (bytes_sent, 1000 + more), "sent")
        box.equal((end["received"]["bytes"], end["received"]["messages"]), (bytes_received, 1020 - more), "received")
        box.equal((end["unread_bytes"], end["depth_bytes"]["estimated"]), (0, False), "left, and depth")
    box.equal(other["depth_bytes"]["max"], 2000, "the deepest it was")
    flows = [f for f in report.data["ipc"]["flows"] if f["channel"] == channel["id"]]
    box.equal({(f["bytes"], f["latency_ns"]["count"]) for f in flows}, {(sent, 1020), (received, 1000)}, "flows")
