# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams: who sent them to whom, where no socket is connected."""

import ast
import re
import shutil
import sys

from harness import Skip, case
from strace_sums import lines_of


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


def run(box, program, *arguments):
    """Records a Python program that prints a dictionary; returns that and the report."""
    done, path = box.record(sys.executable, "-c", program, *arguments)
    return ast.literal_eval(done.out.strip().splitlines()[-1]), box.load(path)


FLOOD = """
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
children = []
for size in (100, 101):
    children.append(os.fork())
    if not children[-1]:
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(1000): c.sendto(b'x' * size, s.getsockname())
        os._exit(0)
for pid in children: os.waitpid(pid, 0)
got = {100: 0, 101: 0}
s.setblocking(False)
try:
    while True: got[len(s.recvfrom(200)[0])] += 1
except BlockingIOError: pass
s.setblocking(True)
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(20):
    c.sendto(b'y', s.getsockname())
    s.recvfrom(200)
print({'pid': os.getpid(), 'got': [(children[0], got[100]), (children[1], got[101])]})
"""


@case
def lost_datagrams_do_not_shift_the_others(box):
    """A socket without room: who sent what was read, how much was not, and what comes after has its own latency."""
    truth, report = run(box, FLOOD)
    sums, _ = between(report)
    for (pid, count), size in zip(truth["got"], (100, 101)):
        box.equal(sums.get((pid, truth["pid"])), [count * size, count] if count else None, f"read of {size} bytes each")
        box.equal(sums.get((pid, None)), [(1000 - count) * size, 1000 - count], f"lost of {size} bytes each")
    box.check(sum(count for _, count in truth["got"]) < 2000, "nothing was lost")
    own = next(f for f in report.data["ipc"]["flows"] if f["kind"] == "udp" and f["from"]["pid"] == f["to"]["pid"])
    box.equal((own["bytes"], own["messages"]), (20, 20), "what was sent after the flood")
    box.equal(report.trace["records"].get("drop"), sum(1000 - count for _, count in truth["got"]), "records of drops")


GROUP = """
import os, socket, select
addresses, pipes, children = [], [], []
def member(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(('127.0.0.1', port))
    return s
first = member(0)
sockets = [first, member(first.getsockname()[1])]
r, w = os.pipe()
for i, s in enumerate(sockets):
    if not os.fork():
        got = {}
        while True:
            data, _ = s.recvfrom(100)
            if data == b'end': break
            pid = int(data)
            got[pid] = got.get(pid, 0) + 1
        os.write(w, (repr((os.getpid(), got)) + '\\n').encode())
        os._exit(0)
for i in range(8):
    pid = os.fork()
    if not pid:
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(20): c.sendto(b'%08d' % os.getpid(), first.getsockname())
        os._exit(0)
    os.waitpid(pid, 0)
while True:
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.sendto(b'end', first.getsockname())
    try:
        done = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError: break
    select.select([], [], [], 0.001)
os.close(w)
print(dict(eval(line) for line in os.fdopen(r).read().splitlines()))
"""


@case
def sockets_that_share_a_port(box):
    """Who of a group got a message, the receiver tells by asking for its sender."""
    truth, report = run(box, GROUP)
    sums, unsure = between(report)
    expected = {(sender, receiver): [8 * n, n] for receiver, got in truth.items() for sender, n in got.items()}
    box.equal(sum(n for _, n in expected.values()), 160, "messages that the program counted")
    box.equal({k: v for k, v in sums.items() if k in expected}, expected, "who sent how much to whom")
    box.equal([k for k in expected if unsure[k]], [], "uncertain flows")


