# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""engine.py: what bench/run measures and how: workloads of three kinds as commands, and the rounds over all of them.

A load is anything that can be run with an allocator: a micro benchmark, one of our own workloads, a real program.  Each
round runs every load once with every allocator, loads and allocators in random order, the allocators of a load one right
after the other.  The results are on disk after each round.
"""

import os
import re
import subprocess
import time

import builds
import measure
import peers
import results as files
from peers import ROOT, Missing
from programs import PACKAGED, PROGRAMS, BuildFailed

FEWEST = 3  # rounds, whatever the time
SLOWER = 1.1  # than the last round: what one may be
SHORTEST = 0.2  # of a real program's work, however small the scale


class Load:
    """Base of the three kinds.  `about` goes into the results; `tags` are the groups that name it."""

    status = 0

    def __init__(self, name, about, tags):
        self.name, self.about, self.tags = name, about, tags
        self.folder = os.path.join(ROOT, "build", "bench", "run", name)

    def made(self, allocator, argv):
        os.makedirs(self.folder, exist_ok=True)
        return measure.Command(allocator.name, argv, allocator.environment(), self.folder,
                               os.path.join(self.folder, "stdout"), os.path.join(self.folder, "stderr"))

    def prepare(self, builder, wanted):
        """Builds what it needs; `wanted`: plain, pass, lto."""

    def command(self, allocator):
        """None where there is no such build of it; raises Missing where there should be one."""
        raise NotImplementedError

    def clear(self, command):
        """Removes what a run wrote; how many KiB that was."""
        return 0

    def outputs(self, command):
        """What must be the same with every allocator."""
        return measure.digest([command.stdout])

    def measured(self, command):
        """({figure: value}, latency or None) that the run itself printed."""
        return {}, None


class Micro(Load):
    """One of bench/micro.  Its output is its time, so there is nothing to compare."""

    ROUNDS = 5

    def __init__(self, name, operations, what, scale):
        threads = 2 if name in ("producer-consumer", "exchange") else 1
        super().__init__(f"micro/{name}", {"kind": "own", "stands_for": what, "language": "C", "threads": threads,
                                           "figure": "ns", "unit": "ns"},
                         {"micro", "own", "quick"} | ({"threads"} if threads > 1 else set()))
        self.arguments = [name, str(max(1000, int(operations * scale))), str(self.ROUNDS)]

    def command(self, allocator):
        binary = {"plain": "micro_plain", "pass": "micro_ngrt", "lto": "micro_lto"}[allocator.build]
        return self.made(allocator, [peers.built(f"bench/{binary}"), *self.arguments])

    def outputs(self, command):
        return None

    def measured(self, command):
        with open(command.stdout, encoding="utf-8") as file:
            return {"ns": float(file.read().split()[2])}, None


class Own(Load):
    """One of bench/workloads."""

    def __init__(self, workload, scale, pairs=None):
        groups = {"own"} | ({"quick"} if workload.quick else set()) | ({"threads"} if workload.threads > 1 else set())
        groups |= {"growth"} if workload.name.startswith("grow") else set()
        super().__init__(f"{workload.name}/{pairs}" if pairs else workload.name,
                         {"kind": "own", "stands_for": workload.stands_for, "language": workload.language,
                          "threads": 2 * pairs if pairs else workload.threads, "figure": workload.figure,
                          "unit": workload.unit, "asks": workload.asks}, groups)
        self.file = workload.name
        self.arguments = [f"{scale:g}"] + ([str(pairs)] if pairs else [])

    def command(self, allocator):
        return self.made(allocator, [peers.built(f"bench/workloads/{allocator.build}/{self.file}"), *self.arguments])

    def measured(self, command):
        with open(command.stderr, encoding="utf-8", errors="replace") as file:
            return parse_figures(file.read())


def parse_figures(text):
    """({figure: value}, latency or None) out of lines `figure NAME VALUE` and `latency PHASE PERCENTILE|worst NS`.  The phase
    noise is what measuring itself costs; the last of the others stands for the run."""
    figures, phases, worst = {}, {}, {}
    for words in (line.split() for line in text.splitlines()):
        if len(words) == 3 and words[0] == "figure":
            figures[words[1]] = float(words[2])
        elif len(words) == 4 and words[:3:2] == ["latency", "worst"]:
            worst[words[1]] = float(words[3])
        elif len(words) == 4 and words[0] == "latency":
            phases.setdefault(words[1], []).append([float(words[2]), float(words[3])])
    names = [name for name in phases if name != "noise"]
    if not names:
        return figures, None
    return figures, {"percentiles": phases[names[-1]], "worst": worst.get(names[-1]), "clock": figures.get("clock_ns"),
                     "noise": phases.get("noise", []), "phases": phases}


class Real(Load):
    """A real program, built by builder; one that is taken from Debian's package has only the plain build."""

    def __init__(self, program, builder):
        super().__init__(program.name, {"kind": "program", "stands_for": program.work, "language": program.language,
                                        "threads": program.threads, "figure": "elapsed", "unit": "s",
                                        "asks": program.asks},
                         {"programs"} | ({"quick"} if program.quick else set())
                         | (set() if program.extra else {"demo"}))
        self.program, self.builder, self.status = program, builder, program.status
        self.binaries = {}

    def prepare(self, builder, wanted):
        names = {"plain": "clang", "pass": "ngcc", "lto": "lto"}
        if self.program.packaged:
            self.binaries = {"plain": builder.packaged(self.program)}
            return
        made = builder.prepare(self.program, [names[w] for w in wanted])
        self.binaries = {w: made[names[w]] for w in wanted if names[w] in made}

    def command(self, allocator):
        binary = self.binaries.get(allocator.build)
        made = binary and self.builder.command(self.program, allocator.name, binary, allocator.environment())
        return made or None

    def clear(self, command):
        return self.builder.clear(self.program, command)

    def outputs(self, command):
        return self.builder.outputs(self.program, command)


