#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""report.py: one HTML file that says what a results file holds, for people in a hurry and for those who check; and its
ratios as one plot, an SVG file.

Owns the page and nothing else: the statistics are measure.py's, the numbers are the driver's.  Called by the driver, or by
hand as `bench/report.py RESULTS.json OUT.html`.  The page needs no network and no script, can be read in black and white,
by keyboard, on a small screen and by a screen reader: each series has a pattern, a dash, a marker and a name beside its
colour, and each plot has its numbers in a table below it.  What is missing is said where it is missing.
"""

import base64
import functools
import hashlib
import html
import json
import math
import re
import sys
import types

import measure

# Series ---------------------------------------------------------------------------------------------------------------

COLOURS = (("#4f4f4f", "#c4c4c4"), ("#005ea8", "#78b9f5"), ("#b03f12", "#ff9e78"), ("#00694a", "#58cfa3"),
           ("#7c3f99", "#d3a2ee"), ("#7a5900", "#e4bb4b"), ("#a0154f", "#ff8fb8"), ("#12707f", "#66cddb"))  # light, dark
HATCHES = ("M0 4H8", "M0 8L8 0M-2 2L2 -2M6 10L10 6", "M4 0V8", "M0 0L8 8M-2 6L2 10M6 -2L10 2", "M0 4H8M4 0V8", "M3 4H5",
           "M0 0L8 8M0 8L8 0", "M0 2H8M0 6H8", "M2 0V8M6 0V8", "M1 2H4M5 6H8")
DASHES = ("none", "9 4", "2 3", "12 3 2 3", "6 2", "1 5", "14 5", "9 3 2 3 2 3", "4 6", "16 3 5 3")
MARKERS = ("M-4 -4H4V4H-4Z", "M0 -5L5 4H-5Z", "M0 -5L5 0L0 5L-5 0Z", "M-4 -4L4 4M-4 4L4 -4", "M0 5L5 -4H-5Z", "M-5 0H5M0 -5V5",
           "M-5 -2H5V2H-5Z", "M-2 -5H2V5H-2Z", "M-4 4V-4L4 4Z", "M-5 0H5M0 -5V5M-4 -4L4 4M-4 4L4 -4")

PLAIN_FIELDS = ("elapsed", "user", "system", "faults", "peak", "average")


def text(value):
    """Anything as text that is safe in an element and in a quoted attribute."""
    return html.escape("".join(c if c.isprintable() or c == " " else "\N{REPLACEMENT CHARACTER}" for c in str(value)))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def show(value, unit):
    """A figure with so many decimals as its unit deserves; memory comes in KiB and is shown in MiB."""
    if not is_number(value):
        return "not recorded"
    if unit == "MiB":
        return f"{value / 1024:,.1f}"
    if unit == "count" or abs(value) >= 10000:
        return f"{value:,.0f}"
    if value and abs(value) < 0.01:
        return f"{value:.3g}"
    return f"{value:.3f}" if unit == "s" else f"{value:,.2f}"


def show_ratio(value):
    return f"{value:.3f}" if is_number(value) else "none"


def show_range(low, high, form):
    if not (is_number(low) and is_number(high)):
        return "no interval from so few rounds"
    return f"{form(low)} to {form(high)}"


def is_peer(name):
    return not name.startswith("ngrt")


# The data -------------------------------------------------------------------------------------------------------------


class Cell:
    """One workload with one allocator.  `why` says in words why there is nothing to rank, and is None where there is."""

    def __init__(self, raw, figure):
        self.raw = raw if isinstance(raw, dict) else {}
        self.why = None
        self.samples = [self.sample(run, figure) for run in self.raw.get("runs") or []]
        self.ranked = [s for s in self.samples if is_number(s.rank)]
        if self.raw.get("error"):
            self.why = f"failed: {self.raw['error']}"
            self.ranked = []
        elif not self.samples:
            self.why = "not measured"
        elif not self.ranked:
            self.why = f"its runs did not report the figure {figure}"

    @staticmethod
    def sample(run, figure):
        """What measure's functions take: attributes.  CPU is the whole process's, the room's thread with it."""
        one = types.SimpleNamespace(round=run.get("round"), **{name: run.get(name) for name in PLAIN_FIELDS})
        one.room = sum(run.get(name) or 0 for name in ("room_user", "room_system"))
        one.room_faults = run.get("room_faults") or 0
        one.unsure = run.get("unsure") or 0.0
        one.cpu = one.user + one.system + one.room if is_number(one.user) and is_number(one.system) else None
        figures = run.get("figures") or {}
        one.rank = run.get("elapsed") if figure == "elapsed" else figures.get(figure)
        one.extra = {**figures, **(run.get("counters") or {})}
        return one

    def median(self, field):
        """None where no run has it."""
        have = [s for s in self.samples if is_number(getattr(s, field))]
        return measure.median(have, field) if have else None

    def extra(self, name):
        have = [types.SimpleNamespace(value=s.extra[name]) for s in self.samples if is_number(s.extra.get(name))]
        return measure.median(have, "value") if have else None

    @functools.cached_property
    def interval(self):
        """(median, low, high) of the ranking figure."""
        return measure.interval(self.ranked, "rank")

    def quotient(self, other, field):
        """Of medians, over the rounds that both have; None where there is none."""
        mine, theirs = ({s.round: s for s in cell.ranked if is_number(getattr(s, field))} for cell in (self, other))
        both = sorted(set(mine) & set(theirs))
        below = measure.median([theirs[n] for n in both], field) if both else 0
        return measure.median([mine[n] for n in both], field) / below if below else None


