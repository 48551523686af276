# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end cases share.

A case is a function with @case that takes a Box and raises Failure (mostly through box.equal() and its kin):

    @case
    def names_survive(box):
        truth, report = box.record_truth("shortlived", 20)
        ...

Every report that a box loads is checked for what must hold in each: see check_invariants().
"""

import fnmatch
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
CASE_LIMIT = int(os.environ.get("E2E_LIMIT", "60"))  # seconds; a virtual machine needs more
ATTEMPTS = 3
NOBODY = 65534
STATES = {"user", "kernel", "cpu", "runnable", "blocked", "unknown"}

CASES = []


class Failure(Exception):
    """What was found wrong; its text is the test's why."""


class Skip(Exception):
    """Why the case cannot run here."""


def case(function):
    CASES.append(function)
    return function


class Done:
    """A command that has ended."""

    def __init__(self, argv, status, out, err):
        self.argv, self.status, self.out, self.err = argv, status, out, err

    def __str__(self):
        return f"{' '.join(map(str, self.argv))}: status {self.status}, stderr: {self.err.strip()[-400:]!r}"


def read_truth(path):
    """A list of dicts, one for each line of `key=value` words; numbers as numbers."""
    with open(path, encoding="utf-8") as f:
        rows = [dict(word.split("=", 1) for word in line.split()) for line in f]
    return [{k: int(v) if v.lstrip("-").isdigit() else v for k, v in row.items()} for row in rows]


class Report:
    """The JSON of one trace, with ways to find a task in it."""

    def __init__(self, data):
        self.data, self.trace, self.tasks = data, data["trace"], data["tasks"]

    def find(self, **wanted):
        return [t for t in self.tasks if all(t[k] == v for k, v in wanted.items())]

    def one(self, **wanted):
        found = self.find(**wanted)
        if len(found) != 1:
            raise Failure(f"{len(found)} tasks with {wanted} in the report, not one")
        return found[0]

    def life(self, task):
        end = task["end_ns"] if task["end_ns"] is not None else self.trace["duration_ns"]
        return end - task["start_ns"]


