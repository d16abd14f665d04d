#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ng-sim as a whole: what it counts in programs whose misses are known, against cachegrind, twice the same, and what it says to
bad input.  sim_test.py NG-SIM WALK SECTION"""

import json
import os
import subprocess
import sys
import tempfile

SIM, WALK = sys.argv[1:3]
# What cachegrind models too: one private level, one shared, true LRU.
PLAIN = """l1_bytes = 32768
l1_ways = 8
llc_bytes = 1048576
llc_ways = 16
dtlb_entries = 64
dtlb_ways = 64
stlb_entries = 1024
stlb_ways = 8
"""


def run(*arguments, fails=False):
    done = subprocess.run([SIM, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode != 0) == fails, f"{arguments}: exit status {done.returncode}\n{done.stderr}"
    return done.stdout + done.stderr


def count(folder, *program, options=("--geometry=zen4",)):
    path = os.path.join(folder, "counts.json")
    run(*options, "--top=0", f"--json={path}", "--", *program)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def of_function(counts, name, machine):
    found = [s for s in counts["symbols"] if s["symbol"] == name]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]["machines"][machine]


def near(what, got, wanted, within):
    assert abs(got - wanted) <= within * wanted, f"{what}: {got}, not {wanted} within {within:.2%}"
    print(f"{what}: {got} ({wanted})")


def test_lines(folder):
    """4 MiB four times: more than L2, so every line misses it every time; the last level has it."""
    counts = count(folder, WALK, "lines", options=("--geometry=zen4", "--geometry=cortex-a72"))
    for machine in ("zen4", "cortex-a72"):
        events = of_function(counts, "read_lines", machine)
        near(f"{machine}: L1", events["l1_load"], 4 * 65536, 0.001)
        near(f"{machine}: L2", events["l2_load"], 4 * 65536, 0.001)
        assert events["llc_load"] < 100, events


def test_huge(folder):
    """32 MiB, a load in each page, four rounds: 8192 small pages are more than any TLB has; 16 huge ones are not."""
    small = of_function(count(folder, WALK, "small", options=("--geometry=zen4", "--thp=madvise")), "read_pages", "zen4")
    near("small pages: walks", small["walk_load"], 4 * 8192, 0.001)
    near("small pages: first TLB", small["dtlb_load"], 4 * 8192, 0.001)
    counts = count(folder, WALK, "huge", options=("--geometry=zen4", "--thp=madvise"))
    found = [s for s in counts["symbols"] if s["symbol"] == "read_pages"]
    assert not found or found[0]["machines"]["zen4"]["walk_load"] <= 16, found
    pages = counts["threads"][0]
    assert pages["pages_huge"] == 16, pages["pages_huge"]
    never = count(folder, WALK, "huge", options=("--geometry=zen4", "--thp=never"))
    assert never["threads"][0]["pages_huge"] == 0


def test_share(folder):
    """Two threads that add to one line 100000 times each: it moves at each change of turns, and what is their own stays."""
    counts = count(folder, WALK, "share", options=("--geometry=zen4", "--quantum=100"))
    events = of_function(counts, "take_turns", "zen4")
    moves = events["move_load"] + events["move_store"]
    turns = 2 * 100000 * 4 / 100  # a round of the loop takes four instructions, a turn 100
    print(f"{moves} moves in {turns:.0f} turns")
    assert 0.8 * turns < moves < 1.25 * turns, events
    assert len([t for t in counts["threads"] if t["program"]["instructions"]]) == 3, counts["threads"]


def test_end(folder):
    """Nobody waits for the next turn of a thread that ended with its last one: main did, for ever."""
    run("--geometry=zen4", "--quantum=100", "--top=0", f"--json={folder}/counts.json", "--", WALK, "end")


def test_cachegrind(folder):
    geometry = os.path.join(folder, "plain.conf")
    with open(geometry, "w", encoding="utf-8") as file:
        file.write(PLAIN)
    ours = of_function(count(folder, WALK, "mix", options=(f"--geometry={geometry}",)), "mix", "plain")
    out = os.path.join(folder, "cachegrind.out")
    subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64",
                    "--LL=1048576,16,64", f"--cachegrind-out-file={out}", WALK, "mix"], capture_output=True, check=True)
    with open(out, encoding="utf-8") as file:
        lines = file.read().splitlines()
    names = next(line for line in lines if line.startswith("events:")).split()[1:]
    at = lines.index("fn=mix") + 1
    theirs = dict.fromkeys(names, 0)
    while at < len(lines) and lines[at][0].isdigit():
        for name, value in zip(names, lines[at].split()[1:]):
            theirs[name] += int(value)
        at += 1
    for mine, name, within in (("l1_load", "D1mr", 0.001), ("l1_store", "D1mw", 0.001), ("llc_load", "DLmr", 0.005),
                               ("llc_store", "DLmw", 0.005)):
        near(name, ours[mine], theirs[name], within)


def test_twice(folder):
    """Two runs of one thread agree to 0.1 %."""
    first, second = (count(folder, WALK, "mix")["threads"][0]["program"] for _ in range(2))
    for name in ("instructions", "loads", "stores"):
        near(name, first[name], second[name], 0.001)
    for name in ("l1_load", "l2_load", "dtlb_load"):
        near(name, first["machines"]["zen4"][name], second["machines"]["zen4"][name], 0.001)


def test_output(folder):
    """The program's own output and status stay what they are; the report goes to stderr."""
    done = subprocess.run([SIM, "--top=3", "sh", "-c", "echo said; exit 3"], capture_output=True, text=True, check=False)
    assert done.stdout == "said\n" and done.returncode == 3, done
    assert "LLC miss" in done.stderr and "zen4" in done.stderr, done.stderr


def test_wrong(folder):
    bad = os.path.join(folder, "bad.conf")
    for text, says in (("l1_bytes = many\n", "l1_bytes = many"), ("l9_bytes = 64\n", "l9_bytes"),
                       ("l1_bytes = -64\n", "-64"), (PLAIN.replace("llc_ways = 16", "llc_ways = 5"), "llc_bytes")):
        with open(bad, "w", encoding="utf-8") as file:
            file.write(text)
        said = run(f"--geometry={bad}", WALK, "mix", fails=True)
        assert says in said and "bad.conf" in said, said
    for arguments, says in ((["--geometry=z80", WALK], "z80"), (["--top=x", WALK], "--top=x"), (["--cpus=0", WALK], "--cpus=0"),
                            (["--thp=often", WALK], "often"), (["--what", WALK], "--what"), ([], "no program"),
                            (["--preload=/nowhere.so", WALK], "/nowhere.so")):
        said = run(*arguments, fails=True)
        assert says in said, said
    assert "--geometry" in run("--help")
    listed = run("--list")
    for name in ("zen4", "golden-cove", "cortex-a72", "neoverse-n1"):
        assert name in listed, listed


def main():
    with tempfile.TemporaryDirectory() as folder:
        globals()[f"test_{sys.argv[3]}"](folder)


main()
