# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""measure.py: runs commands side by side and says how sure the numbers are.

The measuring core, without any knowledge of allocators or programs.  What it takes care of:

- Runs are interleaved: each round runs every command once, in random order, so that whatever changes on the machine
  (clock, neighbours, heat) meets all of them alike.  Ratios are taken between runs of the same round.
- Elapsed time is CLOCK_MONOTONIC around the child's life; user, system, peak memory and page faults come from wait4,
  so they hold for all threads of the child: work that moves to another core stays visible.  launch.c takes them, since
  a child of this interpreter would be charged with the interpreter's own peak memory; it also says what part of them
  was the allocator's own thread.
- Intervals are bootstrapped over rounds and widened for how few rounds there are, and for what other programs may have
  cost a run: a median over rounds that all met the same load is sure of itself and still not what a quiet machine gives.
"""

import dataclasses
import hashlib
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import time


@dataclasses.dataclass
class Sample:
    """One run of one command.  Times and faults are those of all threads; room_* is the room's part of them."""

    elapsed: float  # seconds
    user: float
    system: float
    peak: int  # KiB
    faults: int  # minor and major
    status: int  # exit status, negative: the signal that ended it
    hung: bool = False  # killed because it ran past its limit
    round: int = -1
    room_user: float = 0.0
    room_system: float = 0.0
    room_faults: int = 0
    average: int = 0  # KiB, weighted by time
    unsure: float = 0.0  # the share of elapsed that other programs may have cost
    counters: dict = dataclasses.field(default_factory=dict)
    rss: list = dataclasses.field(default_factory=list)  # [seconds, KiB] over time


@dataclasses.dataclass
class Command:
    """What to run and where its output goes; `name` tells commands of one comparison apart."""

    name: str
    argv: list
    env: dict
    cwd: str
    stdout: str = os.devnull
    stderr: str = os.devnull
    no_huge_pages: bool = False  # the kernel gives it none, whatever it asks for


def launcher():
    """launch.c and watch.c, compiled where they are not yet or have changed."""
    here = os.path.dirname(os.path.abspath(__file__))
    binary = os.path.join(os.path.dirname(here), "build", "bench", "launch")
    sources, header = [os.path.join(here, name) for name in ("launch.c", "watch.c")], os.path.join(here, "watch.h")
    if not os.path.exists(binary) or os.path.getmtime(binary) < max(map(os.path.getmtime, [*sources, header])):
        os.makedirs(os.path.dirname(binary), exist_ok=True)
        compiler = shutil.which("clang-19") or "cc"
        subprocess.run([compiler, "-O2", *sources, "-o", binary + ".new"], check=True)
        os.replace(binary + ".new", binary)  # another measurement may be running the old one
    return binary


def started_and_waited_for(argv, **how):
    """The exit status.  Where this process is to stop, the launcher is asked to, which ends the command first."""
    with subprocess.Popen(argv, **how) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise


def run_once(command, limit=120.0):
    """Runs the command once, to its end or to the limit in seconds.  Raises OSError where it cannot start."""
    with open(command.stdout, "wb") as out, open(command.stderr, "wb") as err:
        back, report = os.pipe()
        try:
            env = dict(command.env)
            preload = env.pop("LD_PRELOAD", None)
            before = (["--no-huge-pages"] if command.no_huge_pages else []) + ([f"LD_PRELOAD={preload}"] if preload else [])
            status = started_and_waited_for(
                [launcher(), str(report), str(limit), *before, *command.argv],
                env=env, cwd=command.cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=(report,),
            )
        finally:
            os.close(report)
            with os.fdopen(back, "r", encoding="ascii") as pipe:
                lines = pipe.read().splitlines()
    if status > 128:
        raise KeyboardInterrupt
    if status:
        raise OSError(f"{command.argv[0]} cannot be started")
    return parse_report(lines)


def parse_report(lines):
    """A Sample of what launch.c wrote; its head and watch.h say what the lines are."""
    one, counters, rss = {}, {}, []
    for name, *values in (line.split() for line in lines):
        if name == "rss":
            rss.append([int(values[0]) / 1e9, int(values[1])])
        elif name == "counter":
            counters[values[0]] = int(values[1])
        else:
            one[name] = int(values[0])
    for name, unit in (("elapsed", 1e9), ("user", 1e6), ("system", 1e6), ("room_user", 1e9), ("room_system", 1e9)):
        one[name] /= unit
    one["hung"] = bool(one["hung"])
    return Sample(**one, counters=counters, rss=rss)


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


def student(n):
    """The 97.5 % point of Student's distribution for n values: n - 1 degrees of freedom; a table, then Fisher's series."""
    exact = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
    z, free = NORMAL, n - 1
    return exact.get(free) or (z + (z**3 + z) / 4 / free + (5 * z**5 + 16 * z**3 + 3 * z) / 96 / free**2
                               + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / free**3)


NORMAL = 1.959964  # the 97.5 % point of the normal distribution


