# SPDX-License-Identifier: BSD-2-Clause
"""Real programs, byte by byte: what the report says of each end of a channel is what strace saw in the same run."""

import glob
import os
import pwd
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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def shell_below(pid):
    """The shell that strace has started; before that it tries out the kernel with children of its own."""
    for child in read(f"/proc/{pid}/task/{pid}/children").split():
        try:
            if read(f"/proc/{child}/comm").strip() == "sh":
                return int(child)
        except OSError:
            pass
    return 0


def same_as_strace(box, name, *command):
    """Records a command that strace follows, too; returns the report."""
    log = box.path(f"{name}.strace")
    traced = box.start("strace", *strace_sums.OPTIONS, "-o", log, "/bin/sh", "-c", GATE, "sh", *command)
    box.wait_for(lambda: shell_below(traced.pid), "strace starts the shell")
    recorder, path = box.start_recording("-p", shell_below(traced.pid))
    done = box.finish(traced, stdin="\n")
    box.equal(done.status, 0, str(done))
    done = box.finish(recorder)
    box.equal(done.status, 0, str(done))
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
        named = sum(c["passed"].get("tcp", 0) for c in report.data["ipc"]["channels"] if "passed" in c)
        box.equal(named, passed, f"passed descriptors that are known to be TCP sockets ({mode})")
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
    report = same_as_strace(box, "redis", "/bin/sh", "redis.sh", free_port())
    both_sides_known(box, report, "tcp")
    both_sides_known(box, report, "unix")


NGINX = """
daemon off; worker_processes 2; pid {dir}/pid; error_log {dir}/error;
events {{ worker_connections 256; }}
http {{
  log_format counts '$request_length $bytes_sent'; access_log {dir}/log counts;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d;
  scgi_temp_path {dir}/e;
  server {{ listen 127.0.0.1:{port}; root {dir}; sendfile on; }}
  server {{ listen unix:{dir}/sock; root {dir}; }}
}}
"""

# Asks for a small file and a big one in turn, over TCP and over the Unix socket.
ASK = """
import http.client, os, socket, sys, threading, time
folder, port = sys.argv[1], int(sys.argv[2])
class Unix(http.client.HTTPConnection):
    def connect(self): self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(f'{folder}/sock')
def ask(connection):
    for i in range(30):
        connection.request('GET', '/small' if i % 2 else '/big'); connection.getresponse().read()
    connection.close()
for _ in range(100):
    if os.path.exists(f'{folder}/sock') and os.path.exists(f'{folder}/pid'): break
    time.sleep(0.05)
threads = [threading.Thread(target=ask, args=(http.client.HTTPConnection('127.0.0.1', port),)) for _ in range(3)]
threads += [threading.Thread(target=ask, args=(Unix('nginx'),)) for _ in range(2)]
[t.start() for t in threads]; [t.join() for t in threads]
os.kill(int(open(f'{folder}/pid').read()), 15)
"""


@case
def nginx_by_its_own_log(box):
    """What nginx logs of each request is what it received and sent, over TCP and a Unix socket."""
    if not shutil.which("nginx"):
        raise Skip("nginx is not installed")
    folder, port = box.path("nginx"), free_port()
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    write(f"{folder}/conf", NGINX.format(dir=folder, port=port))
    write(f"{folder}/small", "x" * 3000)
    write(f"{folder}/big", "y" * 500000)
    write(box.path("ask.py"), ASK)
    _, path = box.record("/bin/sh", "-c", f"{sys.executable} ask.py {folder} {port} & nginx -c {folder}/conf; wait")
    report = box.load(path)
    counts = [[int(n) for n in line.split()] for line in read(f"{folder}/log").splitlines()]
    box.equal(len(counts), 150, "requests in nginx's log")
    workers = [w for p in report.data["balance"] if p["port"] == port or p.get("name") == f"{folder}/sock"
               for w in p["workers"]]
    box.equal((sum(w["received_bytes"] for w in workers), sum(w["sent_bytes"] for w in workers)),
              (sum(c[0] for c in counts), sum(c[1] for c in counts)), "bytes of requests and answers")
    box.equal(sum(w["accepted"] for w in workers), 5, "connections accepted")


