# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""results.py: the file that a measurement is: written, read, as CSV, as tables in the terminal, and two compared.

It owns the format, which report.py reads too.  Times and faults of a run are those of the program's own threads; room_*
is our allocator's thread beside them, and `cpu`, made here, is all of it.  Lower is better for every figure.
"""

import csv
import json
import os
import types

import measure
import peers

FORMAT = 1
FIELDS = ("elapsed", "cpu", "user", "system", "room_user", "room_system", "faults", "room_faults", "peak", "average")
OURS = "ngrt"  # what the names of our own columns start with


def write(results, path):
    """Whole or not at all: a measurement that is stopped while it writes can still be resumed."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(results, file, separators=(",", ":"))
    os.replace(path + ".new", path)


def read(path):
    """Raises ValueError with a line that names the file where it is none of ours."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        if results["format"] != FORMAT:
            raise ValueError(f"format {results['format']}, this reads {FORMAT}")
        return {**results, "cells": results["cells"], "workloads": results["workloads"]}
    except OSError as failure:
        raise ValueError(f"{path}: {failure.strerror}") from failure
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        raise ValueError(f"{path} is no file that bench/run wrote ({failure})") from failure


def run_of(sample, number, figures):
    """One entry of a cell's runs, of a measure.Sample."""
    return {
        "round": number, "elapsed": round(sample.elapsed, 6),
        "user": round(max(0.0, sample.user - sample.room_user), 6),
        "system": round(max(0.0, sample.system - sample.room_system), 6),
        "room_user": round(sample.room_user, 6), "room_system": round(sample.room_system, 6),
        "faults": max(0, sample.faults - sample.room_faults), "room_faults": sample.room_faults,
        "peak": sample.peak, "average": sample.average, "unsure": round(sample.unsure, 4),
        "counters": sample.counters, "figures": figures,
    }


def samples(cell):
    """The runs of a cell as measure.ratio takes them: figures and whole-process CPU are fields like the others."""
    return [
        types.SimpleNamespace(**{**run, **run["figures"]},
                              cpu=run["user"] + run["system"] + run["room_user"] + run["room_system"])
        for run in (cell or {}).get("runs", ())
    ]


def row(results, workload):
    """{allocator: samples} of one workload, without those that failed."""
    cells = results["cells"].get(workload, {})
    return {name: taken for name in results["allocators"] if (taken := samples(cells.get(name)))}


def peers_of(names):
    return [name for name in names if not name.startswith(OURS)]


def fastest_peer(taken, field):
    """The peer whose median is the lowest; without any peer, the lowest of all."""
    names = peers_of(taken) or list(taken)
    return min(names, key=lambda name: measure.median(taken[name], field)) if names else None


def write_csv(results, path):
    """One line a run."""
    figures = sorted({f for cells in results["cells"].values() for cell in cells.values()
                      for run in cell.get("runs", ()) for f in run["figures"]})
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["workload", "allocator", "round", *FIELDS, *figures])
        for workload in results["cells"]:
            for name, taken in row(results, workload).items():
                for one in taken:
                    out.writerow([workload, name, one.round, *(getattr(one, f, "") for f in (*FIELDS, *figures))])


# Tables --------------------------------------------------------------------------------------------------------------

def state(results):
    """The line that says under what the numbers were taken."""
    count = len(results["processors"])
    return (f"{results['rounds']} rounds{'' if results['complete'] else ' (not complete)'} on {count} "
            f"processor{'s' * (count > 1)} ({results['processor']}, Linux {results['kernel']}), free memory "
            f"{results['memory']}, huge pages {results['huge_pages']}, seed {results['seed']}")


def noise(results):
    """A line where the machine was busy with something else, else None."""
    by_round = results.get("busy_by_round") or [results["busy"]]
    if max(by_round) < measure.QUIET:
        return None
    worst = max(range(len(by_round)), key=by_round.__getitem__)
    return (f"NOTE: the machine was busy: other programs used {results['busy'] * 100:.0f} % of these processors, "
            f"{by_round[worst] * 100:.0f} % in round {worst + 1}; elapsed times are longer and less sure for it, "
            "the more so with several threads; CPU times (behind the stroke) hardly")


def cell_text(taken, name, best, field):
    """0.81*/0.95: the ranking figure against the fastest peer, a star where its interval leaves 1 out, and the CPU."""
    middle, low, high = measure.ratio(taken[name], taken[best], field)
    cpu = measure.ratio(taken[name], taken[best], "cpu", draws=1)[0]
    star = "*" if name != best and not low <= 1 <= high else " "
    return f"{middle:.2f}{star}/{cpu:.2f}"


