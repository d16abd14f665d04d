#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# exports.py LIBRARY MAP ABI_HEADER: what libngrt.so exports, compared with what others do.
#   - exactly the names in the version script, no more and no fewer;
#   - every allocation function of this machine's libc.so.6 and every operator of its libstdc++.so.6;
#   - every operator new and delete for 64 bits that LLVM knows (where LLVM's header is installed): __hot_cold_t forms too;
#   - no library needed but libc's, so that C programs can load it.

import glob
import re
import sys

from checks import expect, output_of, report

# libc's own names that look like an allocation function's but are none, or are private to glibc's own libraries.
LIBC_ALLOCATION = re.compile(
    r"^(__libc_|__posix_|__)?(malloc|calloc|realloc|reallocarray|free|cfree|memalign|valloc|pvalloc|aligned_alloc"
    r"|posix_memalign|mallinfo2?|mallopt|malloc_(info|stats|trim|usable_size)|free_sized|free_aligned_sized)$")
OPERATOR = re.compile(r"^_Z(n[wa]|d[la])")


def exported(library):
    names = set()
    for line in output_of("nm", "-D", "--defined-only", library).splitlines():
        names.add(line.split()[-1].split("@")[0])
    return names


def loaded_by_cc(library):
    """The file that the dynamic linker takes for the name, as any program here gets it."""
    for line in output_of("/sbin/ldconfig", "-p").splitlines():
        m = re.match(r"\s*" + re.escape(library) + r" \(libc6,(x86-64|AArch64)[^)]*\) => (\S+)", line)
        if m:
            return m.group(2)
    return None


def map_names(path):
    text = re.sub(r"/\*.*?\*/", "", open(path, encoding="utf-8").read(), flags=re.S)
    expect(re.match(r"\s*\{", text), f"{path}: the version script must be anonymous")
    body = re.search(r"global:(.*)local:\s*\*;", text, re.S)
    return set(re.findall(r"([A-Za-z_][A-Za-z0-9_]*);", body.group(1)))


def main(library, version_script, abi):
    ours = exported(library)
    listed = map_names(version_script)
    for name in sorted(listed - ours):
        expect(False, f"{name}: in {version_script}, but the library does not define it")
    for name in sorted(ours - listed):
        expect(False, f"{name}: exported, but not in {version_script}")
    expect(len(ours) > 60, f"only {len(ours)} names exported")

    for name, pattern, least in (("libc.so.6", LIBC_ALLOCATION, 25), ("libstdc++.so.6", OPERATOR, 20)):
        path = loaded_by_cc(name)
        if path is None:
            expect(name != "libc.so.6", f"{name}: not found")
            print(f"{name}: not installed, not compared")
            continue
        theirs = {n for n in exported(path) if pattern.match(n)}
        expect(len(theirs) >= least, f"{path}: only {len(theirs)} names of this kind: is the pattern wrong?")
        for missing in sorted(theirs - ours):
            expect(False, f"{missing}: {path} has it, libngrt has not")

    for header in glob.glob("/usr/include/llvm-19/llvm/Analysis/TargetLibraryInfo.def"):
        known = set(re.findall(r'TLI_DEFINE_STRING_INTERNAL\("(_Z[nd][wal][^"]*)"\)', open(header, encoding="utf-8").read()))
        wide = {n for n in known if not re.match(r"_Z(n[wa]|d[la]Pv)j", n)}
        expect(len(wide) >= 28, f"{header}: only {len(wide)} operators: is the pattern wrong?")
        for missing in sorted(wide - ours):
            expect(False, f"{missing}: LLVM knows it, libngrt has not got it")

    header = open(abi, encoding="utf-8").read()
    version = re.search(r"#define NGRT_ABI_VERSION (\d+)", header).group(1)
    symbol = re.search(r'#define NGRT_CACHE_SYMBOL "(\w+)"', header).group(1)
    expect(symbol.endswith(f"_abi_{version}"), f"{symbol} does not name the ABI's version, {version}")
    slow = set(re.findall(r"\b(ngrt_\w+_slow)\(", header))
    expect(len(slow) == 7, f"{abi} declares {len(slow)} slow paths")
    for name in sorted(slow | {symbol}):
        expect(name in ours, f"{name}: in {abi}, but not exported")

    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-dW", library)))
    for name in needed:
        expect(re.match(r"(libc\.so|ld-linux)", name), f"{name}: needed, but a C program may not have it")
    text_relocations = re.search(r"\bTEXTREL\b", output_of("readelf", "-dW", library))
    expect(not text_relocations, "the library needs relocations in its code")
    expect(re.search(r"\bNOW\b", output_of("readelf", "-dW", library)), "the library is not linked with -z now")

    tls = re.search(r"\n\s+TLS\s+\S+\s+\S+\s+\S+\s+\S+\s+(0x[0-9a-f]+)", output_of("readelf", "-lW", library))
    expect(tls and int(tls.group(1), 16) <= 1024, f"static TLS over 1024 bytes: {tls and int(tls.group(1), 16)}")
    return report(f"; {len(ours)} names exported")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: exports.py LIBRARY MAP ABI_HEADER")
    sys.exit(main(*sys.argv[1:]))
