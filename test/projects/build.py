# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""build.py: one build of one project of table.py, for what drives them: `run` here, and bench/promoted.py."""

import glob
import os
import shlex
import subprocess

import peers
import programs

LLVM = "/usr/lib/llvm-19/bin"
WORK = os.path.join(peers.ROOT, "build", "projects")


class Build(programs.Build):
    """One build of a project, with its tests' output; archives hold bitcode where they must."""

    def __init__(self, folder, sources, data, cc, cxx, flags, jobs):
        super().__init__(folder, sources, cc, cxx, flags)
        self.jobs, self.data = jobs, data
        self.test_log = os.path.join(folder, "test.log")
        self.test_env = {}  # what the tests get beside their own
        self.said_before = None  # where nothing is to be run: [(exit status, what it said)] of the last run's commands

    def run(self, *argv, cwd=None, env=None):
        tools = {"AR": f"{LLVM}/llvm-ar", "RANLIB": f"{LLVM}/llvm-ranlib", "NM": f"{LLVM}/llvm-nm"}
        super().run(*argv, cwd=cwd, env={**tools, **(env or {})})

    def output(self, *argv, cwd, env=None, minutes=10):
        """(exit status, all that it said); 124 where it did not end in time."""
        if self.said_before is not None:
            return self.said_before.pop(0) if self.said_before else (1, "")
        command = ["timeout", "-k", "10", str(minutes * 60), *argv]
        env = {**os.environ, "LC_ALL": "C.UTF-8", **self.test_env, **(env or {})}
        done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode(errors="replace")
        with open(self.test_log, "a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(argv)}\n{text}\n[exit {done.returncode}]\n")
        return done.returncode, text


def fetched(package, sources):
    """A Debian binary package, unpacked: for the tests of another that it holds."""
    folder = os.path.join(WORK, "data", package)
    if not os.path.isdir(folder):
        os.makedirs(f"{folder}.new", exist_ok=True)
        sources.update()
        # Binary packages are in the machine's own lists.
        subprocess.run(["apt-get", "-q", "download", package], cwd=f"{folder}.new", check=True, capture_output=True)
        (deb,) = glob.glob(f"{folder}.new/*.deb")
        subprocess.run(["dpkg-deb", "-x", deb, f"{folder}.new"], check=True)
        os.replace(f"{folder}.new", folder)
    return folder
