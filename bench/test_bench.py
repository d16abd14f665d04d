#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test_bench.py: tests of what the demo's and bench/run's numbers stand on.  Run by ctest; each class is one behaviour."""

import contextlib
import dataclasses
import importlib.machinery
import importlib.util
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bars  # noqa: E402
import builds  # noqa: E402
import demo  # noqa: E402
import engine  # noqa: E402
import instructions  # noqa: E402
import promoted  # noqa: E402
import measure  # noqa: E402
import peers  # noqa: E402
import predict  # noqa: E402
import programs  # noqa: E402
import results  # noqa: E402
import sources  # noqa: E402
import tables  # noqa: E402
from inputs import make  # noqa: E402


def load_driver():
    """bench/run, which has no name that import takes."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
    loader = importlib.machinery.SourceFileLoader("bench_run", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", loader))
    sys.dont_write_bytecode, kept = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = kept
    return module


run = load_driver()


def shell(script, folder="/", **env):
    return measure.Command("sh", ["sh", "-c", script], {"PATH": "/usr/bin:/bin", **env}, folder)


class RunsAreToldApart(unittest.TestCase):
    def test_exit_status_is_reported(self):
        self.assertEqual(measure.run_once(shell("exit 0")).status, 0)
        self.assertEqual(measure.run_once(shell("exit 7")).status, 7)

    def test_signal_is_reported(self):
        self.assertEqual(measure.run_once(shell("kill -SEGV $$")).status, -11)

    def test_run_past_its_limit_is_killed(self):
        late = measure.run_once(shell("exec sleep 60"), limit=0.2)
        self.assertTrue(late.hung)
        self.assertLess(late.elapsed, 30)
        self.assertFalse(measure.run_once(shell("exit 0"), limit=30).hung)

    def test_command_that_is_missing_raises(self):
        with self.assertRaises(OSError):
            measure.run_once(measure.Command("x", ["/nonexistent/program"], {}, "/"))

    def test_environment_reaches_the_command(self):
        self.assertEqual(measure.run_once(shell('test "$A" = b', A="b")).status, 0)
        self.assertEqual(measure.run_once(shell('test "$A" = b', A="c")).status, 1)


class NumbersAreTheCommandsOwn(unittest.TestCase):
    def test_peak_memory_is_not_the_interpreters(self):
        self.assertLess(measure.run_once(shell("exit 0")).peak, 6000)
        big = measure.Command("big", [sys.executable, "-c", "x = b'x' * (64 << 20)"], dict(os.environ), "/")
        self.assertGreater(measure.run_once(big).peak, 64 << 10)

    def test_time_asleep_is_elapsed_and_not_user(self):
        slept = measure.run_once(shell("exec sleep 0.3"))
        self.assertGreater(slept.elapsed, 0.3)
        self.assertLess(slept.user + slept.system, 0.2)

    def test_average_memory_lies_below_the_peak_of_a_program_that_gives_memory_back(self):
        script = "import mmap, time\nx = b'x' * (96 << 20)\ndel x\ntime.sleep(0.5)"
        grown = measure.run_once(measure.Command("grown", [sys.executable, "-c", script], dict(os.environ), "/"))
        self.assertGreater(grown.peak, 96 << 10)
        self.assertLess(grown.average, grown.peak // 2)
        self.assertGreater(max(kib for _, kib in grown.rss), grown.average)
        self.assertTrue(2 <= len(grown.rss) <= 200)
        self.assertEqual(sorted(at for at, _ in grown.rss), [at for at, _ in grown.rss])

    def test_memory_is_that_of_the_largest_process(self):
        script = "import time\nx = b'x' * (96 << 20)\ntime.sleep(0.5)"
        child = measure.run_once(measure.Command("child", ["sh", "-c", '"$0" -c "$1"; true', sys.executable, script],
                                                 dict(os.environ), "/"))
        self.assertGreater(child.average, 48 << 10)

    def test_counters_are_those_of_the_command_where_the_machine_has_them(self):
        script = "import time\nfor _ in range(200): time.sleep(0.001)"
        counted = measure.run_once(measure.Command("sleeps", [sys.executable, "-c", script], dict(os.environ), "/")).counters
        if "context-switches" not in counted:
            self.skipTest("no counters here")
        self.assertGreaterEqual(counted["context-switches"], 200)
        self.assertLess(counted["context-switches"], 2000)

    def spin(self, name, command=("{python}", "-c", "{script}")):
        script = ("import threading, time\n"
                  "def spin():\n"
                  f"    open('/proc/thread-self/comm', 'w').write('{name}')\n"
                  "    end = time.thread_time() + 0.3\n"
                  "    while time.thread_time() < end: pass\n"
                  "t = threading.Thread(target=spin)\nt.start()\nt.join()\n")
        argv = [word.format(python=sys.executable, script=script) for word in command]
        return measure.run_once(measure.Command(name, argv, dict(os.environ), "/"))

    def test_the_rooms_time_is_told_apart_by_its_threads_name(self):
        room, other = self.spin("ngrt-room"), self.spin("other")
        self.assertGreater(room.room_user + room.room_system, 0.1)
        self.assertLessEqual(room.room_user + room.room_system, room.user + room.system + 0.02)
        self.assertEqual(other.room_user + other.room_system, 0)

    def test_so_is_that_of_rooms_in_child_processes(self):
        both = self.spin("ngrt-room", ("sh", "-c", '"$0" -c "$1" & sh -c "\\"\\$0\\" -c \\"\\$1\\"; true" "$0" "$1"; wait',
                                       "{python}", "{script}"))
        self.assertGreater(both.room_user + both.room_system, 0.45)

    def test_a_command_ends_with_the_measurement_that_is_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            script = ("import measure, os; measure.run_once(measure.Command('x', ['sh', '-c', 'echo $$ >pid; exec sleep 60'], "
                      f"dict(os.environ), {folder!r}))")
            here = os.path.dirname(os.path.abspath(__file__))
            with subprocess.Popen([sys.executable, "-c", script], cwd=here, stderr=subprocess.DEVNULL) as process:
                path, end = os.path.join(folder, "pid"), time.time() + 30
                while time.time() < end and not (os.path.exists(path) and os.path.getsize(path)):
                    time.sleep(0.02)
                process.send_signal(signal.SIGKILL)
            with open(path, encoding="ascii") as file:
                pid = int(file.read())
            while time.time() < end and os.path.exists(f"/proc/{pid}/exe") and os.access(f"/proc/{pid}/exe", os.R_OK):
                time.sleep(0.02)
            self.assertFalse(os.path.exists(f"/proc/{pid}/exe") and os.access(f"/proc/{pid}/exe", os.R_OK))

    def test_huge_pages_can_be_denied(self):
        asked = shell("grep THP_enabled /proc/self/status >&2")
        with tempfile.NamedTemporaryFile() as said:
            asked.stderr, found = said.name, []
            for asked.no_huge_pages in (False, True):
                measure.run_once(asked)
                with open(said.name, encoding="ascii") as file:
                    found.append(file.read().split()[1])
        self.assertEqual(found, ["1", "0"])


def samples(*elapsed):
    return [measure.Sample(e, e, 0, 0, 0, 0, round=i) for i, e in enumerate(elapsed)]


class RatiosSayHowSureTheyAre(unittest.TestCase):
    def test_equal_samples_are_one_without_doubt(self):
        self.assertEqual(measure.ratio(samples(1, 1, 1), samples(1, 1, 1)), (1, 1, 1))

    def test_interval_holds_the_ratio_and_widens_with_noise(self):
        quiet = measure.ratio(samples(2.00, 2.01, 1.99, 2.00, 2.01), samples(1, 1, 1, 1, 1))
        noisy = measure.ratio(samples(1.0, 3.0, 2.0, 2.9, 1.1), samples(1, 1, 1, 1, 1))
        for middle, low, high in (quiet, noisy):
            self.assertTrue(low <= middle <= high)
        self.assertLess(quiet[2] - quiet[1], 0.05)
        self.assertGreater(noisy[2] - noisy[1], 0.5)

    def test_drift_of_the_machine_cancels_within_rounds(self):
        middle, low, high = measure.ratio(samples(2, 4, 8), samples(1, 2, 4))
        self.assertEqual((middle, low, high), (2, 2, 2))

    def test_every_round_runs_every_command_once(self):
        commands = [shell(str(n)) for n in range(5)]
        seen = list(measure.rounds(commands, 4, seed=1))
        for number in range(4):
            self.assertCountEqual([c.argv[2] for n, c in seen if n == number], list("01234"))
        orders = {tuple(c.argv[2] for n, c in seen if n == number) for number in range(4)}
        self.assertGreater(len(orders), 1)


class IntervalsHoldAsOftenAsTheySay(unittest.TestCase):
    """95 % intervals are to hold in 95 % of cases, with as few rounds as we take; 93 % is what chance leaves of a good one."""

    NOISE = {
        "even": lambda pick: pick.gauss(1, 0.02),
        "one-sided": lambda pick: 1 + pick.expovariate(30),
        "outliers": lambda pick: pick.gauss(1, 0.01) * (1.5 if pick.random() < 0.1 else 1),
    }

    def coverage(self, rounds, noise, statistic):
        pick, held, trials = random.Random(f"{rounds}/{noise}"), 0, 400
        draw = self.NOISE[noise]
        for trial in range(trials):
            _, low, high = statistic(samples(*(draw(pick) for _ in range(rounds))),
                                     samples(*(draw(pick) for _ in range(rounds))), draws=250, seed=trial)
            held += low <= 1 <= high
        return held / trials

    def test_ratios_of_the_same_command(self):
        for rounds in (3, 5, 7):
            for noise in self.NOISE:
                with self.subTest(rounds=rounds, noise=noise):
                    self.assertGreaterEqual(self.coverage(rounds, noise, measure.ratio), 0.93 if rounds > 3 else 0.9)
        self.assertGreaterEqual(self.coverage(5, "even", measure.ratio_apart), 0.93)

    def test_intervals_still_find_a_real_difference(self):
        pick = random.Random(1)
        slow, fast = (samples(*(pick.gauss(middle, 0.01) for _ in range(5))) for middle in (1.2, 1.0))
        self.assertGreater(measure.ratio(slow, fast)[1], 1)

    def test_one_round_alone_says_nothing_of_how_sure_it_is(self):
        self.assertEqual(measure.ratio(samples(2), samples(1))[1:], (0, float("inf")))

    def test_what_other_programs_may_have_cost_is_not_sure(self):
        quiet, loaded = samples(9.9, 10, 10.1), samples(9.9, 10, 10.1)
        for one in loaded:
            one.unsure = 0.75
        value, low, high = measure.interval(quiet)
        self.assertEqual(measure.interval(loaded), (value, low / 4, high))
        for ratio in (measure.ratio, measure.ratio_apart):
            value, low, high = ratio(quiet, quiet)
            self.assertEqual(ratio(loaded, quiet), (value, low / 4, high))
            self.assertEqual(ratio(quiet, loaded), (value, low, high * 4))

    def test_what_other_programs_may_have_cost_is_what_they_had_of_the_processors(self):
        others = measure.Others([0, 1])
        for every, idle, own, cost in ((20, 10, 10, 0), (20, 9.2, 10, 0), (20, 5, 10, 0.5), (20, 0, 10, 1), (20, 0, 0, 1),
                                       (0.2, 0.07, 0.1, 0), (0.2, 0, 0.1, 1)):  # two processors' seconds
            others.before, others.look = (0, 0, 0), lambda seen=(every, idle, own): seen
            self.assertAlmostEqual(others.cost(), cost)

    def test_students_distribution_is_the_known_one(self):
        for n, known in ((3, 4.303), (6, 2.571), (8, 2.365), (11, 2.228), (31, 2.042)):
            self.assertAlmostEqual(measure.student(n), known, delta=0.01)


class WrongOutputIsAnError(unittest.TestCase):
    def run_twice(self, first, second):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            options, _ = demo.parse(["--limit=5"])
            one = demo.Demo(options)
            program = programs.Program("fake", "C", (), "", None, "", (), writes=("file",))
            commands = [shell(script, folder) for script in (first, second)]
            for command in commands:
                command.stdout, command.stderr = os.path.join(folder, "out"), os.path.join(folder, "err")
            one.run(program, commands[0], None)
            expected = one.outputs(program, commands[0])
            return one.run(program, commands[1], expected), one.errors

    def test_same_output_passes(self):
        sample, errors = self.run_twice("echo a; echo b >file", "echo a; echo b >file")
        self.assertIsNotNone(sample)
        self.assertEqual(errors, [])

    def test_other_output_fails_on_every_channel(self):
        for script in ("echo x; echo b >file", "echo a; echo b >file; echo c >&2", "echo a; echo x >file", "echo a"):
            sample, errors = self.run_twice("echo a; echo b >file", script)
            self.assertIsNone(sample)
            self.assertIn("output is not that under glibc", errors[0])

    def test_crash_names_the_signal_and_the_command(self):
        _, errors = self.run_twice("true", "kill -ABRT $$")
        self.assertIn("ended by signal 6", errors[0])
        self.assertIn("kill -ABRT", errors[0])


class TextIsThatOfTheProgramThatRuns(unittest.TestCase):
    def program(self, binary, elf=None):
        return programs.Program("fake", "C", (), "", None, binary, (), elf=elf)

    def build(self, folder):
        """A folder with a script, and the ELF file that it runs."""
        os.mkdir(os.path.join(folder, "src"))
        with open(os.path.join(folder, "start.sh"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexec src/server\n")
        shutil.copy(measure.launcher(), os.path.join(folder, "src", "server"))
        return os.path.join(folder, "start.sh")

    def test_a_script_counts_as_what_it_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            script = self.build(folder)
            plain = demo.text_bytes(self.program("src/server"), os.path.join(folder, "src", "server"))
            self.assertGreater(plain, 1000)
            self.assertEqual(demo.text_bytes(self.program("start.sh", "src/server"), script), plain)

    def test_what_has_no_text_is_one_line_and_the_others_go_on(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            script, one = self.build(folder), demo.Demo(demo.parse([])[0])
            one.build = lambda program, which, level: os.path.join(folder, program.binary)
            said = io.StringIO()
            asked = [self.program("start.sh"), self.program("start.sh", "gone"), self.program("src/server")]
            one.sizes(asked, ("-O2",), said)
        self.assertEqual([line.count("\n") for line in one.errors], [0, 0])
        self.assertIn(f"fake -O2: {script} is no ELF file", one.errors[0])
        self.assertIn("gone", one.errors[1])
        self.assertRegex(said.getvalue(), r"(?m)^  fake +-O2 .* \+0\.00 %")

    def test_every_program_that_is_built_as_a_script_names_what_it_runs(self):
        for program in programs.PROGRAMS:
            self.assertEqual(program.binary.endswith(".sh"), program.elf is not None, program.name)


def simulated_counts(**threads):
    """What ng-sim writes, of threads NAME=(apart, LLC loads, LLC stores)."""
    def part(loads, stores):
        events = {f"{e}_{w}": 0 for e in ("l1", "l2", "llc", "move", "upgrade", "dtlb", "walk") for w in ("load", "store")}
        events.update(llc_load=loads, llc_store=stores, dtlb_load=40, walk_load=7, move_load=1, cleared=2)
        return {"instructions": 1000, "loads": 300, "stores": 100, "machines": {"zen4": events}}
    return {"geometries": {"zen4": {"dtlb_event": "walk"}}, "threads": [
        {"thread": i, "name": name, "apart": apart, "program": part(loads, stores), "allocator": part(1, 0)}
        for i, (name, (apart, loads, stores)) in enumerate(threads.items(), 1)]}


class ThePapersTables(unittest.TestCase):
    def test_totals_are_of_the_programs_own_threads(self):
        sums = tables.totals(simulated_counts(main=(False, 10, 5), room=(True, 1000, 1000), worker=(False, 3, 0)), "zen4")
        self.assertEqual(sums["instructions"], 4000)
        self.assertEqual((sums["LLC load"], sums["LLC store"], sums["allocator LLC"]), (15, 5, 2))
        self.assertEqual((sums["dTLB load"], sums["moved"], sums["cleared"]), (28, 4, 8))  # walks: what perf counts there

    def test_rates_count_the_kernels_stores_as_perf_does(self):
        per = tables.rates(tables.totals(simulated_counts(main=(False, 10, 5)), "zen4"))
        self.assertEqual((per["own LLC store"], per["LLC store"], per["LLC load"]), (2.5, 4.5, 5.5))

    def test_table_3_has_the_papers_figures_beside_ours_and_says_where_from(self):
        made = {"zen4": {name: tables.totals(simulated_counts(main=(False, loads, 10)), "zen4")
                         for name, loads in (("ours", 19), ("theirs", 39))}}
        out = io.StringIO()
        tables.table_3(made, "ng-sim", "ours", "theirs", out)
        self.assertRegex(out.getvalue(), r"simulated by ng-sim, geometry zen4")
        self.assertRegex(out.getvalue(), r"(?m)^LLC load +20\.0000 +10\.0000 +-50\.0 % +-23\.0 %$")
        out = io.StringIO()
        tables.table_1({"counters": made["zen4"]}, "counters", out)
        self.assertIn("from the processor's own counters", out.getvalue())

    def test_table_2_is_by_operation(self):
        made = {n: {"zen4": {"ours": tables.totals(simulated_counts(main=(False, loads, 5)), "zen4")}}
                for n, loads in ((1, 9), (8, 29))}
        out = io.StringIO()
        tables.table_2(made, "ng-sim", 10, out)
        self.assertRegex(out.getvalue(), r"(?m)^ours +2\.100 +4\.100 +1\.95$")  # 10 + 5 + 4 + 2, then 20 more
        self.assertIn("more than 10 times", out.getvalue())


class InstructionsInAndForAllocation(unittest.TestCase):
    def test_what_is_in_line_is_what_the_program_executes_more(self):
        made = {"glibc": (100, 30), "mimalloc": (101, 10), "jemalloc": (102, 20), predict.peers.PRELOADED: (101, 8),
                predict.peers.PASS: (103, 3)}
        bare, cost = instructions.costs(made)
        self.assertEqual((bare, cost["mimalloc"], cost[predict.peers.PRELOADED], cost[predict.peers.PASS]), (101, 10, 8, 5))

    def test_what_two_builds_differ_by_is_not_taken_for_a_gain(self):
        made = {"glibc": (100, 30), "mimalloc": (101, 10), "jemalloc": (102, 20), predict.peers.PRELOADED: (101, 8),
                predict.peers.PASS: (90, 3)}
        self.assertEqual(instructions.costs(made)[1][predict.peers.PASS], 3)

    def test_table(self):
        def row(name, ours, lost, *asked):
            cost = {**dict.fromkeys(instructions.NAMES, 20), predict.peers.PASS: ours}
            return {"program": name, "bare": 1000, "cost": cost, "least": 20, "lost": lost,
                    "asked": dict(zip(instructions.REQUESTS, asked))}
        rows = [row("lua", 10, False, 0, 0, 0, 0), row("jq", 10, False, 2, 80, 60, 45), row("sqlite3", 2, True, 0, 0, 0, 0)]
        out = io.StringIO()
        instructions.show(rows, out)
        self.assertRegex(out.getvalue(), r"(?m)^lua .* 0\.50 +0 +- +-$")
        self.assertRegex(out.getvalue(), r"(?m)^jq .* 0\.50 +80 +75\.0% +75\.0%$")
        self.assertIn("0.29 in the geometric mean of 3", out.getvalue())
        self.assertRegex(out.getvalue(), r"(?m)^without sqlite3, .*: 0\.50$")

    def test_requests_of_small_and_large_blocks_and_their_totals(self):
        def said(*counts):
            return dict(zip((*instructions.REQUESTS, *instructions.LARGE), counts))
        out = io.StringIO()
        instructions.show_all_requests([("lua", said(1, 80, 60, 45, 0, 0, 0, 0), None), ("split", said(0, 20, 20, 20, 40, 38, 19, 19), (7, 2000))], out)
        self.assertRegex(out.getvalue(), r"(?m)^lua +80 +75\.0% +75\.0% +0 +- +- +- +-$")
        self.assertRegex(out.getvalue(), r"(?m)^split +20 +100\.0% +100\.0% +40 +95\.0% +50\.0% +100\.0% +0\.3500%$")
        self.assertRegex(out.getvalue(), r"(?m)^in all +100 +80\.0% +81\.2% +40 +95\.0% +50\.0% +100\.0%$")

    def test_calls_of_requests_and_what_they_execute_are_read_from_callgrinds_profile(self):
        profile = ("fn=(7) main\ncfi=(2) x.S\ncfn=(9) ngrt_request_slow\ncalls=30 0 \n0 900\n\nfn=(8) fill\n"
                   "cfn=(9)\ncalls=5 0 \n0 100\ncfn=(90)\ncalls=1 0 \n0 1\n\ntotals: 1000\n")
        self.assertEqual(instructions.called(profile), (35, 1000))
        self.assertEqual(instructions.called("fn=(7) main\ntotals: 0\n"), (0, 0))


RECORDS = """--- !Passed
Pass:            nextgen-promote
Name:            Stack
DebugLoc:        { File: 'src/page.cpp', Line: 20, Column: 7 }
Function:        _ZN4PageC1Ev
Args:
  - Callee:          malloc
  - String:          ': moved to the stack, 24 bytes'