class Workload:
    """Its cells, and each one's ratio against the fastest peer."""

    def __init__(self, number, name, raw, cells, allocators):
        self.id, self.name, self.raw = f"w{number}", name, raw
        self.figure, self.unit = raw.get("figure") or "elapsed", raw.get("unit") or "s"
        self.cells = {a: Cell(cells.get(a), self.figure) for a in allocators}
        peers = [a for a in allocators if is_peer(a) and self.cells[a].ranked]
        self.peers = sorted(peers, key=lambda a: self.cells[a].median("rank"))
        self.fastest = self.peers[0] if self.peers else None
        self.ratios = {a: self.against(a, self.fastest) for a in allocators}
        # The fastest peer is judged by the next: against itself it could neither win nor lose.
        second = self.peers[1] if len(self.peers) > 1 else None
        judged = {a: self.against(a, second) if a == self.fastest else self.ratios[a] for a in allocators}
        self.verdicts = {a: verdict(r) for a, r in judged.items()}

    def against(self, name, peer):
        """(ratio, low, high) of the ranking figure, or None where one of both has none."""
        if peer is None or not self.cells[name].ranked:
            return None
        if name == peer:
            return 1.0, 1.0, 1.0
        found = measure.ratio(self.cells[name].ranked, self.cells[peer].ranked, "rank")
        return found if is_number(found[0]) else None

    def quotient(self, name, field):
        """Of another figure against that of the fastest peer."""
        return self.cells[name].quotient(self.cells[self.fastest], field) if self.fastest else None

    def extras(self):
        """The names of all other figures and counters that some run has."""
        found = {name for cell in self.cells.values() for s in cell.samples for name in s.extra}
        return sorted(found - {self.figure})


def verdict(found):
    """What an interval says against 1."""
    if found is None:
        return None
    _, low, high = found
    return "faster" if high < 1 else "slower" if low > 1 else "no difference shown"


class Report:
    """Everything that the page says, computed; the functions below only lay it out."""

    def __init__(self, results):
        if not isinstance(results, dict) or results.get("format") != 1:
            found = results.get("format") if isinstance(results, dict) else type(results).__name__
            raise ValueError(f"these results have format {found!r}, this report reads format 1")
        self.results = results
        cells = results.get("cells") or {}
        listed = dict(results.get("allocators") or {})
        for row in cells.values():
            for name in row:
                listed.setdefault(name, {})
        self.allocators = list(listed)
        self.details = listed
        known = dict(results.get("workloads") or {})
        for name in cells:
            known.setdefault(name, {})
        self.workloads = [Workload(n, name, raw, cells.get(name) or {}, self.allocators)
                          for n, (name, raw) in enumerate(known.items())]
        # An allocator without a single result would leave no workload that all have.
        self.compared = [a for a in self.allocators if any(w.cells[a].ranked for w in self.workloads)]
        self.common = [w for w in self.workloads
                       if all(w.ratios[a] is not None for a in self.compared) and w.peers]

    def short(self, name):
        """A label that fits beside a plot; the number in the list of allocators tells cut ones apart."""
        if len(name) <= 15:
            return name
        return f"{self.allocators.index(name) + 1}: {name.rsplit('/', 1)[-1][:9]}\N{HORIZONTAL ELLIPSIS}"

    def mean(self, values):
        """The geometric mean of ratios; None where one of them is missing or 0, or there are none."""
        values = list(values)
        return measure.geometric_mean(values) if values and all(is_number(v) and v > 0 for v in values) else None

    def wrong(self):
        """What failed: the driver's lines, and those of cells that it does not repeat."""
        lines = [str(line) for line in self.results.get("errors") or []]
        for workload in self.workloads:
            for name, cell in workload.cells.items():
                error = cell.raw.get("error")
                if error and not any(str(error) in line and workload.name in line and name in line for line in lines):
                    lines.append(f"{workload.name} with {name}: {error}")
        return lines

    def missing(self):
        """What is not there though nothing failed."""
        lines, rounds = [], self.results.get("rounds")
        if not self.results.get("complete"):
            lines.append("The measurement was stopped before its end: these are the rounds that were done.")
        if left := self.results.get("left_out"):
            lines.append(f"Left out for lack of time (--budget): {', '.join(map(str, left))}.")
        for name in self.allocators:
            if name not in self.compared and self.workloads:
                lines.append(f"{name} has no result at all, so it takes no part in the geometric means.")
        for workload in self.workloads:
            absent = [a for a, c in workload.cells.items() if c.why and not c.raw.get("error") and a in self.compared]
            if absent:
                reasons = sorted({workload.cells[a].why for a in absent})
                lines.append(f"{workload.name} has no result with {', '.join(absent)} ({'; '.join(reasons)}).")
            few = [f"{a} ({len(c.ranked)})" for a, c in workload.cells.items()
                   if is_number(rounds) and 0 < len(c.ranked) < rounds]
            if few:
                lines.append(f"{workload.name} has fewer than {rounds} rounds with {', '.join(few)}.")
            if not workload.peers:
                lines.append(f"{workload.name} has no result with any peer, so there is nothing to compare it with.")
        return lines


# Plots ----------------------------------------------------------------------------------------------------------------
# All places across are percentages and all text has its size in pixels: plots fit any width, and text never shrinks.

PLOT, LABELS = 63.0, 67.5  # percent: where lines end, where their names begin


def svg(ident, height, title, description, inside, more=""):
    return (f'<svg class="plot" role="img" aria-labelledby="{ident}-t {ident}-d" height="{height:.0f}"{more}>'
            f'<title id="{ident}-t">{text(title)}</title><desc id="{ident}-d">{text(description)}</desc>{inside}</svg>')


def line(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}"/>'


def label(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.2f}%" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{text(words)}</text>'


