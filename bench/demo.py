#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""demo.py: real programs of Debian with every allocator, side by side.  Started by scripts/demo, which see.

Each program is built twice from Debian's sources with the same flags: by clang-19 and by ngcc or ng++.  The first runs
with glibc's malloc and, by LD_PRELOAD, with each peer and with libngrt; the second is the whole of NextGen-Malloc.
Every run's output is compared with that under glibc.  What fails is said in one line, the others go on, and the exit
status is 1 (2: the arguments are wrong).
"""

import argparse
import dataclasses
import json
import os
import platform
import random
import re
import subprocess
import sys
import time

import measure
import peers
from builds import Builder, Progress, clock, repeat, status_failure
from peers import Missing
from programs import PROGRAMS, BuildFailed

OURS, PRELOADED = peers.PASS, peers.PRELOADED
GROWTH = {"-O2": 6.0, "-Os": 0.5}  # limits for the text of programs, percent


class Demo(Builder):
    def __init__(self, options):
        super().__init__(Progress(options.budget, float(os.environ.get("NGRT_DEMO_STARTED") or 0)))
        self.options = options

    # Runs -----------------------------------------------------------------------------------------------------------

    def commands(self, program, binaries):
        """Every allocator's command, glibc's first."""
        made = []
        for name in (*peers.PEERS, PRELOADED, OURS):
            if self.options.allocators and name not in self.options.allocators and name != "glibc":
                continue
            try:
                preload = peers.library(name) if name in peers.PEERS else None
                if name == PRELOADED:
                    preload = peers.built("lib/libngrt.so")
                which = "ngcc" if name == OURS else "clang"
                if which in binaries:
                    made.append(self.command(program, name, binaries[which], peers.environment(preload)))
            except Missing as failure:
                self.error(f"{program.name} with {name}: {failure}")
        return made

    def run(self, program, command, expected):
        """One run, its output checked; None where it failed, with a line that says how to repeat it."""
        self.clear(program, command)
        sample = measure.run_once(command, self.options.limit)
        why = status_failure(sample, program.status, self.options.limit)
        if why is None and expected is not None and self.outputs(program, command) != expected:
            why = "its output is not that under glibc"
        if why is None:
            return sample
        self.error(f"{program.name} with {command.name}: {why}; to repeat: {repeat(command)}")
        return None

    def measure(self, program, binaries):
        """All runs of one program: one of each to warm up and to compare outputs, then the interleaved rounds."""
        commands = self.commands(program, binaries)
        first = self.run(program, commands[0], None)
        if first is None:
            return
        expected = self.outputs(program, commands[0])
        working, seconds = commands[:1], first.elapsed
        for command in commands[1:]:
            sample = self.run(program, command, expected)
            if sample is not None:
                working.append(command)
                seconds += sample.elapsed
        peak = first.peak
        round_seconds = seconds * 1.03 + 0.1 * len(working)
        count = self.affordable(program, round_seconds)
        samples = {command.name: [] for command in working}
        failed = set()
        self.progress.plan(count * round_seconds)
        for number, command in measure.rounds(working, count, self.options.seed):
            if command.name in failed:
                continue
            self.progress.say(f"{program.name}: round {number + 1} of {count}, {command.name}", passing=True)
            written = self.clear(program, command)  # goes through memory too
            if self.options.memory == "warm":
                # More than enough: which of the free pages the kernel takes is not the allocator's choice, and a page that the
                # hypervisor must find first costs whoever gets it several others' time, a file's page cache included.
                measure.warm(peak * 3 // 2 + written)
            sample = self.run(program, command, expected)
            self.progress.done(round_seconds / len(working))
            if sample is None:
                failed.add(command.name)
                continue
            peak = max(peak, sample.peak)
            sample.round = number
            samples[command.name].append(sample)
        measured = {name: taken for name, taken in samples.items() if name not in failed}
        self.result(program)["samples"] = {n: [{**dataclasses.asdict(s), "rss": []} for s in taken]
                                           for n, taken in measured.items()}
        for command in working:
            if command.name in (PRELOADED, OURS) and command.name not in failed:
                self.statistics(program, command)
        self.progress.say(f"{program.name}: {count} rounds of {len(working)} allocators done")

    def affordable(self, program, round_seconds):
        """The rounds asked for, or what the time left allows, at least three."""
        wanted = self.options.runs
        others = self.progress.left  # what is planned for the programs after this one
        fit = int((self.progress.seconds() - others) / round_seconds) if round_seconds else wanted
        count = max(3, min(wanted, fit))
        if count < wanted:
            self.progress.say(f"{program.name}: {count} rounds instead of {wanted}, to end in time (--budget)")
        return count

    def statistics(self, program, command):
        """One more run, untimed, that asks our runtime what it did."""
        asked = dataclasses.replace(command, env={**command.env, "NGRT_STATS": "json"})
        measure.run_once(asked, self.options.limit)
        with open(asked.stderr, encoding="utf-8", errors="replace") as file:
            lines = [line for line in file if line.startswith("{")]
        try:
            self.result(program).setdefault("statistics", {})[command.name] = json.loads(lines[-1])
        except (IndexError, ValueError):
            self.error(f"{program.name} with {command.name}: NGRT_STATS=json gave no statistics")

    # The table ------------------------------------------------------------------------------------------------------

    def samples(self, name):
        """{allocator: [Sample]} of one program."""
        taken = self.results.get(name, {}).get("samples", {})
        return {who: [measure.Sample(**s) for s in runs] for who, runs in taken.items() if runs}

    def fastest_peer(self, samples):
        there = [name for name in peers.PEERS if name in samples]
        return min(there, key=lambda name: measure.median(samples[name])) if there else None

    def table(self, out):
        for program in PROGRAMS:
            samples = self.samples(program.name)
            if not samples:
                continue
            result, best = self.results[program.name], self.fastest_peer(samples)
            rounds = max(len(taken) for taken in samples.values())
            print(f"\n{program.name} {result['version']} ({program.language}): {program.work}; {rounds} runs each",
                  file=out)
            print(f"  {'allocator':<15} {'elapsed s':>9} {'spread':>7} {'user s':>7} {'system s':>8} {'peak MB':>8} "
                  f"{'faults':>8}  against {best}", file=out)
            for name, taken in samples.items():
                middle, low, high = measure.ratio(taken, samples[best])
                against = "(the fastest peer)" if name == best else f"{middle:.3f} ({low:.3f} to {high:.3f})"
                print(f"  {name:<15} {measure.median(taken):9.3f} {measure.spread(taken) * 100:5.1f} % "
                      f"{measure.median(taken, 'user'):7.2f} {measure.median(taken, 'system'):8.2f} "
                      f"{measure.median(taken, 'peak') / 1024:8.1f} {measure.median(taken, 'faults'):8.0f}  {against}",
                      file=out)
            for name, numbers in result.get("statistics", {}).items():
                print(f"  {name}: {found_ready(numbers)}", file=out)

    def summary(self, out):
        """One line a program: every allocator's elapsed time against the fastest peer of that program."""
        rows = [(p.name, s, self.fastest_peer(s)) for p in PROGRAMS if (s := self.samples(p.name))]
        rows = [row for row in rows if row[2]]
        if not rows:
            return
        names = [n for n in (*peers.PEERS, PRELOADED, OURS) if any(n in s for _, s, _ in rows)]
        width = max(len(name) for name in names) + 1
        print("\nelapsed time, the fastest peer of each program = 1 (less is better)", file=out)
        print("  " + " " * 12 + "".join(f"{name:>{width}}" for name in names), file=out)
        columns = {name: [] for name in names}
        for program, samples, best in rows:
            line = f"  {program:<12}"
            for name in names:
                if name in samples:
                    value = measure.median(samples[name]) / measure.median(samples[best])
                    columns[name].append(value)
                    line += f"{value:{width}.3f}"
                else:
                    line += " " * (width - 1) + "-"
            print(line, file=out)
        line = f"  {'all':<12}"
        for name in names:
            full = len(columns[name]) == len(rows)
            line += f"{measure.geometric_mean(columns[name]):{width}.3f}" if full else " " * (width - 1) + "-"
        print(line + "   (geometric mean)", file=out)

    def too_slow(self):
        """Programs that ours runs slower than their fastest peer by more than 2 %, for --check."""
        for program in PROGRAMS:
            samples = self.samples(program.name)
            best = self.fastest_peer(samples)
            for name in (PRELOADED, OURS):
                if best and name in samples:
                    middle, low, high = measure.ratio(samples[name], samples[best])
                    if middle > 1.02:
                        yield (f"{program.name} with {name}: {(middle - 1) * 100:.1f} % slower than with {best} "
                               f"({low:.3f} to {high:.3f})")

    # Text growth ----------------------------------------------------------------------------------------------------

    def sizes(self, programs, levels, out):
        print("\ntext of the programs in bytes: by clang-19, by ngcc, growth", file=out)
        for level in levels:
            for program in programs:
                try:
                    plain, ours = (text_bytes(program, self.build(program, which, level))
                                   for which in ("clang", "ngcc"))
                except (BuildFailed, Missing, OSError) as failure:
                    self.error(f"{program.name} {level}: {failure}")
                    continue
                growth = (ours / plain - 1) * 100
                self.result(program).setdefault("text", {})[level] = {"clang": plain, "ngcc": ours}
                print(f"  {program.name:<12} {level} {plain:>9} {ours:>9}  {growth:+.2f} % (limit {GROWTH[level]} %)",
                      file=out)
                if growth > GROWTH[level]:
                    self.error(f"{program.name} {level}: text grows by {growth:.2f} %, the limit is {GROWTH[level]} %")

    # All of it ------------------------------------------------------------------------------------------------------

    def write_json(self, processors, busy):
        kind = "sizes" if self.options.sizes else f"{len(processors)}cpu"
        path = self.options.json or os.path.join(self.work, f"results-{kind}.json")
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = re.search(r"model name\s*:\s*(.*)", file.read())
        about = {
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "kernel": platform.release(),
            "processor": model.group(1) if model else platform.machine(), "processors": processors,
            "busy": busy, "seed": self.options.seed, "memory": self.options.memory,
            "errors": self.errors, "programs": self.results,
        }
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(about, file, indent=1)
        os.replace(path + ".new", path)
        return path

    def show(self, out):
        """The tables of what is measured so far."""
        self.table(out)
        self.summary(out)

    def measure_all(self, ready, run_seconds):
        """Runs every program; the numbers are on disk after each.  Stopped half way, the tables show what there is."""
        processors = measure.use_processors(self.options.cpus)
        busy = measure.busy_elsewhere()
        if busy > 0.1:
            self.progress.say(f"NOTE: other programs use {busy * 100:.0f} % of this machine: elapsed times will be off")
        try:
            for program, binaries in ready:
                self.progress.done(run_seconds)
                self.measure(program, binaries)
                self.write_json(processors, busy)
        except KeyboardInterrupt:
            self.error("stopped before the end; what is built is kept")
        self.progress.left = 0
        print(f"\non {len(processors)} processor{'s' * (len(processors) > 1)}, {busy * 100:.0f} % of the machine used by "
              f"others at the start, free memory {self.options.memory}; times are medians, spread is half the range of "
              "the quartiles, intervals are 95 %")
        self.show(sys.stdout)
        for line in self.too_slow() if self.options.check else ():
            self.error(line)
        return self.write_json(processors, busy)

    def main(self, programs):
        run_seconds = 7.5 * (self.options.runs + 2) if not self.options.sizes else 0
        self.progress.plan(40 + len(programs) * (20 + run_seconds))
        self.build_project()
        self.progress.done(40)
        ready = []
        for program in programs:
            self.progress.say(f"{program.name}: sources and builds", passing=True)
            binaries = self.prepare(program)
            self.progress.done(20)
            if "clang" in binaries:
                ready.append((program, binaries))
            else:
                self.progress.done(run_seconds)
        numbers = None if self.options.sizes else self.measure_all(ready, run_seconds)
        both = [program for program, binaries in ready if len(binaries) == 2]
        if both:
            self.sizes(both, ("-O2", "-Os") if self.options.sizes else ("-O2",), sys.stdout)
        numbers = numbers or self.write_json(sorted(os.sched_getaffinity(0)), None)
        print(f"\nall numbers: {numbers}; it took {clock(time.time() - self.progress.started)}")
        if self.errors:
            print(f"\n{len(self.errors)} error{'s' * (len(self.errors) > 1)}:")
            for line in self.errors:
                print(f"  {line}")
        return 1 if self.errors else 0


