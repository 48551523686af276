# SPDX-License-Identifier: BSD-2-Clause
"""Channels of which one side is not recorded: who has it."""

import os
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


WRITER = """
import os, sys
print('up', flush=True)
fifo = os.open(sys.argv[1], os.O_WRONLY)
for line in sys.stdin: os.write(fifo, line.encode())
"""


@case
def the_process_behind_a_fifo(box):
    fifo = box.path("fifo")
    os.mkfifo(fifo)
    writer = box.start(sys.executable, "-c", WRITER, fifo)
    box.equal(writer.stdout.readline(), "up\n", "what the writer says")
    reader = box.start("cat", fifo)
    recorder, path = box.start_recording("-p", reader.pid)
    for _ in range(30):
        writer.stdin.write("hello\n")
        writer.stdin.flush()
        box.equal(reader.stdout.readline(), "hello\n", "what went through the FIFO")
        time.sleep(0.02)
    box.finish(writer)
    box.finish(reader)
    box.finish(recorder)
    channel, = (c for c in box.load(path).data["ipc"]["channels"] if c["kind"] == "fifo")
    box.equal(channel["received"], {"bytes": 180, "messages": 30}, "received")
    box.equal([(h["pid"], h["writes"]) for e in channel["ends"] for h in e["outside_holders"]], [(writer.pid, True)],
              "who else has it open")