def bars(report, workload):
    """The ranking figure of each allocator: name and numbers above, the bar below with its interval."""
    found = {a: c.interval for a, c in workload.cells.items() if c.ranked}
    end = reach(found.values())
    parts, y = [], 0
    for at, name in enumerate(report.allocators):
        parts.append(label(0, y + 13, report.short(name), "name"))
        if name not in found:
            parts.append(label(100, y + 13, "no result", anchor="end"))
        else:
            value, low, high = found[name]
            form = lambda v: show(v, workload.unit)  # noqa: E731
            known = is_number(low) and is_number(high)
            numbers = f"{form(value)} {workload.unit}" + (f" ({show_range(low, high, form)})" if known else "")
            parts.append(label(100, y + 13, numbers, anchor="end"))
            parts.append(f'<rect class="s{at}" x="0" y="{y + 18}" width="{value / end * 100:.2f}%" height="14" '
                         f'fill="url(#fill-{at})"/>')
            if known:
                parts.append(whisker(low / end * 100, high / end * 100, y + 25))
        y += 42
    if workload.fastest:
        base = found[workload.fastest][0] / end * 100
        parts += [line(base, at * 42 + 18, base, at * 42 + 36, "base") for at in range(len(report.allocators))]
    words = "; ".join(f"{a}: {show(v, workload.unit)}" for a, (v, _, _) in found.items())
    return svg(f"{workload.id}-bars", y, f"{workload.name}: {workload.figure} in {workload.unit}, median and 95 % interval",
               f"Horizontal bars from 0, shorter is better. {words}. The table below has all numbers.", "".join(parts))


def reach(found):
    """Where an axis ends.  A wide interval must not squeeze all bars: what reaches past that is cut, with an arrow."""
    return max(min(high, v * 1.3) if is_number(high) else v for v, _, high in found) * 1.02 or 1.0


def whisker(low, high, y, limit=100.0):
    """With a rim in the colour of the page, so that it can be seen on hatching.  `limit`: the end of the axis."""
    stop = limit - 1
    ends = [(low, y, min(high, stop), y)] if low < stop else []
    ends += [(x, y - 5, x, y + 5) for x in (low, high) if x <= stop]
    drawn = "".join(line(*e, kind) for kind in ("rim", "whisker") for e in ends)
    return drawn + (label(limit, y + 5, "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}", anchor="end") if high > stop else "")


def curves(report, ident, title, description, series, ticks, height=230):
    """Lines through [x, y], both as shares of the plot; `ticks`: ([(x, words)], [(y, words)]).  Names stand at the ends."""
    height = max(height, 15 * len(series) + 20)
    top, bottom = 16, height - 20
    place = lambda share: bottom - share * (bottom - top)  # noqa: E731
    across, up = ticks
    parts = [line(0, place(y), PLOT, place(y), "grid") + label(0, place(y) - 3, words, "tick") for y, words in up]
    for x, words in across:
        anchor = "start" if x < 0.05 else "middle"
        parts.append(line(x * PLOT, bottom, x * PLOT, bottom + 4, "axis") + label(x * PLOT, bottom + 15, words, "tick", anchor))
    parts.append(line(0, bottom, PLOT, bottom, "axis"))
    last = top - 8
    ends = sorted(series.items(), key=lambda item: -item[1][-1][1])
    for left, (name, points) in reversed(list(enumerate(reversed(ends)))):
        at = report.allocators.index(name)
        corners = " ".join(f"{x * 1000:.1f},{place(y):.1f}" for x, y in points)
        parts.append(f'<svg x="0" y="0" width="{PLOT}%" height="{height}" viewBox="0 0 1000 {height}" '
                     f'preserveAspectRatio="none" overflow="visible"><polyline class="s{at} curve" '
                     f'stroke-dasharray="{DASHES[at % len(DASHES)]}" points="{corners}"/></svg>')
        # Each line's markers stand elsewhere, so that lines that lie on one another can still be told apart.
        step = max(1, len(points) // 5)
        for x, y in points[at % step::step]:
            parts.append(marker(at, x * PLOT, place(y)))
        x, y = points[-1]
        last = min(max(last + 15, place(y)), bottom - 15 * left)
        parts.append(line(x * PLOT, place(y), LABELS - 2.5, last, "leader") + marker(at, LABELS, last))
        parts.append(f'<svg x="{LABELS}%" y="0" overflow="visible"><text x="9" y="{last + 4:.1f}" class="name">'
                     f"{text(report.short(name))}</text></svg>")
    return svg(ident, height, title, description, "".join(parts))


def marker(at, x, y):
    return f'<use href="#mark-{at}" class="s{at}" x="{x:.2f}%" y="{y:.1f}"/>'


def nice(value):
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999999)


def memory_plot(report, workload):
    """Resident memory over time.  The plot draws the table: in each slice of time the highest sample."""
    raw = {a: [(t, k) for t, k in c.raw.get("rss") or [] if is_number(t) and is_number(k) and t >= 0]
           for a, c in workload.cells.items()}
    raw = {a: points for a, points in raw.items() if points}
    if not raw:
        return "<p>Memory over time was not recorded.</p>"
    longest, highest = max(t for p in raw.values() for t, _ in p), max(k for p in raw.values() for _, k in p)
    slice_ = nice(longest / 48) if longest > 0 else 1.0
    count = int(longest / slice_) + 1
    high = {a: {} for a in raw}
    for name, points in raw.items():
        for t, kib in points:
            at = int(t / slice_)
            high[name][at] = max(kib, high[name].get(at, 0))
    span, up = count * slice_, nice(max(highest, 1) / 1024 / 4)
    top = up * math.ceil(max(highest, 1) / 1024 / up)
    across = nice(span / 4)
    ticks = ([(n * across / span, f"{n * across:g} s") for n in range(int(span / across) + 1)],
             [(n * up / top, f"{n * up:g}" + " MiB" * (n * up == top)) for n in range(1, round(top / up) + 1)])
    series = {a: [((at + 0.5) / count, kib / 1024 / top) for at, kib in sorted(h.items())] for a, h in high.items()}
    words = "; ".join(f"{a}: at most {show(max(h.values()), 'MiB')} MiB" for a, h in high.items())
    title = f"{workload.name}: resident memory over the time of one run"
    plot = curves(report, f"{workload.id}-rss", title, f"One line for each allocator, lower is better. {words}. "
                  "The table below has the points.", series, ticks)
    rows = [[f"{at * slice_:.6g}", *(show(h[at], "MiB") if at in h else "ended" if at > max(h) else "no sample"
                                     for h in high.values())] for at in range(count)]
    shown = table(f"{workload.name}: resident memory in MiB, highest in each {slice_:g} s of one run", ["from, s", *high], rows)
    left = [a for a in report.allocators if a not in raw]
    return figure(plot, "Resident memory of one run, MiB over seconds. Lower is better.", shown,
                  f"Not recorded for {', '.join(left)}." if left else "")


