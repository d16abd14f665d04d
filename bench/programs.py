# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""programs.py: the real programs of the demo and of bench/run: their Debian package, how they are built, what they run on.

Each is a program that nobody here wrote and that spends much of its time on small blocks; its own sources, and those of
the library that allocates for it, are built with the compiler under test.  Builds are out of the package's own build
system where it works without further packages, else straight from its sources.  PACKAGED are programs that run as Debian
built them, so with preloaded allocators only: those whose build takes too long, or that are themselves the compiler.
"""

import concurrent.futures
import dataclasses
import glob
import os
import re
import shlex
import shutil
import subprocess

import peers

INPUTS = os.path.join(peers.ROOT, "bench", "inputs")


class BuildFailed(Exception):
    """A command of a build failed; the message names the command and its log."""


class Build:
    """One build of one program: compilers, flags, an empty folder, and the unpacked sources."""

    def __init__(self, folder, sources, cc, cxx, flags):
        self.folder, self.sources = folder, sources
        self.cc, self.cxx, self.flags = cc, cxx, flags
        self.jobs = len(os.sched_getaffinity(0))
        self.log = os.path.join(folder, "build.log")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def run(self, *argv, cwd=None, env=None):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"$ {shlex.join(argv)}\n")
            log.flush()
            done = subprocess.run(
                argv, cwd=cwd or self.folder, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, check=False,
            )
        if done.returncode:
            raise BuildFailed(f"{shlex.join(argv[:6])} … failed, see {self.log}")

    def copy(self, package):
        """A copy of the package's sources, times kept, for packages that build in their own tree."""
        to = self.path(package)
        shutil.copytree(self.sources[package], to, symlinks=True)
        return to

    def configure(self, tree, *options):
        self.run(
            "./configure", "-q", "--disable-shared", "--disable-dependency-tracking", *options,
            cwd=tree, env={"CC": self.cc, "CFLAGS": self.flags},
        )

    def make(self, tree, *targets, env=None):
        self.run("make", f"-j{self.jobs}", *targets, cwd=tree, env=env)

    def cmake(self, tree, targets, *options):
        out = self.path("cmake")
        self.run(
            "cmake", "-S", tree, "-B", out, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None",
            f"-DCMAKE_C_COMPILER={self.cc}", f"-DCMAKE_CXX_COMPILER={self.cxx}",
            f"-DCMAKE_C_FLAGS={self.flags}", f"-DCMAKE_CXX_FLAGS={self.flags}", "-DBUILD_SHARED_LIBS=OFF",
            # CMake goes by the compiler's name, and would take another LLVM's for ng++: that cannot read LTO objects.
            "-DCMAKE_AR=/usr/bin/llvm-ar-19", "-DCMAKE_RANLIB=/usr/bin/llvm-ranlib-19", *options,
        )
        self.run("cmake", "--build", out, "-j", str(self.jobs), "--target", *targets)

    def compile(self, files, flags, link, output):
        """Compiles files of one language and links them, for packages whose build needs more than a compiler."""
        compiler = self.cc if files[0].endswith(".c") else self.cxx
        objects = [self.path(os.path.splitext(os.path.basename(f))[0] + ".o") for f in files]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            compiled = [
                pool.submit(self.run, compiler, *self.flags.split(), *flags, "-c", f, "-o", o)
                for f, o in zip(files, objects)
            ]
            for one in compiled:
                one.result()
        self.run(compiler, *self.flags.split(), *objects, *link, "-o", self.path(output))


@dataclasses.dataclass
class Program:
    name: str
    language: str
    packages: tuple  # Debian source packages, the one that gives the version first; where packaged, binary packages
    work: str  # what the run stands for, a few words
    build: object  # function(Build); None where packaged
    binary: str  # in the build's folder; where packaged, its full path
    arguments: tuple  # {input}: the input document; {inputs}: this repository's folder; {package}: unpacked sources
    amount: int = None  # how much it has to do, {amount} in its arguments; what --scale changes
    document: str = None  # its kind, for inputs/make.py, which makes it of so many orders
    link: str = None  # the name that the document has in the run's folder, for programs that write beside it
    writes: tuple = ()  # files beside stdout and stderr whose contents count as output
    status: int = 0
    extra: bool = False  # the demo runs it only where asked for by name or by "all"
    packaged: bool = False  # runs as Debian built it
    quick: bool = False  # bench/run --quick includes it
    threads: int = 1  # or processes, of which several are at work at once
    asks: str = ""  # which of bars.py's groups it belongs to
    elf: str = None  # where the binary is a script: the program that it runs, whose text counts; in the build's folder

    def scaled(self, scale):
        """The same program with so much of its work."""
        if scale == 1 or self.amount is None:
            return self
        return dataclasses.replace(self, amount=max(1, round(self.amount * scale)), work=f"{self.work}; {scale:g} of that")


