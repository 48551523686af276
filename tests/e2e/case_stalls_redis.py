# SPDX-License-Identifier: BSD-2-Clause
"""Redis, stalled by commands that it is known for."""

import os
import shutil
import socket
import time

from harness import Skip, case
from loops import EARLY, MS, check_loops


class Client:
    """One connection; a command is sent as a line, and its reply awaited."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(address)
        self.stream = self.socket.makefile("rb")

    def call(self, line):
        """(reply's first line, ns that it took by our clock)"""
        start = time.monotonic_ns()
        self.socket.sendall(line.encode() + b"\r\n")
        reply = self.stream.readline()
        if reply[:1] == b"$" and int(reply[1:]) >= 0:
            self.stream.read(int(reply[1:]) + 2)
        elif reply[:1] == b"*":
            for _ in range(int(reply[1:])):
                self.stream.read(int(self.stream.readline()[1:]) + 2)
        return reply, start, time.monotonic_ns() - start


LUA = ('EVAL "local s = 0; for i = 1, 4e7 do s = s + i end return s" 0', "DEBUG SLEEP 0.2", "KEYS *7*")


@case
def redis_stalled_by_commands(box):
    if not shutil.which("redis-server"):
        raise Skip("no redis-server")
    path, address = box.path("trace-redis"), box.path("redis.sock")
    process = box.start(box.partrace, "record", "-o", path, "--", "redis-server", "--port", "0", "--unixsocket", address,
                        "--enable-debug-command", "yes", "--save", "", "--dir", box.dir)
    box.wait_for(lambda: os.path.exists(address), "redis listens")
    client = Client(address)
    client.call("DEBUG POPULATE 300000")
    said = []
    for command in LUA:
        time.sleep(0.1)
        client.call("PING")
        said.append((command, *client.call(command)))
    time.sleep(0.1)
    client.socket.sendall(b"SHUTDOWN NOSAVE\r\n")
    box.equal(box.finish(process).status, 0, "status")
    report = check_loops(box.load(path))
    for command, reply, start, length in said:
        box.check(reply[:1] != b"-", f"{command}: {reply}")
        start -= report.trace["start_monotonic_ns"]
        found = [s for s in report.data["stalls"] if start - EARLY <= s["start_ns"] <= start + length]
        if length < 15 * MS:
            continue
        box.equal(len(found), 1, f"stalls of {command} that took {length} ns, among {[s['summary'] for s in report.data['stalls']]}")
        # Its reply is on its way before the turn is over, and the client has to get a CPU at both ends.
        box.check(found[0]["duration_ns"] < length + 30 * MS, f"{command}: {found[0]['duration_ns']} of {length} ns")
        parts = found[0]["parts_ns"]
        if "SLEEP" in command:
            box.equal((found[0]["verdict"], found[0]["reason"]), ("blocked", "sleep"), "verdict and reason")
            box.check(200 * MS <= parts["blocked"] < 230 * MS, f"slept for {parts['blocked']} ns")
        else:
            box.equal(found[0]["verdict"], "computing" if parts["user"] > parts["runnable"] else "waiting-for-cpu",
                      f"{command}: {found[0]['summary']}")
            box.check(parts["user"] > 10 * (parts["kernel"] + parts["blocked"]), f"{command}: {parts}")
