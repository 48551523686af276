# SPDX-License-Identifier: BSD-2-Clause
"""What `strace -f -y` of a run says of each end of a channel: an independent count of what the report must say.

With -y an end is `5<socket:[1234]>` or `5<pipe:[1234]>`: it has the inode by which the report names it, too.
"""

import re

OPTIONS = ("-f", "-y", "-e", "abbrev=none", "-s", "64")
SENDS = {"write", "writev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "vmsplice"}
RECEIVES = {"read", "readv", "preadv2", "recvfrom", "recvmsg", "recvmmsg"}
CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
DESCRIPTOR = re.compile(r"\b\d+<((?:pipe|socket):\[(\d+)\])?[^>]*>")


def lines_of(path):
    """What strace -f says of every call that ended, without the pid; those that were cut in two put together."""
    begun = {}
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            pid, rest = line.split(None, 1)
            if rest.rstrip().endswith("<unfinished ...>"):
                begun[pid] = rest.rstrip()[:-len("<unfinished ...>")]
                continue
            if rest.startswith("<..."):
                rest = begun.pop(pid, "") + rest.split("resumed>", 1)[1]
            yield rest


def calls_of(path):
    """(name, arguments, result) of every call that ended."""
    for line in lines_of(path):
        found = CALL.match(line)
        if found:
            yield found[1], found[2], int(found[3])


def descriptors(arguments):
    """Inodes of the pipes and sockets that the arguments name, in their order; 0 for another descriptor."""
    return [int(found[1] or 0) for found in DESCRIPTOR.findall(arguments)]


def passed(arguments):
    """Descriptors that went along, in any number of control messages."""
    return sum(len(DESCRIPTOR.findall(block.partition("]}")[0]))
               for block in arguments.split("SCM_RIGHTS, cmsg_data=[")[1:])


def moves_of(name, arguments, result):
    """(inode, sent, bytes, messages, descriptors) of each end that a call moved something through."""
    ends = descriptors(arguments)
    if name in ("splice", "sendfile", "tee") and len(ends) >= 2:
        source, target = ends[:2] if name != "sendfile" else ends[1::-1]
        return [(target, True, result, 1, 0)] + ([(source, False, result, 1, 0)] if name != "tee" else [])
    if name not in SENDS | RECEIVES or not ends or "MSG_PEEK" in arguments:
        return []
    if name.endswith("mmsg"):
        size = sum(int(n) for n in re.findall(r"msg_len=(\d+)", arguments))
        return [(ends[0], name in SENDS, size, result, passed(arguments))]
    return [(ends[0], name in SENDS, result, 1, passed(arguments))]


def sums_of(path):
    """(inode, sent) -> [bytes, messages, passed descriptors] of calls that moved something."""
    sums = {}
    for name, arguments, result in calls_of(path):
        for inode, sent, *figures in moves_of(name, arguments, result) if result > 0 else ():
            if inode:
                entry = sums.setdefault((inode, sent), [0, 0, 0])
                for i, value in enumerate(figures):
                    entry[i] += value
    return sums


def sums_of_report(report):
    """The same of a report."""
    sums = {}
    for channel in report.data["ipc"]["channels"]:
        if channel["kind"] not in ("pipe", "unix", "tcp", "udp"):
            continue
        for end in channel["ends"]:
            for way in ("sent", "received"):
                figures = [end[way]["bytes"], end[way]["messages"], end[way]["fds"]]
                if end["inode"] and figures[1]:
                    sums[end["inode"], way == "sent"] = figures
    return sums