def latency_plot(report, workload):
    """Percentiles on logarithmic axes: each step to the right is ten times as rare."""
    have = {a: c.raw["latency"] for a, c in workload.cells.items() if isinstance(c.raw.get("latency"), dict)}
    if not have:
        return ""
    clean = {a: [(p, v) for p, v in one.get("percentiles") or [] if is_number(p) and is_number(v) and 0 <= p < 100 and v > 0]
             for a, one in have.items()}
    clean = {a: sorted(points) for a, points in clean.items() if points}
    plot, note = "", ""
    if any(is_number(v) and v <= 0 for one in have.values() for _, v in one.get("percentiles") or []):
        note = "A latency of 0 has no place on a logarithmic axis: such points are only in the table."
    if clean:
        rare = lambda p: math.log10(1 / (1 - p / 100))  # noqa: E731
        percents = sorted({p for points in clean.values() for p, _ in points})
        first, last = rare(percents[0]), rare(percents[-1])
        values = [math.log10(v) for points in clean.values() for _, v in points]
        low, high = math.floor(min(values)), max(math.ceil(max(values)), math.floor(min(values)) + 1)
        share = lambda p: (rare(p) - first) / (last - first) if last > first else 0.5  # noqa: E731
        series = {a: [(share(p), (math.log10(v) - low) / (high - low)) for p, v in points] for a, points in clean.items()}
        ticks = ([(share(p), f"{p:g}") for p in percents],
                 [((n - low) / (high - low), f"{10.0 ** n:,.10g}" + " ns" * (n == high)) for n in range(low, high + 1)])
        words = "; ".join(f"{a}: {p[-1][1]:,.0f} ns at {p[-1][0]:g} %" for a, p in clean.items())
        plot = curves(report, f"{workload.id}-latency", f"{workload.name}: latency by percentile, both axes logarithmic",
                      f"One line for each allocator, lower is better. {words}. The table below has the points.", series, ticks)
    return figure(plot, "Latency in ns at each percentile (percent, each step to the right is rarer). Both axes are "
                  "logarithmic, lower is better.", latency_table(workload, have), note)


def latency_table(workload, have):
    """The points, the worst, and what the machine alone does: latencies up to its noise are not the allocator's."""
    kinds = {"percentiles": "", "noise": ", the machine alone"}
    percents = sorted({p for one in have.values() for kind in kinds for p, _ in one.get(kind) or []})
    rows = []
    for name, one in have.items():
        for kind, words in kinds.items():
            if one.get(kind):
                points = dict(map(tuple, one[kind]))
                own = kind == "percentiles"
                rows.append([name + words, *(show(points.get(p), "ns") for p in percents),
                             show(one.get("worst"), "ns") if own else "does not apply", show(one.get("clock"), "ns")])
    return table(f"{workload.name}: latency in ns by percentile", ["allocator", *(f"{p:g} %" for p in percents), "worst",
                                                                  "cost of reading the clock"], rows)


def figure(plot, caption, shown, note=""):
    note = f"<p>{text(note)}</p>" if note else ""
    return (f"<figure>{plot}<figcaption>{text(caption)}</figcaption></figure>{note}"
            f"<details><summary>The numbers of this plot</summary>{shown}</details>")


# Tables ---------------------------------------------------------------------------------------------------------------


class Raw(str):
    """Text that is HTML already; `order` is what a column is sorted by."""

    order = None


def raw(markup, order=None):
    made = Raw(markup)
    made.order = order
    return made


def table(caption, heads, rows, kind=""):
    """Every table: a caption, heads with their scope, the first of each row its head.  Wide ones scroll by keyboard too."""
    ident = "t" + hashlib.blake2b(repr((caption, heads, rows)).encode("utf-8", "replace"), digest_size=6).hexdigest()
    inside = lambda cell: cell if isinstance(cell, Raw) else text(cell)  # noqa: E731
    head = "".join(f'<th scope="col">{inside(h)}</th>' for h in heads)
    body = []
    for first, *others in rows:
        order = ["" if getattr(c, "order", None) is None else f' data-order="{c.order:.9g}"' for c in others]
        body.append(f'<tr><th scope="row">{inside(first)}</th>'
                    + "".join(f"<td{o}>{inside(c)}</td>" for o, c in zip(order, others)) + "</tr>")
    return (f'<div class="wide" role="group" tabindex="0" aria-labelledby="{ident}"><table class="{kind}">'
            f'<caption><span id="{ident}">{text(caption)}</span></caption><thead><tr>{head}</tr></thead>'
            f'<tbody>{"".join(body)}</tbody></table></div>')


def name_cell(report, name):
    """With a sample of the series' hatching."""
    at = report.allocators.index(name)
    return raw(f'<svg class="sample" aria-hidden="true" width="16" height="12"><rect class="s{at}" x="1" y="1" width="14" '
               f'height="10" fill="url(#fill-{at})"/></svg> {text(name)}')


