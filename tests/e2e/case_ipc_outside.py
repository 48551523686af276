# SPDX-License-Identifier: BSD-2-Clause
"""Channels of which one side is not recorded: who has it."""

import sys
import time

from harness import case

CLIENT = """
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print('connected', flush=True)
for line in sys.stdin:
    s.sendall(line.encode())
    print(s.recv(100).decode(), end='', flush=True)
"""
SERVER = """
import socket
l = socket.create_server(('127.0.0.1', 0))
print(l.getsockname()[1], flush=True)
c, _ = l.accept()
while data := c.recv(100):
    c.sendall(data)
"""


@case
def the_process_behind_a_loopback_connection(box):
    server = box.start(sys.executable, "-c", SERVER)
    port = int(server.stdout.readline())
    client = box.start(sys.executable, "-c", CLIENT, port)
    box.equal(client.stdout.readline(), "connected\n", "what the client says")
    recorder, path = box.start_recording("-p", server.pid)
    for _ in range(30):
        client.stdin.write("hello\n")
        client.stdin.flush()
        box.equal(client.stdout.readline(), "hello\n", "the echo")
        time.sleep(0.02)  # it is looked for now and then, and must be there
    box.finish(client)
    box.finish(server)
    box.finish(recorder)
    report = box.load(path)
    flows = [f for f in report.data["ipc"]["flows"] if f["kind"] == "tcp" and f["bytes"]]
    box.equal({(f["from"]["pid"], f["to"]["pid"], f["bytes"]) for f in flows},
              {(client.pid, server.pid, 180), (server.pid, client.pid, 180)}, "who sent how much to whom")
