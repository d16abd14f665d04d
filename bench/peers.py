# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""peers.py: the allocators that we are compared with, as Debian packages them, and where this tree's own build lies."""

import glob
import os
import platform

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


def environment(preload=None, **more):
    """This process's environment, without any setting of an allocator, with the library preloaded."""
    own = ("NGRT_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
    env = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    env["LC_ALL"] = "C.UTF-8"
    if preload:
        env["LD_PRELOAD"] = preload
    env.update(more)
    return env
