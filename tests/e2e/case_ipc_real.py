# SPDX-License-Identifier: BSD-2-Clause
"""Real programs, byte by byte: what the report says of each end of a channel is what strace saw in the same run."""

import shutil
import socket
import sys

import strace_sums
from harness import Skip, case, read, write

# The program waits for this line, so that recording may begin before it does.
GATE = 'read _; exec "$@" </dev/null'

CLUSTER = """
const cluster = require('cluster'), net = require('net');
cluster.schedulingPolicy = process.argv[2] === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
if (cluster.isPrimary) {
  cluster.fork(); cluster.fork(); let up = 0;
  cluster.on('listening', (w, a) => { if (++up < 2) return; let n = 0, left = 1000;
    const next = () => { if (n++ >= 1000) return; const s = net.connect(a.port, '127.0.0.1');
      s.on('data', () => {}); s.on('close', () => { if (!--left) process.exit(0); next(); }); };
    for (let i = 0; i < 8; i++) next(); });
} else net.createServer(s => s.end('hello')).listen(0);
"""

# Ping-pong of three sizes, then bursts.
CHILD = """
const cp = require('child_process');
if (process.argv[3] === 'child') {
  process.on('message', m => m === 'end' ? process.disconnect() : process.send(m));
} else {
  const c = cp.fork(__filename, [process.argv[2], 'child'], { serialization: process.argv[2] });
  const sizes = [1, 100, 100000]; let i = 0, n = 0, left = 0;
  const burst = () => { for (const size of sizes) for (let k = 0; k < 20; k++, left++) c.send('y'.repeat(size)); };
  c.on('message', m => {
    if (left) { if (!--left) c.send('end'); return; }
    if (++n < 20) return c.send(m);
    n = 0;
    if (++i < sizes.length) c.send('x'.repeat(sizes[i])); else burst();
  });
  c.send('x');
}
"""

MULTIPROCESSING = """
import multiprocessing as m, sys
def echo(connection):
    while (x := connection.recv()) is not None: connection.send(x)
def turn(a, b):
    while (x := a.get()) is not None: b.put(x)
if __name__ == '__main__':
    m.set_start_method(sys.argv[1])
    a, b = m.Pipe()
    p = m.Process(target=echo, args=(b,)); p.start()
    for n in (1, 100, 100000):
        for _ in range(10): a.send('x' * n); a.recv()
    a.send(None); p.join()
    q, r = m.Queue(), m.Queue()
    p = m.Process(target=turn, args=(q, r)); p.start()
    for n in (1, 100, 100000):
        for _ in range(10): q.put('x' * n); r.get()
    q.put(None); p.join()
"""

SHELL = """
seq 20000 | sort -n | tee /dev/null | wc -l
head -c 3000000 /dev/zero | cat | gzip | wc -c
(for i in 1 2 3; do echo $i; done) | while read x; do echo $x; done | cat
"""

# Moved by splice, sendfile, and through descriptors that were passed along a chain.
MOVED = """
import os, socket
r, w = os.pipe(); r2, w2 = os.pipe(); a, b = socket.socketpair()
os.write(w, b'a' * 5000); n = 0
while n < 5000: n += os.splice(r, w2, 3000)
while n: n -= len(os.read(r2, 4096))
os.write(w, b'c' * 1000); os.splice(r, a.fileno(), 1000); b.recv(2000)
f = os.memfd_create('x'); os.write(f, b'd' * 4321); os.sendfile(a.fileno(), f, 0, 4321); b.recv(9999)
chain = [socket.socketpair() for _ in range(3)]
c, d = socket.socketpair(); passed = [c.fileno(), d.fileno()]
for x, y in chain:
    socket.send_fds(x, [b'take'], passed); _, passed, _, _ = socket.recv_fds(y, 10, 2)
os.write(passed[0], b'y' * 17); d.recv(100)
for kind in (socket.AF_INET, socket.AF_UNIX):
    u, v = socket.socket(kind, socket.SOCK_DGRAM), socket.socket(kind, socket.SOCK_DGRAM)
    u.bind(('127.0.0.1', 0) if kind == socket.AF_INET else 'bound')
    for i in range(10): v.sendto(b'z' * (i + 1), u.getsockname()); u.recvfrom(100)
"""

