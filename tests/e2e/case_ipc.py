# SPDX-License-Identifier: BSD-2-Clause
"""Channels: every byte, both ends, whatever call moved it."""

import json
import os
import re
import shutil
import subprocess

from harness import Skip, case
from strace_sums import lines_of

KINDS = {"pipe": "pipe", "splice": "pipe", "reused": "pipe", "crowd": "pipe", "stream": "unix", "seqpacket": "unix",
         "dgram": "unix", "tcp": "tcp", "udp": "udp", "eventfd": "eventfd", "sysv": "sysv-mq", "posix": "posix-mq",
         "process": "process-vm"}


def ends_of(report):
    """(kind, inode) -> (channel, end)"""
    return {(c["kind"], e["inode"]): (c, e) for c in report.data["ipc"]["channels"] for e in c["ends"]}


def figures_of(end):
    sent, received = end["sent"], end["received"]
    return {"sent": sent["bytes"], "received": received["bytes"],
            "sent_messages": sent["messages"], "received_messages": received["messages"],
            "blocked": sent["would_block"] + received["would_block"], "failed": sent["failed"] + received["failed"],
            "empty": sent["empty"] + received["empty"], "fds": sent["fds"] + received["fds"]}


def flows_of(report, channel):
    return [f for f in report.data["ipc"]["flows"] if f["channel"] == channel["id"]]


def compare_with_own_counts(box, program):
    truth, report = box.record_truth(program)
    ends = ends_of(report)
    for row in truth:
        if row["what"] == "port":
            continue
        kind = KINDS[row["what"].split("-")[0]]
        if kind == "eventfd":
            found = [e for e in ends if e[0] == "eventfd"]
            box.equal(len(found), 1, "eventfds in the report")
            channel, end = ends[found[0]]
        else:
            box.check((kind, row["inode"]) in ends, f"{row['what']} ({kind} {row['inode']}) is not in the report")
            channel, end = ends[kind, row["inode"]]
        got = figures_of(end)
        box.equal(got, {k: row[k] for k in got}, f"figures of {row['what']}")


@case
def every_call_to_the_byte(box):
    compare_with_own_counts(box, "ipcall")


@case
def odd_ends_of_calls(box):
    """Positions, messages of nothing, cut off and urgent ones, full and broken pipes, splices between unlike ends."""
    compare_with_own_counts(box, "ipcodd")


@case
def flows_add_up(box):
    """All that was read in the program's channels came from somebody there; nothing is left over."""
    truth, report = box.record_truth("ipcall")
    ends = ends_of(report)
    for row in truth:
        what = row["what"]
        if what not in ("pipe", "crowd", "stream-a", "tcp-client", "reused-old", "reused-new", "splice-to"):
            continue
        channel, _ = ends[KINDS[what.split("-")[0]], row["inode"]]
        flows = flows_of(report, channel)
        for flow in flows:
            box.check(flow["from"]["pid"] and flow["to"]["pid"], f"a flow of {what} lacks an end: {flow}")
            box.equal(flow["uncertain"], False, f"uncertain in {what}")
        box.equal(sum(f["bytes"] for f in flows), channel["received"]["bytes"], f"bytes of the flows of {what}")
        box.equal(channel["unread_bytes"], 0, f"unread bytes of {what}")


@case
def unread_bytes_are_told(box):
    _, path = box.record("python3", "-c", "import os, time\nr, w = os.pipe()\nos.write(w, b'x' * 1000)\n"
                         "os.read(r, 300)\ntime.sleep(0.01)")
    report = box.load(path)
    channel = next(c for c in report.data["ipc"]["channels"] if c["kind"] == "pipe" and c["sent"]["bytes"] == 1000)
    box.equal(channel["unread_bytes"], 700, "unread bytes")


@case
def what_lay_there_before_does_not_shift(box):
    """A pipe that already holds something when recording begins: the messages after it have their own latency."""
    program = ("import os, sys, time\nr, w = os.pipe()\nos.write(w, b'a' * 5000)\nprint('ready', flush=True)\n"
               "sys.stdin.readline()\nfor i in range(20):\n os.write(w, b'b' * 1000)\n time.sleep(0.01)\n"
               " os.read(r, 1000)\n")
    process = box.start("python3", "-c", program)
    box.equal(process.stdout.readline(), "ready\n", "what the program says")
    recorder, path = box.start_recording("-p", process.pid)
    process.stdin.write("\n")
    process.stdin.flush()
    box.finish(process)
    box.finish(recorder)
    report = box.load(path)
    channel = next(c for c in report.data["ipc"]["channels"] if c["kind"] == "pipe" and c["sent"]["bytes"] == 20000)
    box.equal(channel["received"]["bytes"], 20000, "received")
    box.equal(channel["unread_bytes"], 5000, "unread bytes")
    flow = next(f for f in flows_of(report, channel) if f["from"]["pid"] and f["to"]["pid"])
    box.equal(flow["bytes"], 15000, "bytes of the flow that were read")
    # each message waits behind five others: their rounds of 10 ms
    box.check(50_000_000 < flow["latency_ns"]["p50"] < 200_000_000, f"p50 of the latency: {flow['latency_ns']}")


