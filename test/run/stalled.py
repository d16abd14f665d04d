#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs a program with the room's thread stalled for ever at one place of its loop (NGRT_STALL), and compares with the
# same run unstalled: it must end well, in time, and with memory bounded.  The thread must be seen stalled (by its name):
# a run that never came to that place would prove nothing.
#
# Usage: stalled.py LIBNGRT PLACE COMMAND [ARGUMENT...]

import os
import sys
import time

TIME_FACTOR, TIME_EXTRA = 6, 10.0  # generous: the machine may be busy; a hang is what counts
RSS_FACTOR, RSS_EXTRA = 1.5, 64 << 20
TRIES = 5  # on a busy machine a short program may end before the room's thread gets to the place
STALLED_NAME = "ngrt-stalled"  # as runtime/room/room.h says


def has_stalled(pid):
    tasks = f"/proc/{pid}/task"
    try:
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm") as file:
                if file.read().strip() == STALLED_NAME:
                    return True
    except OSError:
        pass  # a thread, or the process, that has just ended
    return False


def run(library, command, stall):
    environment = dict(os.environ, LD_PRELOAD=library, TEST_EXPECT="libngrt", NGRT_SERVER="on")
    environment.pop("NGRT_STALL", None)
    if stall:
        environment["NGRT_STALL"] = stall
    start = time.monotonic()
    pid = os.posix_spawn(command[0], command, environment)
    ended = 0
    seen = False
    while not ended and not seen:
        seen = has_stalled(pid)
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        time.sleep(0.0005)
    if not ended:
        _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - start, usage.ru_maxrss * 1024, seen


def main():
    library, place, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    code, seconds, rss, seen = run(library, command, None)
    if seen:
        sys.exit("a room's thread is stalled that was not asked to be")
    if code != 0:
        sys.exit(f"unstalled, the program ended with {code}")
    for _ in range(TRIES):
        code, slow, more, seen = run(library, command, place)
        print(f"{place}: {seconds:.2f} s, {rss >> 20} MiB; stalled {slow:.2f} s, {more >> 20} MiB")
        if code != 0:
            sys.exit(f"stalled at {place}, the program ended with {code}")
        if slow > seconds * TIME_FACTOR + TIME_EXTRA:
            sys.exit(f"stalled at {place}, it took {slow:.1f} s instead of {seconds:.1f} s")
        if more > rss * RSS_FACTOR + RSS_EXTRA:
            sys.exit(f"stalled at {place}, it took {more >> 20} MiB instead of {rss >> 20} MiB")
        if seen:
            return
    sys.exit(f"the room's thread was never seen stalled at {place}")


main()
