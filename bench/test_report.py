#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test_report.py: tests of the HTML report, on made-up results (fixed numbers that no machine ever gave).  Run by ctest."""

import contextlib
import copy
import functools
import html.parser
import io
import json
import os
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import report  # noqa: E402

NAMES = ("glibc", "mimalloc", "jemalloc", "tcmalloc", "ngrt preloaded", "ngrt", "ngrt lto", "ngrt off")
SPEED = (1.30, 1.00, 1.20, 1.10, 1.02, 0.80, 0.78, 1.05)  # of made-up allocators, to the second's elapsed time
WOBBLE = (0.00, 0.012, -0.009, 0.004, -0.013, 0.008, 0.001)
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SHAPES = {"path", "line", "rect", "use", "polyline"}  # these close themselves


def run(at, number, size):
    ours = NAMES[at].startswith("ngrt")
    elapsed = round(size * SPEED[at] * (1 + WOBBLE[(number + at) % 7]), 6)
    return {"round": number, "elapsed": elapsed, "user": round(elapsed * 0.9, 6), "system": 0.05,
            "room_user": 0.25 * ours, "room_system": 0.03 * ours, "faults": 4000 + at, "room_faults": 900 * ours,
            "peak": 204800 + 10240 * at, "average": 102400 + 5120 * at, "counters": {"cycles": 10 ** 9},
            "figures": {"ns": round(elapsed * 12, 4)}}


def cell(at, size, latency=False):
    made = {"runs": [run(at, n, size) for n in range(7)],
            "rss": [[n / 40 * size * SPEED[at], 8192 + (min(n, 30) * 5 - max(n - 30, 0) * 8 + at * 4) * 1024]
                    for n in range(41)]}
    if latency:
        made["latency"] = {"percentiles": [[p, round(v * SPEED[at], 1)] for p, v in
                                           ((50, 20), (99, 90), (99.9, 700), (99.99, 4000), (99.999, 60000))],
                           "worst": 912345, "clock": 14.5, "noise": [[50, 1], [99, 3], [99.9, 40], [99.99, 900]]}
    return made


def sample():
    """Three workloads with eight allocators, all there."""
    listed = (("trees", "own", "objects that come and go", "C", 1, "elapsed", "s"),
              ("latency", "own", "the tail of single calls", "C++", 2, "ns", "ns"),
              ("reader", "program", "a tree that is built and read", "C", 1, "elapsed", "s"))
    keys = ("kind", "stands_for", "language", "threads", "figure", "unit")
    workloads = {name: dict(zip(keys, values)) for name, *values in listed}
    return {
        "format": 1, "date": "2026-01-02T03:04:05Z", "kernel": "0.0 synthetic", "processor": "a made-up processor",
        "processors": [0, 1], "busy": 0.02, "seed": 7, "memory": "warm", "huge_pages": "default", "rounds": 7,
        "complete": True, "command": "bench/run --seed=7",
        "allocators": {n: {"library": None, "build": "pass" if n == "ngrt" else "plain", "env": {}, "version": "0"}
                       for n in NAMES},
        "workloads": workloads,
        "cells": {w: {n: cell(at, 1 + number / 2, w == "latency") for at, n in enumerate(NAMES)}
                  for number, w in enumerate(workloads)},
        "errors": []}


def with_gaps():
    """A cell that failed, one that is not there, one without the figure that ranks, a stopped run, two
    workloads that did not fit into the time."""
    made = sample()
    made["complete"] = False
    made["errors"] = ["the build with -flto took too long"]
    made["left_out"] = ["compiler", "solver"]
    made["cells"]["trees"]["tcmalloc"] = {"error": "ended by signal 11"}
    del made["cells"]["latency"]["jemalloc"]
    for one in made["cells"]["latency"]["ngrt off"]["runs"]:
        one["figures"] = {}
    made["cells"]["reader"]["ngrt"]["runs"] = made["cells"]["reader"]["ngrt"]["runs"][:3]
    del made["cells"]["reader"]["glibc"]["rss"]
    return made


def hostile():
    made = sample()
    evil = '</title><script>alert("1")</script>\'"&\x00<!--'
    made["allocators"][evil] = {"library": evil, "build": evil, "env": {evil: evil}, "version": evil}
    made["workloads"][evil] = {"kind": evil, "stands_for": evil, "language": evil, "threads": 1, "figure": evil, "unit": evil}
    made["cells"][evil] = copy.deepcopy(made["cells"]["trees"])
    for one in made["cells"][evil].values():
        for each in one["runs"]:
            each["figures"] = {evil: each["elapsed"]}
    made["cells"]["trees"][evil] = cell(0, 1)
    made["errors"] = [evil]
    made["command"] = made["processor"] = evil + "\ud800"
    return made