...
--- !Missed
Pass:            nextgen-promote
Name:            OnHeap
DebugLoc:        { File: src/page.cpp, Line: 30, Column: 3 }
Function:        fill
Args:
  - Callee:          malloc
  - String:          ': stays on the heap: it is returned'
...
"""


class PromotedPlaces(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "page.opt.yaml"), "w", encoding="utf-8") as file:
                file.write(RECORDS)
            self.records = promoted.read_records(folder)

    def test_what_the_other_takes_is_ours_too_or_has_a_reason(self):
        self.assertEqual(promoted.why_not(promoted.Place("page.cpp", 20, 7, "_ZN4PageC2Ev"), self.records), "")
        self.assertEqual(promoted.why_not(promoted.Place("page.cpp", 30, 3, "other"), self.records), "it is returned")
        self.assertIsNone(promoted.why_not(promoted.Place("page.cpp", 31, 3, "fill"), self.records))

    def test_table(self):
        taken, left = promoted.Place("page.cpp", 20, 7, "_ZN4PageC2Ev"), promoted.Place("page.cpp", 30, 3, "fill")
        row = {"name": "pages", "sites": 2, "ours": {taken: 1}, "attributor": {left: 0.5}, "total": 900, "without": 1,
               "lost": {left: "it is returned"}, "made": {taken: 300, left: 50}}
        out = io.StringIO()
        promoted.show([row, {**row, "name": "more"}], types.SimpleNamespace(limit=300, places=False), out)
        self.assertRegex(out.getvalue(), r"(?m)^pages +2 +1 +1 +900 +25 +300 +1$")
        self.assertRegex(out.getvalue(), r"(?m)^in all +4 +2 +2 +1800 +50 +600 +2$")
        self.assertIn("pages: the Attributor alone takes page.cpp:30:3 in fill, 25 allocations: it is returned", out.getvalue())

    def test_allocations_are_counted_at_the_place_that_they_return_to(self):
        source = "#include <stdlib.h>\nint main(void) { void *volatile p = 0; for (int i = 0; i < 9; i++) { p = malloc(5); free(p); } return p == 0; }"
        with tempfile.TemporaryDirectory() as folder:
            binary, found = os.path.join(folder, "nine"), os.path.join(folder, "places")
            os.mkdir(found)
            subprocess.run(["clang-19", "-O1", "-gline-tables-only", "-x", "c", "-", "-o", binary], input=source, text=True, check=True)
            subprocess.run([binary], env={**os.environ, "LD_PRELOAD": promoted.counter(), "NGRT_BENCH_PLACES": found}, check=True)
            (name,) = os.listdir(found)
            with open(os.path.join(found, name), encoding="utf-8") as file:
                counted = {(m, int(at, 16)): int(n) for n, at, m in (line.rstrip("\n").split(" ", 2) for line in file)}
            (at,) = {at for at, place in promoted.read_code(folder).returns.items() if place.function == "main"}
            self.assertEqual(counted[at], 9)


class PredictionsStandBesideMeasurements(unittest.TestCase):
    def test_counts_are_summed_over_processes(self):
        line = '{"ngrt":"0.1.0","allocations":7,"frees":5,"self_served":2,"live":3}'
        self.assertEqual(predict.counts_of(f"figure ns 3\n{line}\n{line}\n"), {"processes": 2, "mallocs": 14, "frees": 10, "refills": 4})
        self.assertIsNone(predict.counts_of("figure ns 3\n"))

    def test_table(self):
        content = measured({"lua": {predict.peers.OFF: 2, predict.peers.PRELOADED: 1}, "jq": {
            predict.peers.OFF: 2, predict.peers.PRELOADED: 2}})
        content["counts"] = {name: {"mallocs": 1, "frees": 1, "refills": 0} for name in ("lua", "jq")}
        content["calibration"] = {}
        out = io.StringIO()
        with unittest.mock.patch.object(predict, "predicted", lambda *_: 2.1):
            predict.show(content, out)
        self.assertRegex(out.getvalue(), r"(?m)^lua +2\.000 +2\.100 +1\.000 +\+110\.0 %$")
        self.assertRegex(out.getvalue(), r"(?m)^jq +2\.000 +2\.100 +2\.000 +\+5\.0 %$")
        self.assertIn("within 15 %: 1 of 2 (50 %)", out.getvalue())


class TheDemosTablesSayWhatItsFileHas(unittest.TestCase):
    def show(self, content):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(content, file)
            file.flush()
            with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
                status = demo.show_file(demo.parse([f"--show={file.name}"])[0])
        return status, out.getvalue(), err.getvalue()

    def test_table_and_summary(self):
        runs = {"glibc": (2, 2.2, 2.1), "mimalloc": (1, 1.1, 1.05), "ngrt": (0.5, 0.55, 0.525)}
        said = {"allocations": 200, "ready": 150, "late": 30, "self_served": 20, "room_faults": 7, "program_faults": 9}
        lua = {"language": "C", "work": "from programs.py", "version": "5.4", "statistics": {"ngrt": said},
               "samples": {name: [dataclasses.asdict(s) for s in samples(*times)] for name, times in runs.items()}}
        jq = {**lua, "statistics": {}, "samples": {name: lua["samples"][name] for name in ("glibc", "mimalloc")}}
        status, out, _ = self.show({"programs": {"lua": lua, "jq": jq}})
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^lua 5\.4 \(C\): a script: .*; 3 runs each$")
        self.assertRegex(out, r"(?m)^  mimalloc +1\.050 .*\(the fastest peer\)$")
        self.assertRegex(out, r"(?m)^  ngrt +0\.525 .* 0\.500 \(0\.500 to 0\.500\)$")
        self.assertRegex(out, r"(?m)^  lua +2\.000 +1\.000 +0\.500$")
        self.assertRegex(out, r"(?m)^  jq +2\.000 +1\.000 +-$")
        self.assertRegex(out, r"(?m)^  all +2\.000 +1\.000 +- +\(geometric mean\)$")  # no mean over fewer programs
        self.assertIn("  ngrt: 150 of 200 allocations (75.00 %) found their block ready", out)

    def test_statistics_without_a_key_name_it(self):
        self.assertEqual(demo.found_ready({"allocations": 1, "ready": 1}), "statistics without 'late'")
        self.assertIn("0 of 0 allocations (100.00 %)", demo.found_ready(
            dict.fromkeys(("allocations", "ready", "late", "self_served", "room_faults", "program_faults"), 0)))

    def test_another_file_is_one_line(self):
        for content in ({}, {"format": 1}):
            status, out, err = self.show(content)
            self.assertEqual((status, out, err.count("\n")), (2, "", 1))
            self.assertIn("is no file that --json wrote", err)


class SourcesComeFromTheMachinesOwnMirror(unittest.TestCase):
    def test_this_machine_has_debian_entries_or_a_fallback_is_there(self):
        found = list(sources.stanzas(sources.codename()))
        for kind, text in found:
            self.assertIn(kind, ("sources", "list"))
            self.assertRegex(text, r"(?m)^(Types: deb-src|deb-src .*)$")
        self.assertIn("Types: deb-src", sources.FALLBACK)

    def test_other_suites_have_none(self):
        self.assertEqual(list(sources.stanzas("nosuchsuite")), [])


class InputsAreTheSameEverywhere(unittest.TestCase):
    def test_bytes_do_not_change(self):
        known = {"json": "57a15c0abf8631614d50d0bb03e342c5", "xml": "dbfff357a7fcb5d48e8550898583aac0",
                 "yaml": "9ce839c4bcbecc8afc554d2ddf189ee0"}
        with tempfile.TemporaryDirectory() as folder:
            for kind, digest in known.items():
                path = os.path.join(folder, kind)
                make.make(kind, 50, path)
                self.assertEqual(measure.digest([path]), digest, kind)


class AllocatorsAreNamedByTheUser(unittest.TestCase):
    def test_settings_and_labels(self):
        made = peers.allocator("again=glibc+A=x,y+z+B=1", "on", {"C": "2"})
        self.assertEqual((made.name, made.library, made.build), ("again", None, "plain"))
        self.assertEqual(made.env, {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "A": "x,y+z", "B": "1", "C": "2"})
        self.assertEqual(peers.allocator("glibc+A=1").name, "glibc+A=1")
        self.assertEqual(peers.allocator("glibc").env, {})

    def test_any_library_by_its_path(self):
        with tempfile.NamedTemporaryFile(prefix="libngrt-old", suffix=".so") as file:
            self.assertEqual(peers.allocator(file.name).library, file.name)
            self.assertEqual(peers.allocator(f"mine={file.name}+X=1").name, "mine")
        with self.assertRaisesRegex(peers.Missing, "no such file"):
            peers.allocator("/nonexistent/lib.so")
    def test_huge_pages_of_the_peers_alone(self):
        self.assertEqual(peers.allocator("mimalloc", "peers").env, {"MIMALLOC_LARGE_OS_PAGES": "1"})
        self.assertEqual(peers.allocator(peers.PRELOADED, "peers").env, {})

    def test_unknown_names(self):
        with self.assertRaisesRegex(ValueError, "no allocator 'nosuch'; known: glibc"):
            peers.allocator("nosuch")


class Script(engine.Load):
    """A load that prints the same with every allocator, but for what a test puts in its way."""

    def __init__(self, name, folder, script="echo same; echo figure ns 5 >&2", figure="ns"):
        super().__init__(name, {"kind": "own", "stands_for": "a test", "language": "sh", "threads": 1, "figure": figure,
                                "unit": "ns"}, {"own"})
        self.folder, self.script = os.path.join(folder, name), script

    def command(self, allocator):
        return self.made(allocator, ["sh", "-c", self.script])

    def measured(self, command):
        with open(command.stderr, encoding="utf-8") as file:
            return engine.parse_figures(file.read())


class ARunThatFailsIsOneLineAndTheOthersGoOn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "results.json")

    def measurement(self, loads, rounds=2, allocators=("glibc", "b=glibc+B=1"), content=None):
        options = types.SimpleNamespace(
            seed=1, memory="cold", huge_pages="default", limit=5, rounds=rounds, mode="test", workloads=[], allocators=[],
            scale=1, micro_scale=1, env={}, cpus=1, command="bench/run")
        chosen = [peers.allocator(a) for a in allocators]
        content = content or run.fresh(options, loads, chosen, [0])
        with contextlib.redirect_stderr(io.StringIO()):
            made = engine.Measurement(options, loads, chosen, content, builds.Progress(1000), self.path)
            made.warm_up()
            made.rounds()
        return made.results

    def test_every_cell_has_a_run_of_each_round(self):
        taken = self.measurement([Script("one", self.folder), Script("two", self.folder)])
        self.assertEqual(taken["errors"], [])
        self.assertTrue(taken["complete"])
        for load in ("one", "two"):
            for name in ("glibc", "b"):
                runs = taken["cells"][load][name]["runs"]
                self.assertEqual([(r["round"], r["figures"]["ns"]) for r in runs], [(0, 5), (1, 5)])
        self.assertEqual(results.read(self.path), json.loads(json.dumps(taken)))

    def test_other_output_crash_hang_and_missing_figure(self):
        wrong = {"echo other$B; echo figure ns 5 >&2": "output is not that under glibc",
                 'test -z "$B" || kill -SEGV $$; echo figure ns 5 >&2': "ended by signal 11",
                 'test -z "$B" || exit 3; echo figure ns 5 >&2': "exit status 3",
                 'test -n "$B" || echo figure ns 5 >&2': "printed no figure ns"}
        for script, why in wrong.items():
            taken = self.measurement([Script("bad", self.folder, script), Script("good", self.folder)])
            self.assertEqual(len(taken["errors"]), 1, script)
            self.assertIn("bad with b: ", taken["errors"][0])
            self.assertIn(why, taken["errors"][0])
            self.assertEqual(taken["cells"]["bad"]["b"]["runs"], [])
            self.assertEqual(len(taken["cells"]["bad"]["glibc"]["runs"]), 2)
            self.assertEqual(len(taken["cells"]["good"]["b"]["runs"]), 2)

    def test_what_fails_under_glibc_is_left_out(self):
        taken = self.measurement([Script("bad", self.folder, "exit 1"), Script("good", self.folder)])
        self.assertEqual(len(taken["errors"]), 1)
        self.assertIn("exit status 1", taken["cells"]["bad"]["b"]["error"])
        self.assertEqual(len(taken["cells"]["good"]["b"]["runs"]), 2)

    def test_glibc_is_the_measure_of_output_even_where_it_is_not_asked_for(self):
        taken = self.measurement([Script("bad", self.folder, "echo $B; echo figure ns 5 >&2")], allocators=("b=glibc+B=1",))
        self.assertIn("output is not that under glibc", taken["errors"][0])
        self.assertEqual(list(taken["cells"]["bad"]), ["b"])

    def test_a_measurement_goes_on_where_it_was_stopped(self):
        loads = [Script("one", self.folder)]
        content = self.measurement(loads, rounds=2)
        half = content["cells"]["one"]["b"]["runs"]
        half.append({**half[0], "round": 2})  # of a round that was stopped
        content["complete"] = False
        taken = self.measurement(loads, rounds=4, content=content)
        for name in ("glibc", "b"):
            self.assertEqual([r["round"] for r in taken["cells"]["one"][name]["runs"]], [0, 1, 2, 3])
        self.assertEqual(taken["rounds"], 4)

    def test_tables_csv_and_comparison_show_what_the_file_has(self):
        taken = self.measurement([Script("one", self.folder), Script("bad", self.folder, 'test -z "$B"; echo figure ns 5 >&2')])
        taken["errors"], out = [], io.StringIO()
        taken["cells"]["bad"]["b"] = {"runs": [], "error": "x"}
        results.summary(taken, out)
        results.details(taken, "one", out)
        self.assertRegex(out.getvalue(), r"(?m)^bad .*failed")
        self.assertRegex(out.getvalue(), r"(?m)^one +1\.00 /1\.00 +1\.00 /")
        results.write(taken, self.path)
        results.write_csv(taken, self.path + ".csv")
        with open(self.path + ".csv", encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), 1 + 6)
        said = io.StringIO()
        results.compare(self.path, self.path, said)
        self.assertIn("0 of 3 cells differ", said.getvalue())
        with self.assertRaisesRegex(ValueError, "has no allocator 'x'; it has: glibc, b"):
            results.compare(self.path + ":x", self.path + ":b", said)
        with self.assertRaisesRegex(ValueError, "No such file"):
            results.read("/nonexistent")


def measured(medians, figure="elapsed"):
    """A results file of made-up rounds: {workload: {allocator: median}}."""
    def runs(middle):
        taken = [results.run_of(measure.Sample(middle * f, middle, 0, 2048, 0, 0), n, {"ns": middle * f * 10})
                 for n, f in enumerate((0.99, 1, 1.01, 1, 1))]
        return {"runs": taken}

    return {"format": results.FORMAT, "date": "", "seed": 1, "rounds": 5, "complete": True, "busy": 0, "kernel": "",
            "memory": "", "processor": "", "processors": [0], "huge_pages": "", "left_out": [], "errors": [],
            "allocators": {name: {} for cells in medians.values() for name in cells},
            "workloads": {w: {"figure": figure, "unit": "s" if figure == "elapsed" else "ns"} for w in medians},
            "cells": {w: {name: runs(middle) for name, middle in cells.items()} for w, cells in medians.items()}}


class TheFloorsOwnTimeIsLeftOut(unittest.TestCase):
    def test_memory_is_faulted_in_before_and_not_counted(self):
        """A program that fills 64 MiB has next to no fault of its own; what floor.c wrote is taken off."""
        library = os.path.join(peers.ROOT, "build", "release", "bench", "libfloor.so")
        ours = os.path.join(peers.ROOT, "build", "release", "lib", "libngrt.so")
        if not os.path.exists(library) or not os.path.exists(ours):
            self.skipTest("not built")
        script = ("import ctypes; make = ctypes.CDLL(None).malloc; make.restype = ctypes.c_void_p\n"
                  "for i in range(64): ctypes.memset(make(1 << 20), 1, 1 << 20)\n")
        with tempfile.TemporaryDirectory() as folder:
            def command(preload, **env):
                return measure.Command("python3", ["/usr/bin/python3", "-c", script],
                                       {"PATH": "/usr/bin:/bin", "LD_PRELOAD": preload, **env}, folder)

            floor = types.SimpleNamespace(peaks={"fill": 100 << 10}, options=types.SimpleNamespace(limit=60))
            load = types.SimpleNamespace(name="fill", folder=folder)
            without = measure.run_once(command(ours, NGRT_SERVER="off", NGRT_THP="off"))
            if without.status != 0:
                self.skipTest("this python has no ctypes")
            taken = engine.Measurement.run_on_floor(
                floor, load, command(f"{ours}:{library}", NGRT_SERVER="off", NGRT_THP="off", NGRT_DECAY="never"))
        self.assertGreater(without.faults, 64 << 8)
        self.assertLess(taken.faults, without.faults - (50 << 8))


class TwoMeasurementsAreAskedWhetherTheyRankAlike(unittest.TestCase):
    def compared(self, before, after, of=""):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a", "b")]
            for path, content in zip(paths, (before, after)):
                results.write(content, path)
            results.compare(*(path + of for path in paths), out := io.StringIO())
        return out.getvalue().splitlines()

    def ranks(self, before, after):
        """The lines that follow the cells'."""
        lines = self.compared(before, after)
        return lines[1 + next(n for n, line in enumerate(lines) if "cells differ" in line):]

    def test_the_same_order_is_counted(self):
        one = {"lua": {"glibc": 3, "mimalloc": 2, "ngrt": 1}, "jq": {"glibc": 1, "ngrt": 2}}
        self.assertEqual(self.ranks(measured(one), measured(one)), [
            "4 of 4 pairs of allocators whose 95 % intervals overlap in neither are ranked the same in both"])

    def test_each_pair_that_turned_is_named(self):
        lines = self.ranks(measured({"lua": {"glibc": 3, "mimalloc": 2, "ngrt": 1}}),
                           measured({"lua": {"glibc": 2, "mimalloc": 3, "ngrt": 1}}))
        self.assertRegex(lines[0], "^2 of 3 pairs ")
        self.assertEqual(lines[1:], ["lua: mimalloc before glibc, then glibc before mimalloc"])

    def test_what_overlaps_in_one_of_both_is_not_judged(self):
        clear, close = measured({"lua": {"glibc": 2, "ngrt": 1}}), measured({"lua": {"glibc": 1, "ngrt": 1.001}})
        for before, after in ((clear, close), (close, clear)):
            self.assertRegex("\n".join(self.ranks(before, after)), r"\A0 of 0 pairs .*\Z")

    def test_what_a_load_may_have_turned_is_not_judged(self):
        quiet, loaded = measured({"churn": {"glibc": 2, "ngrt": 1}}), measured({"churn": {"glibc": 3, "ngrt": 4}})
        self.assertRegex(self.ranks(quiet, loaded)[0], "^0 of 1 pairs ")
        for cell in loaded["cells"]["churn"].values():
            for one in cell["runs"]:
                one["unsure"] = 0.5
        self.assertRegex(self.ranks(quiet, loaded)[0], "^0 of 0 pairs ")

    def test_only_what_both_have_is_judged(self):
        lines = self.ranks(measured({"lua": {"glibc": 2, "ngrt": 1}, "jq": {"glibc": 2, "ngrt": 1}}),
                           measured({"lua": {"glibc": 2, "ngrt": 1, "jemalloc": 3}, "z3": {"glibc": 2, "ngrt": 1}}))
        self.assertRegex(lines[0], "^1 of 1 pairs ")

    def test_the_figure_that_ranks_the_workload_decides(self):
        before, after = (measured({"latency": {"glibc": 2, "ngrt": 1}}, "ns") for _ in range(2))
        for one in after["cells"]["latency"]["ngrt"]["runs"]:
            one["elapsed"] = 9
        self.assertRegex(self.ranks(before, after)[0], "^1 of 1 pairs ")

    def test_columns_have_no_ranks(self):
        one = measured({"lua": {"glibc": 2, "ngrt": 1}})
        self.assertIn("cells differ", self.compared(one, one, ":ngrt")[-1])


