# SPDX-License-Identifier: BSD-2-Clause
"""Real programs: what holds for every report must hold for theirs, and what is known of them must be there."""

import os
import shutil
import socket
import sys

from harness import Skip, case, write

NODE_SERVER = """
const http = require('http'), fs = require('fs'), { Worker } = require('worker_threads');
new Worker('setTimeout(() => {}, 100)', { eval: true });
const server = http.createServer((request, response) =>
  fs.readFile(__filename, (error, data) => response.end(data)));
server.listen(0, '127.0.0.1', () => {
  let left = 200;
  const next = () => http.get({ port: server.address().port, host: '127.0.0.1' }, response => {
    response.resume();
    response.on('end', () => --left ? next() : server.close());
  });
  next();
});
"""

ASYNCIO = """
import asyncio
async def serve(reader, writer):
    writer.write(await reader.readline())
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    for i in range(50):
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        writer.write(b'hello\\n')
        assert await reader.read() == b'hello\\n'
        writer.close()
asyncio.run(main())
"""


def need(command):
    if not shutil.which(command):
        raise Skip(f"no {command}")


@case
def a_node_server_under_load(box):
    need("node")
    write(box.path("server.js"), NODE_SERVER)
    _, path = box.record("node", "server.js", env={"NODE_EXTRA_CA_CERTS": ""})
    report = box.load(path)
    main = report.one(tid=report.find(comm="node", exec=True)[0]["pid"])
    tasks = report.find(pid=main["pid"])
    box.check(len(tasks) >= 10, f"{len(tasks)} tasks of node: main, helpers, pool and a worker are at least 10")
    box.check(all(t["model"] == "thread" for t in tasks if t is not main), "models of node's threads")


@case
def an_asyncio_server(box):
    write(box.path("server.py"), ASYNCIO)
    _, path = box.record(sys.executable, "server.py")
    box.load(path)


@case
def make_with_thousands_of_short_processes(box):
    rules = "".join(f"t{i}:\n\t@/bin/true {i}; /bin/echo {i} >$@\n" for i in range(300))
    write(box.path("Makefile"), f"all: {' '.join(f't{i}' for i in range(300))}\n{rules}")
    _, path = box.record("make", "-sj2", env={"MAKEFLAGS": "", "MFLAGS": ""})
    report = box.load(path)
    box.equal(len(report.find(comm="true")), 300, "processes that ran /bin/true")
    box.equal(len(report.find(comm="echo")), 300, "processes that ran /bin/echo")


@case
def redis_attached_to_by_pid(box):
    need("redis-server")
    path = box.path("redis.sock")
    server = box.start("redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no")
    box.wait_for(lambda: os.path.exists(path), "redis listens")
    process, trace = box.start_recording("-p", server.pid)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        for _ in range(500):
            client.sendall(b"PING\r\n")
            box.equal(client.recv(100), b"+PONG\r\n", "redis's answer")
    server.terminate()
    done = box.finish(process)
    box.equal(done.status, 0, str(done))
    report = box.load(trace)
    main = report.one(tid=server.pid)
    box.check(main["switches"]["voluntary"] > 100, f"switches of redis: {main['switches']}")
    box.equal(main["created_by"], "existing", "created_by of redis")
