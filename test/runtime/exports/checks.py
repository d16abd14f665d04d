# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# checks.py: what the scripts here share: counted checks, and a tool's output.

import subprocess
import sys

_checks = _failed = 0


def expect(good, message):
    global _checks, _failed
    _checks += 1
    if not good:
        _failed += 1
        print(message, file=sys.stderr)


def report(more=""):
    """Says how many there were; true where one failed."""
    print(f"{_checks} checks, {_failed} failed{more}")
    return _failed != 0


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
