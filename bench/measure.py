# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""measure.py: runs commands side by side and says how sure the numbers are.

The measuring core, without any knowledge of allocators or programs.  What it takes care of:

- Runs are interleaved: each round runs every command once, in random order, so that whatever changes on the machine
  (clock, neighbours, heat) meets all of them alike.  Ratios are taken between runs of the same round.
- Elapsed time is CLOCK_MONOTONIC around the child's life; user, system, peak memory and page faults come from wait4,
  so they hold for all threads of the child: work that moves to another core stays visible.  launch.c takes them, since
  a child of this interpreter would be charged with the interpreter's own peak memory.
"""

import dataclasses
import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import time


@dataclasses.dataclass
class Sample:
    """One run of one command."""

    elapsed: float  # seconds
    user: float
    system: float
    peak: int  # KiB
    faults: int  # minor and major
    status: int  # exit status, negative: the signal that ended it
    hung: bool = False  # killed because it ran past its limit
    round: int = -1


@dataclasses.dataclass
class Command:
    """What to run and where its output goes; `name` tells commands of one comparison apart."""

    name: str
    argv: list
    env: dict
    cwd: str
    stdout: str = os.devnull
    stderr: str = os.devnull


def launcher():
    """launch.c, compiled where it is not yet or has changed."""
    here = os.path.dirname(os.path.abspath(__file__))
    source, binary = os.path.join(here, "launch.c"), os.path.join(os.path.dirname(here), "build", "bench", "launch")
    if not os.path.exists(binary) or os.path.getmtime(binary) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(binary), exist_ok=True)
        compiler = shutil.which("clang-19") or "cc"
        subprocess.run([compiler, "-O2", source, "-o", binary], check=True)
    return binary


def run_once(command, limit=120.0):
    """Runs the command once, to its end or to the limit in seconds.  Raises OSError where it cannot start."""
    with open(command.stdout, "wb") as out, open(command.stderr, "wb") as err:
        back, report = os.pipe()
        try:
            env = dict(command.env)
            preload = env.pop("LD_PRELOAD", None)
            done = subprocess.run(
                [launcher(), str(report), str(limit), *([f"LD_PRELOAD={preload}"] if preload else []), *command.argv],
                env=env, cwd=command.cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(report,),
                check=False,
            )
        finally:
            os.close(report)
            with os.fdopen(back, "r", encoding="ascii") as pipe:
                numbers = [int(n) for n in pipe.read().split()]
    if done.returncode:
        raise OSError(f"{command.argv[0]} cannot be started")
    elapsed, user, system, peak, faults, status, hung = numbers
    return Sample(elapsed / 1e9, user / 1e6, system / 1e6, peak, faults, status, bool(hung))


# Touches so many MiB and gives them back.  MADV_POPULATE_WRITE is 23; where the kernel has none, writes do it.
WARMER = """
import mmap, sys
size = int(sys.argv[1]) << 20
area = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
try:
    area.madvise(23)
except OSError:
    for at in range(0, size, 4096):
        area[at] = 1
"""


def warm(kib):
    """Makes the kernel, and a hypervisor below it, have this much free memory at hand: a fresh page costs several times
    more where the hypervisor has to find it first, which would hit whichever command happens to run after a pause."""
    subprocess.run([sys.executable, "-c", WARMER, str((kib >> 10) + 16)], check=False, stderr=subprocess.DEVNULL)


def rounds(commands, count, seed, first=0):
    """Yields (round, command): every command once a round, in random order."""
    for number in range(first, first + count):
        order = list(commands)
        random.Random(f"{seed}/{number}").shuffle(order)
        for command in order:
            yield number, command


def digest(paths):
    """One hash over the contents of the files; a file that is missing counts as such."""
    total = hashlib.blake2b(digest_size=16)
    for path in paths:
        try:
            with open(path, "rb") as file:
                while part := file.read(1 << 20):
                    total.update(part)
        except FileNotFoundError:
            total.update(b"missing")
        total.update(b"\0end of file\0")
    return total.hexdigest()


def median(samples, field="elapsed"):
    return statistics.median(getattr(s, field) for s in samples)


def spread(samples, field="elapsed"):
    """Half the range between the quartiles, as a share of the median."""
    values = [getattr(s, field) for s in samples]
    middle = statistics.median(values)
    if len(values) < 3 or middle == 0:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / middle


def ratio(ours, theirs, field="elapsed", draws=2000, seed=1):
    """(ratio of the medians, low, high): ours over theirs with a 95 % bootstrap interval.

    Rounds are drawn, not single runs, since both commands of one round met the same machine."""
    by_round = {s.round: getattr(s, field) for s in theirs}
    pairs = [(getattr(s, field), by_round[s.round]) for s in ours if s.round in by_round]
    if not pairs:
        return float("nan"), float("nan"), float("nan")

    def quotient(chosen):
        below = statistics.median(b for _, b in chosen)
        return statistics.median(a for a, _ in chosen) / below if below else float("nan")

    pick = random.Random(seed)
    drawn = sorted(quotient(pick.choices(pairs, k=len(pairs))) for _ in range(draws))
    return quotient(pairs), drawn[int(0.025 * draws)], drawn[int(0.975 * draws) - 1]


def geometric_mean(values):
    return statistics.geometric_mean(values)


def busy_elsewhere(seconds=1.0):
    """The share of all processors' time that others use while this process sleeps: 0 on a quiet machine."""

    def ticks():
        with open("/proc/stat", encoding="ascii") as file:
            numbers = [int(n) for n in file.readline().split()[1:9]]
        return sum(numbers), numbers[3] + numbers[4]  # all, idle

    before = ticks()
    time.sleep(seconds)
    after = ticks()
    every = after[0] - before[0]
    return 1 - (after[1] - before[1]) / every if every else 0.0


def use_processors(count):
    """Restricts this process and what it starts to the first `count` processors that it may use; returns them."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < count:
        raise ValueError(f"{count} processors asked for, this process may use {len(allowed)}")
    os.sched_setaffinity(0, allowed[:count])
    return allowed[:count]
