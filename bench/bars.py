# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""bars.py: what we ask of the runtime alone, preloaded, and whether a results file shows that it holds.

Each bar is a line: what is compared, the figure, the limit, and `holds` or `FALLS SHORT`.  Figures are medians of paired
rounds, as everywhere; less is better.  A bar whose workloads or allocators are not in the file is left out.
"""

import dataclasses

import measure
import peers
import results as files

FLOOR_PART = {"warm": 0.97, "cold": 0.90}


@dataclasses.dataclass
class Bar:
    """One line of the list.  `worst` names the workload that the figure is of, where it is that of one."""

    text: str
    figure: float
    limit: float
    worst: str = ""

    @property
    def holds(self):
        return self.figure <= self.limit

    def line(self):
        where = f" ({self.worst})" if self.worst else ""
        return f"{self.text}: {self.figure:.3f}{where}, at most {self.limit:.3f}: {'holds' if self.holds else 'FALLS SHORT'}"


class Group:
    """The workloads of which we ask the same, and ours beside their peers."""

    def __init__(self, results, asks, ours=peers.PRELOADED):
        self.results, self.ours = results, ours
        self.field = {w: about["figure"] for w, about in results["workloads"].items() if about.get("asks") == asks}
        self.rows = {w: taken for w in self.field if ours in (taken := files.row(results, w)) and files.peers_of(taken)}

    def ratios(self, other, field=None, ours=None):
        """{workload: our median over another's}; other(taken, field) names it."""
        found = {}
        for workload, taken in self.rows.items():
            of = field or self.field[workload]
            name = other(taken, of)
            if name in taken and (ours or self.ours) in taken and measure.median(taken[name], of) > 0:
                found[workload] = measure.ratio(taken[ours or self.ours], taken[name], of, draws=1)[0]
        return found

    def against_fastest(self, field=None):
        """Of each workload its own fastest peer, by what ranks it."""
        return self.ratios(lambda taken, _: self.fastest(taken), field)

    def fastest(self, taken):
        workload = next(w for w, t in self.rows.items() if t is taken)
        return files.fastest_peer(taken, self.field[workload])

    def best_peer(self):
        """The peer that is fastest over all of them."""
        names = set.intersection(*(set(files.peers_of(taken)) for taken in self.rows.values()))
        means = {n: measure.geometric_mean([measure.median(taken[n], self.field[w]) for w, taken in self.rows.items()])
                 for n in names}
        return min(means, key=means.get) if means else None


def mean(text, ratios, limit):
    return [Bar(f"{text}, geometric mean of {len(ratios)}", measure.geometric_mean(ratios.values()), limit)] if ratios else []


def worst(text, ratios, limit):
    if not ratios:
        return []
    name = max(ratios, key=ratios.get)
    return [Bar(f"{text}, worst of {len(ratios)}", ratios[name], limit, name)]


def least(taken, field):
    return min(files.peers_of(taken), key=lambda name: measure.median(taken[name], field))


def growth(results):
    group = Group(results, "growth")
    elapsed = group.against_fastest()
    memory = results["memory"]
    return [
        *mean(f"growth, memory {memory}, against each one's fastest peer", elapsed, FLOOR_PART[memory]),
        *worst("growth, against its fastest peer", elapsed, 1.01),
        *worst("growth, against the floor", group.ratios(lambda *_: peers.FLOOR), 1.10),
        *worst("growth, system time of the program's threads against the peer's with the least",
               group.ratios(least, "system"), 0.10),
        *worst("growth, processor time with the room's against the fastest peer's", group.against_fastest("cpu"), 1.25),
    ]


def standing(results):
    group = Group(results, "standing")
    best = group.best_peer() if group.rows else None
    return [
        *worst("standing heaps, against its fastest peer", group.against_fastest(), 1.01),
        *mean(f"standing heaps, against the fastest peer over all, {best}", group.ratios(lambda *_: best), 0.97),
        *worst("standing heaps, processor time with the room's against the fastest peer's", group.against_fastest("cpu"), 1.10),
    ]


def threads(results):
    group = Group(results, "moving")
    elapsed = group.against_fastest()
    return [
        *mean("threads, against each one's fastest peer", elapsed, 1 / 1.15),
        *mean("threads, against mimalloc", group.ratios(lambda *_: "mimalloc"), 1 / 1.5),
        *worst("threads, against its fastest peer", elapsed, 1 / 0.95),
        *worst("false sharing, against its fastest peer", Group(results, "sharing").against_fastest(), 1.05),
    ]


def tails(results):
    group = Group(results, "tails")
    return [bar for phase, limit in (("growth", 0.2), ("churn", 1.0)) for what in ("p99.99", "worst")
            for bar in worst(f"single calls, {phase}, {what}, against the best peer's",
                             group.ratios(least, f"{phase}_{what}"), limit)]


def memory(results):
    peaks, smallest = {}, {}
    for asks in ("growth", "standing", "moving"):
        group = Group(results, asks)
        peaks |= group.against_fastest("peak")
        smallest |= group.ratios(least, "peak")
    return [*worst("peak memory, against the fastest peer's", peaks, 1.05),
            *mean("peak memory, against the smallest peer's", smallest, 1.05),
            *worst("memory left 2 s after nine tenths were freed, against the smallest peer's",
                   Group(results, "shrinks").against_fastest(), 1.0)]


def aged(results):
    group = Group(results, "aged")
    return [*worst("aged heap, the last round against the second",
                   {w: measure.median(t[group.ours], "last_round_ns") / measure.median(t[group.ours], "second_round_ns")
                    for w, t in group.rows.items()}, 1.02),
            *worst("aged heap, resident over live bytes against the best peer's", group.ratios(least, "rss_ratio"), 1.0)]


def without_room(results):
    elapsed = {}
    for asks in ("standing", "moving", "sharing", "aged"):
        group = Group(results, asks)
        for workload, taken in group.rows.items():
            if peers.OFF in taken:
                field = group.field[workload]
                elapsed[workload] = measure.ratio(taken[peers.OFF], taken[files.fastest_peer(taken, field)], field, draws=1)[0]
    return worst("without a room, against its fastest peer", elapsed, 1.02)


def judge(results):
    return [bar for part in (growth, standing, threads, tails, memory, aged, without_room) for bar in part(results)]


def show(results, out):
    found = judge(results)
    print("\nwhat we ask of the library preloaded (bench/README.md, Bars)", file=out)
    for bar in found:
        print(f"  {bar.line()}", file=out)
    print(f"{sum(bar.holds for bar in found)} of {len(found)} bars hold", file=out)
