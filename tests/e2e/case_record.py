# SPDX-License-Identifier: BSD-2-Clause
"""What record does around a recording: attaching, ending, streams, users, files."""

import os
import re
import shutil
import signal
import stat
import subprocess

from harness import NOBODY, Skip, case, read, read_truth, write


def finish(box, process, path):
    done = box.finish(process)
    box.equal(done.status, 0, str(done))
    return box.load(path)


@case
def attach_and_end_with_the_process(box):
    sleeper, truth = box.start_sleeper(3, "late")
    process, path = box.start_recording("-p", sleeper.pid)
    sleeper.stdin.close()
    report = finish(box, process, path)
    box.equal(report.trace["complete"], True, "complete")
    for row in read_truth(truth):
        task = report.one(tid=row["tid"], pid=row["pid"])
        late = row["comm"].startswith("late-")
        box.equal(task["comm"], row["comm"], f"name of {row['tid']}")
        box.equal(task["created_by"] == "existing", not late, f"{row['comm']} is there from the beginning")
        if row["comm"].startswith("sleeper-"):
            off_cpu = task["state_ns"]["blocked"] + task["state_ns"]["runnable"]
            box.check(off_cpu > 0.9 * report.life(task) and task["state_ns"]["blocked"],
                      f"{row['comm']} sleeps, but its states are {task['state_ns']}")
    thread, child = report.one(comm="late-thread"), report.one(comm="late-process")
    box.equal((thread["model"], child["model"]), ("thread", "process"), "models")
    box.equal(child["ppid"], sleeper.pid, "parent of the late process")
    computed = sum(child["state_ns"][part] for part in ("user", "kernel", "cpu"))
    box.check(computed > 4_000_000, f"the late process computed 5 ms, not {computed} ns")


@case
def asleep_from_beginning_to_end(box):
    sleeper, _ = box.start_sleeper(1)
    process, path = box.start_recording("-p", sleeper.pid, "-d", "0.3")
    report = finish(box, process, path)
    for task in report.find(pid=sleeper.pid):
        box.equal(task["state_ns"]["blocked"], report.trace["duration_ns"], f"blocked time of {task['comm']}")
        box.equal(task["switches"], {"voluntary": 0, "involuntary": 0}, f"switches of {task['comm']}")
        box.equal((task["exit_code"], task["exit_signal"]), (None, None), f"end of {task['comm']}")
    box.equal(len(report.find(pid=sleeper.pid)), 2, "tasks of the process")


@case
def several_processes(box):
    (first, _), (second, _) = box.start_sleeper(), box.start_sleeper()
    process, path = box.start_recording("-p", f"{first.pid},{second.pid}")
    first.stdin.close()
    first.wait()
    box.check(process.poll() is None, "the recording ended with the first of two processes")
    second.stdin.close()
    report = finish(box, process, path)
    report.one(tid=first.pid)
    report.one(tid=second.pid)


@case
def one_thread_only(box):
    sleeper, truth = box.start_sleeper(2)
    tids = {row["comm"]: row["tid"] for row in read_truth(truth)}
    process, path = box.start_recording("-t", tids["sleeper-1"], "-d", "0.2")
    report = finish(box, process, path)
    box.equal({t["tid"] for t in report.tasks if t["pid"] == sleeper.pid}, {tids["sleeper-1"]}, "recorded threads")


@case
def everything_for_a_while(box):
    sleeper, _ = box.start_sleeper(1)
    process, path = box.start_recording("-a", "-d", "0.5")
    report = finish(box, process, path)
    box.check(0.5e9 <= report.trace["duration_ns"] < 5e9, f"duration {report.trace['duration_ns']}")
    box.equal(len(report.find(pid=sleeper.pid)), 2, "tasks of a process that sleeps")
    box.check(report.find(pid=os.getpid()), "this harness is not in a recording of everything")


