#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs a program with the room's thread stalled for ever at one place of its loop (NGRT_STALL), and compares with the
# same run unstalled: it must end well, in time, and with memory bounded.
#
# Usage: stalled.py LIBNGRT PLACE COMMAND [ARGUMENT...]

import os
import sys
import time

TIME_FACTOR, TIME_EXTRA = 6, 10.0  # generous: the machine may be busy; a hang is what counts
RSS_FACTOR, RSS_EXTRA = 1.5, 64 << 20


def run(library, command, stall):
    environment = dict(os.environ, LD_PRELOAD=library, TEST_EXPECT="libngrt", NGRT_SERVER="on")
    environment.pop("NGRT_STALL", None)
    if stall:
        environment["NGRT_STALL"] = stall
    start = time.monotonic()
    pid = os.posix_spawn(command[0], command, environment)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - start, usage.ru_maxrss * 1024


def main():
    library, place, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    code, seconds, rss = run(library, command, None)
    if code != 0:
        sys.exit(f"unstalled, the program ended with {code}")
    code, slow, more = run(library, command, place)
    print(f"{place}: {seconds:.2f} s, {rss >> 20} MiB; stalled {slow:.2f} s, {more >> 20} MiB")
    if code != 0:
        sys.exit(f"stalled at {place}, the program ended with {code}")
    if slow > seconds * TIME_FACTOR + TIME_EXTRA:
        sys.exit(f"stalled at {place}, it took {slow:.1f} s instead of {seconds:.1f} s")
    if more > rss * RSS_FACTOR + RSS_EXTRA:
        sys.exit(f"stalled at {place}, it took {more >> 20} MiB instead of {rss >> 20} MiB")


main()
