# SPDX-License-Identifier: BSD-2-Clause
"""One stall of the kind that argv[1] names, in a callback of asyncio. Writes its truth to $TRUTH."""

import asyncio
import mmap
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

LENGTH = 0.1  # s


def look():
    """What the scheduler gave this thread so far: ns on a CPU, ns waiting for one, and us in user and in kernel mode."""
    with open("/proc/thread-self/schedstat", encoding="utf-8") as f:
        wait = int(f.read().split()[1])
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return time.thread_time_ns(), wait, int(usage.ru_utime * 1e6), int(usage.ru_stime * 1e6)


def later(what, *args):
    timer = threading.Timer(LENGTH, what, args)
    timer.start()


def busy(seconds=LENGTH):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def work(seconds=LENGTH):
    """So much CPU time, however long that takes."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def sleep():
    time.sleep(LENGTH)


def lock():
    held = threading.Lock()
    held.acquire()
    later(held.release)
    held.acquire()


def pipe():
    reader, writer = os.pipe()
    later(drain, reader)
    os.write(writer, b"x" * 200000)


def drain(reader):
    while len(os.read(reader, 65536)) == 65536:
        pass


def tcp():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    later(peer.send, b"x")
    client.recv(1)


def unix():
    a, b = socket.socketpair()
    later(b.send, b"x")
    a.recv(1)


def poll():
    """A socket with a timeout is polled first."""
    a, b = socket.socketpair()
    a.settimeout(10)
    later(b.send, b"x")
    a.recv(1)


def run():
    subprocess.run(["sleep", str(LENGTH)], check=True)


def wait():
    subprocess.Popen(["sleep", str(LENGTH)], close_fds=False).wait()


def forget(path):
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cold_read():
    with open(sys.argv[2], "rb", buffering=0) as f:
        while f.read(1 << 20):
            pass


def cold_map():
    with open(sys.argv[2], "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
        m.madvise(mmap.MADV_RANDOM)
        for at in range(0, len(m), 1 << 14):
            m[at]


def fsync():
    with open(sys.argv[2] + ".new", "wb") as f:
        for _ in range(64):
            f.write(os.urandom(1 << 20))
        f.flush()
        os.fsync(f.fileno())
    os.unlink(f.name)


def fork():
    """Nobody waits for the child: to take its memory down takes as long as the fork."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if not os.fork():
        os._exit(0)


def nested():
    """Another selector on this thread, for this one turn."""
    with selectors.EpollSelector() as selector:
        a, b = socket.socketpair()
        selector.register(a, selectors.EVENT_READ)
        later(b.send, b"x")
        selector.select()
        a.recv(1)


def stop():
    """Somebody else stops this process in the middle of a turn; the parent continues it."""
    print("stop", flush=True)
    busy(0.05)


def handler():
    signal.signal(signal.SIGALRM, lambda *_: busy())
    signal.setitimer(signal.ITIMER_REAL, 0.05)


async def main():
    kind = sys.argv[1]
    ballast = bytearray(700 << 20) if kind == "fork" else b""
    if kind in ("cold_read", "cold_map"):
        forget(sys.argv[2])
    for _ in range(3):
        await asyncio.sleep(0.06)
    before = look()
    start = time.monotonic_ns()
    globals()[kind]()
    length = time.monotonic_ns() - start
    cpu, wait, user, kernel = (now - then for now, then in zip(look(), before))
    if kind != "handler":
        await asyncio.sleep(0.06)
    for _ in range(3):
        await asyncio.sleep(0.06)
    with open(os.environ["TRUTH"], "w", encoding="utf-8") as f:
        print(f"name={kind} start={start} length={length} cpu={cpu} wait={wait} user={user} kernel={kernel} "
              f"ballast={len(ballast)}", file=f)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()


asyncio.run(main())
