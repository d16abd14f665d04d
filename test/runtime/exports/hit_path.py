#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# hit_path.py LIBRARY: the hit paths of the exported functions, in the code that was built.
#   - straight to the first ret: no call, no push, no stack frame;
#   - at most so many instructions, in at most so many cache lines;
#   - free, which libc may call before relocation, tests its argument before anything that has to be filled in.

import re
import sys

from checks import expect, output_of, report

# Instructions on the hit path (of an allocation: of at most 128 bytes) and cache lines that it lies in: the most that either
# compiler needs (clang 19, gcc 12), at -O2 on x86-64.
LIMIT = {
    "malloc": (16, 1),
    "free": (22, 2),
    "_Znwm": (16, 1),
    "_Znam": (18, 2),
    "_ZdlPv": (20, 2),
    "_ZdlPvm": (22, 3),
    "_ZdaPv": (22, 3),
}
CACHE_LINE = 64
FREES = ("free", "__libc_free", "cfree")

def functions(library):
    """Name to (address, size), as exported."""
    found = {}
    for line in output_of("nm", "-DS", "--defined-only", library).splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[2] in "TtWw":
            found[parts[3].split("@")[0]] = (int(parts[0], 16), int(parts[1], 16))
    return found


def addressed(library, start, size):
    """Pairs of address and instruction."""
    text = output_of("objdump", "-d", "--no-show-raw-insn", f"--start-address={start}", f"--stop-address={start + size}", library)
    code = []
    for line in text.splitlines():
        m = re.match(r"\s+([0-9a-f]+):\t(\S.*)", line)
        if m and not re.match(r"(nop|data16|xchg\s+%ax,%ax|endbr64)", m.group(2)):
            code.append((int(m.group(1), 16), m.group(2)))
    return code


def instructions(library, start, size):
    return [text for _, text in addressed(library, start, size)]


def main(library):
    found = functions(library)
    for name, (limit, most_lines) in LIMIT.items():
        places, code = zip(*addressed(library, *found[name]))
        ends = [i for i, c in enumerate(code) if c.startswith("ret")]
        expect(ends, f"{name}: no ret")
        if not ends:
            continue
        # An early ret of free(NULL) may stand first; the hit path is what falls through to the next one.
        path = code[: ends[0] + 1]
        bad = [c for c in path if re.match(r"(call|push|pop|leave|jmp)|.*(sub|add)\s+\$\w+,%rsp", c)]
        expect(not bad, f"{name}: the hit path has {bad}")
        lines = places[ends[0]] // CACHE_LINE - places[0] // CACHE_LINE + 1
        print(f"{name}: {len(path)} instructions, {lines} cache lines")
        expect(lines <= most_lines, f"{name}: the hit path lies in {lines} cache lines, from {places[0]:#x} to {places[ends[0]]:#x}")
        expect(len(path) <= limit, f"{name}: {len(path)} instructions, at most {limit} are wanted:\n  " + "\n  ".join(path))

    for name in FREES:
        code = instructions(library, *found[name])
        expect(re.match(r"test\s+%rdi,%rdi", code[0]) and re.match(r"j\w+", code[1]),
               f"{name}: does not begin with the test for NULL but with {code[:2]}")
        target = re.search(r"([0-9a-f]+) <", code[1])
        expect(target is not None, f"{name}: {code[1]} jumps where?")
    return report()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: hit_path.py LIBRARY")
    sys.exit(main(sys.argv[1]))
