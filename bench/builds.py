# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""builds.py: builds this project and the real programs, makes their commands, and says how far things are.

Used by demo.py and by bench/run.  What is built is kept below build/demo and built again only where what it was made of
has changed.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

import measure
import peers
from inputs import make
from peers import ROOT, Missing
from programs import INPUTS, Build, BuildFailed
from sources import FetchFailed, Sources

TARGETS = ("ngrt", "ngrt_static", "NextGenPass", "ngcc", "ngxx")


class Progress:
    """Says what happens and about how long the rest takes.  `plan` adds expected seconds, `done` takes them off."""

    def __init__(self, budget, started=None):
        self.started = started or time.time()
        self.budget, self.left = budget, 0.0
        self.terminal = sys.stderr.isatty()

    def plan(self, seconds):
        self.left += seconds

    def done(self, seconds):
        self.left = max(0.0, self.left - seconds)

    def seconds(self):
        """Of the time budget, what is left."""
        return self.budget - (time.time() - self.started)

    def say(self, text, passing=False):
        """One line; a passing one is overwritten by the next where stderr is a terminal, and left out elsewhere."""
        if passing and not self.terminal:
            return
        line = f"[{clock(time.time() - self.started)}, about {clock(self.left)} left] {text}"
        if self.terminal:
            sys.stderr.write("\r\033[K" + line + ("" if passing else "\n"))
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Builder:
    """The project and the programs, built.  `errors` collects what failed, `results` what is known of each program."""

    def __init__(self, progress, work=os.path.join(ROOT, "build", "demo")):
        self.work = work
        os.makedirs(self.work, exist_ok=True)
        self.progress = progress
        self.sources = Sources(self.work)
        self.errors = []
        self.results = {}

    def error(self, text):
        self.errors.append(text)
        self.progress.say(f"ERROR: {text}")

    def build_project(self, targets=TARGETS):
        self.progress.say("building NextGen-Malloc (cmake --preset release)")
        log = os.path.join(self.work, "project.log")
        with open(log, "w", encoding="utf-8") as out:
            for command in (["cmake", "--preset", "release"],
                            ["cmake", "--build", "--preset", "release", *(["--target", *targets] if targets else [])]):
                if subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False).returncode:
                    self.error(f"{shlex.join(command)} failed, see {log}; the peers go on alone")
                    return

    def compilers(self, which):
        """`which`: clang, ngcc, or lto (ngcc and link-time optimisation)."""
        if which == "clang":
            return "clang-19", "clang++-19"
        return peers.built("bin/ngcc"), peers.built("bin/ng++")

    def stamp(self, program, which, flags):
        """What a kept build must have been made of to be used again."""
        parts = [flags, *(self.sources.unpacked(p) for p in program.packages)]
        files = [os.path.join(ROOT, "bench", "programs.py"), shutil.which("clang-19")]
        if which != "clang":
            # Not libngrt.so: the programs load it when they run.
            files += [peers.built("bin/ngcc"), peers.built("lib/NextGenPass.so")]
        for path in files:
            if path is None:
                raise Missing("clang-19 is not installed; run: scripts/setup demo")
            parts.append(measure.digest([path]))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def build(self, program, which, level="-O2"):
        """The program's binary, built where there is none made of the same."""
        flags = f"{level} -flto -fuse-ld=lld" if which == "lto" else level
        folder = os.path.join(self.work, "built", program.name, which + level)
        binary, stamp_file = os.path.join(folder, program.binary), os.path.join(folder, "stamp")
        stamp = self.stamp(program, which, flags)
        if os.path.exists(binary) and os.path.exists(stamp_file):
            with open(stamp_file, encoding="utf-8") as file:
                if file.read() == stamp:
                    return binary
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        cc, cxx = self.compilers(which)
        start = time.time()
        sources = {p: self.sources.unpacked(p) for p in program.packages}
        program.build(Build(folder, sources, cc, cxx, flags))
        if not os.path.exists(binary):
            raise BuildFailed(f"the build of {program.name} left no {program.binary}, see {folder}/build.log")
        with open(stamp_file, "w", encoding="utf-8") as file:
            file.write(stamp)
        seconds = time.time() - start
        self.progress.say(f"{program.name}: built by {os.path.basename(cc)} {level} in {seconds:.0f} s")
        self.result(program).setdefault("build_seconds", {})[which + level] = round(seconds, 1)
        return binary

    def result(self, program):
        return self.results.setdefault(program.name, {"language": program.language, "work": program.work})

    def prepare(self, program, builds=("clang", "ngcc")):
        """Fetches and builds; {"clang": binary, "ngcc": binary}, without what failed."""
        try:
            for package in program.packages:
                self.sources.get(package)
        except FetchFailed as failure:
            self.error(f"{program.name}: {failure}")
            return {}
        self.result(program)["version"] = self.sources.version(program.packages[0])
        binaries = {}
        for which in builds:
            try:
                binaries[which] = self.build(program, which)
            except (BuildFailed, Missing) as failure:
                self.error(f"{program.name}: {failure}")
        return binaries

    def packaged(self, program):
        """The binary of a program that runs as Debian built it."""
        if not os.path.exists(program.binary):
            raise Missing(f"{program.binary} is not installed; run: apt-get install {' '.join(program.packages)}")
        return program.binary

    def command(self, program, name, binary, env):
        folder = os.path.join(self.work, "run", program.name)
        os.makedirs(folder, exist_ok=True)
        values = {"inputs": INPUTS, "amount": str(program.amount)}
        if not program.packaged:
            values.update((p, self.sources.unpacked(p)) for p in program.packages)
        if program.document:
            values["input"] = document(os.path.join(self.work, "input"), program.document, program.amount)
            if program.link:
                link_anew(values["input"], os.path.join(folder, program.link))
        arguments = [re.sub(r"\{([\w.-]+)\}", lambda m: values[m.group(1)], a) for a in program.arguments]
        return measure.Command(name, [binary, *arguments], env, folder,
                               os.path.join(folder, "stdout"), os.path.join(folder, "stderr"))

    def outputs(self, program, command):
        return measure.digest([command.stdout, command.stderr, *(os.path.join(command.cwd, w) for w in program.writes)])

    def clear(self, program, command):
        """Removes what the program wrote; how many KiB that was."""
        size = 0
        for name in program.writes:
            path = os.path.join(command.cwd, name)
            if os.path.exists(path):
                size += os.path.getsize(path)
                os.unlink(path)
        return size >> 10


def status_failure(sample, expected, limit):
    """What a run's end says that went wrong, or None."""
    if sample.hung:
        return f"did not end within {limit:.0f} s"
    if sample.status < 0:
        return f"ended by signal {-sample.status}"
    if sample.status != expected:
        return f"exit status {sample.status}"
    return None


def repeat(command):
    """A shell line that runs the command again."""
    env = [f"{k}={shlex.quote(v)} " for k, v in command.env.items() if k.startswith(peers.SETTINGS)]
    return f"cd {command.cwd} && {''.join(env)}{shlex.join(command.argv)}"


def link_anew(target, path):
    """A run of another amount may have left its own there."""
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


def document(folder, kind, orders):
    """An input document, made where there is none of this generator's."""
    version = measure.digest([make.__file__])[:8]
    path = os.path.join(folder, f"orders-{orders}-{version}.{kind}")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        make.make(kind, orders, path + ".new")
        os.replace(path + ".new", path)
    return path