def only(*names):
    made = sample()
    made["allocators"] = {n: made["allocators"][n] for n in names}
    made["cells"] = {w: {n: row[n] for n in names} for w, row in made["cells"].items()}
    return made


def empty():
    made = sample()
    made.update(workloads={}, cells={}, allocators={})
    return made


def alone_rounds():
    made = sample()
    for row in made["cells"].values():
        for one in row.values():
            one["runs"] = one["runs"][:1]
    return made


CASES = {"whole": sample, "gaps": with_gaps, "hostile": hostile, "ours alone": lambda: only("ngrt"),
         "one peer": lambda: only("glibc"), "empty": empty, "one round": alone_rounds}


def rendered(results):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.html")
        report.write(results, path)
        with open(path, encoding="utf-8") as file:
            return file.read()


class Reader(html.parser.HTMLParser):
    """The page as a list of (tag, attributes, text within); complains about what does not close."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.faults = [], [], []
        self.feed(page)
        self.close()
        self.faults += [f"never closed: {e[0]}" for e in self.open]

    def handle_starttag(self, tag, attrs):
        if len({name for name, _ in attrs}) != len(attrs):
            self.faults.append(f"an attribute twice in {tag}")
        one = (tag, dict(attrs), [], [e[0] for e in self.open])
        self.elements.append(one)
        if tag not in VOID:
            self.open.append(one)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in SHAPES:
            self.faults.append(f"{tag} cannot close itself")
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> within {[e[0] for e in self.open][-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        for one in self.open:
            one[2].append(data)

    def all(self, tag):
        return [(attrs, "".join(words)) for name, attrs, words, _ in self.elements if name == tag]


PAGES = {name: rendered(make()) for name, make in CASES.items()}
READ = {name: Reader(page) for name, page in PAGES.items()}


def table_of(read, start):
    """The rows of the table whose caption starts so, each a list of texts."""
    rows, within = [], False
    for tag, _, words, _ in read.elements:
        if tag == "caption":
            within = "".join(words).startswith(start)
        elif within and tag == "tr":
            rows.append([])
        elif within and tag in ("th", "td"):
            rows[-1].append("".join(words).strip())
    return rows


def on_each(test):
    """The test once for each page."""
    @functools.wraps(test)
    def on_all(self):
        for name, read in READ.items():
            with self.subTest(name):
                test(self, read, PAGES[name])
    return on_all


class EveryPage(unittest.TestCase):
    @on_each
    def test_is_well_formed(self, read, page):
        self.assertEqual(read.faults, [])

    @on_each
    def test_has_no_id_twice_and_none_that_is_missing(self, read, page):
        ids = [attrs["id"] for _, attrs, _, _ in read.elements if "id" in attrs]
        self.assertEqual(len(ids), len(set(ids)))
        wanted = set(re.findall(r"url\(#([^)]*)\)", page))
        for _, attrs, _, _ in read.elements:
            wanted |= set((attrs.get("aria-labelledby") or "").split())
            if "href" in attrs:
                self.assertTrue(attrs["href"].startswith("#"))
                wanted.add(attrs["href"][1:])
        self.assertLessEqual(wanted, set(ids))

    @on_each
    def test_loads_nothing(self, read, page):
        self.assertNotRegex(page, r"https?:|@import|url\((?!#)")
        self.assertFalse([e for e in read.elements if "src" in e[1] or e[0] in ("link", "img", "iframe", "object")])

    @on_each
    def test_has_heads_with_scope_and_a_caption_in_every_table(self, read, page):
        self.assertTrue(all(attrs.get("scope") in ("col", "row") for attrs, _ in read.all("th")))
        self.assertEqual(len(read.all("caption")), len(read.all("table")))

    @on_each
    def test_has_rows_as_long_as_their_head(self, read, page):
        for _, caption in read.all("caption"):
            self.assertEqual(len({len(row) for row in table_of(read, caption)}), 1, caption)

    @on_each
    def test_has_headings_in_order_and_a_way_past_the_start(self, read, page):
        levels = [int(tag[1]) for tag, *_ in read.elements if re.fullmatch("h[1-6]", tag)]
        self.assertEqual(levels.count(1), 1)
        self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])))
        self.assertEqual(read.all("a")[0][0]["href"], "#main")

    @on_each
    def test_says_of_every_plot_what_it_is_and_has_its_numbers(self, read, page):
        plots = [attrs for attrs, _ in read.all("svg") if attrs.get("class") == "plot"]
        self.assertTrue(all(attrs["role"] == "img" for attrs in plots))
        for tag in ("title", "desc"):
            inside = [e for e in read.elements if e[0] == tag and "svg" in e[3]]
            self.assertEqual(len(inside), len(plots))
            self.assertTrue(all("".join(e[2]).strip() for e in inside))
        drawn = [attrs["aria-labelledby"].split()[0] for attrs in plots]
        folded = sum("-bars-" not in ident for ident in drawn)
        shown = [e for e in read.elements if e[0] == "table" and "details" in e[3]]
        self.assertEqual(len(shown), folded)  # bars have the workload's own table below them

    @on_each
    def test_never_shows_what_python_calls_nothing(self, read, page):
        body = " ".join(words for tag in ("td", "th", "text", "desc", "p", "li") for _, words in read.all(tag))
        self.assertNotRegex(body, r"\bNone\b|\bnan\b|\binf\b")


class NoInformationIsInColourAlone(unittest.TestCase):
    def test_each_series_has_its_own_pattern_and_marker(self):
        read = READ["whole"]
        patterns = [attrs["id"] for attrs, _ in read.all("pattern")]
        self.assertEqual(patterns, [f"fill-{at}" for at in range(len(NAMES))])
        for parts in (report.HATCHES, report.DASHES, report.MARKERS):
            self.assertGreaterEqual(len(set(parts)), len(NAMES))

    def test_lines_differ_in_dashes_and_have_names(self):
        read = READ["whole"]
        lines = [attrs for attrs, _ in read.all("polyline")]
        self.assertEqual(len(lines), 4 * len(NAMES))  # memory of three workloads, one latency
        self.assertEqual(len({attrs["stroke-dasharray"] for attrs in lines}), len(NAMES))
        labels = [words for attrs, words in read.all("text") if attrs.get("class") == "name"]
        for name in NAMES:
            self.assertEqual(labels.count(name), 3 + 4)

    def test_bars_are_filled_with_patterns(self):
        bars = [attrs for tag, attrs, _, within in READ["whole"].elements if tag == "rect" and "pattern" not in within]
        self.assertTrue(all(attrs["fill"].startswith("url(#fill-") for attrs in bars))

    def test_labels_that_are_cut_differ(self):
        made = sample()
        for name in ("ngrt+NGRT_OPTION=1", "ngrt+NGRT_OPTION=2"):
            made["allocators"][name] = {}
        one = report.Report(made)
        self.assertEqual(len({one.short(a) for a in one.allocators}), len(one.allocators))


class NumbersAreThoseOfTheResults(unittest.TestCase):
    def test_medians(self):
        rows = {row[0]: row for row in table_of(READ["whole"], "trees: medians")[1:]}
        head = table_of(READ["whole"], "trees: medians")[0]
        self.assertEqual(set(rows), set(NAMES))
        cells = sample()["cells"]["trees"]
        for name in NAMES:
            runs = cells[name]["runs"]
            middle = lambda of: sorted(map(of, runs))[3]  # noqa: E731
            got = dict(zip(head, rows[name]))
            self.assertEqual(got["elapsed, s (ranks)"], f"{middle(lambda r: r['elapsed']):.3f}")
            parts = ("user", "system", "room_user", "room_system")
            self.assertEqual(got["CPU, s"], f"{middle(lambda r: sum(r[p] for p in parts)):.3f}")
            self.assertEqual(got["peak, MiB"], f"{middle(lambda r: r['peak']) / 1024:.1f}")
            self.assertEqual(got["faults"], f"{middle(lambda r: r['faults']):,}")

    def test_the_fastest_peer_is_the_base_and_never_ours(self):
        one = report.Report(sample())
        for workload in one.workloads:
            self.assertEqual(workload.fastest, "mimalloc")
            self.assertAlmostEqual(workload.ratios["ngrt"][0], 0.80, delta=0.02)
            self.assertEqual(workload.verdicts["ngrt"], "faster")
            self.assertEqual(workload.verdicts["glibc"], "slower")
            self.assertEqual(workload.verdicts["mimalloc"], "faster")  # than tcmalloc, the next

    def test_a_verdict_needs_the_whole_interval(self):
        for found, words in (((0.9, 0.8, 0.99), "faster"), ((1.1, 1.01, 1.2), "slower"), (None, None),
                             ((0.9, 0.8, 1.0), "no difference shown"), ((1.1, 0.9, 1.2), "no difference shown")):
            self.assertEqual(report.verdict(found), words)

    def test_the_figure_that_ranks_is_the_workloads_own(self):
        one = report.Report(sample()).workloads[1]
        self.assertAlmostEqual(one.cells["mimalloc"].median("rank"), 12 * 1.5, delta=0.3)

    def test_memory_over_time_is_the_highest_of_each_slice(self):
        rows = table_of(READ["whole"], "trees: resident memory")
        column = [float(row[1]) for row in rows[1:] if row[1].replace(",", "").replace(".", "").isdigit()]
        self.assertEqual(max(column), max(k for _, k in sample()["cells"]["trees"]["glibc"]["rss"]) / 1024)

    def test_percentiles(self):
        rows = {row[0]: row for row in table_of(READ["whole"], "latency: latency in ns")[1:]}
        self.assertEqual(rows["glibc"][1:7], ["26.00", "117.00", "910.00", "5,200.00", "78,000", "912,345"])
        self.assertEqual(rows["glibc, the machine alone"][5], "not recorded")

    def test_means_are_only_over_what_all_have(self):
        one = report.Report(with_gaps())
        self.assertEqual([w.name for w in one.common], ["reader"])
        self.assertIn("Not in the means, since not all allocators have them: trees, latency.", PAGES["gaps"])

    def test_an_allocator_without_results_does_not_empty_the_means(self):
        made = sample()
        for row in made["cells"].values():
            row["tcmalloc"] = {"error": "is not installed"}
        one = report.Report(made)
        self.assertEqual(len(one.common), 3)
        self.assertTrue(any("tcmalloc has no result at all" in words for words in one.missing()))

    def test_rounds_are_paired(self):
        made = sample()
        for one in made["cells"]["trees"]["ngrt"]["runs"]:
            one["round"] += 50
        self.assertIn("no round in common", rendered(made))


class MissingDataIsSaid(unittest.TestCase):
    def test_errors_are_on_top(self):
        page = PAGES["gaps"]
        for words in ("the build with -flto took too long", "trees with tcmalloc: ended by signal 11"):
            self.assertLess(page.index(words), page.index('id="summary"'))

    def test_gaps_are_named(self):
        said = [words for _, words in READ["gaps"].all("li")]
        for part in ("stopped before its end", "latency has no result with jemalloc", "did not report the figure ns",
                     "reader has fewer than 7 rounds with ngrt (3)", "Left out for lack of time (--budget): compiler, solver."):
            self.assertTrue(any(part in words for words in said), part)
        self.assertIn("Not recorded for glibc.", PAGES["gaps"])

    def test_no_peer_no_ratio(self):
        self.assertIn("no result with any peer", PAGES["ours alone"])
        self.assertIn("no peer to compare with", PAGES["ours alone"])

    def test_an_empty_file_says_so(self):
        self.assertIn("This results file has no workloads.", PAGES["empty"])

    def test_one_round_has_no_interval(self):
        self.assertIn("no interval from so few rounds", PAGES["one round"])

    def test_a_whole_run_says_that_nothing_is_missing(self):
        self.assertIn("Nothing failed, and nothing is missing.", PAGES["whole"])


class ThePlotByItself(unittest.TestCase):
    SVG = "{http://www.w3.org/2000/svg}"

    def drawn(self, results):
        return xml.etree.ElementTree.fromstring(report.plot(report.Report(results)).encode("utf-8", "replace"))

    def of_class(self, root, kind):
        return [e for e in root.iter() if kind in (e.get("class") or "").split()]

    def test_is_a_whole_file_that_loads_nothing(self):
        root = self.drawn(sample())
        self.assertEqual((root.tag, root.get("width"), root.get("role")), (self.SVG + "svg", "760", "img"))
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        self.assertEqual(len(ids), len(set(ids)))
        said = report.plot(report.Report(sample()))
        self.assertLessEqual({*re.findall(r"url\(#([^)]*)\)", said), *root.get("aria-labelledby").split()}, set(ids))
        self.assertNotRegex(said.replace(self.SVG.strip("{}"), ""), r"https?:|@import|@media|var\(|url\((?!#)")

    def test_has_a_white_background_and_no_small_text(self):
        said = report.plot(report.Report(sample()))
        self.assertIn('<rect class="paper" width="100%" height="100%"/>', said)
        self.assertIn(".paper { fill: #ffffff }", said)
        style = self.drawn(sample()).find(self.SVG + "style").text
        self.assertEqual(style.rindex("font-size"), style.rindex(".plot, .plot .tick { font-size: 13px }") + 21)

    def test_says_of_every_workload_and_allocator_what_it_shows(self):
        root = self.drawn(sample())
        for tag, part in (("title", "95 % intervals"), ("desc", "trees: glibc 1.30 (")):
            self.assertIn(part, root.find(self.SVG + tag).text)
        desc, words = root.find(self.SVG + "desc").text, [e.text for e in root.iter(self.SVG + "text")]
        for name in NAMES:
            self.assertEqual(words.count(name), 3)
            self.assertEqual(len(re.findall(rf"[:;] {name} \d", desc)), 3)
        self.assertEqual(sum("s, fastest peer" in word for word in words), 3)

    def test_bars_are_as_long_as_their_ratios_on_one_axis(self):
        root = self.drawn(sample())
        bars = [e for e in root.iter(self.SVG + "rect") if e.get("fill")]
        self.assertEqual([e.get("fill") for e in bars], [f"url(#fill-{at})" for at in range(len(NAMES))] * 3)
        one, base = report.Report(sample()), float(bars[1].get("width").rstrip("%"))
        for bar, (workload, name) in zip(bars, ((w, a) for w in one.workloads for a in one.allocators)):
            self.assertAlmostEqual(float(bar.get("width").rstrip("%")) / base, workload.ratios[name][0], delta=0.002)
        for line in self.of_class(root, "base"):
            self.assertAlmostEqual(float(line.get("x1").rstrip("%")), report.FIRST + base, delta=0.02)
        # A line and two ends for each interval, but for that of the peer against itself.
        self.assertEqual(len(self.of_class(root, "whisker")), 3 * 3 * (len(NAMES) - 1))

    def test_what_goes_past_the_axis_is_cut(self):
        made = sample()
        for one in made["cells"]["trees"]["glibc"]["runs"]:
            one["elapsed"] *= 100
        root = self.drawn(made)
        ends = [float(e.get("x").rstrip("%")) + float(e.get("width").rstrip("%"))
                for e in root.iter(self.SVG + "rect") if e.get("fill")]
        self.assertAlmostEqual(max(ends), report.LAST, delta=0.01)
        self.assertEqual(sum(e.text == "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}" for e in root.iter()), 1)

    def test_gaps_single_rounds_and_hostile_names(self):
        self.assertIn("no result", [e.text for e in self.drawn(with_gaps()).iter()])
        self.assertEqual(self.of_class(self.drawn(alone_rounds()), "whisker"), [])
        self.assertNotIn(self.SVG + "script", [e.tag for e in self.drawn(hostile()).iter()])
        for made in (empty(), only("ngrt")):
            with self.assertRaisesRegex(ValueError, "nothing to plot"):
                self.drawn(made)


class NamesAreOnlyText(unittest.TestCase):
    def test_markup_in_names_stays_text(self):
        self.assertEqual(len(READ["hostile"].all("script")), 1)
        self.assertNotIn("<!--", PAGES["hostile"])
        self.assertNotIn("\x00", PAGES["hostile"])


class CommandLine(unittest.TestCase):
    def run_main(self, *arguments):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            return report.main(list(arguments)), said.getvalue()

    def test_writes_the_page(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = os.path.join(folder, "a.json"), os.path.join(folder, "a.html")
            with open(source, "w", encoding="utf-8") as file:
                json.dump(sample(), file)
            self.assertEqual(self.run_main(source, target), (0, ""))
            with open(target, encoding="utf-8") as file:
                self.assertEqual(file.read(), PAGES["whole"])

    def test_bad_files_are_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.json")
            for content, part in (("{", "cannot be read as JSON"), ('{"format": 2}', "format 2"), ("[]", "format 'list'"),
                                  ('{"format": 1, "cells": {"a": 3}}', "does not hold to format 1")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content)
                status, said = self.run_main(path, os.path.join(folder, "out.html"))
                self.assertEqual((status, said.count("\n")), (2, 1))
                self.assertIn(part, said)
        self.assertEqual(self.run_main("/nonexistent/file", "out.html")[0], 2)
        self.assertEqual(self.run_main()[0], 2)


if __name__ == "__main__":
    unittest.main()