LATER = """
import os, socket
def new(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
servers = [new(), new()]
children = []
for s in servers:
    s.bind(('127.0.0.1', 0))
for s in servers:
    children.append(os.fork())
    if not children[-1]:
        while True:
            data, address = s.recvfrom(100)
            s.sendto(data * 2, address)
            if data == b'end': os._exit(0)
c = new()
a, b = [s.getsockname() for s in servers]
def sendto(n, to):
    for _ in range(n):
        c.sendto(b'12345', to)
        c.recvfrom(100)
def send(n):
    for _ in range(n):
        c.send(b'1234567')
        c.recv(100)
sendto(10, a)
c.connect(a)
send(20)
c.connect(b)
send(7)
c.connect(a)
send(3)
for to in (a, b):
    new().sendto(b'end', to)
for pid in children: os.waitpid(pid, 0)
print({'pid': os.getpid(), 'a': children[0], 'b': children[1]})
"""


@case
def a_socket_that_is_connected_later(box):
    """And then to somebody else: what is sent without an address goes to whom it is connected to at that time."""
    truth, report = run(box, LATER)
    sums, unsure = between(report)
    own, a, b = truth["pid"], truth["a"], truth["b"]
    box.equal(sums[own, a], [10 * 5 + 20 * 7 + 3 * 7 + 3, 34], "to the first server")
    box.equal(sums[own, b], [7 * 7 + 3, 8], "to the second server")
    box.equal(sums[a, own], [10 * 10 + 20 * 14 + 3 * 14, 33], "from the first server")
    box.equal(sums[b, own], [7 * 14, 7], "from the second server")
    box.equal([k for k in unsure if unsure[k]], [], "uncertain flows")


ECHO = """
import socket
s = socket.socket(socket.{family}, socket.SOCK_DGRAM)
s.bind({address!r})
print(s.getsockname(), flush=True)
while True:
    data, address = s.recvfrom(100)
    s.sendto(data + b'!', address)
"""
ASK = """
import socket, sys, time
c = socket.socket(socket.{family}, socket.SOCK_DGRAM)
{bind}
for _ in range(40):
    c.sendto(b'hello', {address!r})
    c.recvfrom(100)
    time.sleep(0.01)
print(dict())
"""


@case
def the_process_at_an_address_outside(box):
    """A server that is not recorded is named, at loopback, at an own address and behind a name."""
    name = box.path("server.sock")
    for family, bound, bind in (("AF_INET", ("0.0.0.0", 0), ""), ("AF_UNIX", name, f"c.bind({box.path('c.sock')!r})")):
        server = box.start(sys.executable, "-c", ECHO.format(family=family, address=bound))
        address = ast.literal_eval(repr(name) if family == "AF_UNIX" else server.stdout.readline())
        if family == "AF_UNIX":
            server.stdout.readline()
        else:
            address = ("127.0.0.1", address[1])
        _, report = run(box, ASK.format(family=family, address=address, bind=bind))
        sums, _ = between(report)
        own = next(k[0] for k in sums if k[1] == server.pid)
        box.equal(sums, {(own, server.pid): [200, 40], (server.pid, own): [240, 40]}, f"flows of {family}")
        server.kill()


@case
def as_many_bytes_as_strace_counts(box):
    """Of each socket, whatever call moved them."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    log = box.path("strace")
    truth = box.path("truth")
    _, path = box.record("strace", "-f", "-yy", "-s", "0", "-o", log, box.prog("datagrams"), "message", env={"TRUTH": truth})
    expected = {}
    pattern = re.compile(r"\b(sendto|sendmsg|recvfrom|recvmsg)\(\d+<UDP[^:]*:\[(?:[^\]]*?)(\d+)?\]?>.*= (\d+)$")
    for line in lines_of(log):
        found = pattern.search(line)
        if found:
            entry = expected.setdefault("sent" if found[1].startswith("send") else "received", [0, 0])
            entry[0] += int(found[3])
            entry[1] += 1
    got = {way: [sum(c[way][what] for c in box.load(path).data["ipc"]["channels"] if c["kind"] == "udp")
                 for what in ("bytes", "messages")] for way in ("sent", "received")}
    box.equal(got, expected, "bytes and messages of all sockets")