def found_ready(numbers):
    """What our statistics say of how many allocations found their block ready; for the rest the thread served itself."""
    try:
        calls, ready = numbers["allocations"], numbers["ready"]
        return (f"{ready} of {calls} allocations ({ready / calls * 100 if calls else 100:.2f} %) found their block ready; "
                f"served by the thread itself: {numbers['late']} with the room at work, {numbers['self_served']} without; "
                f"page faults: {numbers['room_faults']} by the room, {numbers['program_faults']} by the program")
    except KeyError as missing:
        return f"statistics without {missing}"


def text_bytes(program, binary):
    """The bytes of the .text section of a build's binary, or of what it runs where it is a script."""
    if program.elf:
        binary = binary.removesuffix(program.binary) + program.elf
    with open(binary, "rb") as file:
        if file.read(4) != b"\x7fELF":
            raise BuildFailed(f"{binary} is no ELF file, so it has no text to count")
    listed = subprocess.run(["size", "-A", binary], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^\.text\s+(\d+)", listed, re.M).group(1))


def show_file(options):
    demo = Demo(options)
    try:
        with open(options.show, encoding="utf-8") as file:
            demo.results = json.load(file)["programs"]
    except (OSError, ValueError, KeyError) as failure:
        print(f"demo: {options.show} is no file that --json wrote: {failure}", file=sys.stderr)
        return 2
    demo.show(sys.stdout)
    return 0


def parse(arguments):
    names = [p.name for p in PROGRAMS]
    standard = [p.name for p in PROGRAMS if not p.extra]
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.split("\n\n")[1])
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 7")
    parser.add_argument("--programs", default="standard", metavar="A,B",
                        help=f"of: {', '.join(names)}; or standard ({', '.join(standard)}), or all")
    parser.add_argument("--allocators", default="", metavar="A,B",
                        help=f"of: {', '.join([*peers.PEERS, PRELOADED, OURS])}; glibc always runs")
    parser.add_argument("--cpus", type=int, metavar="N", help="run the programs on N processors (1: no core is to "
                        "spare for the room); default 2, or 1 where there is but one")
    parser.add_argument("--runs", type=int, metavar="N", help="rounds, whatever --quick says")
    parser.add_argument("--sizes", action="store_true", help="no runs: text growth at -O2 and -Os")
    parser.add_argument("--check", action="store_true",
                        help="also fail where ours is slower than a program's fastest peer by more than 2 %%")
    parser.add_argument("--memory", choices=("warm", "cold"), default="warm",
                        help="warm (default): touch as much memory as the program needs before each run")
    parser.add_argument("--budget", type=float, default=880, metavar="SECONDS", help="rounds are left out to end by then")
    parser.add_argument("--limit", type=float, default=60, metavar="SECONDS", help="a run that takes longer has failed")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 16), help="of the order of runs")
    parser.add_argument("--json", metavar="FILE", help="where the numbers go; default: below build/demo")
    parser.add_argument("--show", metavar="FILE", help="no runs: the tables of a --json file")
    options = parser.parse_args(arguments)
    if options.runs is None:
        options.runs = 3 if options.quick else 7
    if options.cpus is None:
        options.cpus = min(2, len(os.sched_getaffinity(0)))
    if options.runs < 1 or not 1 <= options.cpus <= len(os.sched_getaffinity(0)):
        parser.error(f"--runs is at least 1, --cpus is 1 to {len(os.sched_getaffinity(0))} here")
    options.allocators = [a for a in options.allocators.split(",") if a]
    if unknown := [a for a in options.allocators if a not in (*peers.PEERS, PRELOADED, OURS)]:
        parser.error(f"no allocator '{unknown[0]}'; known: {', '.join([*peers.PEERS, PRELOADED, OURS])}")
    asked = {"standard": standard, "all": names}.get(options.programs, options.programs.split(","))
    if unknown := [name for name in asked if name not in names]:
        parser.error(f"no program '{unknown[0]}'; known: {', '.join(names)}, standard, all")
    return options, [p for p in PROGRAMS if p.name in asked]


if __name__ == "__main__":
    chosen, programs_asked = parse(sys.argv[1:])
    if chosen.show:
        sys.exit(show_file(chosen))
    try:
        sys.exit(Demo(chosen).main(programs_asked))
    except KeyboardInterrupt:
        sys.exit("\ndemo: stopped; what is built is kept, the next run goes on from there")