REDIS = """
redis-server --port 0 --unixsocket s --save '' > /dev/null & p=$!
for i in $(seq 100); do [ -S s ] && break; sleep 0.1; done
redis-benchmark -s s -n 500 -c 5 -t set -q > /dev/null
kill $p; wait
redis-server --port $1 --save '' > /dev/null & p=$!
for i in $(seq 100); do redis-cli -p $1 ping > /dev/null 2>&1 && break; sleep 0.1; done
redis-benchmark -p $1 -n 500 -c 5 -t get -q > /dev/null
kill $p; wait
"""


def need(*commands):
    for command in ("strace",) + commands:
        if not shutil.which(command):
            raise Skip(f"{command} is not installed")


def child_of(pid):
    children = read(f"/proc/{pid}/task/{pid}/children").split()
    return children and int(children[0])


def same_as_strace(box, name, *command):
    """Records a command that strace follows, too; returns the report."""
    log = box.path(f"{name}.strace")
    traced = box.start("strace", *strace_sums.OPTIONS, "-o", log, "/bin/sh", "-c", GATE, "sh", *command)
    box.wait_for(lambda: child_of(traced.pid), "strace starts the shell")
    recorder, path = box.start_recording("-p", child_of(traced.pid))
    done = box.finish(traced, stdin="\n")
    box.equal(done.status, 0, str(done))
    box.finish(recorder)
    report = box.load(path)
    expected, got = strace_sums.sums_of(log), strace_sums.sums_of_report(report)
    box.check(len(expected) >= 4, f"strace saw only {expected}")
    for end in set(expected) | set(got):
        if end in got or expected[end] != [1, 1, 0]:  # the line that opens the gate may be read before recording begins
            box.equal(got.get(end), expected.get(end), f"{'sent' if end[1] else 'received'} through {end[0]} in {name}")
    return report


def both_sides_known(box, report, kind):
    """Nothing that was sent through channels of a kind came from, or went to, somebody outside."""
    flows = [f for f in report.data["ipc"]["flows"] if f["kind"] == kind and f["messages"] and f["to"]["tid"] != 0]
    strange = [f for f in flows if f["from"]["pid"] is None or f["to"].get("outside")]
    box.check(flows and not strange, f"{len(strange)} of {len(flows)} {kind} flows lack a side: {strange[:2]}")


@case
def node_clusters_as_strace_sees_them(box):
    need("node")
    write(box.path("cluster.js"), CLUSTER)
    for mode in ("rr", "none"):
        report = same_as_strace(box, mode, "node", "cluster.js", mode)
        both_sides_known(box, report, "tcp")
        passed = sum(c["fds_passed"] for c in report.data["ipc"]["channels"])
        box.check(passed == 1000 if mode == "rr" else 2 <= passed <= 4, f"{passed} descriptors passed ({mode})")


@case
def node_children_as_strace_sees_them(box):
    need("node")
    write(box.path("child.js"), CHILD)
    for serialization in ("json", "advanced"):
        both_sides_known(box, same_as_strace(box, serialization, "node", "child.js", serialization), "unix")


@case
def multiprocessing_as_strace_sees_it(box):
    need()
    write(box.path("mp.py"), MULTIPROCESSING)
    for method in ("fork", "spawn", "forkserver"):
        same_as_strace(box, method, sys.executable, "mp.py", method)


@case
def shell_pipelines_as_strace_sees_them(box):
    need("gzip")
    write(box.path("pipes.sh"), SHELL)
    same_as_strace(box, "pipes", "/bin/sh", "pipes.sh")


@case
def splice_and_passed_descriptors_as_strace_sees_them(box):
    need()
    write(box.path("moved.py"), MOVED)
    report = same_as_strace(box, "moved", sys.executable, "moved.py")
    box.equal(sum(c["fds_passed"] for c in report.data["ipc"]["channels"]), 6, "descriptors passed")


@case
def redis_as_strace_sees_it(box):
    need("redis-server")
    write(box.path("redis.sh"), REDIS)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    report = same_as_strace(box, "redis", "/bin/sh", "redis.sh", port)
    both_sides_known(box, report, "tcp")
    both_sides_known(box, report, "unix")
