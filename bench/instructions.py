#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""instructions.py: what is executed in and for allocation, by the program's own threads, with each allocator and with the pass.

    bench/instructions.py [--scale X] [PROGRAM...]     real programs of programs.py, so much of their work (default 0.05)
    bench/instructions.py --requests [--scale X] [PROGRAM...]    requests alone: of all real programs, the micro benchmarks, our
                                                       own workloads, and examples/split.c

ng-sim counts each program under each peer, and under libngrt preloaded and in line.  Of a preloaded allocator that is what its
own code executes.  What is in line is the program's code: there it is what the program executes in all less what it does without
any allocator (its own code, built by clang-19 -O2; the median over the peers), so requests, and calls that the pass took away, count
too.  Where a program allocates little that difference is lost in what two builds differ by; so it is never taken for less than
what the runtime's own code executed, and the mean is told without such programs as well.
The last columns are of a run without the simulator in which each call is counted: blocks requested ahead of time, how many of them
were then allocated, and how many of those were ready.  With --requests, large blocks follow, which are requested one at a time;
the last of their columns is how many of those that were ready were also in memory, all their pages.  Then, where anything was
requested, the share of all instructions of the program's own threads that went into requests (callgrind, ng-sim).
"""

import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import builds
import engine
import measure
import peers
import tables
import workloads
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


REQUESTS = ("requests", "requested_blocks", "requested_used", "requested_ready")
LARGE = ("requested_large", "requested_large_used", "requested_large_ready", "requested_large_faulted")


def requests(load, allocator):
    """The runtime's own counts of one run: REQUESTS and LARGE."""
    command = load.command(allocator)
    command.env["NGRT_STATS"] = "json"
    measure.run_once(command, 600)
    with open(command.stderr, encoding="utf-8", errors="replace") as file:
        stats = [json.loads(line) for line in file if line.startswith('{"ngrt"')]
    load.clear(command)
    return {name: sum(one[name] for one in stats) for name in (*REQUESTS, *LARGE)}


def costs(made):
    """(the program's own, {allocator: in and for allocation}) of {allocator: (by the program's code, by the allocator's)}."""
    bare = statistics.median(made[name][0] for name in made if name in peers.PEERS)
    return bare, {name: max(sum(both) - bare, both[1]) if name == peers.PASS else both[1] for name, both in made.items()}


def row(load):
    made = {name: executed(load, peers.allocator(name)) for name in NAMES}
    bare, cost = costs(made)
    return {"program": load.name, "bare": bare, "cost": cost, "least": min(cost[name] for name in peers.PEERS),
            "lost": sum(made[peers.PASS]) < bare, "asked": requests(load, peers.allocator(peers.PASS))}


REQUEST = "ngrt_request_slow"  # what a request calls that finds too little in its magazine; with NGRT_SLOW=1 each does
IN_LINE = 6  # instructions of a request, at most, besides that: test/pipeline/golden-requests.ll


def callgrind(load, command, folder, **env):
    """(calls of REQUEST, instructions in it and in what it calls).  Valgrind cannot read clang's debug information, so the
    program, which may look for files beside it, and the runtime run without."""
    out, program = os.path.join(folder, "callgrind.out"), shutil.which(command.argv[0]) + ".bare"
    try:
        for path, bare in ((program.removesuffix(".bare"), program), (peers.built("lib/libngrt.so"), os.path.join(folder, "libngrt.so.0"))):
            subprocess.run(["llvm-strip-19", "-g", path, "-o", bare], check=True)
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--toggle-collect={REQUEST}", f"--callgrind-out-file={out}", program,
                               *command.argv[1:]], env={**command.env, "LD_LIBRARY_PATH": folder, **env}, cwd=command.cwd,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
    finally:
        if os.path.exists(program):
            os.unlink(program)
    if done.returncode != load.status or not os.path.exists(out):
        raise tables.Failed(f"exit status {done.returncode} under callgrind: {done.stderr[-300:].decode(errors='replace')}")
    with open(out, encoding="utf-8") as file:
        return called(file.read())


def called(profile):
    """callgrind() of the text of a profile, which names a function once, and then by its number."""
    number = re.search(rf"^c?fn=\((\d+)\) {REQUEST}$", profile, re.M)
    calls = re.findall(rf"^cfn=\({number[1]}\).*\ncalls=(\d+) ", profile, re.M) if number else []
    return sum(map(int, calls)), int(re.search(r"^totals: (\d+)$", profile, re.M)[1])


def executed_by_requests(load, allocator):
    """(instructions of requests, of all that the program's own threads execute)."""
    with tempfile.TemporaryDirectory() as folder:
        made = callgrind(load, load.command(allocator), folder, NGRT_SLOW="1")[0]
        missed = callgrind(load, load.command(allocator), folder)[1]
    return made * IN_LINE + missed, sum(executed(load, allocator))


def share(part, whole):
    return f"{100 * part / whole:.1f}%" if whole else "-"


def show_requests(asked):
    return (f"{asked['requested_blocks']:>10}{share(asked['requested_used'], asked['requested_blocks']):>8}"
            f"{share(asked['requested_ready'], asked['requested_used']):>8}")


