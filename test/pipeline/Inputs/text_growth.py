#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""text_growth.py SIZE WITHOUT WITH LEAST MOST: the text of the objects or programs, by SIZE (llvm-size), grows by a share
between LEAST and MOST per cent.  Each of WITHOUT and WITH is a comma-separated list."""

import subprocess
import sys


def text(size, paths):
    lines = subprocess.run([size, *paths.split(",")], check=True, capture_output=True, text=True).stdout.splitlines()[1:]
    return sum(int(line.split()[0]) for line in lines)


size, without, with_pass = sys.argv[1:4]
least, most = map(float, sys.argv[4:])
before, after = text(size, without), text(size, with_pass)
growth = 100 * (after - before) / before
print(f"{before} bytes without the pass, {after} with it: {growth:+.2f} %")
if not least <= growth <= most:
    sys.exit(f"expected between {least} and {most} %")
