#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""promoted.py [NAME...]: what nextgen-promote does to real code, beside LLVM's Attributor with heap-to-stack.

NAME is a project of test/projects (default: all of them) or another program of programs.py.  Each is built three times: by
clang-19 -O2, by the same with the Attributor (all its runs, blocks to 1024 bytes, as many as nextgen-promote moves), and by
ngcc -O2.  The table has, for each: the places that allocate; those from which each takes the allocation; the allocations of
one run of clang's build, of a project's tests or what it says to run in their place, and how many of those were at the places
that each takes.

Ours are counted by the records of optimization.  The Attributor records nothing: its places are those at which its binary has
fewer calls of allocation functions than clang's in the same function.  A place is a line and column in a function.  Where it
took one that we leave, our reason is shown; where there is none, that is a failure.  A file that the Attributor cannot
compile, or not within --limit seconds of processor time, is compiled without it, and counted in the table.  Exit: 0 all
well, 1 not.
"""

import argparse
import collections
import dataclasses
import glob
import json
import os
import re
import shutil
import subprocess
import sys

import builds
import measure
import peers
from programs import PROGRAMS, BuildFailed
from sources import Sources

sys.path.insert(0, os.path.join(peers.ROOT, "test", "projects"))
from build import LLVM, WORK, Build, fetched  # noqa: E402
from table import PROJECTS  # noqa: E402

FIELD = r"^%s: +'?(.*?)'?$"
PLACE = re.compile(r"^DebugLoc: +\{ File: '?([^,']*)'?,\s+Line: (\d+),\s+Column: (\d+) \}", re.M)  # long ones are broken
FUNCTION = re.compile(FIELD % "Function", re.M)
SAID = re.compile(r"^  - \w+: +'?(.*?)'?$", re.M)
LINES = "-gline-tables-only"
RECORD = "-fsave-optimization-record -foptimization-record-passes=nextgen-promote"
ATTRIBUTOR = "-Qunused-arguments -mllvm -attributor-enable=all -mllvm -max-heap-to-stack-size=1024"
BUILDS = {"clang": LINES, "attributor": LINES, "ngcc": f"{LINES} {RECORD}"}
PROMOTED = "moved to the stack|allocated once"

# The compiler with the Attributor, and without where that fails or does not end.
WRAPPER = """#!/bin/sh
(ulimit -t {limit} && exec {compiler} {flags} "$@" 2>{log}.$$) && exec rm -f {log}.$$
rm -f {log}.$$
{compiler} "$@" || exit
echo "$@" >>{log}
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in the source something is allocated, and the function that the code is in after inlining."""

    file: str
    line: int
    column: int
    function: str

    def __str__(self):
        return f"{self.file}:{self.line}:{self.column} in {self.function}"


class Subject:
    """A project or program: how it is built and run."""

    def __init__(self, made_of, is_project, options):
        self.made_of, self.name, self.is_project, self.options = made_of, made_of.name, is_project, options
        self.sources = Sources(WORK if is_project else builds.Builder(builds.Progress(3600)).work)

    def folder(self, which):
        return os.path.join(peers.ROOT, "build", "promoted", self.name, which)

    def compilers(self, which):
        if which == "ngcc":
            return peers.built("bin/ngcc"), peers.built("bin/ng++")
        if which == "clang":
            return f"{LLVM}/clang", f"{LLVM}/clang++"
        return tuple(self.wrapper(which, name) for name in ("clang", "clang++"))

    def wrapper(self, which, name):
        path = os.path.join(self.folder(which), "bin", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(WRAPPER.format(limit=self.options.limit, compiler=f"{LLVM}/{name}", flags=ATTRIBUTOR, log=self.without_log()))
        os.chmod(path, 0o755)
        return path

    def without_log(self):
        return os.path.join(self.folder("attributor"), "without")

    def without(self):
        """How many files the Attributor's build has that it did not go over."""
        if not os.path.exists(self.without_log()):
            return 0
        with open(self.without_log(), encoding="utf-8") as file:
            return sum(" -c " in f" {line}" for line in file)

    def build(self, which):
        """The build, made where there is none of the same."""
        folder = self.folder(which)
        sources = {p: self.sources.get(p) for p in self.made_of.packages}
        data = {p: fetched(p, self.sources) for p in self.made_of.data} if self.is_project else {}
        stamp, made_of = os.path.join(folder, "stamp"), " ".join([BUILDS[which], *sources.values(), ATTRIBUTOR, str(self.options.limit)])
        if which == "ngcc":
            made_of += measure.digest([peers.built("lib/NextGenPass.so")])
        is_made = os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == made_of
        if not is_made:
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        made = Build(folder, sources, data, *self.compilers(which), f"-O2 {BUILDS[which]}", self.options.jobs)
        if not is_made:
            self.made_of.build(made)
            with open(stamp, "w", encoding="utf-8") as file:
                file.write(made_of)
        return made

    def run(self, made):
        """{(module, return address): allocations} of one run of the build."""
        folder = made.path("places")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        os.chmod(folder, 0o777)  # tests may run as nobody
        counting = {"LD_PRELOAD": counter(), "NGRT_BENCH_PLACES": folder}
        if self.is_project:
            made.test_env = counting
            (self.made_of.count or self.made_of.test)(made)
        else:
            builder = builds.Builder(builds.Progress(3600))
            command = builder.command(self.made_of.scaled(self.options.scale), "clang", made.path(self.made_of.binary), peers.environment(**counting))
            measure.run_once(command, 1200)
            builder.clear(self.made_of, command)
        found = collections.Counter()
        for path in glob.glob(f"{folder}/*"):
            with open(path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    times, offset, module = line.rstrip("\n").split(" ", 2)
                    found[module, int(offset, 16)] += int(times)
        return {at: times for at, times in found.items() if at[0].startswith(made.folder)}


def function_of(name):
    """A constructor or destructor of a complete object and that of a base are one function where they are the same code."""
    return re.sub(r"([CD])1(?=E)", r"\g<1>2", name) if name.startswith("_Z") else name


def counter():
    """places.c, compiled where it is not yet or has changed."""
    source = os.path.join(peers.ROOT, "bench", "places.c")
    library = os.path.join(peers.ROOT, "build", "bench", "libplaces.so")
    if not os.path.exists(library) or os.path.getmtime(library) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(library), exist_ok=True)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    return library