class BarsAreJudgedByTheFile(unittest.TestCase):
    def judged(self, medians, asks, memory="warm"):
        """{text: Bar} of a file whose workloads all belong to one group."""
        content = measured(medians)
        content["memory"] = memory
        for about in content["workloads"].values():
            about["asks"] = asks
        return {bar.text: bar for bar in bars.judge(content)}

    def test_growth_against_peers_and_floor(self):
        found = self.judged({"a": {"glibc": 2, "mimalloc": 1, peers.PRELOADED: 0.9, peers.FLOOR: 0.8},
                             "b": {"glibc": 1, "mimalloc": 2, peers.PRELOADED: 1.05, peers.FLOOR: 1}}, "growth")
        mean = found["growth, memory warm, against each one's fastest peer, geometric mean of 2"]
        self.assertAlmostEqual(mean.figure, (0.9 * 1.05) ** 0.5, places=3)
        self.assertFalse(mean.holds)
        worst = found["growth, against its fastest peer, worst of 2"]
        self.assertEqual((round(worst.figure, 3), worst.worst, worst.holds), (1.05, "b", False))
        floor = found["growth, against the floor, worst of 2"]
        self.assertEqual((round(floor.figure, 3), floor.worst, floor.holds), (1.125, "a", False))

    def test_cold_memory_has_a_limit_of_its_own(self):
        rows = {"a": {"glibc": 1, peers.PRELOADED: 0.93}}
        self.assertTrue(self.judged(rows, "growth")["growth, memory warm, against each one's fastest peer, geometric mean of 1"]
                        .holds)
        self.assertFalse(self.judged(rows, "growth", "cold")[
            "growth, memory cold, against each one's fastest peer, geometric mean of 1"].holds)

    def test_standing_heaps_against_one_peer_over_all(self):
        found = self.judged({"a": {"glibc": 1, "mimalloc": 2, peers.PRELOADED: 1},
                             "b": {"glibc": 3, "mimalloc": 1, peers.PRELOADED: 1}}, "standing")
        bar = found["standing heaps, against the fastest peer over all, mimalloc, geometric mean of 2"]
        self.assertAlmostEqual(bar.figure, 0.5 ** 0.5, places=3)
        self.assertTrue(bar.holds)

    def test_what_is_not_in_the_file_is_left_out(self):
        self.assertEqual(self.judged({"a": {"glibc": 1, "mimalloc": 2}}, "growth"), {})
        self.assertNotIn("without a room", "\n".join(self.judged({"a": {"glibc": 1, peers.PRELOADED: 1}}, "standing")))

    def test_every_line_says_figure_limit_and_verdict(self):
        content = measured({"a": {"glibc": 1, peers.PRELOADED: 2}})
        content["memory"], content["workloads"]["a"]["asks"] = "warm", "moving"
        bars.show(content, said := io.StringIO())
        self.assertRegex(said.getvalue(), r"threads, against its fastest peer, worst of 1: 2.000 \(a\), at most 1.053: FALLS SHORT")
        self.assertRegex(said.getvalue(), r"\d+ of \d+ bars hold\n$")


