# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""predict.py: what ng-model says of each workload, beside what was measured: from the run with the room off (its time, page
faults, and what the runtime counts of it) to the time with the room on."""

import json
import math
import re
import statistics
import subprocess

import measure
import peers

WITHIN = 0.15  # of the measured time: a prediction that counts as right
SUMMED = {"allocations": "mallocs", "frees": "frees", "self_served": "refills"}
MACHINE = ("ghz", "miss_cycles", "fault_small_ns", "fault_huge_ns", "round_trip_ns", "atomic_cycles")


def calibration():
    """{input: value} of this machine."""
    said = subprocess.run([peers.built("bin/ng-model"), "--calibrate"], capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in re.findall(r"^(\w+) = ([\d.]+)$", said, re.M) if name in MACHINE}


def counts_of(text):
    """The sums over all lines that NGRT_STATS=json wrote (one for each process); None without any."""
    found = [json.loads(line) for line in text.splitlines() if line.startswith('{"ngrt"')]
    if not found:
        return None
    return {"processes": len(found), **{ours: sum(one[theirs] for one in found) for theirs, ours in SUMMED.items()}}


def count(load, allocator, limit):
    """One run that only counts; None where it gave nothing."""
    command = load.command(allocator)
    if command is None:
        return None
    command.env["NGRT_STATS"] = "json"
    taken = measure.run_once(command, limit)
    with open(command.stderr, encoding="utf-8", errors="replace") as file:
        counts = counts_of(file.read())
    if taken.hung or taken.status != load.status or not counts:
        return None
    return counts


def predicted(counts, machine, seconds, faults, threads, processors):
    """Elapsed seconds with the room, by ng-model.  Many processes, one after the other, are one of them so many times: each
    would have to start a room of its own."""
    times = counts.get("processes", 1)
    given = {name: counts[name] / times for name in SUMMED.values()}
    given.update(machine, seconds=seconds / times, faults=faults / times, threads=threads, cpus=processors)
    given["refills"] = min(given["refills"], given["mallocs"])
    argv = [peers.built("bin/ng-model"), "--json", *(f"{name}={value}" for name, value in given.items())]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)["elapsed"] * times


def show(results, out, off=peers.OFF, on=peers.PRELOADED):
    """The table, where the file has counts and both columns."""
    if not results.get("counts") or not {off, on} <= set(results["allocators"]):
        return
    print("\nng-model: elapsed seconds with the room, predicted from the run without it, and measured", file=out)
    print(f"{'workload':<24}{'room off':>10}{'predicted':>11}{'measured':>10}{'error':>9}", file=out)
    right = every = 0
    for workload, counts in results["counts"].items():
        runs = {name: results["cells"].get(workload, {}).get(name, {}).get("runs") for name in (off, on)}
        if not runs[off] or not runs[on]:
            continue
        middle = {name: statistics.median(run["elapsed"] for run in runs[name]) for name in runs}
        faults, system = (statistics.median(run[what] for run in runs[off]) for what in ("faults", "system"))
        threads = results["workloads"][workload].get("threads") or 1
        machine = {**results["calibration"]}
        if faults:  # no more than the kernel took in that run for all of its work
            machine["fault_small_ns"] = min(machine.get("fault_small_ns", math.inf), system * 1e9 / faults)
        guess = predicted(counts, machine, middle[off], faults, threads, len(results["processors"]))
        error = guess / middle[on] - 1
        every, right = every + 1, right + (abs(error) <= WITHIN)
        print(f"{workload:<24}{middle[off]:>10.3f}{guess:>11.3f}{middle[on]:>10.3f}{error * 100:>+8.1f} %", file=out)
    if every:
        print(f"within {WITHIN * 100:.0f} %: {right} of {every} ({100 * right / every:.0f} %)", file=out)