def read_records(folder):
    """{place: [what was said]} of all records below the folder."""
    found = collections.defaultdict(list)
    for path in glob.glob(f"{glob.escape(folder)}/**/*.opt.yaml", recursive=True):
        with open(path, encoding="utf-8", errors="replace") as file:
            for record in file.read().split("--- !")[1:]:
                place, function = PLACE.search(record), FUNCTION.search(record)
                if place and function:
                    where = Place(os.path.basename(place[1]), int(place[2]), int(place[3]), function_of(function[1]))
                    found[where].append("".join(SAID.findall(record)))
    return found


ALLOCATES = re.compile(r"^ *([0-9a-f]+):\t.*(?:call|jmp)q? .*<(?:malloc|calloc|realloc|aligned_alloc|_Zn[aw]m\w*)@plt>"
                       r"(?:\n *([0-9a-f]+):)?", re.M)


@dataclasses.dataclass
class Code:
    """What is in one build's binaries: {place: calls of allocation functions}, {(binary, return address): place}, functions."""

    calls: dict
    returns: dict
    functions: set


def is_elf(path):
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16] in (2, 3)  # a program or shared library


def binaries(folder):
    """Of libtool's, too, which are in hidden folders."""
    return [path for path in sorted(glob.glob(f"{glob.escape(folder)}/**", recursive=True, include_hidden=True)) if is_elf(path)]


def read_code(folder):
    made = Code(collections.Counter(), {}, set())
    for binary in binaries(folder):
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", binary], capture_output=True, text=True, check=True).stdout
        made.functions.update(map(function_of, re.findall(r"^[0-9a-f]+ <([^>]*)>:$", code, re.M)))
        found = ALLOCATES.findall(code)
        said = subprocess.run([f"{LLVM}/llvm-symbolizer", f"--obj={binary}", "--output-style=JSON", "--no-demangle"],
                              input="".join(f"0x{address}\n" for address, _ in found), capture_output=True, text=True, check=True).stdout
        for (_, after), frames in zip(found, (json.loads(line).get("Symbol", []) for line in said.splitlines())):
            if frames:
                at = Place(os.path.basename(frames[0]["FileName"]), frames[0]["Line"], frames[0]["Column"],
                           function_of(frames[-1]["FunctionName"]))
                made.calls[binary, at] += 1
                if after:
                    made.returns[binary, int(after, 16)] = at
    # A place is in every program that the same object is linked into: once is enough.
    most = collections.Counter()
    for (_, at), calls in made.calls.items():
        most[at] = max(most[at], calls)
    made.calls = most
    return made