def check_invariants(report):
    """DESIGN.md section 3, as far as it holds for any recording."""
    lost = sum(report.trace["lost"].values())
    if lost:
        raise Failure(f"{lost} records lost: {report.trace['lost']}")
    # The kernel shows a few switches to no tracer, perf neither (seen with the threads of this machine's init).
    differ = [t for t in report.tasks if t.get("counters") == "differ"]
    if len(differ) > max(1, len(report.tasks) // 10):
        raise Failure(f"{len(differ)} of {len(report.tasks)} tasks switched otherwise than the kernel counted")
    seen = set()
    for task in report.tasks:
        who = f"task {task['tid']} ({task['comm']})"
        if set(task["state_ns"]) != STATES:
            raise Failure(f"{who}: its states are {sorted(task['state_ns'])}")
        if min(task["state_ns"].values()) < 0:
            raise Failure(f"{who}: a negative time in {task['state_ns']}")
        if sum(task["state_ns"].values()) != report.life(task):
            raise Failure(f"{who}: states sum to {sum(task['state_ns'].values())}, its life is {report.life(task)}")
        if sum(task["blocked_ns"].values()) != task["state_ns"]["blocked"]:
            raise Failure(f"{who}: blocked_ns sums to {sum(task['blocked_ns'].values())}, "
                          f"state_ns.blocked is {task['state_ns']['blocked']}")
        if not 0 <= task["start_ns"] <= task["start_ns"] + report.life(task) <= report.trace["duration_ns"]:
            raise Failure(f"{who}: lives from {task['start_ns']} to {task['end_ns']}, "
                          f"the recording lasted {report.trace['duration_ns']}")
        identity = task["tid"], task["start_ns"]
        if identity in seen:
            raise Failure(f"{who}: twice in the report")
        seen.add(identity)


class Box:
    """A folder for one case, and the commands it runs; all that it started is ended with it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="partrace-e2e-")
        os.chmod(self.dir, 0o755)
        self.partrace = os.path.join(BUILD, "partrace")
        self.running = []
        self.count = 0

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def prog(self, name):
        return os.path.join(BUILD, "tests", "e2e", "prog", name)

    def environ(self, extra=None):
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("SUDO_", "TRUTH"))}
        return dict(keep, **(extra or {}))

    def start(self, *argv, env=None, **popen):
        """Starts a command in the box; pipes unless told otherwise."""
        for stream in ("stdin", "stdout", "stderr"):
            popen.setdefault(stream, subprocess.PIPE)
        process = subprocess.Popen([str(a) for a in argv], cwd=self.dir, env=self.environ(env), text=True,
                                   errors="surrogateescape", **popen)
        process.argv = argv
        self.running.append(process)
        return process

    def finish(self, process, stdin=None, limit=CASE_LIMIT):
        try:
            out, err = process.communicate(stdin, timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            _, err = process.communicate()
            raise Failure(f"{process.argv}: did not end in {limit} s; stderr: {err[-400:]!r}") from None
        return Done(process.argv, process.returncode, out, err)

    def run(self, *argv, stdin="", env=None, **popen):
        return self.finish(self.start(*argv, env=env, **popen), stdin)

    def record(self, *argv, options=(), env=None, stdin="", status=0):
        """Records a command into a new file; returns (Done, path)."""
        self.count += 1
        path = self.path(f"trace-{self.count}")
        done = self.run(self.partrace, "record", *options, "-o", path, "--", *argv, env=env, stdin=stdin)
        if done.status != status:
            raise Failure(f"status {status} was expected of {done}")
        return done, path

    def start_recording(self, *options):
        """Starts recording what already runs, and waits until it does; returns (process, path)."""
        self.count += 1
        path = self.path(f"trace-{self.count}")
        process = self.start(self.partrace, "record", *options, "-o", path)
        self.wait_for(lambda: process.poll() is not None or self.is_recording(process.pid), "the recording begins")
        return process, path

    @staticmethod
    def is_recording(pid):
        """The recorder sleeps in its event loop, with its partial file open."""
        try:
            with open(f"/proc/{pid}/wchan", encoding="utf-8") as f:
                waits = any(word in f.read() for word in ("poll", "select", "wait", "nanosleep"))
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            return False
        return waits and any("trace-" in link for link in links)

    @staticmethod
    def is_recording_below(pid):
        """A child of this process records, and its own child runs."""
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
                child = f.read().split()[0]
            with open(f"/proc/{child}/task/{child}/children", encoding="utf-8") as f:
                return Box.is_recording(child) and bool(f.read().split())
        except (OSError, IndexError):
            return False

    def load(self, path):
        done = self.run(self.partrace, "report", "-i", path, "--format", "json")
        if done.status:
            raise Failure(str(done))
        report = Report(json.loads(done.out))
        check_invariants(report)
        return report

    def record_truth(self, prog, *args, status=0, options=()):
        """Records one of prog/*.c; returns (its truth, the report)."""
        truth = self.path(f"truth-{self.count}")
        _, path = self.record(self.prog(prog), *args, env={"TRUTH": truth}, status=status, options=options)
        report = self.load(path)
        if not report.trace["complete"]:
            raise Failure("the trace is not complete")
        return read_truth(truth), report

    def start_sleeper(self, *args):
        """Starts prog/sleeper, which runs until its stdin is closed; returns (process, path of its truth)."""
        truth = self.path(f"truth-sleeper-{len(self.running)}")
        process = self.start(self.prog("sleeper"), *args, env={"TRUTH": truth})
        self.equal(process.stdout.readline(), "ready\n", "what the sleeper says")
        return process, truth

    def wait_for(self, condition, what, limit=CASE_LIMIT / 2):
        end = time.monotonic() + limit
        while not condition():
            if time.monotonic() > end:
                raise Failure(f"waited {limit:.0f} s in vain: {what}")
            time.sleep(0.01)

    @staticmethod
    def equal(got, expected, what):
        if got != expected:
            raise Failure(f"{what}: {got!r}, expected {expected!r}")

    @staticmethod
    def check(condition, what):
        if not condition:
            raise Failure(what)

    def one_line(self, done, status, *words):
        """Refused as it should be: this status, one line on stderr that has one of the words, nothing on stdout.

        A usage error may add where to read more, as argp does."""
        self.check(done.status == status if isinstance(status, int) else done.status in status,
                   f"status {status} was expected of {done}")
        self.equal(len(done.err.split("\nTry `")[0].splitlines()), 1, f"lines on stderr of {done}")
        self.check(not words or any(w.lower() in done.err.lower() for w in words), f"none of {words} in {done}")
        self.equal(done.out, "", f"stdout of {done}")


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def run_case(function):
    """(verdict, why)"""

    def give_up(*_):
        raise Failure(f"not done in {2 * CASE_LIMIT} s")

    box = Box()
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(2 * CASE_LIMIT)
    try:
        function(box)
        return "ok", ""
    except Skip as why:
        return "skip", str(why)
    except Failure as why:
        return "not ok", str(why)
    except Exception as why:  # the report lacks a field, a file is missing: a failure of this case, not of all
        traceback.print_exc()
        return "not ok", f"{type(why).__name__}: {why}"
    finally:
        signal.alarm(0)
        box.close()


def run_patiently(function):
    """(verdict, why): a neighbour that takes the CPUs may spoil a case, but not ATTEMPTS times in a row."""
    for attempt in range(1, ATTEMPTS + 1):
        verdict, why = run_case(function)
        if verdict != "not ok" or attempt == ATTEMPTS:
            return verdict, why
        print(f"# {function.__name__}, attempt {attempt}: {' '.join(why.split())}", flush=True)
        time.sleep(attempt)
    raise AssertionError("not reached")


def run_all(patterns):
    if not os.access(os.path.join(BUILD, "partrace"), os.X_OK):
        print(f"{BUILD}/partrace is not built", file=sys.stderr)
        return 99
    if os.getuid() != 0:
        print("skip all: recording needs root")
        print("0 passed, 0 failed")
        return 77
    passed = failed = 0
    for function in CASES:
        if patterns and not any(fnmatch.fnmatch(function.__name__, p) for p in patterns):
            continue
        verdict, why = run_patiently(function)
        print(f"{verdict} {function.__name__}" + (f": {' '.join(why.split())}" if why else ""), flush=True)
        passed, failed = passed + (verdict == "ok"), failed + (verdict == "not ok")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
