# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""sources.py: unpacked sources of Debian packages, without a change to the machine's own apt configuration.

A private configuration under the work folder holds deb-src twins of the machine's Debian entries (same mirror, same
key), and its own package lists and cache.  What is unpacked stays for the next time.
"""

import glob
import os
import re
import shutil
import subprocess

FALLBACK = """Types: deb-src
URIs: http://deb.debian.org/debian
Suites: {codename}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


class FetchFailed(Exception):
    """A package could not be fetched or unpacked; the message names it and its log."""


def codename():
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r'^VERSION_CODENAME="?(\w+)', file.read(), re.M)
    return found.group(1) if found else "bookworm"


def stanzas(suite):
    """deb-src twins of the machine's entries for this suite and its updates, as (file suffix, text)."""
    for path in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        with open(path, encoding="utf-8") as file:
            text = "\n".join(line for line in file.read().splitlines() if not line.startswith("#"))
        for stanza in re.split(r"\n\s*\n", text):
            fields = {k.lower(): v for k, v in re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M)}
            if suite in re.findall(r"\w+", fields.get("suites", "")) and "main" in fields.get("components", "").split():
                yield "sources", re.sub(r"(?m)^Types:.*$", "Types: deb-src", stanza.strip()) + "\n"
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list"))]:
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            for line in file:
                entry = re.match(rf"deb\s+(\[[^]]*\]\s+)?\S+\s+{suite}(-[\w-]+|/updates)?\s.*\bmain\b", line)
                if entry:
                    yield "list", "deb-src" + line[3:]


class Sources:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "src")
        self.apt = os.path.join(folder, "apt")
        self.log = os.path.join(folder, "apt.log")
        self.updated = False

    def options(self):
        where = {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": f"{self.apt}/parts",
                 "Dir::State::lists": f"{self.apt}/lists", "Dir::Cache": f"{self.apt}/cache",
                 "Acquire::Retries": "3", "Acquire::Languages": "none", "APT::Sandbox::User": ""}
        return [f"-o{key}={value}" for key, value in where.items()]

    def run(self, *arguments, cwd=None):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"$ apt-get {' '.join(arguments)}\n")
            log.flush()
            return subprocess.run(["apt-get", "-q", *self.options(), *arguments], cwd=cwd, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0

    def update(self):
        if self.updated:
            return
        for part in ("parts", "lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.apt, part), exist_ok=True)
        suite = codename()
        found = list(stanzas(suite)) or [("sources", FALLBACK.format(codename=suite))]
        for number, (suffix, text) in enumerate(found):
            with open(f"{self.apt}/parts/debian-{number}.{suffix}", "w", encoding="utf-8") as file:
                file.write(text)
        if not self.run("update"):
            raise FetchFailed(f"apt-get update of Debian's source lists failed, see {self.log}")
        self.updated = True

    def unpacked(self, package):
        """The package's folder, or None."""
        found = [d for d in glob.glob(os.path.join(self.folder, package, "*/")) if os.path.isdir(f"{d}/debian")]
        return found[0].rstrip("/") if found else None

    def get(self, package):
        """The folder of the package's unpacked sources, fetched where it is not there yet."""
        if self.unpacked(package):
            return self.unpacked(package)
        self.update()
        into = os.path.join(self.folder, package)
        # The newest, else the release's own: a mirror may list a security update before it has the files.
        for wanted in (package, f"{package}/{codename()}"):
            shutil.rmtree(into, ignore_errors=True)
            os.makedirs(into)
            if self.run("source", "--only-source", wanted, cwd=into) and self.unpacked(package):
                settle_times(self.unpacked(package))
                return self.unpacked(package)
        shutil.rmtree(into, ignore_errors=True)
        raise FetchFailed(f"Debian's source package {package} could not be fetched, see {self.log}")

    def version(self, package):
        return os.path.basename(self.unpacked(package)).removeprefix(f"{package}-")


def settle_times(tree):
    """Debian's patches make generated files older than what they come from; make would then ask for autoconf."""
    for pattern in ("aclocal.m4", "configure", "config.h.in", "Makefile.in"):
        for path in glob.glob(f"{tree}/**/{pattern}", recursive=True):
            os.utime(path)
