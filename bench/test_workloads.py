#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test_workloads.py: every workload, small, must print with every build what it prints with glibc.  Run by ctest:

    test_workloads.py BUILD_FOLDER [unittest's arguments]
"""

import glob
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402
import workloads  # noqa: E402

BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else ""
SCALE = "0.02"


def binary(kind, name):
    return os.path.join(BUILD, "bench", "workloads", kind, name)


def run(kind, name, *arguments, preload=None):
    """The finished process."""
    return subprocess.run(
        [binary(kind, name), *arguments], env=peers.environment(preload), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )


class EveryBuildPrintsTheSame(unittest.TestCase):
    def same(self, workload, *arguments):
        expected = run("plain", workload.name, *arguments)
        self.assertEqual(expected.returncode, 0, expected.stderr)
        self.assertRegex(expected.stdout, r"^[0-9a-f]{16}\n$")
        ours = os.path.join(BUILD, "lib", "libngrt.so")
        others = [("plain", ours)] if os.path.exists(ours) else []
        others += [(kind, None) for kind in ("pass", "lto") if os.path.exists(binary(kind, workload.name))]
        for kind, preload in others:
            with self.subTest(workload=workload.name, arguments=arguments, build=kind, preload=preload):
                done = run(kind, workload.name, *arguments, preload=preload)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, expected.stdout)
        return expected

    def test_at_a_fiftieth_of_its_size(self):
        for workload in workloads.WORKLOADS:
            self.same(workload, SCALE)

    def test_with_other_numbers_of_threads(self):
        for workload in workloads.WORKLOADS:
            if workload.most_threads:
                self.same(workload, SCALE, "3")

    def test_twice_with_one_allocator(self):
        for workload in workloads.WORKLOADS:
            if workload.threads > 1:
                self.assertEqual(run("plain", workload.name, SCALE).stdout, run("plain", workload.name, SCALE).stdout)

    def test_checksum_follows_the_work(self):
        for workload in workloads.WORKLOADS:
            self.assertNotEqual(
                run("plain", workload.name, SCALE).stdout, run("plain", workload.name, "0.04").stdout, workload.name)


class FiguresAreThoseOfTheList(unittest.TestCase):
    def test_the_figure_that_ranks_a_workload_is_printed(self):
        for workload in workloads.WORKLOADS:
            said = run("plain", workload.name, SCALE).stderr
            figures = dict(re.findall(r"^figure (\S+) (\d+\.\d+)$", said, re.MULTILINE))
            if workload.figure != "elapsed":
                self.assertIn(workload.figure, figures, workload.name)

    def test_latency_gives_every_percentile_of_every_phase(self):
        said = run("plain", "latency", SCALE).stderr
        for phase in ("growth", "churn", "noise"):
            values = [float(v) for v in re.findall(rf"^latency {phase} \S+ (\S+)$", said, re.MULTILINE)]
            self.assertEqual(len(values), 7, phase)
            self.assertGreater(values[0], 0)
            for lower, higher in zip(values, values[1:]):
                self.assertLessEqual(lower, higher * 1.01, phase)  # a percentile is the middle of its cell


class ListsAgree(unittest.TestCase):
    def test_sources_and_programs_are_those_of_the_list(self):
        names = sorted(w.name for w in workloads.WORKLOADS)
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads")
        for language, ending in (("C", ".c"), ("C++", ".cpp")):
            found = {os.path.basename(f)[: -len(ending)] for f in glob.glob(f"{here}/*{ending}")} - {"workload"}
            self.assertEqual(found, {w.name for w in workloads.WORKLOADS if w.language == language})
        self.assertEqual(sorted(os.listdir(os.path.dirname(binary("plain", "x")))), names)


class WrongArgumentsAreNamed(unittest.TestCase):
    def test_scales_and_threads_that_are_no_numbers_are_refused(self):
        for arguments in (["x"], ["0"], ["-1"], ["nan"], ["1x"], ["1", "0"], ["1", "9"], ["1", "x"], ["1", "1", "1"]):
            done = run("plain", "producer_consumer", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("'9' must be a whole number, 1 to 8", run("plain", "producer_consumer", "1", "9").stderr)
        self.assertEqual(run("plain", "aged_heap", "1", "2").returncode, 2)


if __name__ == "__main__":
    unittest.main()
