#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ng-model: the paper's sum, what must be so whatever the numbers, and what it says to input that makes no sense.
model_test.py NG-MODEL SECTION"""

import json
import os
import re
import subprocess
import sys
import tempfile

MODEL = sys.argv[1]
RUN = ["mallocs=2e7", "frees=2e7", "instructions=4e9", "seconds=1", "faults=100000", "refills=50000", "cpus=8", "ghz=3"]


def run(*arguments, fails=False):
    done = subprocess.run([MODEL, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode != 0) == fails, f"{arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    assert not fails or (done.stdout == "" and done.stderr.count("\n") == 1), done
    return done.stderr if fails else done.stdout


def model(*arguments):
    return json.loads(run("--json", *arguments))


def test_paper():
    """138,401,260 mallocs, 141,394,145 frees, four atomics of 67 cycles a call, 214 cycles a miss: 75 billion cycles, 1.25
    misses."""
    given = ["mallocs=138401260", "frees=141394145", "atomics=4", "atomic_cycles=67", "miss_cycles=214"]
    for arguments in (given, ["--paper"]):
        got = model(*arguments)
        assert got["overhead_cycles"] == (138401260 + 141394145) * 4 * 67, got
        assert round(got["overhead_cycles"] / 1e9) == 75, got
        assert got["break_even_misses"] == 268 / 214 and round(got["break_even_misses"], 2) == 1.25, got
    text = run("--paper")
    assert "74.99 billion cycles" in text and "1.252 misses" in text, text
    at_break_even = run("--paper", f"misses_saved={268 / 214:.12f}")
    assert "+0 billion" in at_break_even or re.search(r"[+-]\d\.?\d*e-\d+ billion", at_break_even), at_break_even


def test_ways():
    """By hand: 1e6 mallocs and frees, 1 GHz, no work to move, a message for each 100 calls."""
    base = ["mallocs=1e6", "frees=1e6", "ghz=1", "work_cycles=0", "batch=100", "round_trip_ns=100", "atomics=4", "atomic_cycles=20"]
    got = model(*base)
    assert got["queue_net_ns"] == -(2e6 / 100) * 50, got
    assert got["handshake_net_ns"] == -(1e6 * 100 + 1e6 * 2 * 20), got
    assert abs(got["queue_break_even"] - 0.5 / 214) < 1e-12 and abs(got["handshake_break_even"] - 70 / 214) < 1e-12, got
    # What a miss saves counts for every call.
    saved = model(*base, "misses_saved=0.5")
    assert abs(saved["queue_net_ns"] - got["queue_net_ns"] - 2e6 * 0.5 * 214) < 1e-3, saved


def test_runs():
    """What must be so: less with more faults to move, nothing without a core, more threads load a room more."""
    base = model(*RUN)
    assert base["elapsed"] < 1, base
    assert model(*RUN, "faults=200000")["elapsed"] < base["elapsed"]
    assert model(*RUN, "cpus=1")["elapsed"] == 1
    assert model(*RUN, "threads=8")["elapsed"] == 1  # as many as there are processors
    assert 0 < base["most_threads"] < 256, base
    assert model(*RUN, "work_cycles=400", "batch=1024")["most_threads"] <= base["most_threads"]
    assert base["second_room"] >= base["most_threads"] > 0, base
    idle = model("mallocs=1000", "frees=1000", "seconds=1", "faults=10", "refills=10", "cpus=8")
    assert idle["elapsed"] == 1 and idle["most_threads"] == 256 and idle["second_room"] == 0, idle
    # A small core that is as fast and takes less place is the better one; an idle sibling that is slow to nobody too.
    assert model(*RUN, "small_speed=1", "small_miss=1", "small_cost=0.1", "smt_slowdown=1", "smt_speed=0.01")["core"] == 1
    assert model(*RUN, "smt_slowdown=0", "smt_speed=1")["core"] == 2
    assert model(*RUN, "smt_slowdown=1", "smt_speed=0.01", "small_speed=0.01", "small_cost=1")["core"] == 0


def test_input():
    with tempfile.TemporaryDirectory() as folder:
        lines, words = os.path.join(folder, "machine.conf"), os.path.join(folder, "run.json")
        with open(lines, "w", encoding="utf-8") as file:
            file.write("# a machine\nghz = 2 # two\n\natomic_cycles=10\n")
        with open(words, "w", encoding="utf-8") as file:
            json.dump({"ngrt": "0.1.0", "allocations": 1000, "frees": 500, "threads": 1, "other": -5}, file)
        got = model(lines, words)
        assert got["overhead_cycles"] == 1500 * 4 * 10, got
        assert model(lines, words, "atomic_cycles=1")["overhead_cycles"] == 1500 * 4
        with open(lines, "a", encoding="utf-8") as file:
            file.write("speed = 3\n")
        said = run(lines, words, fails=True)
        assert "machine.conf:5" in said and "speed" in said, said
    for arguments, says in (
            ([], "mallocs: is missing"), (["mallocs=1"], "frees: is missing"),
            (["mallocs=-1", "frees=1"], "mallocs=-1"), (["mallocs=many", "frees=1"], "mallocs=many"),
            (["mallocs=1", "frees=nan"], "frees=nan"), (["mallocs=1", "frees=1e400"], "frees=1e400"),
            (["mallocs=10", "frees=10", "instructions=19"], "more calls than instructions"),
            (["mallocs=10", "frees=10", "refills=11"], "refills = 11"),
            (["mallocs=1", "frees=1", "ghz=0"], "ghz=0"), (["mallocs=1", "frees=1", "seconds=0"], "seconds=0"),
            (["mallocs=1", "frees=1", "threads=0"], "threads=0"), (["mallocs=1", "frees=1", "miss_cycles=-214"], "miss_cycles=-214"),
            (["mallocs=1", "frees=1", "sped=3"], "sped"), (["nowhere.json"], "nowhere.json"), (["--quiet"], "--quiet")):
        said = run(*arguments, fails=True)
        assert says in said, (arguments, said)
    text = run("--help")
    for name in ("mallocs", "round_trip_ns", "--calibrate", "smt_slowdown"):
        assert name in text, name


def test_calibrate():
    """The machine's costs, in the form that the model reads: memory dearer than L1."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "machine.conf")
        said = run("--calibrate")
        with open(path, "w", encoding="utf-8") as file:
            file.write(said)
        model(path, "mallocs=1", "frees=1")
    values = dict(re.findall(r"^(\w+) = ([\d.]+)$", said, re.M))
    for name in ("ghz", "atomic_cycles", "miss_cycles", "fault_small_ns", "fault_huge_ns", "cpus"):
        assert float(values[name]) > 0, said
    assert float(values["fault_huge_ns"]) > float(values["fault_small_ns"]), said
    if len(os.sched_getaffinity(0)) > 1:
        assert float(values["round_trip_ns"]) > 0 and "between" in said, said
    levels = [float(x) for x in re.search(r"in cycles: (.*)", said).group(1).split()]
    assert len(levels) == 4 and levels[0] < levels[3], levels


globals()[f"test_{sys.argv[2]}"]()
