#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# reports.py LIBRARY WORK: what NGRT_VERBOSE and NGRT_STATS write.
# WORK is a program that allocates (its argument: how many blocks of 100 bytes, half of which it frees).

import json
import os
import re
import subprocess
import sys

from checks import expect, report

def run(library, command, **variables):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NGRT_", "LD_"))}
    env.update(variables, LD_PRELOAD=library)
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    expect(done.returncode == 0, f"{command} with {variables}: status {done.returncode}: {done.stderr}")
    return done.stderr


def stats(library, *command, **variables):
    text = run(library, command, NGRT_STATS="json", **variables)
    expect(text.count("\n") == 1 and text.endswith("}\n"), f"not one line: {text!r}")
    return json.loads(text)


def main(library, work):
    # Nothing is written that nobody asked for.
    for variables in ({}, {"NGRT_VERBOSE": "0"}, {"NGRT_STATS": "0"}):
        expect(run(library, [work, "10"], **variables) == "", f"{variables}: something was written")

    line = run(library, [work, "10"], NGRT_VERBOSE="1")
    expect(re.fullmatch(r"ngrt \d+\.\d+\.\d+: in use \(process \d+, room auto, \d+ processors?, huge pages auto\)\n", line),
           f"NGRT_VERBOSE=1: {line!r}")
    one_processor = ", 1 processor," in line
    line = run(library, [work, "10"], NGRT_VERBOSE="1", NGRT_SERVER="off", NGRT_THP="on")
    expect("room off" in line and "huge pages on" in line, f"NGRT_VERBOSE=1: {line!r}")

    few, many = stats(library, work, "1000"), stats(library, work, "1000000")
    for name, value in many.items():
        expect(name == "ngrt" or (isinstance(value, int) and value >= 0), f"{name}: {value!r}")
    grown = {name: many[name] - few[name] for name in many if name != "ngrt"}
    block = 112  # what 100 bytes take
    expect(0.99e6 < grown["allocations"] < 1.02e6, f"allocations: {grown['allocations']}")
    expect(0.49e6 < grown["frees"] < 0.51e6, f"frees: {grown['frees']}")
    # The page of slabs not full at the end, and magazines, may count as live or not.
    expect(0.9 * block * 0.5e6 < grown["live"] < 1.1 * block * 0.5e6, f"live: {grown['live']}")
    expect(grown["committed"] >= block * 0.9e6, f"committed: {grown['committed']}")
    expect(many["resident"] > block * 0.5e6, f"resident: {many['resident']}")
    expect(many["live"] + many["cached"] <= many["committed"], "more live and cached than committed")
    served = grown["ready"] + grown["late"] + grown["self_served"]
    expect(0.9e6 < served < 1.1e6, f"ready, late and self-served are {served} of 999000 blocks")
    expect(many["program_faults"] + many["room_faults"] > 100, f"page faults: {many}")

    off = stats(library, work, "1000000", NGRT_SERVER="off")
    expect(off["room_starts"] == 0 and off["late"] == 0 and off["room_faults"] == 0, f"NGRT_SERVER=off: {off}")
    expect(off["self_served"] > 1000, f"NGRT_SERVER=off, and {off['self_served']} blocks self-served")
    expect(few["room_starts"] == 0, "a small program saw the room start")

    if not one_processor:
        on = stats(library, work, "1000000", NGRT_SERVER="on")
        expect(on["room_starts"] == 1 and on["room_faults"] > 0 and on["ready"] > 0, f"NGRT_SERVER=on: {on}")
        # Awake and of no help: what it does not have ready is late.
        stalled = stats(library, work, "1000000", NGRT_SERVER="on", NGRT_STALL="populate")
        expect(stalled["late"] > 1000 and stalled["self_served"] < 100 and stalled["room_faults"] == 0,
               f"NGRT_STALL=populate: {stalled}")

    text = run(library, [work, "1000"], NGRT_STATS="1")
    expect(re.match(r"ngrt \d+\.\d+\.\d+: process \d+\n", text), f"NGRT_STATS=1: {text[:80]!r}")
    sentences = re.findall(r"^ +\d+  (.+)$", text, re.M)
    expect(len(sentences) == len(few) - 2, f"{len(sentences)} sentences for {len(few) - 2} numbers")

    return report()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: reports.py LIBRARY WORK")
    sys.exit(main(*sys.argv[1:]))
