#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""promoted.py [PROGRAM...]: what nextgen-promote does to the real programs of programs.py, beside LLVM's Attributor.

Each program is built three times: by clang-19 -O2, by the same with the Attributor, which converts heap to stack, and by
ngcc -O2.  The table has, for each program: the places that allocate; those from which each takes the allocation; the
allocations of one run that libngrt counts; and how many fewer there are by each.

Ours are counted by the records of optimization.  The Attributor records nothing: its places are those at which its binary has
fewer calls of allocation functions than clang's.  A place is a line and column in a function.  Where it took one that we
leave, our reason is shown; where there is none, that is a failure.  Exit: 0 all well, 1 not.
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
from programs import PROGRAMS, Build, BuildFailed

FIELD = r"^%s: +'?(.*?)'?$"
PLACE = re.compile(r"^DebugLoc: +\{ File: '?([^,']*)'?,\s+Line: (\d+),\s+Column: (\d+) \}", re.M)  # long ones are broken
FUNCTION = re.compile(FIELD % "Function", re.M)
SAID = re.compile(r"^  - \w+: +'?(.*?)'?$", re.M)
LINES = "-gline-tables-only "
RECORD = "-fsave-optimization-record -foptimization-record-passes=nextgen-promote"
BUILDS = {"clang": ("clang-19", "clang++-19", LINES),
          "attributor": ("clang-19", "clang++-19", LINES + "-mllvm -attributor-enable=all"),
          "ngcc": (None, None, LINES + RECORD)}
PROMOTED = "moved to the stack|allocated once"


class Promoted(builds.Builder):
    def folder(self, program, which):
        return os.path.join(self.work, "promoted", program.name, which)

    def built(self, program, which):
        """Builds the program; its binary."""
        folder = self.folder(program, which)
        stamp = os.path.join(folder, "stamp")
        cc, cxx, flags = BUILDS[which]
        if cc is None:
            cc, cxx = self.compilers("ngcc")
        made_of = " ".join([flags, *([measure.digest([peers.built("lib/NextGenPass.so")])] if which == "ngcc" else [])])
        if not (os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == made_of):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            sources = {p: self.sources.unpacked(p) for p in program.packages}
            program.build(Build(folder, sources, cc, cxx, f"-O2 {flags}"))
            with open(stamp, "w", encoding="utf-8") as file:
                file.write(made_of)
        return os.path.join(folder, program.binary)

    def calls(self, program, which, binary):
        """Allocations of one run, or None where the run is none that can be counted."""
        env = peers.environment(preload=peers.built("lib/libngrt.so"), NGRT_STATS="json")
        command = self.command(program, which, binary, env)
        sample = measure.run_once(command, 600)
        if sample.status != program.status:
            raise BuildFailed(f"{program.name} ({which}) ended with {sample.status}")
        with open(command.stderr, encoding="utf-8", errors="replace") as file:
            stats = [line for line in file if line.startswith('{"') and "allocations" in line]
        self.clear(program, command)
        return sum(json.loads(line)["allocations"] for line in stats) if stats else None


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in the source something is allocated, and the function that the code is in after inlining."""

    file: str
    line: int
    column: int
    function: str

    def __str__(self):
        return f"{self.file}:{self.line}:{self.column} in {self.function}"


def read_records(folder):
    """{place: [what was said]} of all records below the folder."""
    found = collections.defaultdict(list)
    for path in glob.glob(f"{glob.escape(folder)}/**/*.opt.yaml", recursive=True):
        with open(path, encoding="utf-8", errors="replace") as file:
            for record in file.read().split("--- !")[1:]:
                place, function = PLACE.search(record), FUNCTION.search(record)
                if place and function:
                    where = Place(os.path.basename(place[1]), int(place[2]), int(place[3]), function[1])
                    found[where].append("".join(SAID.findall(record)))
    return found


ALLOCATES = re.compile(r"^ *([0-9a-f]+):\t.*(?:call|jmp)q? .*<(?:malloc|calloc|realloc|aligned_alloc|_Zn[aw]m\w*)@plt>", re.M)


def calls_in(binary):
    """{place: calls of allocation functions} in the binary's code."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", binary], capture_output=True, text=True, check=True).stdout
    found = collections.Counter()
    addresses = "".join(f"0x{address}\n" for address in ALLOCATES.findall(code))
    said = subprocess.run(["/usr/lib/llvm-19/bin/llvm-symbolizer", f"--obj={binary}", "--output-style=JSON", "--no-demangle"],
                          input=addresses, capture_output=True, text=True, check=True).stdout
    for frames in (json.loads(line).get("Symbol", []) for line in said.splitlines()):
        if frames:
            at = frames[0]
            found[Place(os.path.basename(at["FileName"]), at["Line"], at["Column"], frames[-1]["FunctionName"])] += 1
    return found


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