TRACED = re.compile(r"\b(read|write|readv|writev|recvfrom|sendto|recvmsg|sendmsg)\(\d+<(pipe|UNIX-STREAM):\[(\d+)"
                    r".*\)\s+= (-?\d+)")
SENDS = {"write", "writev", "sendto", "sendmsg"}


def sums_of_strace(path):
    """(inode, sent) -> [bytes, calls] of calls that moved something."""
    sums = {}
    for line in lines_of(path):
        found = TRACED.search(line)
        if found and int(found[4]) > 0:
            entry = sums.setdefault((int(found[3]), found[1] in SENDS), [0, 0])
            entry[0] += int(found[4])
            entry[1] += 1
    return sums


@case
def the_same_as_strace_of_the_same_run(box):
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    program = ("import multiprocessing as m\ndef f(c):\n while (x := c.recv()) is not None: c.send(x * 2)\n"
               "if __name__ == '__main__':\n a, b = m.Pipe()\n p = m.Process(target=f, args=(b,))\n p.start()\n"
               " [(a.send('x' * n), a.recv()) for n in (1, 100, 100000) for _ in range(5)]\n a.send(None)\n p.join()\n"
               " q = m.Queue()\n p = m.Process(target=q.put, args=(b'y' * 70000,))\n p.start()\n q.get()\n p.join()\n")
    for name, command in (("shell", ("/bin/sh", "-c", "seq 20000 | sort -n | tee /dev/null | wc -l")),
                          ("multiprocessing", ("python3", "-c", program))):
        log = box.path(f"{name}.strace")
        _, path = box.record("strace", "-f", "-yy", "-s", "0", "-o", log, *command)
        got = {}
        for channel in box.load(path).data["ipc"]["channels"]:
            for end in channel["ends"] if channel["kind"] in ("pipe", "unix") else ():
                for sent in (True, False):
                    traffic = end["sent" if sent else "received"]
                    got[end["inode"], sent] = [traffic["bytes"], traffic["messages"]]
        sums = sums_of_strace(log)
        box.check(len(sums) >= 4, f"strace saw only {sums}")
        for key, expected in sums.items():
            box.equal(got.get(key), expected, f"{'sent' if key[1] else 'received'} through {key[0]} in {name}")


@case
def a_shell_pipeline(box):
    _, path = box.record("/bin/sh", "-c", "head -c 1000000 /dev/zero | cat | wc -c")
    report = box.load(path)
    names = {t["tid"]: t["comm"] for t in report.tasks}
    flows = {(names[f["from"]["tid"]], names[f["to"]["tid"]]): f["bytes"] for f in report.data["ipc"]["flows"]
             if f["from"]["tid"] and f["to"]["tid"]}
    box.equal(flows.get(("head", "cat")), 1000000, f"head to cat in {flows}")
    box.equal(flows.get(("cat", "wc")), 1000000, f"cat to wc in {flows}")


def node(box, *arguments):
    if not shutil.which("node"):
        raise Skip("node is not installed")
    done, path = box.record("node", *arguments)
    return done, box.load(path)


@case
def node_sends_11_and_16_bytes(box):
    for serialization, size in (("json", 11), ("advanced", 16)):
        script = box.path(f"{serialization}.js")
        with open(script, "w", encoding="utf-8") as f:
            f.write("const cp = require('child_process');\nif (process.argv[2] === 'child') {\n"
                    "  let n = 0; process.on('message', () => { if (++n === 50) process.exit(0); });\n} else {\n"
                    f"  const c = cp.fork(__filename, ['child'], {{serialization: '{serialization}'}});\n"
                    "  for (let i = 0; i < 50; i++) c.send({num: 42});\n}\n")
        _, report = node(box, script)
        sums = [c["received"]["bytes"] for c in report.data["ipc"]["channels"] if c["kind"] == "unix"]
        box.check(50 * size in sums, f"{50 * size} bytes in one of {sums} ({serialization})")