class TheReadmesTableAndPlotComeOfTheFile(unittest.TestCase):
    def shown(self, content, *arguments):
        """(status, stdout, stderr, plot or None) of bench/run --show."""
        with tempfile.TemporaryDirectory() as folder:
            path, plot = os.path.join(folder, "file.json"), os.path.join(folder, "plot.svg")
            results.write(content, path)
            with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
                status = run.main([f"--show={path}", f"--svg={plot}", *arguments])
            self.assertLessEqual(set(os.listdir(folder)), {"file.json", "plot.svg"})
            drawn = None
            if os.path.exists(plot):
                with open(plot, encoding="utf-8") as file:
                    drawn = file.read()
        return status, out.getvalue(), err.getvalue(), drawn

    def test_table(self):
        content = measured({"lua": {"glibc": 2, "mimalloc": 1, "ngrt": 0.5}, "jq": {"glibc": 3, "mimalloc": 4}})
        content["cells"]["jq"]["ngrt"] = {"error": "x", "runs": []}
        status, out, _, _ = self.shown(content, "--markdown")
        self.assertEqual(status, 0)
        self.assertEqual([line for line in out.splitlines() if line.startswith("|")], [
            "| program | glibc | mimalloc | ngrt | against the fastest peer |",
            "| --- | --- | --- | --- | --- |",
            "| lua | 2.00 (2.00), 2 MB | 1.00 (1.00), 2 MB | 0.50 (0.50), 2 MB | 0.50 (0.50–0.50) of mimalloc |",
            "| jq | 3.00 (3.00), 2 MB | 4.00 (4.00), 2 MB | failed | – |"])

    def test_other_figures_have_their_unit(self):
        status, out, _, _ = self.shown(measured({"latency": {"glibc": 2, "ngrt": 1}}, "ns"), "--markdown")
        self.assertIn("| latency | 20 ns (2.00), 2 MB | 10 ns (1.00), 2 MB | 0.50 (0.50–0.50) of glibc |", out)

    def test_only_what_is_asked_for(self):
        status, out, _, drawn = self.shown(measured({"lua": {"glibc": 2, "ngrt": 1}}))
        self.assertNotIn("| program |", out)
        self.assertIn("<svg", drawn)
        self.assertRegex(out, r"(?m)^lua +1\.00")

    def test_the_mode_asks_for_both(self):
        _, out, _, drawn = self.shown(measured({"lua": {"glibc": 2, "ngrt": 1}}), "--readme")
        self.assertIn("| program |", out)
        self.assertIn("<svg", drawn)
        options = run.parse(["--readme"])
        self.assertEqual((options.svg, options.markdown, options.workloads, options.rounds, options.budget),
                         (run.PLOT, True, ["demo"], 9, 800))
        self.assertEqual(options.allocators, ["glibc", "mimalloc", "jemalloc", "tcmalloc", "ngrt preloaded", "ngrt"])
        loads = run.choose(engine.real_loads(None, 1), options.workloads, self.fail)
        self.assertEqual([load.name for load in loads], ["lua", "xsltproc", "jq", "jsoncpp", "yaml-cpp"])
        self.assertEqual((run.parse([]).svg, run.parse([]).markdown), (None, False))

    def test_nothing_to_plot_leaves_what_is_there(self):
        status, out, _, drawn = self.shown(measured({"lua": {"ngrt": 1}}))
        self.assertEqual((status, drawn), (0, None))
        self.assertIn("no plot: no workload has a result with a peer", out)

    def test_a_file_that_is_none_is_one_line(self):
        status, out, err, drawn = self.shown({"format": 99})
        self.assertEqual((status, out, err.count("\n"), drawn), (2, "", 1, None))