@case
def redis_by_its_own_counters(box):
    if not shutil.which("redis-server"):
        raise Skip("redis-server is not installed")
    port = free_port()
    server = box.start("redis-server", "--port", port, "--save", "")
    box.wait_for(lambda: not box.run("redis-cli", "-p", port, "ping").status, "redis answers")
    recorder, path = box.start_recording("-p", server.pid)
    with socket.create_connection(("127.0.0.1", port)) as client:

        def totals():
            client.sendall(b"INFO stats\r\n")
            text = client.recv(65536).decode()
            return [int(text.split(f"total_net_{way}_bytes:")[1].split()[0]) for way in ("input", "output")], len(text)

        before, answer = totals()
        for i in range(300):
            client.sendall(b"SET key%d %s\r\n" % (i, b"v" * (i + 1)))
            box.equal(client.recv(100), b"+OK\r\n", "redis's answer")
        after, _ = totals()
    # Redis counts a request when it is read, and an answer when it has been written.
    server.terminate()
    box.finish(recorder)
    report = box.load(path)
    end = max((e for c in report.data["ipc"]["channels"] if c["kind"] == "tcp" for e in c["ends"]
               if e["address"].endswith(f":{port}")), key=lambda e: e["received"]["bytes"])
    box.equal(end["received"]["bytes"], after[0] - before[0] + len("INFO stats\r\n"), "bytes that redis received")
    box.equal(end["sent"]["messages"], 302, "answers")
    box.check(end["sent"]["bytes"] > after[1] - before[1] >= 300 * 5 + answer, "bytes that redis sent")


def postgres_programs():
    """The folder of its programs, which no PATH has."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not folders or not shutil.which("setpriv"):
        raise Skip("postgresql is not installed")
    return folders[-1]


POSTGRES = """
{bin}/initdb -D data -A trust --no-sync >init.log 2>&1 || exit 3
read _
{bin}/postgres -D data -c listen_addresses= -c unix_socket_directories=$PWD -c fsync=off >log 2>&1 & server=$!
for i in $(seq 100); do {bin}/pg_isready -q -h $PWD && break; sleep 0.1; done
for i in 1 2 3; do {bin}/psql -q -h $PWD -d postgres -c "select repeat('x', 100000)" >out.$i; done
sleep 2
kill -INT $server; wait
"""


@case
def postgres_a_forking_server(box):
    """Each client has a process of its own, which answers it with what the client has written down."""
    programs = postgres_programs()
    folder = box.path("postgres")
    os.mkdir(folder)
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    write(f"{folder}/run.sh", POSTGRES.format(bin=programs))
    server = box.start("setpriv", "--reuid", user.pw_uid, "--regid", user.pw_gid, "--clear-groups", "/bin/sh", "-c",
                       f"cd {folder} && exec /bin/sh run.sh")
    box.wait_for(lambda: os.path.exists(f"{folder}/data/postgresql.conf") and
                 "Success" in read(f"{folder}/init.log"), "initdb")
    # Segments are known of processes that were looked at, within one per cent of a CPU: hence the sleep in the script.
    recorder, path = box.start_recording("--memory", "0.5", "-p", server.pid)
    box.equal(box.finish(server, stdin="\n").status, 0, "status of the script")
    box.finish(recorder)
    report = box.load(path)
    flows = [f for f in report.data["ipc"]["flows"] if f["kind"] == "unix" and f["to"]["comm"] == "psql"]
    answers = sorted(f["bytes"] for f in flows)[-3:]
    box.check(len(answers) == 3 and all(100000 < n < 101000 for n in answers), f"bytes of the answers: {answers}")
    servers = {f["from"]["pid"] for f in flows if f["bytes"] in answers}
    box.equal(len(servers), 3, "processes that answered")
    shared = [c for c in report.data["ipc"]["channels"] if c["kind"] == "shared-memory"]
    box.check(any(len(c["mapped_by"]) > 3 for c in shared), f"shared memory of postgres: {len(shared)} segments")
