#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""promoted.py: what nextgen-promote does to the real programs of programs.py, beside LLVM's Attributor.

    bench/promoted.py [PROGRAM...]     a table: allocation sites, those promoted by each, calls of the allocator that are saved

Each program is built three times: by clang-19 -O2, by the same with the Attributor (which converts heap to stack), and by
ngcc -O2.  Our sites are counted by the records of optimization, each place in the source once.  The Attributor records nothing, so
its sites are the calls of allocation functions that its binary has fewer than clang's.  Calls are those that libngrt counts in one run.
"""

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

PLACE = re.compile(r"^DebugLoc: +\{ File: '?(.*?)'?, Line: (\d+), Column: (\d+) \}", re.M)
SAID = re.compile(r"^  - \w+: +'?(.*?)'?$", re.M)
RECORD = "-gline-tables-only -fsave-optimization-record -foptimization-record-passes="
BUILDS = {"clang": ("clang-19", "clang++-19", ""),
          "attributor": ("clang-19", "clang++-19", "-mllvm -attributor-enable=all"),
          "ngcc": (None, None, RECORD + "nextgen-promote")}


class Promoted(builds.Builder):
    def records(self, program, which):
        """Builds the program; (its binary, what the compilers recorded)."""
        folder = os.path.join(self.work, "promoted", program.name, which)
        binary = os.path.join(folder, program.binary)
        stamp = os.path.join(folder, "stamp")
        cc, cxx, flags = BUILDS[which]
        if cc is None:
            cc, cxx = self.compilers("ngcc")
        made_of = measure.digest([__file__, *([peers.built("lib/NextGenPass.so")] if which == "ngcc" else [])])
        if not (os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == made_of):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            sources = {p: self.sources.unpacked(p) for p in program.packages}
            program.build(Build(folder, sources, cc, cxx, f"-O2 {flags}".strip()))
            with open(stamp, "w", encoding="utf-8") as file:
                file.write(made_of)
        return binary, read_records(folder)

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


def read_records(folder):
    """[(place in the source, what was said)] of all records below the folder."""
    found = []
    for path in glob.glob(f"{glob.escape(folder)}/**/*.opt.yaml", recursive=True):
        with open(path, encoding="utf-8", errors="replace") as file:
            for record in file.read().split("--- !")[1:]:
                place = PLACE.search(record)
                where = (os.path.basename(place[1]), int(place[2]), int(place[3])) if place else ("?", 0, 0)
                found.append((where, "".join(SAID.findall(record))))
    return found


ALLOCATES = re.compile(r"(?:call|jmp)q? .*<(?:malloc|calloc|realloc|aligned_alloc|_Zn[aw]m\w*)@plt>")


def sites_in(binary):
    """Calls of allocation functions in the binary's code."""
    return len(ALLOCATES.findall(subprocess.run(["objdump", "-d", "--no-show-raw-insn", binary], capture_output=True,
                                                text=True, check=True).stdout))


def places(records, want):
    """{place in the source: remark} of the records whose text matches."""
    return {place: said for place, said in records if re.search(want, said)}


def row(builder, program):
    logs, calls, sites = {}, {}, {}
    for which in BUILDS:
        binary, logs[which] = builder.records(program, which)
        sites[which] = sites_in(os.path.join(os.path.dirname(binary), ".libs", os.path.basename(binary))
                                if open(binary, "rb").read(4) != b"\x7fELF" else binary)
        try:
            calls[which] = builder.calls(program, which, binary)
        except BuildFailed as failure:
            if which != "attributor":
                raise
            builder.progress.say(str(failure))  # what LLVM leaves off by default may well be wrong
            calls[which] = None
    ours = places(logs["ngcc"], "moved to the stack|allocated once")
    kept = places(logs["ngcc"], "stays on the heap")
    return {"program": program.name, "sites": len({*ours, *kept}), "ours": len(ours),
            "attributor": max(0, sites["clang"] - sites["attributor"]), "calls": calls}


def show(rows, out):
    out.write(f"{'program':<11}{'sites':>7}{'Attributor':>12}{'promote':>9}{'calls':>13}{'Attributor':>12}{'promote':>11}\n")
    for r in rows:
        plain = r["calls"]["clang"]
        saved = {w: plain - r["calls"][w] if plain is not None and r["calls"][w] is not None else 0 for w in r["calls"]}
        out.write(f"{r['program']:<11}{r['sites']:>7}{r['attributor']:>12}{r['ours']:>9}"
                  f"{plain if plain is not None else '-':>13}{saved['attributor']:>12}{saved['ngcc']:>11}\n")
    out.write(f"in all: {sum(r['attributor'] for r in rows)} sites promoted by the Attributor, "
              f"{sum(r['ours'] for r in rows)} by nextgen-promote\n")


def main(names):
    known = {p.name: p for p in PROGRAMS if p.elf is None}  # not a server, which a script drives
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"promoted: no program '{unknown[0]}'; there are {', '.join(known)}", file=sys.stderr)
        return 2
    builder = Promoted(builds.Progress(3600))
    rows = []
    for program in [known[name] for name in names] or list(known.values()):
        try:
            for package in program.packages:
                builder.sources.get(package)
            rows.append(row(builder, program))
            builder.progress.say(f"{program.name}: done")
        except (BuildFailed, builds.FetchFailed, peers.Missing) as failure:
            builder.error(f"{program.name}: {failure}")
    show(rows, sys.stdout)
    return 1 if builder.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