def overall(report):
    """One row for each allocator: means over the workloads that all have, and how many it wins."""
    rows = []
    for name in report.compared:
        means = [report.mean(w.ratios[name][0] for w in report.common)]
        means += [report.mean(w.quotient(name, field) for w in report.common) for field in ("cpu", "peak", "average")]
        found = [w.verdicts[name] for w in report.workloads]
        counts = [found.count(v) for v in ("faster", "slower", "no difference shown")]
        rows.append([name_cell(report, name), *(raw(show_ratio(m), m) for m in means), *(raw(str(n), n) for n in counts)])
    return table(f"Geometric means over the workloads that all compared allocators have ({len(report.common)} of "
                 f"{len(report.workloads)}), as ratios against each workload's fastest peer; below 1 is better", [
                     "allocator", "time", "CPU, whole process", "peak memory", "average memory", "workloads won",
                     "workloads lost", "no difference shown"], rows, "sortable")


def matrix(report, memory):
    """All workloads by all allocators: time with CPU, or both memory figures."""
    rows = []
    for workload in report.workloads:
        row = [raw(f'<a href="#{workload.id}">{text(workload.name)}</a>')]
        row += [(memory_cell if memory else time_cell)(workload, name) for name in report.compared]
        rows.append(row)
    what = "Peak and average memory" if memory else "Time (or the figure that ranks the workload) and whole-process CPU"
    return table(f"{what} as ratios against the workload's fastest peer; below 1 is better", ["workload", *report.compared],
                 rows, "sortable")


def time_cell(workload, name):
    found, cell = workload.ratios[name], workload.cells[name]
    if found is None:
        return cell.why or ("no peer to compare with" if not workload.fastest else "no round in common with the fastest peer")
    value, low, high = found
    if name == workload.fastest:
        words = ["fastest peer"]
    else:
        words = [workload.verdicts[name], show_range(low, high, show_ratio)]
    words.append(f"CPU {show_ratio(workload.quotient(name, 'cpu'))}")
    return raw(f"<b>{show_ratio(value)}</b>" + "".join(f"<br><small>{text(w)}</small>" for w in words), value)


def memory_cell(workload, name):
    if workload.ratios[name] is None:
        return workload.cells[name].why or "no peer to compare with"
    peak, average = (workload.quotient(name, field) for field in ("peak", "average"))
    return raw(f"peak <b>{show_ratio(peak)}</b><br>average <b>{show_ratio(average)}</b>", peak)


def figures_table(report, workload):
    """Everything about one workload: medians over its rounds, what ranks it first."""
    ranks = workload.figure if workload.figure == workload.unit else f"{workload.figure}, {workload.unit}"
    heads = ["allocator", f"{ranks} (ranks)", "95 % interval", "ratio to the fastest peer", "its interval"]
    columns = [("elapsed, s", "elapsed", "s"), ("user, s", "user", "s"), ("system, s", "system", "s"), ("room, s", "room", "s"),
               ("CPU, s", "cpu", "s"), ("faults", "faults", "count"), ("faults of the room", "room_faults", "count"),
               ("peak, MiB", "peak", "MiB"), ("average, MiB", "average", "MiB")][workload.figure == "elapsed":]
    extras = workload.extras()
    heads += [*(head for head, *_ in columns), *extras, "rounds"]
    rows = []
    for name, cell in workload.cells.items():
        row = [name_cell(report, name)]
        if not cell.samples or cell.raw.get("error"):
            rows.append([*row, cell.why, *["no result"] * (len(heads) - 2)])
            continue
        form = lambda v: show(v, workload.unit)  # noqa: E731
        value, low, high = cell.interval if cell.ranked else (None, None, None)
        row += [form(value), show_range(low, high, form) if cell.ranked else "not recorded"]
        found = workload.ratios[name]
        if name == workload.fastest:
            row += ["1.000", "fastest peer"]
        else:
            row += [show_ratio(found[0]), show_range(*found[1:], show_ratio)] if found else ["none", "none"]
        row += [show(cell.median(field), unit) for _, field, unit in columns]
        rows.append([*row, *(show(cell.extra(extra), "") for extra in extras), str(len(cell.samples))])
    return table(f"{workload.name}: medians over the rounds", heads, rows)


# The page -------------------------------------------------------------------------------------------------------------


def trouble(report):
    """Above everything else: what failed and what is missing."""
    wrong, missing = report.wrong(), report.missing()
    if not wrong and not missing:
        return "<p>Nothing failed, and nothing is missing.</p>"
    parts = []
    for title, lines in (("What failed", wrong), ("What is missing", missing)):
        if lines:
            items = "".join(f"<li>{text(entry)}</li>" for entry in lines)
            parts.append(f"<h2>{title}</h2><ul>{items}</ul>")
    return f'<section class="trouble">{"".join(parts)}</section>'


