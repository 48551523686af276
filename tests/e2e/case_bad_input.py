# SPDX-License-Identifier: BSD-2-Clause
"""What cannot be done is refused in one clear line, with the right status, and nothing is overwritten."""

import os
import shutil

from harness import NOBODY, case, read, write


def refused(box, argv, status, *words, **run):
    """Runs `partrace ARGV` beside a precious output file; it must be refused and leave the file alone."""
    out = box.path("out")
    write(out, "precious")
    before = sorted(os.listdir(box.dir))
    done = box.run(box.partrace, *argv, **run)
    box.one_line(done, status, *words)
    box.equal(read(out), "precious", f"the output file after {done}")
    box.equal(sorted(os.listdir(box.dir)), before, f"files after {done}")
    return done


def without_privilege(box, *setpriv):
    """partrace as one who lacks something; a copy, as the build folder may be closed to others."""
    copy = box.path("partrace")
    shutil.copy(box.partrace, copy)
    os.chmod(copy, 0o755)
    write(box.path("out"), "precious")
    os.chmod(box.dir, 0o777)
    done = box.run("setpriv", *setpriv, copy, "record", "-o", box.path("out"), "--", "true")
    box.one_line(done, 125, "root", "CAP_", "sudo")
    box.equal(read(box.path("out")), "precious", "the output file")


@case
def not_root(box):
    without_privilege(box, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@case
def root_without_capabilities(box):
    without_privilege(box, "--bounding-set=-sys_admin,-bpf,-perfmon", "--inh-caps=-sys_admin,-bpf,-perfmon")


@case
def output_that_cannot_be_written(box):
    os.mkdir(box.path("folder"))
    for path in ("no/such/folder/x", "folder", "/proc/x"):
        refused(box, ("record", "-o", path, "--", "touch", box.path("has-run")), 125, path)


@case
def a_full_disk(box):
    """The disk fills up while recording: our failure, in one line, and what was there stays."""
    os.mkdir(box.path("small"))
    script = ('mount -t tmpfs -o size=24k none small && echo precious >small/out && '
              '"$1" record -o small/out -- sh -c \'for i in 1 2 3 4 5 6; do "$1" >/dev/null; done\' sh "$2"; '
              's=$?; cat small/out; ls small | grep -v "^out$"; exit $s')
    done = box.run("unshare", "-m", "sh", "-c", script, "sh", box.partrace, box.prog("switches"))
    box.equal(done.status, 125, str(done))
    box.check("space" in done.err.lower(), f"no word of space: {done}")
    box.equal(done.out.splitlines()[:1], ["precious"], "what was there")


@case
def a_process_that_does_not_exist(box):
    for option in ("-p", "-t"):
        refused(box, ("record", option, "4194304", "-o", box.path("out")), 125, "4194304")


@case
def a_command_that_cannot_be_run(box):
    write(box.path("text"), "not a program")
    out = ("record", "-o", box.path("out"), "--")
    refused(box, (*out, "no-such-command-anywhere"), 127, "no-such-command-anywhere")
    refused(box, (*out, "./no/such/file"), 127, "no/such/file")
    refused(box, (*out, "./text"), 126, "text")
    refused(box, (*out, "/"), 126)


@case
def nonsense_options(box):
    out = ("-o", box.path("out"))
    sleep = ("--", "true")
    for argv in (("--frobnicate", *sleep), ("-d", "x", *sleep), ("-d", "-1", *sleep), ("-d", "", *sleep),
                 ("-p", "x"), ("-p", ""), ("-p", "1,,2"), ("-p", "-1"), ("-p", "0"), ("-p", "99999999999999999999"),
                 ("-t", "1x"), ("-p",), ("-p", "1", "-a"), ("-p", "1", *sleep), (), ("--",), ("--", ""),
                 ("--stall", "soon", *sleep)):
        refused(box, ("record", *out, *argv), 2)
    refused(box, ("record", "-o"), 2)
    refused(box, ("record", "-o", "", "--", "true"), (2, 125))
    refused(box, ("frobnicate",), 2, "frobnicate")
    refused(box, ("report", "--format", "yaml", "-i", box.path("out")), 2, "json")
    refused(box, ("report", "--frobnicate"), 2)


@case
def a_trace_that_is_no_trace(box):
    os.mkdir(box.path("folder"))
    write(box.path("empty"), "")
    write(box.path("text"), "this is no trace\n" * 1000)
    box.run("zstd", "-q", "text")
    for name in ("folder", "empty", "text", "text.zst", "no-such-file", "/dev/null"):
        for form in ("text", "json"):
            done = box.run(box.partrace, "report", "-i", name, "--format", form)
            box.one_line(done, range(1, 126), name)
    os.mkdir(box.path("bare"))
    done = box.run("sh", "-c", 'cd bare && exec "$0" report', box.partrace)
    box.one_line(done, range(1, 126), "partrace.data")


@case
def a_trace_cut_short_is_reported_as_far_as_it_goes(box):
    _, path = box.record(box.prog("switches"))
    with open(path, "rb") as f:
        whole = f.read()
    for size in (len(whole) - 1, len(whole) * 3 // 4, len(whole) // 2, 40, 1):
        with open(box.path("cut"), "wb") as f:
            f.write(whole[:size])
        done = box.run(box.partrace, "report", "-i", "cut", "--format", "json")
        box.check(0 <= done.status < 126, str(done))
        box.check(done.status == 0 or len(done.err.splitlines()) == 1, str(done))
        box.check("Sanitizer" not in done.err, str(done))


@case
def help_and_version(box):
    for argv in (("--help",), ("record", "--help"), ("report", "--help"), ("check", "--help"), ("--version",)):
        done = box.run(box.partrace, *argv)
        box.equal((done.status, done.err), (0, ""), str(done))
        box.check(done.out, f"nothing on stdout: {done}")
    done = box.run(box.partrace)
    box.equal((done.status, done.out), (2, ""), str(done))