def summary(results, out):
    """One line a workload, then the means and who wins."""
    names = list(results["allocators"])
    rows = [(w, taken, fastest_peer(taken, about["figure"]), about["figure"])
            for w, about in results["workloads"].items() if (taken := row(results, w))]
    print(f"\n{state(results)}", file=out)
    if rows:
        width, first = max(max(len(n) for n in names), 12) + 2, max(max(len(w) for w, *_ in rows), 14) + 1
        print("\nmedian against the fastest peer's / whole-process CPU against the same peer's; less is better; "
              "*: its 95 % interval leaves out 1", file=out)
        print(" " * first + "".join(f"{n:>{width}}" for n in names) + "  fastest peer", file=out)
        for workload, taken, best, field in rows:
            texts = [cell_text(taken, n, best, field) if n in taken else missing(results, workload, n) for n in names]
            print(f"{workload:<{first}}" + "".join(f"{t:>{width}}" for t in texts)
                  + f"  {best} {value_text(results, workload, taken[best])}", file=out)
        totals(rows, names, first, width, out)
    if line := noise(results):
        print(line, file=out)


def missing(results, workload, name):
    return "failed" if "error" in results["cells"].get(workload, {}).get(name, {}) else "-"


def value_text(results, workload, taken):
    about = results["workloads"][workload]
    return f"{measure.median(taken, about['figure']):.3g} {about['unit']}"


def totals(rows, names, first, width, out):
    """Geometric means over the workloads that every column has that has any, and how often each is beyond its interval."""
    there = [n for n in names if any(n in taken for _, taken, *_ in rows)]
    full = [r for r in rows if all(n in r[1] for n in there)]

    def mean(name, field=None):
        """Of the field, or of what ranks each workload."""
        pairs = [(measure.median(taken[name], field or own), measure.median(taken[best], field or own))
                 for _, taken, best, own in full]
        found = [above / below for above, below in pairs if above > 0 and below > 0]
        return f"{measure.geometric_mean(found):.2f}" if found else "-"

    def line(title, texts, note):
        print((f"{title:<{first}}" + "".join(f"{texts.get(n, '-'):>{width}}" for n in names) + f"  {note}").rstrip(), file=out)

    if full:
        line("all", {n: f"{mean(n)} /{mean(n, 'cpu')}" for n in there}, f"geometric mean of {len(full)}")
        line("peak memory", {n: mean(n, "peak") for n in there}, "")
    judged = {n: [measure.ratio(taken[n], taken[best], field) for _, taken, best, field in rows if n in taken and n != best]
              for n in there}
    line("faster, slower", {n: f"{sum(high < 1 for *_, high in found)}, {sum(low > 1 for _, low, _ in found)}"
                            for n, found in judged.items()}, "than the fastest peer, beyond the interval")


def details(results, workload, out):
    """All of one workload: a line an allocator, with a bar."""
    about, taken = results["workloads"][workload], row(results, workload)
    field = about["figure"]
    best = fastest_peer(taken, field)
    print(f"\n{workload} ({about['language']}): {about['stands_for']}", file=out)
    title = field if field == about["unit"] else f"{field} {about['unit']}"
    print(f"  {'allocator':<18}{title:>12} {'95 % interval':>20} {'elapsed s':>10} {'CPU s':>7} "
          f"{'room s':>7} {'peak MB':>8} {'mean MB':>8}", file=out)
    longest = max((measure.median(t, field) for t in taken.values()), default=0)
    for name, runs in taken.items():
        middle, low, high = measure.interval(runs, field)
        room = measure.median(runs, "room_user") + measure.median(runs, "room_system")
        print(f"  {name:<18}{middle:>12.4g} {f'{low:.4g} to {high:.4g}':>20} {measure.median(runs):>10.3f} "
              f"{measure.median(runs, 'cpu'):>7.2f} {room:>7.2f} {measure.median(runs, 'peak') / 1024:>8.1f} "
              f"{measure.median(runs, 'average') / 1024:>8.1f}  {'#' * round(30 * middle / longest if longest else 0)}"
              + (" (fastest peer)" if name == best else ""), file=out)


def by_threads(results, out):
    """Workloads NAME/PAIRS as one table: a line for each number of pairs of threads, elapsed and CPU seconds."""
    names = list(results["allocators"])
    width = max(max(len(n) for n in names), 12) + 2
    print("\nelapsed seconds / whole-process CPU seconds, medians", file=out)
    print(f"{'pairs':<7}" + "".join(f"{n:>{width}}" for n in names), file=out)
    for workload in sorted(results["workloads"], key=lambda w: results["workloads"][w]["threads"]):
        taken = row(results, workload)
        texts = [f"{measure.median(taken[n]):.3f} /{measure.median(taken[n], 'cpu'):.2f}" if n in taken
                 else missing(results, workload, n) for n in names]
        print(f"{workload.rpartition('/')[2]:<7}" + "".join(f"{t:>{width}}" for t in texts), file=out)


