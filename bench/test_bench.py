#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""test_bench.py: tests of what the demo's numbers stand on.  Run by ctest; each class is one behaviour."""

import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import demo  # noqa: E402
import measure  # noqa: E402
import programs  # noqa: E402
import sources  # noqa: E402
from inputs import make  # noqa: E402


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
        known = {"json": "57a15c0abf8631614d50d0bb03e342c5", "xml": "dbfff357a7fcb5d48e8550898583aac0", "yaml": "9ce839c4bcbecc8afc554d2ddf189ee0"}
        with tempfile.TemporaryDirectory() as folder:
            for kind, digest in known.items():
                path = os.path.join(folder, kind)
                make.make(kind, 50, path)
                self.assertEqual(measure.digest([path]), digest, kind)


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