def elf_of(binary):
    """libtool leaves a script where the program should be."""
    with open(binary, "rb") as file:
        if file.read(4) == b"\x7fELF":
            return binary
    return os.path.join(os.path.dirname(binary), ".libs", os.path.basename(binary))


def row(builder, program):
    binaries, calls = {}, {}
    for which in BUILDS:
        binaries[which] = builder.built(program, which)
        try:
            calls[which] = builder.calls(program, which, binaries[which])
        except BuildFailed as failure:
            if which != "attributor":
                raise
            builder.progress.say(str(failure))  # what LLVM leaves off by default may well be wrong
            calls[which] = None
    records = read_records(builder.folder(program, "ngcc"))
    before, after = (calls_in(elf_of(binaries[w])) for w in ("clang", "attributor"))
    taken = [place for place in before if after[place] < before[place]]
    lost = {place: why for place in taken if (why := why_not(place, records)) != ""}
    return {"program": program.name, "sites": len(records), "ours": sum(map(is_promoted, records.values())),
            "attributor": len(taken), "lost": lost, "calls": calls}


def fewer(r, which):
    """Allocations saved, None where one of the runs could not be counted."""
    plain, calls = r["calls"]["clang"], r["calls"][which]
    return plain - calls if plain is not None and calls is not None else None


def show(rows, out):
    def line(*cells):
        out.write("".join(f"{'-' if cell is None else cell:>12}" if at else f"{cell:<12}" for at, cell in enumerate(cells)) + "\n")

    line("program", "places", "Attributor", "promote", "allocations", "Attributor", "promote")
    for r in rows:
        line(r["program"], r["sites"], r["attributor"], r["ours"], r["calls"]["clang"], fewer(r, "attributor"), fewer(r, "ngcc"))
    line("in all", *(sum(r[key] for r in rows) for key in ("sites", "attributor", "ours")), sum(r["calls"]["clang"] or 0 for r in rows),
         *(sum(fewer(r, which) or 0 for r in rows) for which in ("attributor", "ngcc")))
    for r in rows:
        for place, why in r["lost"].items():
            out.write(f"{r['program']}: the Attributor alone takes {place}: {why or 'nextgen-promote says nothing'}\n")


def main():
    known = {p.name: p for p in PROGRAMS if p.elf is None}  # not a server, which a script drives
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"{', '.join(known)} (default: all)")
    options = parser.parse_args()
    for name in options.programs:
        if name not in known:
            parser.error(f"no program '{name}'; there are {', '.join(known)}")
    builder = Promoted(builds.Progress(3600))
    rows = []
    for program in [known[name] for name in options.programs] or known.values():
        try:
            for package in program.packages:
                builder.sources.get(package)
            rows.append(row(builder, program))
            builder.progress.say(f"{program.name}: done")
        except (BuildFailed, builds.FetchFailed, peers.Missing) as failure:
            builder.error(f"{program.name}: {failure}")
    show(rows, sys.stdout)
    unsaid = [place for r in rows for place, why in r["lost"].items() if why is None]
    return 1 if builder.errors or unsaid else 0


if __name__ == "__main__":
    sys.exit(main())
