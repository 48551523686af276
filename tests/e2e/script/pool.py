# SPDX-License-Identifier: BSD-2-Clause
"""pool.py starved|easy: a name is looked up behind twelve computations in a pool of four threads, which were made one by one,
or with room in the pool. Writes its truth to $TRUTH."""

import asyncio
import concurrent.futures
import hashlib
import os
import socket
import sys
import time

ROUNDS = 150_000
rows = []


def compute():
    hashlib.pbkdf2_hmac("sha512", b"a", b"b", ROUNDS)


async def timed(name, start, future):
    await future
    rows.append(f"name={name} start={start} length={time.monotonic_ns() - start}")


async def main():
    loop = asyncio.get_running_loop()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(4):  # a thread is made when there is work and nobody to do it
            loop.run_in_executor(pool, time.sleep, 0.1)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        start = time.monotonic_ns()
        jobs = [timed("compute", start, loop.run_in_executor(pool, compute))
                for _ in range(12 if sys.argv[1] == "starved" else 2)]
        jobs.append(timed("lookup", start, loop.run_in_executor(pool, socket.gethostbyname, "localhost")))
        await asyncio.gather(*jobs)
    with open(os.environ["TRUTH"], "w", encoding="utf-8") as f:
        f.writelines(row + "\n" for row in rows)


asyncio.run(main())