def is_promoted(said):
    return any(re.search(PROMOTED, text) for text in said)


def why_not(place, records):
    """What nextgen-promote says of a place that the Attributor took: "" if it took it too, None if it says nothing."""
    # A function may be inlined later, or under another name: then any function's word on that place of the source.
    here = records.get(place) or [text for other, said in records.items() for text in said
                                  if (other.file, other.line, other.column) == (place.file, place.line, place.column)]
    if is_promoted(here):
        return ""
    reasons = [text.split("heap: ")[-1] for text in here if "stays on the heap" in text]
    return reasons[0] if reasons else None


def row(subject):
    plain = subject.build("clang")
    subject.build("attributor")
    subject.build("ngcc")
    records = read_records(subject.folder("ngcc"))
    before, after = (read_code(subject.folder(which)) for which in ("clang", "attributor"))
    taken = {place: (calls - after.calls[place]) / calls for place, calls in before.calls.items()
             if after.calls[place] < calls and place.function in after.functions}
    ours = {place: 1 for place, said in records.items() if is_promoted(said)}
    made = collections.Counter()
    total = 0
    for at, times in subject.run(plain).items():
        total += times
        if at in before.returns:
            made[before.returns[at]] += times
    return {"name": subject.name, "sites": len(records), "ours": ours, "attributor": taken, "total": total, "without": subject.without(),
            "lost": {place: why for place in taken if (why := why_not(place, records)) != ""}, "made": made}


def saved(r, whose):
    return round(sum(r["made"][place] * part for place, part in r[whose].items()))


def show(rows, options, out):
    def line(*cells):
        out.write("".join(f"{cell:>12}" if at else f"{cell:<12}" for at, cell in enumerate(cells)) + "\n")

    line("", "places", "Attributor", "promote", "allocations", "Attributor", "promote", "without it")
    cells = [(r["name"], r["sites"], len(r["attributor"]), len(r["ours"]), r["total"], saved(r, "attributor"), saved(r, "ours"), r["without"]) for r in rows]
    for one in cells:
        line(*one)
    line("in all", *(sum(column) for column in list(zip(*cells))[1:]))
    out.write(f"without it: files that the Attributor could not compile, or not within {options.limit} s\n")
    for r in rows:
        for place, why in r["lost"].items():
            out.write(f"{r['name']}: the Attributor alone takes {place}, {round(r['made'][place] * r['attributor'][place])} allocations: "
                      f"{why or 'nextgen-promote says nothing'}\n")
        if options.places:
            for place in r["ours"]:
                out.write(f"{r['name']}: nextgen-promote takes {place}, {r['made'][place]} allocations\n")


def main():
    projects = {p.name: p for p in PROJECTS}
    known = {**{p.name: p for p in PROGRAMS if p.elf is None and not p.packaged}, **projects}  # not a server, which a script drives
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(known)} (default: {', '.join(projects)})")
    parser.add_argument("--limit", type=int, default=300, help="seconds of processor time that the Attributor has for a file (default 300)")
    parser.add_argument("--scale", type=float, default=0.1, help="how much of its work a program of programs.py does (default 0.1)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="of builds (default: the processors)")
    parser.add_argument("--places", action="store_true", help="shows each place that nextgen-promote takes")
    options = parser.parse_args()
    for name in options.names:
        if name not in known:
            parser.error(f"no program '{name}'; there are {', '.join(known)}")
    progress = builds.Progress(3600)
    rows, failed = [], False
    for name in options.names or projects:
        try:
            rows.append(row(Subject(known[name], name in projects, options)))
            progress.say(f"{name}: done")
        except (BuildFailed, builds.FetchFailed, peers.Missing, subprocess.CalledProcessError) as failure:
            progress.say(f"ERROR: {name}: {failure}")
            failed = True
    show(rows, options, sys.stdout)
    unsaid = [place for r in rows for place, why in r["lost"].items() if why is None]
    return 1 if failed or unsaid else 0


if __name__ == "__main__":
    sys.exit(main())