@case
def the_native_workload_to_the_byte(box):
    for model, via in (("process", "message"), ("process", "pipe"), ("cluster", "message")):
        done, path = box.record(box.partrace, "workload", f"{model}/message", "--count", 500, "--via", via)
        report, truth = box.load(path), json.loads(done.out[done.out.index("{"):])
        by_inode = {e["inode"]: (c, e) for c in report.data["ipc"]["channels"] for e in c["ends"]
                    if c["kind"] in ("unix", "pipe")}
        compared = 0
        for row in truth["channels"]:
            if not row.get("system_calls") or not row["sent"] or not row["received"]:
                continue
            box.check(row["from_inode"] in by_inode, f"{row['kind']} {row['from_inode']} of {model} is not there")
            sender, receiver = by_inode[row["from_inode"]][1], by_inode[row["to_inode"]][1]
            box.equal(sender["sent"]["bytes"], row["sent"]["bytes"], f"bytes sent by {row['from']} in {model}/{via}")
            box.equal(receiver["received"]["bytes"], row["received"]["bytes"],
                      f"bytes received by {row['to']} in {model}/{via}")
            box.equal(sender["sent"]["messages"], row["sent"]["calls"], f"calls by {row['from']} in {model}/{via}")
            box.equal(sender["sent"]["fds"], row["sent"]["fds"], f"descriptors passed by {row['from']} in {model}")
            compared += 1
        box.check(compared >= 2, f"only {compared} channels of {model}/{via} to compare")


@case
def workers_wake_each_other_by_eventfds(box):
    """A chain of three: main -> a -> b -> main, recovered edge by edge."""
    script = box.path("chain.js")
    with open(script, "w", encoding="utf-8") as f:
        f.write("const { Worker, MessageChannel } = require('worker_threads');\n"
                "const code = `const { parentPort } = require('worker_threads'); let next;\n"
                "parentPort.on('message', m => { if (m.port) { next = m.port; return; } next.postMessage(m);\n"
                "  if (m.last) setTimeout(() => process.exit(0), 50); });\n"
                "parentPort.once('message', m => m.from && m.from.on('message', x => next.postMessage(x)));`;\n"
                "const a = new Worker(code, { eval: true }), b = new Worker(code, { eval: true });\n"
                "const ab = new MessageChannel(), bm = new MessageChannel();\n"
                "a.postMessage({ port: ab.port1 }, [ab.port1]);\n"
                "b.postMessage({ port: bm.port1, from: ab.port2 }, [bm.port1, ab.port2]);\n"
                "let n = 0;\nbm.port2.on('message', () => { if (++n === 20) process.exit(0);\n"
                "  setTimeout(() => a.postMessage({ n }), 2); });\nsetTimeout(() => a.postMessage({ n }), 200);\n")
    _, report = node(box, script)
    edges = {}
    for flow in report.data["ipc"]["flows"]:
        if flow["kind"] == "eventfd" and flow["from"]["tid"] and flow["to"]["tid"] and not flow["self"]:
            key = flow["from"]["tid"], flow["to"]["tid"]
            edges[key] = edges.get(key, 0) + flow["messages"]
    main = next(t["tid"] for t in report.tasks if t["tid"] == t["pid"])
    strong = {k for k, n in edges.items() if n >= 15}
    for first in {b for a, b in strong if a == main}:
        for second in {b for a, b in strong if a == first and b != main}:
            if (second, main) in strong:
                return
    box.check(False, f"no chain of three from {main} in {edges}")


@case
def redis_over_a_unix_socket(box):
    if not shutil.which("redis-server"):
        raise Skip("redis is not installed")
    path = box.path("redis.sock")
    script = (f"redis-server --port 0 --unixsocket {path} --save '' > /dev/null & p=$!\n"
              f"for i in $(seq 50); do [ -S {path} ] && break; sleep 0.1; done\n"
              f"redis-benchmark -s {path} -n 2000 -c 1 -t set -q > /dev/null; kill $p; wait")
    _, trace = box.record("/bin/sh", "-c", script)
    report = box.load(trace)
    flows = [f for f in report.data["ipc"]["flows"] if f["kind"] == "unix" and f["messages"] >= 2000]
    box.check(len(flows) >= 2, f"flows with 2000 messages: {len(flows)}")
    for flow in flows:
        box.check(flow["latency_ns"] and flow["latency_ns"]["count"] >= 100, f"latencies of {flow}")
    channel = next(c for c in report.data["ipc"]["channels"] if c["id"] == flows[0]["channel"])
    box.equal(os.path.basename(channel["name"]), "redis.sock", "name of the channel")