def circumstances(report):
    """What was measured, on what, in which state, and how to do it again."""
    r, seen = report.results, lambda name: r[name] if r.get(name) is not None else "not recorded"
    warm = {"warm": "warm: as much memory as the workload needs is touched before each run",
            "cold": "cold: nothing is touched before a run, so fresh pages cost what they cost"}
    huge = {"default": "as each allocator and the kernel have it by default", "on": "on", "off": "off: the kernel gives none"}
    busy = f"{r['busy'] * 100:.1f} % of the processors' time" if is_number(r.get("busy")) else "not recorded"
    processors = r.get("processors")
    facts = [("date", seen("date")), ("processor", seen("processor")), ("kernel", seen("kernel")),
             ("processors used", f"{len(processors)}: {', '.join(map(str, processors))}" if processors else "not recorded"),
             ("free memory before a run", warm.get(r.get("memory"), seen("memory"))),
             ("huge pages", huge.get(r.get("huge_pages"), seen("huge_pages"))), ("used by other programs", busy),
             ("rounds", f"{seen('rounds')}, {'complete' if r.get('complete') else 'stopped before the end'}"),
             ("seed of the order of runs", seen("seed")),
             ("to repeat", raw(f"<code>{text(r['command'])}</code>") if r.get("command") else "not recorded")]
    built = {"plain": "plain compiler", "pass": "by the pass, linked with libngrt", "lto": "by the pass with -flto"}
    rows = []
    for n, (name, one) in enumerate(report.details.items()):
        env = " ".join(f"{k}={v}" for k, v in (one.get("env") or {}).items())
        rows.append([name_cell(report, name), str(n + 1), "peer" if is_peer(name) else "ours",
                     one.get("version") or "not recorded", built.get(one.get("build"), one.get("build") or "not recorded"),
                     one.get("library") or "none", env or "none"])
    tables = table("The machine and its state", ["fact", "value"], facts, "facts")
    if rows:
        tables += table("The allocators", ["allocator", "number", "role", "version", "program built", "library preloaded",
                                           "extra environment"], rows, "words")
    return f'<section><h2 id="what">What was measured</h2>{tables}</section>'


READING = """<p>Lower is better everywhere. Each ratio is the median over that of the workload's fastest peer, the one with the
lowest median of the ranking figure (elapsed time where nothing else is said), taken over the rounds that both have. Peers are
all allocators whose names do not begin with ngrt; glibc is one of them. CPU is user and system time of all threads, that of our
room thread with it: time saved by a second core is not free, and shows here. Memory ratios are against that same peer. An
allocator wins a workload where the whole 95&nbsp;% interval of its ratio lies below 1, and loses it where the interval lies
above; the fastest peer is judged against the next peer. Where other programs were busy, intervals of workloads with several
threads reach to what the program would have taken had it had the processors to itself.</p>"""


def summary(report):
    if not report.workloads:
        return "<p>This results file has no workloads.</p>"
    if not report.compared:
        return "<p>No workload has a result with any allocator.</p>"
    parts = [READING]
    if report.common:
        parts.append(overall(report))
    else:
        parts.append("<p>No workload has results of all allocators and of a peer, so there are no geometric means.</p>")
    left = [w.name for w in report.workloads if w not in report.common]
    if left and report.common:
        parts.append(f"<p>Not in the means, since not all allocators have them: {text(', '.join(left))}.</p>")
    return "".join([*parts, matrix(report, False), matrix(report, True)])


def workload_section(report, workload):
    one = workload.raw
    said = [one.get("stands_for"), one.get("language"),
            f"{one['threads']} thread{'s' * (one['threads'] != 1)}" if is_number(one.get("threads")) else None,
            {"own": "a workload of this project", "program": "a program of Debian"}.get(one.get("kind")),
            f"ranked by {'elapsed time' if workload.figure == 'elapsed' else f'its figure {workload.figure}'}, "
            f"in {workload.unit}"]
    parts = [f'<section class="workload"><h3 id="{workload.id}">{text(workload.name)}</h3>',
             f"<p>{text('; '.join(str(s) for s in said if s))}.</p>"]
    if any(c.ranked for c in workload.cells.values()):
        parts.append(f"<figure>{bars(report, workload)}<figcaption>{text(workload.figure)}, median with its 95&nbsp;% "
                     "interval. Shorter is better. The dashed line is the fastest peer's median.</figcaption></figure>")
    else:
        parts.append("<p>No result to draw.</p>")
    parts += [figures_table(report, workload), memory_plot(report, workload), latency_plot(report, workload), "</section>"]
    return "".join(parts)


def definitions(report):
    """The hatching and the marker of each series, for all plots of a file."""
    parts = []
    for at in range(len(report.allocators)):
        scale = 1 + at // len(HATCHES) * 0.5  # more series than shapes: the next ones are coarser
        path, mark = HATCHES[at % len(HATCHES)], MARKERS[at % len(MARKERS)]
        parts.append(f'<pattern id="fill-{at}" width="8" height="8" patternUnits="userSpaceOnUse" '
                     f'patternTransform="scale({scale})"><rect class="paper" width="8" height="8"/>'
                     f'<path class="s{at} hatch" d="{path}"/></pattern><path id="mark-{at}" class="mark" d="{mark}"/>')
    return f"<defs>{''.join(parts)}</defs>"


LIGHT, DARK = 0, 1


def colours(report, scheme):
    """Classes s0, s1 and so on."""
    count = len(report.allocators)
    return "\n".join(f".s{at} {{ color: {COLOURS[at % len(COLOURS)][scheme]} }}" for at in range(count))


PLOT_STYLE = """
.plot { font: 12px system-ui, sans-serif }
.plot text { fill: var(--ink) }
.plot .tick { fill: var(--soft); font-size: 11px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px }
.plot .name { font-weight: 600 }
.plot rect { stroke: currentColor; stroke-width: 1.5 }
.paper { fill: var(--paper) }
.hatch { stroke: currentColor; stroke-width: 2; fill: none }
.mark { stroke: currentColor; stroke-width: 1.5; fill: var(--paper) }
.curve { fill: none; stroke: currentColor; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round }
.grid { stroke: var(--faint) }
.axis { stroke: var(--line) }
.leader { stroke: var(--line); stroke-dasharray: 1 3 }
.whisker { stroke: var(--ink); stroke-width: 2 }
.base { stroke: var(--ink); stroke-dasharray: 4 3 }
.rim { stroke: var(--paper); stroke-width: 6 }
"""