def build_lua(b):
    src = os.path.join(b.sources["lua5.4"], "src")
    with open(b.path("lua5.4-deb-multiarch.h"), "w", encoding="utf-8") as header:
        header.write('#define DEB_HOST_MULTIARCH ""\n')  # Debian's build makes this file; only a search path
    files = [f for f in sorted(glob.glob(f"{src}/*.c")) if not f.endswith("/luac.c")]
    flags = ["-std=gnu99", "-DLUA_COMPAT_5_3", "-DLUA_USE_POSIX", "-DLUA_USE_DLOPEN", f"-I{b.folder}"]
    b.compile(files, flags, ["-Wl,-E", "-lm", "-ldl"], "lua")


def build_xsltproc(b):
    xml = b.copy("libxml2")
    without = "python lzma zlib iconv icu http ftp debug modules".split()
    b.configure(xml, *(f"--without-{w}" for w in without))
    b.make(xml, "libxml2.la")
    xslt = b.copy("libxslt")
    without = "python crypto debug debugger plugins".split()
    b.configure(xslt, f"--with-libxml-src={xml}", *(f"--without-{w}" for w in without))
    b.make(xslt, "SUBDIRS=libxslt libexslt xsltproc")


def build_jq(b):
    """jq's own build needs autoconf, libtool and bison; what it finds out on any Debian is written down here."""
    src = os.path.join(b.sources["jq"], "src")
    os.mkdir(b.path("src"))
    with open(f"{src}/builtin.jq", encoding="utf-8") as file:
        lines = [line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"') for line in file]
    with open(b.path("src", "builtin.inc"), "w", encoding="utf-8") as file:
        file.writelines(f'"{line}\\n"\n' for line in lines)
    with open(b.path("src", "version.h"), "w", encoding="utf-8") as file:
        file.write('#define JQ_VERSION "1.6"\n')
    files = sorted(glob.glob(f"{src}/*.c"))
    asked = set()
    for name in files + glob.glob(f"{src}/*.h"):
        with open(name, encoding="utf-8") as file:
            asked.update(re.findall(r"\bHAVE_\w+", file.read()))
    absent = {"HAVE_LIBONIG", "HAVE_ISATTY", "HAVE__ISATTY", "HAVE_TM___TM_GMT_OFF", "HAVE_ARC4RANDOM", "HAVE_POW10",
              "HAVE_GAMMA", "HAVE_LGAMMA", "HAVE_TGAMMA"}
    flags = ["-w", "-D_GNU_SOURCE", "-DIEEE_8087", f"-I{b.folder}", *(f"-D{h}=1" for h in sorted(asked - absent))]
    b.compile([f for f in files if "inject_errors" not in f], flags, ["-lm", "-lpthread"], "jq")


def build_jsoncpp(b):
    b.cmake(b.sources["libjsoncpp"], ["jsontestrunner_exe"], "-DBUILD_OBJECT_LIBS=OFF",
            "-DJSONCPP_WITH_POST_BUILD_UNITTEST=OFF", "-DJSONCPP_WITH_WARNING_AS_ERROR=OFF")
    # It sends its programs to a folder of its own choice.
    found = glob.glob(b.path("cmake", "**", "jsontestrunner_exe"), recursive=True)
    os.replace(found[0], b.path("jsontestrunner"))


def build_yaml(b):
    b.cmake(b.sources["yaml-cpp"], ["yaml-cpp-parse"], "-DYAML_CPP_BUILD_TESTS=OFF", "-DYAML_CPP_BUILD_TOOLS=ON")


def build_cppcheck(b):
    b.cmake(b.sources["cppcheck"], ["cppcheck"], "-DUSE_MATCHCOMPILER=On", "-DBUILD_TESTS=OFF", "-DBUILD_GUI=OFF")


def build_xerces(b):
    b.cmake(b.sources["xerces-c"], ["DOMPrint"], "-Dnetwork=OFF", "-Dtranscoder=gnuiconv", "-Dmessage-loader=inmemory")


def build_sqlite3(b):
    """Its one big file, as everybody builds it; tclsh puts that together."""
    tree = b.copy("sqlite3")
    b.configure(tree, "--disable-tcl", "--disable-readline")
    b.make(tree, "sqlite3.c", "shell.c")
    flags = ["-w", "-DSQLITE_OMIT_LOAD_EXTENSION", f"-I{tree}"]
    b.compile([f"{tree}/sqlite3.c", f"{tree}/shell.c"], flags, ["-lm", "-lpthread"], "shell")


def build_redis(b):
    tree = b.copy("redis")
    b.make(f"{tree}/src", "MALLOC=libc", "USE_SYSTEMD=no", "DEBUG=", "redis-server", "redis-benchmark", "redis-cli",
           env={"CC": b.cc, "CFLAGS": b.flags, "LDFLAGS": b.flags})
    shutil.copy(os.path.join(INPUTS, "redis.sh"), tree)


def build_git(b):
    without = "CURL EXPAT GETTEXT OPENSSL PERL PYTHON TCLTK".split()
    b.make(b.copy("git"), "git", f"CC={b.cc}", f"CFLAGS={b.flags}", *(f"NO_{w}=1" for w in without))


def build_cadical(b):
    """Straight from its sources: its configure would put -O3 behind our flags."""
    files = [f for f in sorted(glob.glob(os.path.join(b.sources["cadical"], "src", "*.cpp"))) if "mobical" not in f]
    b.compile(files, ["-std=c++11", "-DNDEBUG", "-DNBUILD"], [], "cadical")


PROGRAMS = [
    Program("lua", "C", ("lua5.4",), "a script: binary trees, words and lines", build_lua, "lua",
            ("{inputs}/churn.lua", "{amount}"), amount=16, quick=True, asks="standing"),
    Program("xsltproc", "C", ("libxslt", "libxml2"), "14 MB of XML into an HTML report", build_xsltproc,
            "libxslt/xsltproc/xsltproc", ("{inputs}/catalogue.xsl", "{input}"), amount=20000, document="xml",
            asks="growth"),
    Program("jq", "C", ("jq",), "12 MB of JSON joined, grouped and rewritten", build_jq, "jq",
            ("-f", "{inputs}/orders.jq", "{input}"), amount=18000, document="json", quick=True, asks="standing"),
    Program("jsoncpp", "C++", ("libjsoncpp",), "21 MB of JSON read, flattened, written, read again", build_jsoncpp,
            "jsontestrunner", ("orders.json",), amount=30000, document="json", link="orders.json",
            writes=("orders.actual", "orders.rewrite", "orders.actual-rewrite"), asks="growth"),
    Program("yaml-cpp", "C++", ("yaml-cpp",), "7 MB of YAML read into a tree and printed", build_yaml,
            "cmake/util/parse", ("{input}",), amount=9000, document="yaml", quick=True),
    Program("cppcheck", "C++", ("cppcheck", "yaml-cpp"), "yaml-cpp's sources analysed", build_cppcheck,
            "cmake/bin/cppcheck", ("-q", "--enable=all", "{yaml-cpp}/src"), extra=True),
    Program("xerces", "C++", ("xerces-c",), "33 MB of XML read into a DOM tree and written", build_xerces,
            "cmake/samples/DOMPrint", ("-wfile=written.xml", "{input}"), amount=45000, document="xml",
            writes=("written.xml",), extra=True, asks="growth"),
    Program("sqlite3", "C", ("sqlite3",), "a table in memory: filled, indexed, joined, changed", build_sqlite3, "shell",
            ("-batch", "-bail", ":memory:", ".parameter set @orders {amount}", ".read {inputs}/table.sql"), amount=180000,
            extra=True, quick=True, asks="standing"),
    Program("redis", "C", ("redis",), "a server under redis-benchmark's and a script's commands", build_redis,
            "redis/redis.sh", (), extra=True, threads=2, elf="redis/src/redis-server", asks="standing"),
    Program("git", "C", ("git",), "a history of 2000 commits packed anew, as by repack -adf", build_git, "git/git",
            ("--git-dir={input}", "-c", "pack.threads=1", "pack-objects", "-q", "--all", "--no-reuse-delta",
             "--no-reuse-object", "--stdout"), amount=2000, document="git", extra=True, asks="standing"),
    Program("cadical", "C++", ("cadical",), "a SAT solver on a formula of many clauses", build_cadical, "cadical",
            ("-q", "{input}"), amount=200000, document="cnf", status=10, extra=True, asks="standing"),
]

PACKAGED = [
    Program("xalan", "C++", ("xalan",), "16 MB of XML into an HTML report", None, "/usr/bin/Xalan",
            ("{input}", "{inputs}/catalogue.xsl"), amount=22000, document="xml", packaged=True, extra=True,
            asks="growth"),
    Program("python3", "C", ("python3",), "dicts, lists, strings and sets, JSON out and in", None, "/usr/bin/env",
            ("PYTHONMALLOC=malloc", "PYTHONHASHSEED=0", "/usr/bin/python3", "-S", "{inputs}/objects.py", "{amount}"), amount=32,
            packaged=True, extra=True, quick=True, asks="standing"),
    Program("clang", "C++", ("clang-19", "g++"), "a C++ file full of templates compiled at -O2", None, "/usr/bin/clang++-19",
            ("-std=c++20", "-O2", "-w", "-c", "{inputs}/templates.cpp", "-o", "templates.o"), writes=("templates.o",),
            packaged=True, extra=True, asks="standing"),
    Program("z3", "C++", ("z3",), "a solver on constraints of bit vectors", None, "/usr/bin/z3", ("{input}",),
            amount=600, document="smt2", packaged=True, extra=True, asks="standing"),
]