@case
def connections_per_worker_of_the_native_cluster(box):
    for mode in ("handed", "shared"):
        done, path = box.record(box.partrace, "workload", "cluster/http", "--mode", mode, "--count", 400)
        report, truth = box.load(path), json.loads(done.out[done.out.index("{"):])
        port = next(p for p in report.data["balance"] if p["port"] == truth["ports"][0])
        got = {w["pid"]: w for w in port["workers"]}
        for worker in truth["workers"]:
            served = worker.get("server")
            if not served:
                continue
            own = got[worker["pid"]]
            box.equal((own["accepted"], own["handed_over"]),
                      (served["accepted"], worker["handed_over"]), f"connections of {worker['pid']} ({mode})")
            box.equal((own["sent_bytes"], own["received_bytes"]),
                      (served["sent"]["bytes"], served["received"]["bytes"]), f"bytes of {worker['pid']} ({mode})")
            box.equal(report.one(tid=worker["pid"])["model"], "cluster", f"model of {worker['pid']}")


@case
def a_node_cluster_with_1000_connections(box):
    """Round robin and a shared socket: every connection is somebody's."""
    script = box.path("cluster.js")
    with open(script, "w", encoding="utf-8") as f:
        f.write("const cluster = require('cluster'), net = require('net');\n"
                "cluster.schedulingPolicy = process.argv[2] === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;\n"
                "if (cluster.isPrimary) {\n  cluster.fork(); cluster.fork(); let up = 0;\n"
                "  cluster.on('listening', (w, a) => { if (++up < 2) return; let n = 0, left = 1000;\n"
                "    const next = () => { if (n++ >= 1000) return; const s = net.connect(a.port, '127.0.0.1');\n"
                "      s.on('data', () => {}); s.on('close', () => { if (!--left) process.exit(0); next(); }); };\n"
                "    for (let i = 0; i < 8; i++) next(); });\n"
                "} else net.createServer(s => s.end('hello')).listen(0);\n")
    for mode in ("rr", "none"):
        _, report = node(box, script, mode)
        port = max(report.data["balance"], key=lambda p: sum(w["accepted"] for w in p["workers"]))
        accepted = sum(w["accepted"] for w in port["workers"])
        box.equal(accepted, 1000, f"connections accepted ({mode})")
        workers = [w for w in port["workers"] if report.one(tid=w["pid"])["model"] == "cluster"]
        box.equal(len(workers), 2, f"workers ({mode})")
        if mode == "rr":
            box.equal(sum(w["handed_over"] for w in workers), 1000, "connections handed over")
        else:
            box.equal(sum(w["accepted"] for w in workers), 1000, "connections that workers accepted")
        box.equal(sum(w["sent_bytes"] for w in workers), 5000, f"bytes sent ({mode})")


@case
def ends_outside_are_named(box):
    """The command's stdin and stdout are pipes of processes that are not recorded."""
    feeder = box.start("/bin/sh", "-c", "sleep 0.7; seq 1000; exec sleep 5")
    eater = box.start("cat", stdout=subprocess.DEVNULL)
    path = box.path("outside")
    recorder = box.start(box.partrace, "record", "-o", path, "--", "head", "-n", "1000", stdin=feeder.stdout,
                         stdout=eater.stdin)
    box.finish(recorder)
    report = box.load(path)
    head = report.one(comm="head")["tid"]
    to = next(f["to"] for f in report.data["ipc"]["flows"] if f["from"]["tid"] == head)
    box.equal((to["pid"], to["comm"]), (eater.pid, "cat"), "who reads what is written")
    source = next(f["from"] for f in report.data["ipc"]["flows"] if f["to"]["tid"] == head)
    box.check(source["pid"] == feeder.pid, f"who writes what is read: {source}, expected {feeder.pid}")


@case
def ends_survive_fork_and_exec(box):
    program = ("import os, sys\nr, w = os.pipe()\nos.set_inheritable(r, True)\nos.set_inheritable(w, True)\n"
               "if not os.fork():\n os.execvp('head', ['head', '-c', '4173', f'/dev/fd/{r}'])\n"
               "if not os.fork():\n os.dup2(w, 1)\n os.close(r)\n os.execvp('seq', ['seq', '1056'])\n"
               "os.close(w); os.wait(); os.wait()\n")
    _, path = box.record("python3", "-c", program)
    report = box.load(path)
    flow = next(f for f in report.data["ipc"]["flows"]
                if f["from"]["comm"] == "seq" and f["to"]["comm"] == "head")
    box.equal(flow["bytes"], sum(len(str(i)) + 1 for i in range(1, 1057)), "bytes from seq to head")