STYLE = """
:root { color-scheme: light; --paper: #ffffff; --ink: #1a1a1a; --soft: #555; --line: #8a8a8a; --faint: #d5d5d5;
  --link: #00509d; --warn: #fff4d6 }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --paper: #16181b; --ink: #ececec; --soft: #b8b8b8;
  --line: #8d8d8d; --faint: #3b3f45; --link: #8ec2ff; --warn: #3a3117 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.2rem 0 .5rem }
h2 { font-size: 1.35rem; margin: 2.2rem 0 .5rem }
h3 { font-size: 1.15rem; margin: 0 0 .3rem }
h1, h3, p, li, code { overflow-wrap: anywhere }
p, li { max-width: 46rem }
a { color: var(--link) }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
main:focus { outline: none }
.skip { position: absolute; left: -999px; background: var(--paper); padding: .6rem 1rem; z-index: 2 }
.skip:focus { left: .5rem; top: .5rem }
nav ul { columns: 14rem; padding-left: 1.2rem; margin: .4rem 0 }
nav a { display: inline-block; min-height: 24px }
summary { cursor: pointer; min-height: 24px; width: fit-content }
.trouble { background: var(--warn); border: 2px solid var(--ink); border-left-width: 8px; padding: .2rem 1rem; margin: 1rem 0 }
.trouble h2 { margin: .6rem 0 0; font-size: 1.1rem }
.workload { border-top: 2px solid var(--line); margin-top: 2.2rem; padding-top: 1rem }
.wide { overflow-x: auto; margin: 1rem 0; max-width: 100% }
table { border-collapse: separate; border-spacing: 0; width: max-content; font-size: .875rem;
  font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: 600; padding: .2rem 0 .4rem }
caption span { display: inline-block; position: sticky; left: 0; max-width: min(46rem, calc(100vw - 3rem)) }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--faint); text-align: right; vertical-align: top;
  unicode-bidi: isolate; min-width: 3.5rem }
th { font-weight: 600 }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom; max-width: 7.5rem; overflow-wrap: break-word }
tr > th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); max-width: 11rem;
  overflow-wrap: break-word }
td { max-width: 14rem; overflow-wrap: break-word }
tbody tr:hover > * { background: var(--faint) }
.facts td, .words td, .words th, .facts th { text-align: left; max-width: 34rem }
.facts { width: auto }
.facts td { overflow-wrap: anywhere }
@media (max-width: 30rem) { tr > th:first-child { max-width: 7rem } }
small { color: var(--soft); font-size: .8rem; white-space: nowrap }
table button { font: inherit; color: inherit; background: none; border: 0; border-bottom: 1px dotted; padding: .1rem 0;
  text-align: inherit; cursor: pointer; min-height: 24px }
th[aria-sort=ascending] button::after { content: " \\2191" }
th[aria-sort=descending] button::after { content: " \\2193" }
figure { margin: 1rem 0 .4rem; max-width: 46rem }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .3rem }
.plot { display: block; width: 100%; overflow: visible }
""" + PLOT_STYLE + """
.sample { vertical-align: -1px }
.sample rect { stroke: currentColor; stroke-width: 1 }
.defs { position: absolute }
@media (max-width: 30rem) { .plot .name { font-size: 11px; font-weight: 500 } .plot { font-size: 11px } }
@media (forced-colors: active) { :root { --paper: Canvas; --ink: CanvasText; --soft: CanvasText; --line: CanvasText;
  --faint: GrayText; --link: LinkText; --warn: Canvas } svg [class^=s] { color: CanvasText } }
@media print { body { max-width: none; font-size: 10pt } nav, .skip { display: none } .wide { overflow: visible }
  table { font-size: 7pt; width: auto } th, td { padding: .15rem .3rem; min-width: 0 } tr > th:first-child { position: static }
  figure, tr { break-inside: avoid } h2, h3 { break-after: avoid } small { white-space: normal; font-size: 6.5pt }
  .plot, .sample, .defs { filter: grayscale(1) } }
"""

# Optional: the page is whole without it.  Sorts tables, and opens what is folded for printing.
SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const up = head.getAttribute("aria-sort") !== "ascending", sign = up ? 1 : -1;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const order = row => row.cells[at].dataset.order;
      const name = row => row.cells[0].textContent;
      body.append(...[...body.rows].sort((a, b) => at === 0 ? sign * name(a).localeCompare(name(b))
        : order(a) === undefined || order(b) === undefined ? (order(a) === undefined) - (order(b) === undefined)
        : sign * (order(a) - order(b))));
    };
  });
}
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach(one => one.open = true);
});
addEventListener("afterprint", () => folded.forEach(one => one.open = false));
"""


def page(report):
    # Nothing is loaded, and no script runs but ours, whatever a results file may smuggle in.
    allowed = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'"
    date = text(report.results.get("date") or "date not recorded")
    links = "".join(f'<li><a href="#{w.id}">{text(w.name)}</a></li>' for w in report.workloads)
    contents = f"<details><summary>The {len(report.workloads)} workloads</summary><ul>{links}</ul></details>" if links else ""
    sections = "".join(workload_section(report, w) for w in report.workloads) or "<p>There are none.</p>"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Allocators side by side, {date}</title>
<style>{STYLE}{colours(report, LIGHT)}
@media screen and (prefers-color-scheme: dark) {{{colours(report, DARK)}}}</style></head><body>
<a class="skip" href="#main">Skip to the results</a>
<svg class="defs" aria-hidden="true" width="0" height="0">{definitions(report)}</svg>
<header><h1>Allocators side by side</h1><p>{len(report.workloads)} workload{"s" * (len(report.workloads) != 1)},
{len(report.allocators)} allocator{"s" * (len(report.allocators) != 1)}, {date}.</p></header>
<nav aria-label="Contents"><ul><li><a href="#summary">Summary</a></li><li><a href="#what">What was measured</a></li>
<li><a href="#workloads">Workload by workload</a></li></ul>{contents}</nav>
<main id="main" tabindex="-1">{trouble(report)}
<section><h2 id="summary">Summary</h2>{summary(report)}</section>
{circumstances(report)}
<section><h2 id="workloads">Workload by workload</h2>{sections}</section></main>
<script>{SCRIPT}</script></body></html>
"""