@case
def a_signal_finishes_the_file(box):
    for number in (signal.SIGINT, signal.SIGTERM):
        sleeper, _ = box.start_sleeper(0)
        process, path = box.start_recording("-p", sleeper.pid)
        process.send_signal(number)
        report = finish(box, process, path)
        box.equal(report.trace["complete"], True, f"complete after signal {number}")
        report.one(tid=sleeper.pid)
        sleeper.stdin.close()


@case
def a_process_that_is_gone_at_once(box):
    for _ in range(5):
        sleeper, _ = box.start_sleeper(8)
        sleeper.stdin.close()
        done = box.run(box.partrace, "record", "-p", sleeper.pid, "-o", box.path("gone"))
        box.check(done.status in (0, 125), str(done))
        sleeper.wait()


@case
def streams_and_status_pass_through(box):
    for status in (0, 3, 125, 126, 127):
        box.record("/bin/sh", "-c", f"exit {status}", status=status)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGABRT):
        box.record("/bin/sh", "-c", f"ulimit -c 0; kill -{int(number)} $$", status=128 + number)
    done, _ = box.record("cat", stdin="in and out\n")
    box.equal(done.out, "in and out\n", "stdout of cat")
    done, _ = box.record("/bin/sh", "-c", "echo talk >&2")
    box.check("talk\n" in done.err and done.out == "", str(done))


@case
def the_command_runs_as_who_called_sudo(box):
    sudo = {"SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY), "SUDO_USER": "nobody"}
    done, path = box.record("id", "-u", env=sudo)
    box.equal(done.out.strip(), str(NOBODY), "uid of the command")
    done, path = box.record("id", "-G", env=sudo)
    box.check("0" not in done.out.split(), f"groups of the command: {done.out}")
    info = os.stat(path)
    box.equal((info.st_uid, info.st_gid), (NOBODY, NOBODY), "owner of the file")
    done, path = box.record("id", "-u")
    box.equal(done.out.strip(), "0", "uid of the command without sudo")


@case
def the_file_is_private_and_valid_zstd(box):
    _, path = box.record("true")
    box.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of the file")
    if not shutil.which("zstd"):
        raise Skip("no zstd command")
    done = box.run("zstd", "-tq", path)
    box.equal(done.status, 0, str(done))


@case
def the_previous_file_is_kept(box):
    for argument in ("1", "2"):
        done = box.run(box.partrace, "record", "--", "sh", "-c", ":", argument)
        box.equal(done.status, 0, str(done))
    box.equal(sorted(os.listdir(box.dir)), ["partrace.data", "partrace.data.old"], "files")
    for name, argument in (("partrace.data", "2"), ("partrace.data.old", "1")):
        box.equal(box.load(box.path(name)).trace["command"][-1], argument, f"command in {name}")


@case
def a_symbolic_link_is_not_followed(box):
    write(box.path("precious"), "precious")
    os.symlink("precious", box.path("link"))
    box.run(box.partrace, "record", "-o", box.path("link"), "--", "true")
    box.equal(read(box.path("precious")), "precious", "the file behind the link")


@case
def check_says_what_works(box):
    done = box.run(box.partrace, "check")
    box.equal(done.status, 0, str(done))


def copy_with_libraries(program, root):
    """The program, and what the loader needs for it, in a folder that has nothing else."""
    found = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in [program, *re.findall(r"(/\S+) \(0x", found)]:
        target = os.path.join(root, path.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(path, target)


@case
def a_report_elsewhere_is_the_same(box):
    """In a root without /proc, programs or symbols: to the byte."""
    _, path = box.record("/bin/sh", "-c", "/bin/true; exec sleep 0.05")
    root, program = box.path("elsewhere"), os.path.realpath(box.partrace)
    copy_with_libraries(program, root)
    shutil.copy(path, os.path.join(root, "trace"))
    shutil.copy(path, box.path("trace"))
    for form in ("text", "json"):
        here = box.run(box.partrace, "report", "-i", box.path("trace"), "--format", form)
        there = box.run("chroot", root, program, "report", "-i", "/trace", "--format", form)
        box.equal(there.status, 0, str(there))
        box.check(here.out == there.out, f"{form}: the reports differ")