def markdown(results, out):
    """The README's table: the figure that ranks (elapsed seconds), in brackets processor seconds of all threads, then
    peak memory; and the whole of ours, by the pass, against the fastest peer."""
    rows = {w: taken for w in results["workloads"] if (taken := row(results, w))}
    names = [n for n in results["allocators"] if any(n in taken for taken in rows.values())]
    print(f"\n| program | {' | '.join(names)} | against the fastest peer |", file=out)
    print("|" + " --- |" * (len(names) + 2), file=out)
    for workload, taken in rows.items():
        field, against = results["workloads"][workload]["figure"], "–"
        best = fastest_peer(taken, field)
        if peers.PASS in taken and best != peers.PASS:
            middle, low, high = measure.ratio(taken[peers.PASS], taken[best], field)
            against = f"{middle:.2f} ({low:.2f}–{high:.2f}) of {best}"
        cells = [markdown_cell(results, workload, taken[n]) if n in taken else missing(results, workload, n)
                 for n in names]
        print(f"| {workload} | {' | '.join(cells)} | {against} |", file=out)


def markdown_cell(results, workload, taken):
    timed = results["workloads"][workload]["figure"] == "elapsed"
    value = f"{measure.median(taken):.2f}" if timed else value_text(results, workload, taken)
    return f"{value} ({measure.median(taken, 'cpu'):.2f}), {measure.median(taken, 'peak') / 1024:.0f} MB"


# Two measurements ----------------------------------------------------------------------------------------------------

def column(text):
    """(results, allocator or None) of FILE or FILE:ALLOCATOR."""
    if os.path.exists(text) or ":" not in text:
        return read(text), None
    path, name = text.rsplit(":", 1)
    results = read(path)
    if name not in results["allocators"]:
        raise ValueError(f"{path} has no allocator '{name}'; it has: {', '.join(results['allocators'])}")
    return results, name


def apart(results, workload):
    """{(x, y)}: the allocators of which x ranks before y by more than both intervals."""
    field = results["workloads"][workload]["figure"]
    found = {name: measure.interval(taken, field) for name, taken in row(results, workload).items()}
    return {(x, y) for x in found for y in found if found[x][2] < found[y][1]}


def compare_ranks(before, after, out):
    """Whether two measurements order allocators alike; pairs that either cannot tell apart say nothing of that."""
    same, turned = 0, []
    for workload in after["workloads"]:
        if workload in before["workloads"]:
            old, new = apart(before, workload), apart(after, workload)
            same += len(old & new)
            turned += [f"{workload}: {x} before {y}, then {y} before {x}" for x, y in sorted(old) if (y, x) in new]
    print(f"{same} of {same + len(turned)} pairs of allocators whose 95 % intervals overlap in neither are ranked the same "
          "in both", file=out)
    for line in turned:
        print(line, file=out)


def compare(first, second, out):
    """Every cell of the second against that of the first, then the ranks; FILE:ALLOCATOR compares these two columns.  Two
    columns of one measurement are compared round by round, two measurements as wholes."""
    (before, a), (after, b) = column(first), column(second)
    if (a is None) != (b is None):
        raise ValueError("name an allocator for both files or for none: FILE:ALLOCATOR FILE:ALLOCATOR")
    paired = before["date"] == after["date"] and before["seed"] == after["seed"]
    for what in ("processor", "kernel", "processors", "memory", "huge_pages"):
        if before[what] != after[what]:
            print(f"NOTE: {what} was {before[what]}, then {after[what]}", file=out)
    total = different = 0
    for workload, about in after["workloads"].items():
        old, new = row(before, workload), row(after, workload)
        for name_a, name_b in [(a, b)] if a else [(n, n) for n in new if n in old]:
            if name_a not in old or name_b not in new:
                continue
            ratio = measure.ratio if paired else measure.ratio_apart
            middle, low, high = ratio(new[name_b], old[name_a], about["figure"])
            cpu = ratio(new[name_b], old[name_a], "cpu", draws=1)[0]
            verdict = "faster" if high < 1 else "slower" if low > 1 else "no difference"
            total, different = total + 1, different + (verdict != "no difference")
            print(f"{workload:<28} {name_b:<18} {middle:6.3f} ({low:.3f} to {high:.3f})  CPU {cpu:.3f}  {verdict}", file=out)
    print(f"{different} of {total} cells differ beyond their 95 % intervals", file=out)
    if a is None:
        compare_ranks(before, after, out)