# The plot by itself ---------------------------------------------------------------------------------------------------

WIDTH, ROW = 760, 20  # pixels; a row is one bar
LEFT, FIRST, LAST, RIGHT = 1.0, 16.0, 80.0, 99.0  # percent: where text begins, bars begin, their axis ends, text ends
LONGEST = 3.0  # the axis goes no further: one slow allocator must not squeeze the others' bars

# Who shows a picture may have it on any colour, so it brings its own; not all that draw SVG files know var().
SINGLE_STYLE = """
.plot, .plot .tick { font-size: 13px }
.plot .paper { stroke: none }
"""


def single_style(report):
    light = dict(re.findall(r"--(\w+): (#\w+)", STYLE.split("}", 1)[0]))
    rules = re.sub(r"var\(--(\w+)\)", lambda name: light[name[1]], PLOT_STYLE + SINGLE_STYLE)
    return f"<style>{rules}{colours(report, LIGHT)}</style>"


def ratio_words(workload, name):
    found = workload.ratios[name]
    if found is None:
        return "no result"
    if name == workload.fastest:
        return f"{show(workload.cells[name].median('rank'), workload.unit)} {workload.unit}, fastest peer"
    form = "{:.2f}".format
    return form(found[0]) + (f" ({show_range(*found[1:], form)})" if is_number(found[2]) else "")


def ratio_group(report, workload, place, y):
    """A heading, then a row for each allocator: its name, its bar with the interval, its numbers."""
    about = workload.raw.get("stands_for")
    parts = [label(LEFT, y + 14, workload.name + (f": {about}" if about else ""), "name")]
    top, y = y + 22, y + 22
    for name in report.compared:
        at, found = report.allocators.index(name), workload.ratios[name]
        parts.append(label(FIRST - 1, y + 14, report.short(name), anchor="end"))
        parts.append(label(RIGHT, y + 14, ratio_words(workload, name), anchor="end"))
        if found:
            wide = min(place(found[0]), LAST) - FIRST
            parts.append(f'<rect class="s{at}" x="{FIRST}%" y="{y + 3}" width="{wide:.2f}%" height="14" '
                         f'fill="url(#fill-{at})"/>')
            if name != workload.fastest and is_number(found[2]):
                parts.append(whisker(place(found[1]), place(found[2]), y + 10, LAST))
        y += ROW
    return "".join([*parts, line(FIRST, top, FIRST, y, "axis"), line(place(1), top, place(1), y, "base")])


def plot(report):
    """The ratios of all workloads with a peer, on one axis.  ValueError where there is none."""
    drawn = [w for w in report.workloads if w.fastest]
    if not drawn:
        raise ValueError("no workload has a result with a peer, so there is nothing to plot")
    end = min(LONGEST, reach([found for w in drawn for found in w.ratios.values() if found]))
    place = lambda ratio: FIRST + ratio / end * (LAST - FIRST)  # noqa: E731
    title = "Time against the fastest peer of each program, with 95 % intervals"
    r, count = report.results, len(report.results.get("processors") or [])
    state = f"Medians of {r.get('rounds')} rounds on {count} processor{'s' * (count != 1)}, {r.get('processor')}."
    note = "Shorter is better; the dashed line is the fastest peer."
    parts = [label(LEFT, 18, title, "name"), label(LEFT, 36, f"{note} {state}", "tick")]
    tall, top = 32 + ROW * len(report.compared), 46
    parts += [ratio_group(report, w, place, top + n * tall) for n, w in enumerate(drawn)]
    bottom = top + len(drawn) * tall - 10
    step = nice(end / 4)
    for ratio in (n * step for n in range(int(end / step) + 1)):
        parts.append(line(place(ratio), bottom, place(ratio), bottom + 5, "axis")
                     + label(place(ratio), bottom + 18, f"{ratio:g}", "tick", "middle"))
    parts.append(line(FIRST, bottom, LAST, bottom, "axis"))
    words = ". ".join(f"{w.name}: " + "; ".join(f"{a} {ratio_words(w, a)}" for a in report.compared) for w in drawn)
    before = f'{single_style(report)}{definitions(report)}<rect class="paper" width="100%" height="100%"/>'
    height = bottom + 24
    return svg("plot", height, title, f"Horizontal bars from 0. {note} {state} {words}.", before + "".join(parts),
               f' xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" viewBox="0 0 {WIDTH} {height}"')


# Files ----------------------------------------------------------------------------------------------------------------


def write(results, path, kind=page):
    """The results, as the driver writes them, as a page or a plot.  ValueError where they are none."""
    made = kind(Report(results))
    with open(path, "wb") as file:
        file.write(made.encode("utf-8", "replace"))


def main(arguments):
    if len(arguments) != 2:
        print("report: two arguments are needed: RESULTS.json OUT.html", file=sys.stderr)
        return 2
    source, target = arguments
    try:
        with open(source, encoding="utf-8") as file:
            results = json.load(file)
    except (OSError, ValueError) as failure:
        print(f"report: {source} cannot be read as JSON: {failure}", file=sys.stderr)
        return 2
    try:
        write(results, target)
    except (ValueError, OSError) as failure:
        print(f"report: {source} to {target}: {failure}", file=sys.stderr)
        return 2
    except (AttributeError, KeyError, TypeError) as failure:
        print(f"report: {source} does not hold to format 1 of results: {failure!r}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