def micro_loads(scale):
    listed = subprocess.run([peers.built("bench/micro_plain"), "--list"], capture_output=True, text=True, check=True).stdout
    return [Micro(words[0], int(words[1]), words[2], scale) for words in (l.split(None, 2) for l in listed.splitlines())]


class Measurement:
    """All rounds over all loads.  `results` is the file's content, filled as it goes."""

    def __init__(self, options, loads, allocators, results, progress, path):
        self.options, self.allocators, self.results = options, allocators, results
        self.loads, self.progress, self.path = loads, progress, path
        self.expected, self.seconds, self.peaks = {}, {}, {}
        self.pace = 1.0  # how much longer a round takes than the warm-up promised
        self.reference = peers.allocator("glibc", options.huge_pages)

    def error(self, text):
        self.results["errors"].append(text)
        self.progress.say(f"ERROR: {text}")

    def failed(self, load, allocator, text):
        """The cell keeps the reason and loses its runs."""
        self.results["cells"].setdefault(load.name, {})[allocator.name] = {"error": text, "runs": []}
        self.error(f"{load.name} with {allocator.name}: {text}")

    def cell(self, load, allocator):
        return self.results["cells"].get(load.name, {}).get(allocator.name, {"runs": []})

    def wanted(self, load):
        """The allocators that this load still runs with."""
        return [a for a in self.allocators if "error" not in self.cell(load, a) and (load.name, a.name) in self.seconds]

    def run(self, load, allocator, command):
        """(sample, figures, latency), or None where it failed, which is said."""
        load.clear(command)
        command.no_huge_pages = self.options.huge_pages == "off"
        try:
            others = measure.Others(self.results["processors"])
            sample = self.run_on_floor(load, command) if allocator.floor else measure.run_once(command, self.options.limit)
            sample.unsure = others.cost() if load.about["threads"] > 1 else 0.0
        except OSError as failure:
            self.failed(load, allocator, str(failure))
            return None
        why = builds.status_failure(sample, load.status, self.options.limit)
        if why is None and load.outputs(command) != self.expected.setdefault(load.name, load.outputs(command)):
            why = "its output is not that under glibc"
        try:
            figures, latency = load.measured(command) if why is None else ({}, None)
            if why is None and load.about["figure"] not in ("elapsed", *figures):
                why = f"it printed no figure {load.about['figure']}"
        except (ValueError, IndexError):
            why = "its figures cannot be read"
        if why:
            self.failed(load, allocator, f"{why}; to repeat: {builds.repeat(command)}")
            return None
        self.peaks[load.name] = max(sample.peak, self.peaks.get(load.name, 0))
        return sample, figures, latency

    def run_on_floor(self, load, command):
        """floor.c's part left out.  As much memory as the program needs with glibc, and a little more."""
        os.makedirs(load.folder, exist_ok=True)
        report = os.path.join(load.folder, "floor")
        mib = (self.peaks.get(load.name, 0) * 5 // 4 >> 10) + 16
        command.env.update(NGRT_BENCH_FLOOR_MIB=str(mib), NGRT_BENCH_FLOOR_REPORT=report)
        sample = measure.run_once(command, self.options.limit)
        with open(report, encoding="ascii") as file:
            took = {name: int(value) for name, value in map(str.split, file)}
        for name in ("elapsed", "user", "system"):
            setattr(sample, name, max(0.0, getattr(sample, name) - took[name] / 1e9))
        sample.faults -= took["faults"]
        return sample

    # Before the rounds ----------------------------------------------------------------------------------------------

    def command(self, load, allocator):
        try:
            return load.command(allocator)
        except Missing as failure:
            self.failed(load, allocator, str(failure))
            return None

    def warm_up(self):
        """One run of everything: what the output must be, that it works, and how long a round takes."""
        self.progress.say(f"warm-up: {len(self.loads)} workloads with {len(self.allocators)} allocators")
        started, count = time.time(), len(self.loads)
        for done, load in enumerate(self.loads):
            if done:  # every round will take about as long as this one
                each = (time.time() - started) / done
                self.progress.left = min(self.progress.seconds(), each * (count * (1 + self.options.rounds) - done))
            self.progress.say(f"warm-up: {load.name}", passing=True)
            if not self.try_once(load, self.reference):
                self.forget(load)
                continue
            for allocator in self.allocators:
                if allocator != self.reference and "error" not in self.cell(load, allocator):
                    self.try_once(load, allocator)
        self.loads = [load for load in self.loads if self.wanted(load)]

    def try_once(self, load, allocator):
        """Whether it ran and did what it should."""
        command = self.command(load, allocator)
        taken = command and self.run(load, allocator, command)
        if taken and allocator in self.allocators:
            self.seconds[load.name, allocator.name] = self.cost(load, taken[0])
        return bool(taken)

    def forget(self, load):
        """Without glibc's output there is nothing to compare the others with."""
        why = self.results["cells"].get(load.name, {}).get("glibc", {}).get("error")
        if why is None:
            why = "not built"
            self.error(f"{load.name}: {why}, left out")
        self.results["cells"][load.name] = {a.name: {"error": why, "runs": []} for a in self.allocators}

    def cost(self, load, sample):
        """About how long one run takes, with all that belongs to it."""
        touching = 0.05 + self.peaks[load.name] * 1.5 / 2e6 if self.options.memory == "warm" else 0
        return sample.elapsed * 1.03 + 0.05 + touching

    def load_seconds(self, load):
        """About how long a round of this takes, as the last round went."""
        return self.pace * sum(self.seconds[load.name, a.name] for a in self.wanted(load))

    def round_seconds(self):
        return sum(map(self.load_seconds, self.loads))

    def fit(self, rounds):
        """Leaves out the longest workloads where so many more rounds over all would not end in time."""
        while len(self.loads) > 1 and rounds * SLOWER * self.round_seconds() > self.progress.seconds():
            longest = max(self.loads, key=self.load_seconds)
            self.loads.remove(longest)
            self.results["cells"].pop(longest.name, None)
            self.results["workloads"].pop(longest.name, None)
            self.results["left_out"].append(longest.name)
            self.progress.say(f"{longest.name}: left out, {FEWEST} rounds of it would not end in time (--budget)")

    # The rounds -----------------------------------------------------------------------------------------------------

    def round(self, number):
        others = measure.Others(self.results["processors"])
        done, count = 0, sum(len(self.wanted(load)) for load in self.loads)
        for _, load in measure.rounds(self.loads, 1, self.options.seed, first=number):
            for _, allocator in measure.rounds(self.wanted(load), 1, f"{self.options.seed}/{load.name}", first=number):
                done += 1
                self.progress.say(f"round {number + 1} of {self.options.rounds}, {done} of {count}: {load.name} with "
                                  f"{allocator.name}", passing=True)
                self.one(load, allocator, number)
                self.progress.done(self.seconds[load.name, allocator.name])
        self.results["busy_by_round"].append(round(others.share(), 4))
        self.results["busy"] = sum(self.results["busy_by_round"]) / len(self.results["busy_by_round"])

    def one(self, load, allocator, number):
        command = load.command(allocator)
        written = load.clear(command)  # goes through memory too
        if self.options.memory == "warm":
            # More than enough: which of the free pages the kernel takes is not the allocator's choice, and a page that the
            # hypervisor must find first costs whoever gets it several others' time, a file's page cache included.
            measure.warm(self.peaks[load.name] * 3 // 2 + written)
        taken = self.run(load, allocator, command)
        if not taken:
            return
        sample, figures, latency = taken
        cell = self.results["cells"].setdefault(load.name, {}).setdefault(allocator.name, {"runs": []})
        cell["runs"].append(files.run_of(sample, number, figures))
        cell["rss"] = [[round(at, 4), kib] for at, kib in sample.rss]
        if latency:
            cell["latency"] = latency

    def rounds(self):
        """The rounds from where the file stands, as many as are asked for and as time allows."""
        self.drop_unfinished()
        number = self.results["rounds"]
        while number < self.options.rounds and any(self.wanted(load) for load in self.loads):
            self.fit(min(FEWEST, self.options.rounds) - number)
            expected = self.round_seconds()
            self.progress.left = min((self.options.rounds - number) * expected, max(expected, self.progress.seconds()))
            if number >= FEWEST and SLOWER * expected > self.progress.seconds():
                self.progress.say(f"{number} rounds instead of {self.options.rounds}, to end in time (--budget)")
                break
            started = time.time()
            self.round(number)
            number, seconds = number + 1, time.time() - started
            self.pace *= seconds / expected
            self.results["rounds"] = number
            files.write(self.results, self.path)
            self.progress.say(f"round {number} of {self.options.rounds} took {seconds:.0f} s")
        self.results["complete"] = True
        files.write(self.results, self.path)

    def drop_unfinished(self):
        """Of a round that was stopped half way nothing is kept: a round is what all met together."""
        for cells in self.results["cells"].values():
            for cell in cells.values():
                cell["runs"] = [run for run in cell["runs"] if run["round"] < self.results["rounds"]]
        del self.results["busy_by_round"][self.results["rounds"]:]


def real_loads(builder, scale):
    """A program that has too little to do times its start."""
    return [Real(program.scaled(max(scale, SHORTEST)), builder) for program in (*PROGRAMS, *PACKAGED)]


def prepare(loads, builder, wanted, deadline):
    """Builds what the loads need, as far as time allows; the loads that are ready."""
    ready = []
    for load in loads:
        if isinstance(load, Real) and not load.program.packaged and time.time() > deadline:
            builder.error(f"{load.name}: left out, no time to build it (--budget)")
            continue
        builder.progress.say(f"{load.name}: sources and builds", passing=True)
        try:
            load.prepare(builder, wanted)
        except (BuildFailed, Missing, OSError, re.error) as failure:
            builder.error(f"{load.name}: {failure}")
            continue
        ready.append(load)
    return ready