def show_large(asked):
    requested, used, ready, faulted = (asked[name] for name in LARGE)
    return f"{requested:>10}{share(used, requested):>8}{share(ready, used):>8}{share(faulted, ready):>11}"


def show_all_requests(asked, out):
    """A table out of (name, what requests() said, None or what executed_by_requests() said), line by line, and its totals."""
    print(f"{'':<22}{'blocks':>10}{'used':>8}{'ready':>8}{'large':>10}{'used':>8}{'ready':>8}{'in memory':>11}{'instructions':>14}", file=out)
    total = dict.fromkeys((*REQUESTS, *LARGE), 0)
    for name, one, instructions in asked:
        spent = f"{100 * instructions[0] / instructions[1]:.4f}%" if instructions else "-"
        print(f"{name:<22}{show_requests(one)}{show_large(one)}{spent:>14}", file=out, flush=True)
        total = {key: total[key] + one[key] for key in total}
    print(f"{'in all':<22}{show_requests(total)}{show_large(total)}", file=out)


class Example(engine.Load):
    """One of examples/, with the pass."""

    def __init__(self, name):
        super().__init__(f"examples/{name}", {"kind": "own", "threads": 1}, set())
        self.source = os.path.join(peers.ROOT, "examples", f"{name}.c")
        self.binary = os.path.join(peers.ROOT, "build", "examples", name)

    def prepare(self, builder, wanted):
        os.makedirs(os.path.dirname(self.binary), exist_ok=True)
        try:
            subprocess.run([peers.built("bin/ngcc"), "-O2", self.source, "-o", self.binary], check=True)
        except subprocess.CalledProcessError as failure:
            raise BuildFailed(str(failure)) from failure

    def command(self, allocator):
        return self.made(allocator, [self.binary])


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def show(rows, out):
    print("millions of instructions in and for allocation, the program's own threads", file=out)
    print(f"{'program':<11}{'all others':>12}" + "".join(f"{n:>16}" for n in NAMES)
          + f"{'of the least':>14}{'requested':>10}{'used':>8}{'ready':>8}", file=out)
    ratio = {r["program"]: r["cost"][peers.PASS] / r["least"] for r in rows}
    for r in rows:
        print(f"{r['program']:<11}{r['bare'] / 1e6:>12.1f}" + "".join(f"{r['cost'][n] / 1e6:>16.2f}" for n in NAMES)
              + f"{ratio[r['program']]:>14.2f}" + show_requests(r["asked"]), file=out)
    told = [ratio[r["program"]] for r in rows if not r["lost"]]
    if rows:
        print(f"in line, of the peer with the fewest: {mean(ratio.values()):.2f} in the geometric mean of {len(ratio)}", file=out)
    if told and len(told) < len(rows):
        lost = ", ".join(r["program"] for r in rows if r["lost"])
        print(f"without {lost}, where two builds differ by more than allocation costs: {mean(told):.2f}", file=out)


def all_requests(options, known, builder):
    """What show_all_requests() shows; what cannot be counted is told."""
    allocator = peers.allocator(peers.PASS)
    for load in loads(options, known, builder):
        try:
            asked = requests(load, allocator)
            any_asked = asked["requested_blocks"] or asked["requested_large"]
            yield load.name, asked, executed_by_requests(load, allocator) if any_asked else None
        except (tables.Failed, subprocess.CalledProcessError) as failure:
            builder.error(f"{load.name}: {failure}")


def loads(options, known, builder):
    """What is to be counted, built; what cannot be is told."""
    made = [engine.Real(known[name].scaled(options.scale), builder) for name in options.programs]
    if options.requests:
        made += [*engine.micro_loads(options.scale), *(engine.Own(w, options.scale) for w in workloads.WORKLOADS), Example("split")]
    for load in made:
        wanted = ["pass"] if options.requests else ["plain", "pass"]
        try:
            load.prepare(builder, wanted)
            if isinstance(load, engine.Real) and len(load.binaries) < len(wanted):
                continue  # the builder has told why
            yield load
            builder.progress.say(f"{load.name}: done")
        except (BuildFailed, builds.FetchFailed, peers.Missing, tables.Failed, OSError) as failure:
            builder.error(f"{load.name}: {failure}")


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--requests", action="store_true", help="what is requested alone, also by our own workloads")
    parser.add_argument("programs", nargs="*")
    options = parser.parse_args(argv)
    known = {p.name: p for p in PROGRAMS if p.elf is None}  # not a server, which a script drives
    unknown = [name for name in options.programs if name not in known]
    if unknown or not options.scale > 0:
        parser.error(f"no program '{unknown[0]}'; there are {', '.join(known)}" if unknown else "--scale: a number above 0")
    options.programs = options.programs or ([p for p in known if not known[p].packaged] if options.requests else SIX)
    builder = builds.Builder(builds.Progress(7200))
    builder.build_project((*builds.TARGETS, *(("micro_plain", "micro_ngrt", "workloads") if options.requests else ()), "ng-sim"))
    if options.requests:
        show_all_requests(all_requests(options, known, builder), sys.stdout)
    else:
        show([row(load) for load in loads(options, known, builder)], sys.stdout)
    return 1 if builder.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