@case
def a_writer_that_a_reader_holds_up(box):
    program = ("import os, time\nr, w = os.pipe()\nif not os.fork():\n os.close(w)\n time.sleep(0.3)\n"
               " while os.read(r, 65536): pass\n os._exit(0)\nos.close(r)\nos.write(w, b'x' * 200000)\n"
               "os.close(w)\nos.wait()\n")
    _, path = box.record("python3", "-c", program)
    report = box.load(path)
    channel = next(c for c in report.data["ipc"]["channels"] if c["sent"]["bytes"] == 200000)
    longest = channel["ends"][0]["sent"]["longest_blocked"]
    box.check(200_000_000 < longest["ns"] < 1_500_000_000, f"blocked in write for {longest}")
    box.check(channel["ends"][0]["depth_bytes"]["max"] <= 200000, f"depth {channel['ends'][0]['depth_bytes']}")
    done = box.run(box.partrace, "report", "-i", path)
    box.check("did not read" in done.out, "the text does not tell of the blocked writer")


@case
def io_uring_is_named(box):
    """What goes through a ring is not seen, so the report says who has one."""
    program = ("import ctypes, os, sys\nmemory = ctypes.create_string_buffer(120)\n"
               "sys.exit(0 if ctypes.CDLL(None).syscall(425, 8, memory) >= 0 else 77)\n")
    if box.run("python3", "-c", program).status:
        raise Skip("this kernel does not let rings be made")
    _, path = box.record("python3", "-c", program)
    report = box.load(path)
    rings = report.data["ipc"]["io_uring"]
    box.equal([r["comm"] for r in rings], ["python3"], "who uses io_uring")
    _, path = box.record("true")
    box.equal(box.load(path).data["ipc"]["io_uring"], [], "who uses io_uring in a program that does not")
    done = box.run(box.partrace, "report", "-i", path)
    box.check("io_uring" not in done.out, "io_uring in the text of a program that does not use it")


BLOCKED_LOOP = """
import asyncio, os, time
r, w = os.pipe()
if not os.fork():
    os.close(w); time.sleep(0.4)
    while os.read(r, 65536): pass
    os._exit(0)
os.close(r)
async def main():
    for _ in range(10): await asyncio.sleep(0.005)
    os.write(w, b'x' * 200000)
    for _ in range(10): await asyncio.sleep(0.005)
asyncio.run(main())
os.close(w); os.wait()
"""


@case
def a_loop_that_a_full_pipe_held_up(box):
    """The stall, the channel and who did not read it are told of each other."""
    _, path = box.record("python3", "-c", BLOCKED_LOOP)
    report = box.load(path)
    channel = next(c for c in report.data["ipc"]["channels"] if c["sent"]["bytes"] == 200000)
    trouble = report.data["ipc"]["trouble"][0]
    box.equal((trouble["what"], trouble["channel"]), ("writer-blocked", channel["id"]), "the worst trouble")
    stall = max(report.data["stalls"], key=lambda s: s["duration_ns"])
    box.equal((trouble["stalls"]["count"], trouble["stalls"]["loop"]), (1, stall["loop"]), "the stall")
    box.equal(trouble["stalls"]["worst_start_ns"], stall["start_ns"], "when it began")
    box.check(trouble["stalls"]["ns"] <= trouble["longest_ns"] <= stall["duration_ns"], f"{trouble} in {stall}")
    flow = next(f for f in report.data["ipc"]["flows"] if f["channel"] == channel["id"])
    box.equal((trouble["who"]["tid"], trouble["other"]["tid"]), (stall["tid"], flow["to"]["tid"]), "who, and who not")
    box.check(f"that python3 {flow['to']['tid']} did not read" in stall["summary"], f"summary: {stall['summary']}")
    end = channel["ends"][0]
    series = end["depth_series"]
    box.check(len(series["max"]) == len(series["mean"]) <= 64, f"steps of {series}")
    box.check(max(series["max"]) <= end["depth_bytes"]["max"] <= 200000, f"depth: {series['max']}")
    done = box.run(box.partrace, "report", "-i", path)
    box.check("its loop stalled for that: 1 time" in done.out, "the text does not join them")
