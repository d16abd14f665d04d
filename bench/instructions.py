#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""instructions.py: what is executed in and for allocation, by the program's own threads, with each allocator and with the pass.

    bench/instructions.py [--scale X] [PROGRAM...]     real programs of programs.py, so much of their work (default 0.05)

ng-sim counts each program under each peer, and under libngrt preloaded and in line.  Of a preloaded allocator that is what its
own code executes.  What is in line is the program's code: there it is what the program executes in all less what it does without
any allocator (its own code, built by clang-19 -O2; the median over the peers), so requests, and calls that the pass took away, count too.
The last columns are of a run without the simulator: requests, and the part of them whose blocks were there at the next miss.
"""

import argparse
import json
import math
import statistics
import sys

import builds
import engine
import measure
import peers
import tables
from programs import PROGRAMS, BuildFailed

SIX = ("lua", "jq", "xsltproc", "jsoncpp", "yaml-cpp", "sqlite3")
NAMES = (*peers.PEERS, peers.PRELOADED, peers.PASS)
GEOMETRY = "zen4"  # no misses are asked for; ng-sim wants one


def executed(load, allocator):
    """(by the program's code, by the allocator's) on the program's own threads."""
    counts = tables.simulated(load.command(allocator), load.status, (GEOMETRY,))
    own = [thread for thread in counts["threads"] if not thread["apart"]]
    load.clear(load.command(allocator))
    return tuple(sum(thread[who]["instructions"] for thread in own) for who in ("program", "allocator"))


def requests(load, allocator):
    """(requests, those of them that were fulfilled), by the runtime's own count."""
    command = load.command(allocator)
    command.env["NGRT_STATS"] = "json"
    measure.run_once(command, 600)
    with open(command.stderr, encoding="utf-8", errors="replace") as file:
        stats = [json.loads(line) for line in file if line.startswith('{"ngrt"')]
    load.clear(command)
    return tuple(sum(one[name] for one in stats) for name in ("requests", "requests_fulfilled"))


def costs(made):
    """(the program's own, {allocator: in and for allocation}) of {allocator: (by the program's code, by the allocator's)}."""
    bare = statistics.median(made[name][0] for name in made if name in peers.PEERS)
    return bare, {name: sum(both) - bare if name == peers.PASS else both[1] for name, both in made.items()}


def row(load):
    bare, cost = costs({name: executed(load, peers.allocator(name)) for name in NAMES})
    return {"program": load.name, "bare": bare, "cost": cost, "requests": requests(load, peers.allocator(peers.PASS))}


def show(rows, out):
    print("millions of instructions in and for allocation, the program's own threads", file=out)
    print(f"{'program':<11}{'all others':>12}" + "".join(f"{n:>16}" for n in NAMES) + f"{'of the least':>14}{'requests':>10}{'ready':>7}",
          file=out)
    ratios = []
    for r in rows:
        least = min(r["cost"][name] for name in peers.PEERS)
        ratios.append(max(r["cost"][peers.PASS], 1) / least)
        asked, ready = r["requests"]
        print(f"{r['program']:<11}{r['bare'] / 1e6:>12.1f}" + "".join(f"{r['cost'][n] / 1e6:>16.2f}" for n in NAMES)
              + f"{ratios[-1]:>14.2f}{asked:>10}" + (f"{100 * ready / asked:>6.0f}%" if asked else f"{'-':>7}"), file=out)
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"in line, of the peer with the fewest: {mean:.2f} in the geometric mean of {len(ratios)}", file=out)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("programs", nargs="*", default=SIX)
    options = parser.parse_args(argv)
    known = {p.name: p for p in PROGRAMS if p.elf is None}  # not a server, which a script drives
    unknown = [name for name in options.programs if name not in known]
    if unknown or not options.scale > 0:
        parser.error(f"no program '{unknown[0]}'; there are {', '.join(known)}" if unknown else "--scale: a number above 0")
    builder = builds.Builder(builds.Progress(7200))
    builder.build_project((*builds.TARGETS, "ng-sim"))
    rows = []
    for program in (known[name] for name in options.programs):
        load = engine.Real(program.scaled(options.scale), builder)
        try:
            load.prepare(builder, ["plain", "pass"])
            rows.append(row(load))
            builder.progress.say(f"{program.name}: done")
        except (BuildFailed, builds.FetchFailed, peers.Missing, tables.Failed, OSError) as failure:
            builder.error(f"{program.name}: {failure}")
    show(rows, sys.stdout)
    return 1 if builder.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