def bootstrap(value, draw, n, draws, seed):
    """(value, low, high): a 95 % interval by bootstrap; `draw` gives the value of n rounds drawn by a random generator.

    Quantiles of a bootstrap over few rounds lie too close together: a sample's own spread is too small, and its quantiles
    are taken for known.  Both distances are stretched as Student's distribution and the missing degree of freedom ask,
    on a logarithmic scale, so that no interval reaches below 0.  A test counts that 95 % intervals hold in 95 %."""
    if not value > 0:
        return value, value, value
    if n == 1:
        return value, 0.0, math.inf  # one round says nothing of how sure it is
    pick = random.Random(seed)
    drawn = sorted(draw(pick) for _ in range(draws))
    low, high = drawn[int(0.025 * draws)], drawn[max(0, int(0.975 * draws) - 1)]
    wider = student(n) / NORMAL * n / (n - 1)
    return value, value * min(1.0, low / value) ** wider, value * max(1.0, high / value) ** wider


def quotient(above, below):
    under = statistics.median(below)
    return statistics.median(above) / under if under else float("nan")


UNKNOWN = (float("nan"),) * 3


def unsure(samples):
    return statistics.median(getattr(s, "unsure", 0.0) for s in samples)


def widened(interval, above, below=()):
    """An interval of above's median, or of that over below's, with what would hold had no other program run."""
    value, low, high = interval
    left = 1 - unsure(below) if below else 1.0
    return value, low * (1 - unsure(above)), high / left if left else math.inf


def ratio(ours, theirs, field="elapsed", draws=2000, seed=1):
    """(ratio of the medians, low, high): ours over theirs with a 95 % bootstrap interval.

    Rounds are drawn, not single runs, since both commands of one round met the same machine."""
    by_round = {s.round: getattr(s, field) for s in theirs}
    pairs = [(getattr(s, field), by_round[s.round]) for s in ours if s.round in by_round]
    if not pairs:
        return UNKNOWN

    def draw(pick):
        return quotient(*zip(*pick.choices(pairs, k=len(pairs))))

    return widened(bootstrap(quotient(*zip(*pairs)), draw, len(pairs), draws, seed), ours, theirs)


def ratio_apart(ours, theirs, field="elapsed", draws=2000, seed=1):
    """As ratio, for runs that were not taken in the same rounds."""
    above, below = ([getattr(s, field) for s in runs] for runs in (ours, theirs))
    if not above or not below:
        return UNKNOWN

    def draw(pick):
        return quotient(pick.choices(above, k=len(above)), pick.choices(below, k=len(below)))

    return widened(bootstrap(quotient(above, below), draw, min(len(above), len(below)), draws, seed), ours, theirs)


def interval(samples, field="elapsed", draws=2000, seed=1):
    """(median, low, high) of one command's runs, with a 95 % bootstrap interval."""
    values = [getattr(s, field) for s in samples]
    if not values:
        return UNKNOWN
    found = bootstrap(statistics.median(values), lambda pick: statistics.median(pick.choices(values, k=len(values))),
                      len(values), draws, seed)
    return widened(found, samples)


def geometric_mean(values):
    return statistics.geometric_mean(values)


QUIET = 0.05  # of the processors: what others may use without a word
COUNTED = 0.05  # seconds: less cannot be told from how the kernel counts, in ticks of 10 ms


class Others:
    """What other programs use of the processors from now on: 0 on a quiet machine, 1 where they take all.

    The time that the processors were at work, less what this process and its children had of it."""

    def __init__(self, processors=None):
        self.names = {f"cpu{n}" for n in processors} if processors else {"cpu"}
        self.count = len(processors or os.sched_getaffinity(0))
        self.before = self.look()

    def look(self):
        """(all, idle, our own) in seconds."""
        with open("/proc/stat", encoding="ascii") as file:
            lines = [line.split() for line in file if line.split()[0] in self.names]
        ticks = os.sysconf("SC_CLK_TCK")
        numbers = [sum(int(line[at]) for line in lines) / ticks for at in range(1, 9)]
        return sum(numbers), numbers[3] + numbers[4], sum(os.times()[:4])

    def taken(self):
        """(all, what others had of it) in seconds since then."""
        every, idle, own = (b - a for a, b in zip(self.before, self.look()))
        return every, max(0.0, every - idle - own)

    def share(self):
        every, taken = self.taken()
        return min(1.0, taken / every) if every else 0.0

    def cost(self):
        """The share of the time since then by which a program with several threads would have ended sooner, at most, had
        it had the processors to itself: each second that others had of them may have been one on which all waited."""
        every, taken = self.taken()
        return 0.0 if taken < max(QUIET * every, COUNTED) else min(1.0, taken / every * self.count)


def busy_elsewhere(seconds=1.0):
    """The share of all processors' time that others use while this process sleeps: 0 on a quiet machine."""
    others = Others()
    time.sleep(seconds)
    return others.share()


def use_processors(wanted):
    """Restricts this process and what it starts to the first so many processors that it may use, or to those of a list;
    returns them."""
    allowed = sorted(os.sched_getaffinity(0))
    if isinstance(wanted, int):
        if len(allowed) < wanted:
            raise ValueError(f"{wanted} processors asked for, this process may use {len(allowed)}")
        wanted = allowed[:wanted]
    if missing := [n for n in wanted if n not in allowed]:
        raise ValueError(f"no processor {missing[0]} here, this process may use {', '.join(map(str, allowed))}")
    os.sched_setaffinity(0, wanted)
    return wanted
