# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""tables.py: the paper's tables 1 to 3: misses by allocator, for each 1000 instructions of the program's own threads or for
each operation.  From the machine's counters where it has all of them, else from ng-sim; each table says which.

The paper's own figures stand beside ours where they are known: table 3's changes against mimalloc, table 2's factor.
"""

import json
import os
import statistics
import subprocess

import measure
import peers

GEOMETRIES = ("cortex-a72", "zen4")  # the paper's processor, and a current one
COUNTED = ("instructions", "dtlb-misses", "dtlb-store-misses", "llc-load-misses", "llc-store-misses")
# What a row of a table is made of, by ng-sim's names; dtlb is replaced by what perf counts on that processor.
COLUMNS = ("dTLB load", "dTLB store", "LLC load", "LLC store")
PAPER_CHANGE = {"time": -4.5, "dTLB load": -43, "LLC load": -23, "LLC store": -37}  # per cent, against mimalloc
PAPER_FACTOR = "more than 10"  # TCMalloc's misses at 8 threads against 1
THREADS = (1, 2, 4, 8)
PROCESSORS = 20  # that ng-sim tells programs of: 8 pairs of threads, the first one, and the room


class Failed(Exception):
    """A run gave no counts; the message says why."""


def counted(command, limit):
    """The machine's counters of a run, None where it has not all of them."""
    taken = measure.run_once(command, limit)
    if taken.hung or taken.status:
        raise Failed(f"{command.name}: exit status {taken.status}{', hung' * taken.hung}, see {command.stderr}")
    if any(not taken.counters.get(name) for name in COUNTED):
        return None
    return {"instructions": taken.counters["instructions"], "dTLB load": taken.counters["dtlb-misses"],
            "dTLB store": taken.counters["dtlb-store-misses"], "LLC load": taken.counters["llc-load-misses"],
            "LLC store": taken.counters["llc-store-misses"]}


def simulated(command, status, geometries=GEOMETRIES, processors=16, limit=3600):
    """ng-sim's counts of a run, by geometry."""
    env = dict(command.env)
    preload = env.pop("LD_PRELOAD", None)
    out = command.stdout + ".sim.json"
    argv = [peers.built("bin/ng-sim"), *(f"--geometry={g}" for g in geometries), f"--json={out}", "--top=0",
            f"--cpus={processors}"]
    if preload:
        argv.append(f"--preload={preload}")
    with open(command.stdout, "wb") as stdout, open(command.stderr, "wb") as stderr:
        try:
            done = subprocess.run([*argv, "--", *command.argv], env=env, cwd=command.cwd, stdin=subprocess.DEVNULL,
                                  stdout=stdout, stderr=stderr, timeout=limit, check=False)
        except subprocess.TimeoutExpired as failure:
            raise Failed(f"{command.name}: longer than {limit} s under ng-sim") from failure
    if done.returncode != status:
        raise Failed(f"{command.name}: exit status {done.returncode} under ng-sim, see {command.stderr}")
    with open(out, encoding="utf-8") as file:
        return json.load(file)


def totals(counts, geometry):
    """Sums over the program's own threads: the table's columns, instructions, what moved between cores, pages cleared."""
    tlb = counts["geometries"][geometry]["dtlb_event"]
    made = dict.fromkeys(("instructions", *COLUMNS, "moved", "cleared", "allocator LLC"), 0)
    for thread in counts["threads"]:
        if thread["apart"]:
            continue
        for who in ("program", "allocator"):
            part = thread[who]
            events = part["machines"][geometry]
            made["instructions"] += part["instructions"]
            made["cleared"] += events["cleared"]
            for what in ("load", "store"):
                made[f"dTLB {what}"] += events[f"{tlb}_{what}"]
                made[f"LLC {what}"] += events[f"llc_{what}"]
                made["moved"] += events[f"move_{what}"] + events[f"upgrade_{what}"]
                made["allocator LLC"] += events[f"llc_{what}"] if who == "allocator" else 0
    return made


def rates(sums):
    """For each 1000 instructions.  LLC stores are those of the program and those of the kernel where it cleared pages for it,
    as perf counts both; `own LLC store` leaves the kernel's out."""
    per = {name: 1000 * sums[name] / sums["instructions"] for name in sums if name != "instructions"}
    per["own LLC store"] = per["LLC store"]
    per["LLC store"] += per.get("cleared", 0)
    return per


