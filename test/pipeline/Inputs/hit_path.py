#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hit_path.py OBJDUMP OBJECT FUNCTION WANT

Counts the instructions that FUNCTION of OBJECT executes where the fast path hits, that is on the one way from its entry to
its return on which nothing is called, and compares them with WANT: total=N loads=N stores=N compares=N branches=N, each
number exact, or at most N written <=N.  The return itself does not count.  x86-64, AT&T syntax.
Where there are more such ways, ways=N says how many; then WANT is of the longest, and short:total=N and so on of the shortest.
"""

import re
import subprocess
import sys


def disassemble(objdump, path, function):
    text = subprocess.run(
        [objdump, "-d", "--no-show-raw-insn", f"--disassemble-symbols={function}", path],
        check=True, capture_output=True, text=True,
    ).stdout
    code = {}
    for line in text.splitlines():
        m = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*?)\s*(#.*)?$", line)
        if m:
            code[int(m[1], 16)] = (m[2], m[3])
    if not code:
        sys.exit(f"{path} has no function {function}")
    return code


def target(operand):
    m = re.match(r"(?:0x)?([0-9a-f]+)\b", operand)
    if not m:
        sys.exit(f"a jump to {operand!r} cannot be followed")
    return int(m[1], 16)


def hit_paths(code):
    """All ways from the entry to a return, without a call; each a list of instructions."""
    order = sorted(code)
    after = dict(zip(order, order[1:]))
    found, open_ways = [], [(order[0], [])]
    while open_ways:
        at, way = open_ways.pop()
        if len(way) > 100:
            sys.exit("the hit path has a loop")
        name, operands = code[at]
        if name.startswith("ret"):
            found.append(way)
        elif name.startswith("call") or operands.startswith("*"):
            continue  # a jump through a pointer is a call in the place of a return
        elif name == "jmp":
            if target(operands) in code:
                open_ways.append((target(operands), way + [(name, operands)]))
        else:
            if name.startswith("j"):
                open_ways.append((target(operands), way + [(name, operands)]))
            if at in after:
                open_ways.append((after[at], way + [(name, operands)]))
    return found


def split(operands):
    return re.findall(r"(?:[^,(]|\([^)]*\))+", operands)


def kinds(way):
    count = dict.fromkeys(("total", "loads", "stores", "compares", "branches"), 0)
    for name, operands in way:
        count["total"] += 1
        parts = [p.strip() for p in split(operands)]
        memory = ["(" in p or p.startswith("%fs:") for p in parts]
        compares = name.startswith(("cmp", "test"))
        count["compares"] += compares
        count["branches"] += name.startswith("j")
        if name.startswith("lea") or not any(memory):
            continue
        if memory[-1] and not compares:
            count["stores"] += 1
            count["loads"] += not name.startswith("mov")
        else:
            count["loads"] += 1
    return count


def check(count, want):
    """What is wrong, or None."""
    kind, number = want.split("=", 1)
    most = number.startswith("<=")
    limit = int(number.removeprefix("<="))
    fits = count[kind] <= limit if most else count[kind] == limit
    return None if fits else f"{kind}: {count[kind]}, not {number}"


def main():
    objdump, path, function, *wants = sys.argv[1:]
    ways = sorted(hit_paths(disassemble(objdump, path, function)), key=len)
    expected = next((int(w.removeprefix("ways=")) for w in wants if w.startswith("ways=")), 1)
    if len(ways) != expected:
        sys.exit(f"{function}: {len(ways)} ways lead to a return without a call, {expected} expected")
    for way in ways:
        print(f"{function}:", *(f"{k}={v}" for k, v in kinds(way).items()))
        for name, operands in way:
            print("   ", name, operands)
    shortest, longest = kinds(ways[0]), kinds(ways[-1])
    wrong = [check(shortest if want.startswith("short:") else longest, want.removeprefix("short:"))
             for want in wants if not want.startswith("ways=")]
    if any(wrong):
        sys.exit(f"{function}: " + "; ".join(filter(None, wrong)))


main()
