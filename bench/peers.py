# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""peers.py: the allocators: the peers as Debian packages them, where this tree's own build lies, and how a user names one
of them, any other library, or one of them with other settings."""

import dataclasses
import glob
import os
import platform
import re
import subprocess

# name -> (Debian package, library); glibc needs neither.
PEERS = {
    "glibc": (None, None),
    "mimalloc": ("libmimalloc2.0", "libmimalloc.so.2"),
    "jemalloc": ("libjemalloc2", "libjemalloc.so.2"),
    "tcmalloc": ("libtcmalloc-minimal4", "libtcmalloc_minimal.so.4"),
}

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Missing(Exception):
    """Something that is needed is not there; the message names it and what to do."""


def library(name):
    """The path of a peer's library; None for glibc."""
    package, file = PEERS[name]
    if file is None:
        return None
    for folder in (f"/usr/lib/{platform.machine()}-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"):
        found = sorted(glob.glob(f"{folder}/{file}"))
        if found:
            return found[0]
    raise Missing(f"{name}: {file} is not installed; run: apt-get install {package}")


def built(path, preset="release"):
    """A file of this project's build."""
    full = os.path.join(ROOT, "build", preset, path)
    if not os.path.exists(full):
        raise Missing(f"{full} is missing; run: cmake --preset {preset} && cmake --build --preset {preset}")
    return full


# What the environment says to allocators.
SETTINGS = ("NGRT_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


def environment(preload=None, **more):
    """This process's environment, without any setting of an allocator, with the library preloaded."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    env["LC_ALL"] = "C.UTF-8"
    if preload:
        env["LD_PRELOAD"] = preload
    env.update(more)
    return env


PRELOADED, PASS, LTO, OFF = "ngrt preloaded", "ngrt", "ngrt lto", "ngrt off"
FLOOR = "ngrt floor"  # preloaded, with all memory faulted in before main, that time left out (floor.c)
OURS = {  # name -> (build, environment)
    PRELOADED: ("plain", {}),
    PASS: ("pass", {}),
    LTO: ("lto", {}),
    OFF: ("plain", {"NGRT_SERVER": "off"}),
    FLOOR: ("plain", {"NGRT_DECAY": "never", "NGRT_THP": "on"}),
}
NAMES = (*PEERS, PRELOADED, PASS, LTO, OFF)

# How each is asked for huge pages, and asked not to.  TCMalloc's minimal library has no setting for them, glibc's needs
# 2.35.  "off" is the kernel's word besides (launch.c), since the machine may give them without being asked.
HUGE_PAGES = {
    "glibc": {"on": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}, "off": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}},
    "mimalloc": {"on": {"MIMALLOC_LARGE_OS_PAGES": "1"}, "off": {"MIMALLOC_LARGE_OS_PAGES": "0"}},
    "jemalloc": {"on": {"MALLOC_CONF": "thp:always,metadata_thp:auto"},
                 "off": {"MALLOC_CONF": "thp:never,metadata_thp:disabled"}},
    "ngrt": {"on": {"NGRT_THP": "on"}, "off": {"NGRT_THP": "off"}},
}


@dataclasses.dataclass
class Allocator:
    """One column of a measurement."""

    name: str
    library: str  # preloaded; None: what the program has by itself
    build: str  # of the program: plain, pass or lto
    env: dict
    version: str = None
    floor: bool = False

    def environment(self, **more):
        return environment(self.library, **{**self.env, **more})


def version(name, path):
    """The Debian package's version, or what our library's file name says."""
    package = PEERS.get(name, (None, None))[0] or ("libc6" if name == "glibc" else None)
    if package:
        asked = ["dpkg-query", "-W", "-f=${Version}", package]
        try:
            return subprocess.run(asked, capture_output=True, text=True, check=True).stdout or None
        except (OSError, subprocess.CalledProcessError):
            return None
    found = re.search(r"\.so\.([\d.]+)$", os.path.realpath(path or ""))
    return found.group(1) if found else None


def base_allocator(name):
    """An allocator by its name, or by the path of its library."""
    ours = name.replace("ngrt-", "ngrt ", 1)
    if name in PEERS:
        path = library(name)
        return Allocator(name, path, "plain", {}, version(name, path))
    if ours in OURS:
        build, env = OURS[ours]
        path = built("lib/libngrt.so")
        preload = f"{path}:{built('bench/libfloor.so')}" if ours == FLOOR else path
        return Allocator(ours, preload if build == "plain" else None, build, dict(env), version(ours, path), ours == FLOOR)
    if "/" in name or ".so" in name:
        path = os.path.abspath(name)
        if not os.path.isfile(path):
            raise Missing(f"{name}: no such file; an allocator's library is given by its path")
        return Allocator(os.path.basename(path), path, "plain", {}, version(None, path))
    raise ValueError(f"no allocator '{name}'; known: {', '.join(NAMES)}, or the path of a library (PATH.so)")


def allocator(text, huge_pages="default", env=None):
    """An Allocator out of [LABEL=]NAME[+KEY=VALUE...].  Raises ValueError where the text is none, Missing where what it
    names is not installed or built."""
    label, rest = re.fullmatch(r"(?:([^=/+]+)=)?(.*)", text).groups()
    base, *settings = re.split(r"\+(?=[A-Za-z_]\w*=)", rest)
    made = base_allocator(base)
    kind = "ngrt" if made.name in OURS else made.name
    if huge_pages == "peers":
        huge_pages = "default" if kind == "ngrt" else "on"
    made.env.update(HUGE_PAGES.get(kind, {}).get(huge_pages, {}))
    made.env.update(env or {})
    for setting in settings:
        key, value = setting.split("=", 1)
        made.env[key] = value
    made.name = label or "+".join([made.name, *settings])
    return made