def gather(load, allocators, options, say, geometries=GEOMETRIES, processors=16):
    """({source: {allocator: sums}}, the source's description): source is a geometry, or "counters"."""
    made, source = {}, None
    for allocator in allocators:
        say(f"{load.name} with {allocator.name}")
        command = load.command(allocator)
        if command is None:
            continue
        sums = counted(command, options.limit) if source in (None, "counters") else None
        if sums:
            source = "counters"
            made.setdefault("counters", {})[allocator.name] = sums
            continue
        source = "ng-sim"
        counts = simulated(command, load.status, geometries, processors)
        for geometry in geometries:
            made.setdefault(geometry, {})[allocator.name] = totals(counts, geometry)
    return made, source


def said(source, geometry):
    return ("from the processor's own counters" if source == "counters"
            else f"simulated by ng-sim, geometry {geometry} (this machine has no such counters)")


def table_1(made, source, out):
    for geometry, by_allocator in made.items():
        print(f"\nTable 1: misses for each 1000 instructions, {said(source, geometry)}", file=out)
        print(f"{'':<16}{'instructions':>16}" + "".join(f"{c:>12}" for c in (*COLUMNS, "own LLC st.")), file=out)
        for name, sums in by_allocator.items():
            per = rates(sums)
            print(f"{name:<16}{sums['instructions']:>16,}"
                  + "".join(f"{per[c]:>12.4f}" for c in (*COLUMNS, "own LLC store")), file=out)


def table_2(made, source, operations, out):
    """`made`: {pairs: {geometry: {allocator: sums}}}."""
    for geometry in next(iter(made.values())):
        print(f"\nTable 2: misses of the last level and lines moved between cores, for each operation, {said(source, geometry)}",
              file=out)
        pairs = list(made)
        print(f"{'pairs of threads':<20}" + "".join(f"{n:>10}" for n in pairs) + f"{'last / first':>16}", file=out)
        for name in made[pairs[0]][geometry]:
            line = [per_operation(made[n][geometry][name], operations) for n in pairs if name in made[n][geometry]]
            print(f"{name:<20}" + "".join(f"{x:>10.3f}" for x in line) + f"{line[-1] / line[0]:>16.2f}", file=out)
        print(f"the paper, TCMalloc, 1 to 8 threads: {PAPER_FACTOR} times", file=out)


def per_operation(sums, operations):
    return (sums["LLC load"] + sums["LLC store"] + sums.get("cleared", 0) + sums.get("moved", 0)) / operations


def change(ours, theirs):
    return 100 * (ours / theirs - 1) if theirs else float("nan")


def table_3(made, source, ours, theirs, out):
    for geometry, by_allocator in made.items():
        print(f"\nTable 3: {ours} against {theirs}; misses for each 1000 instructions {said(source, geometry)}", file=out)
        print(f"{'':<16}{theirs:>14}{ours:>16}{'change':>10}{'the paper':>12}", file=out)
        mine, other = rates(by_allocator[ours]), rates(by_allocator[theirs])
        for name in (*COLUMNS, "own LLC store"):
            row(name, other[name], mine[name], PAPER_CHANGE.get(name), out)


def row(name, other, mine, paper, out):
    beside = f"{paper:+.1f} %" if paper is not None else "-"
    print(f"{name:<16}{other:>14.4f}{mine:>16.4f}{change(mine, other):>+8.1f} %{beside:>12}", file=out)


def times(load, allocators, options, out):
    """Table 3's row of elapsed seconds: medians of interleaved runs."""
    seconds = {}
    for _ in range(options.rounds):
        for allocator in allocators:
            seconds.setdefault(allocator.name, []).append(measure.run_once(load.command(allocator), options.limit).elapsed)
    ours, theirs = (statistics.median(seconds[a.name]) for a in allocators)
    row("time, s", theirs, ours, PAPER_CHANGE["time"], out)


def save(path, **content):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)


def run(number, loads, allocators, options, say, out):
    """Takes and prints a table.  `loads`: the one program; for table 2 the producers and consumers by number of pairs."""
    if number == 2:
        made, source = {}, None
        for pairs, load in loads.items():
            made[pairs], source = gather(load, allocators, options, say, processors=PROCESSORS)
        operations = 2 * round(8000000 * options.scale)  # one malloc and one free a block: producer_consumer.c
        table_2(made, source, operations, out)
        save(options.json, table=2, source=source, operations=operations, sums=made)
        return
    made, source = gather(loads[0], allocators, options, say)
    if number == 1:
        table_1(made, source, out)
        save(options.json, table=1, source=source, sums=made)
        return
    table_3(made, source, allocators[0].name, allocators[1].name, out)
    save(options.json, table=3, source=source, sums=made)