class ProgramsThatAreMissingAreOneLine(unittest.TestCase):
    def test_the_others_are_ready(self):
        program = programs.Program("absent", "C", ("absent-package",), "", None, "/nonexistent/absent", (), packaged=True)
        with contextlib.redirect_stderr(io.StringIO()), tempfile.TemporaryDirectory() as folder:
            builder = builds.Builder(builds.Progress(100))
            loads = [engine.Real(program, builder), Script("one", folder)]
            ready = engine.prepare(loads, builder, ["plain"], time.time() + 100)
        self.assertEqual([load.name for load in ready], ["one"])
        self.assertEqual(builder.errors, ["absent: /nonexistent/absent is not installed; run: apt-get install absent-package"])


class AScaledProgramHasLessToDo(unittest.TestCase):
    def command(self, builder, program):
        return builder.command(program, "glibc", "/bin/true", {})

    def test_its_amount_and_its_document(self):
        program = programs.Program("some", "C", (), "work", None, "/bin/true", ("{amount}", "{input}"), amount=100,
                                   document="json", link="here.json", packaged=True)
        with tempfile.TemporaryDirectory() as folder:
            builder = builds.Builder(builds.Progress(100), work=folder)
            whole, fifth = self.command(builder, program), self.command(builder, program.scaled(0.2))
            self.assertEqual((whole.argv[1], fifth.argv[1]), ("100", "20"))
            self.assertLess(os.path.getsize(fifth.argv[2]) * 3, os.path.getsize(whole.argv[2]))
            self.assertEqual(os.path.realpath(os.path.join(fifth.cwd, "here.json")), os.path.realpath(fifth.argv[2]))

    def test_no_less_than_the_shortest(self):
        loads = {load.name: load for load in engine.real_loads(None, 0.001)}
        self.assertEqual(loads["lua"].program.amount, round(16 * engine.SHORTEST))
        self.assertIn("; 0.2 of that", loads["lua"].about["stands_for"])
        self.assertEqual(engine.real_loads(None, 1)[0].program.amount, 16)


class LatencyIsReadOfTheRun(unittest.TestCase):
    def test_phases_noise_and_worst(self):
        figures, latency = engine.parse_figures("latency noise 50 9\nlatency noise worst 99\nlatency growth 50 20\n"
                                                "latency churn 50 30\nlatency churn worst 700\nfigure clock_ns 8\nother\n")
        self.assertEqual(figures, {"clock_ns": 8})
        self.assertEqual((latency["percentiles"], latency["noise"]), ([[50, 30]], [[50, 9]]))
        self.assertEqual((latency["worst"], latency["clock"]), (700, 8))

    def test_a_run_without_any_has_none(self):
        self.assertEqual(engine.parse_figures("figure ns 3\nsomething else\n"), ({"ns": 3}, None))


class TheDriversArgumentsAreNamed(unittest.TestCase):
    def refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as stop:
            run.parse(list(arguments))
        self.assertEqual(stop.exception.code, 2)
        return said.getvalue()

    def test_wrong_values(self):
        self.assertIn("--cpus is 1 to", self.refused("--cpus=100000"))
        self.assertIn("'1-0' is neither", self.refused("--cpus=1-0"))
        self.assertIn("no processor 99999", self.refused("--cpus=99999,"))
        self.assertIn("'0' is no number of rounds", self.refused("--runs=0"))
        self.assertIn("'x' is no KEY=VALUE", self.refused("--env=x"))
        self.assertIn("--resume: /nonexistent", self.refused("--resume=/nonexistent"))

    def test_right_values(self):
        options = run.parse(["--quick", "--cpus=0,", "--env=A=b=c", "--allocators=glibc,mimalloc",
                             "--allocator=jemalloc+MALLOC_CONF=thp:always,metadata_thp:auto"])
        self.assertEqual((options.cpus, options.env, options.mode), ([0], {"A": "b=c"}, "quick"))
        self.assertEqual(options.allocators, ["glibc", "mimalloc", "jemalloc+MALLOC_CONF=thp:always,metadata_thp:auto"])

    def test_unknown_workloads_are_one_line_and_the_others_go_on(self):
        said = []
        loads = [Script("one", "/x"), Script("two", "/x"), Script("three", "/x")]
        chosen = run.choose(loads, ["t*", "nosuch", "one"], said.append)
        self.assertEqual([load.name for load in chosen], ["two", "three", "one"])
        self.assertEqual(len(said), 1)
        self.assertIn("no workload 'nosuch'; known: one, two, three", said[0])
        self.assertEqual(len(run.choose(loads, ["own"], said.append)), 3)


class WrongArgumentsAreNamed(unittest.TestCase):
    def refused(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as stop:
            demo.parse(list(arguments))
        self.assertEqual(stop.exception.code, 2)
        return said.getvalue()

    def test_unknown_names_are_refused_with_the_known_ones(self):
        self.assertRegex(self.refused("--programs=lua,foo"), "no program 'foo'; known: lua")
        self.assertRegex(self.refused("--allocators=foo"), "no allocator 'foo'; known: glibc")
        options, chosen = demo.parse(["--programs=lua,jq", "--allocators=mimalloc,ngrt"])
        self.assertEqual([p.name for p in chosen], ["lua", "jq"])
        self.assertEqual(options.allocators, ["mimalloc", "ngrt"])

    def test_processors_that_are_not_there_are_refused(self):
        self.assertIn("--cpus is 1 to", self.refused("--cpus=100000"))


if __name__ == "__main__":
    unittest.main()
