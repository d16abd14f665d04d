# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""table.py: the real projects: where each comes from, how it is built, how its own tests are run and read.

A test function returns {test: how it ended}; `run` compares that with the same of the build by clang-19, so what a test is
called and how it ended must not depend on time, folder or order.  Where a suite names its tests, each is one entry; where
it only counts or prints them, its lines are.
"""

import dataclasses
import glob
import os
import pwd
import re
import shutil

import programs


@dataclasses.dataclass
class Project:
    name: str
    language: str
    packages: tuple  # Debian source packages; the first gives the version
    build: object  # function(Build)
    test: object  # function(Build) -> {test: how it ended}
    binary: str  # what its text and debug information are measured on, in the build's folder
    data: tuple = ()  # Debian binary packages that are unpacked for what they hold: tests of another package
    minutes: int = 1  # about how long build and tests take, one build, one processor
    least: int = 1  # of results: fewer, and the suite did not run to its end
    count: object = None  # function(Build): runs for the count of allocations, in place of tests that take long or vary
    at_once: bool = False  # the suites of several builds share nothing, no port and no folder, so that they may run at once


def ended(status):
    return "passed" if status == 0 else f"exit {status}"


def numbered(lines):
    """Lines as results: the same line twice is two entries."""
    found = {}
    for line in lines:
        found[line] = found.get(line, 0) + 1
    return {line: f"{count} times" for line, count in found.items()}


# ---- C -------------------------------------------------------------------------------------------------------------

def build_lua(b):
    """Lua 5.1, the version whose official test suite Debian carries (in a package of another Lua in Go)."""
    src = os.path.join(b.sources["lua5.1"], "src")
    files = [f for f in sorted(glob.glob(f"{src}/*.c")) if os.path.basename(f) not in ("luac.c", "print.c")]
    with open(b.path("lua5.1-deb-multiarch.h"), "w", encoding="utf-8") as header:
        header.write('#define DEB_HOST_MULTIARCH ""\n')  # Debian's build makes this file; only a search path
    b.compile(files, ["-w", "-DLUA_USE_POSIX", "-DLUA_USE_DLOPEN", f"-I{b.folder}"], ["-Wl,-E", "-lm", "-ldl"], "lua")


LUA_SUITE = "usr/share/gocode/src/github.com/yuin/gopher-lua/_lua5.1-tests"


def test_lua(b):
    tests = b.path("tests")
    shutil.rmtree(tests, ignore_errors=True)
    shutil.copytree(os.path.join(b.data["golang-github-yuin-gopher-lua-dev"], LUA_SUITE), tests)
    os.makedirs(os.path.join(tests, "libs", "P1"), exist_ok=True)
    env = {"LUA_PATH": "?;./?.lua", "LUA_INIT": "package.path = '?;'..package.path"}
    results = {}
    for name in sorted(os.listdir(tests)):
        # all.lua calls the others; checktable.lua is part of them; big.lua was written for 32 bits: by every compiler it fills
        # 8 GB, and then fails at a limit that a string no longer has.
        if not name.endswith(".lua") or name in ("all.lua", "checktable.lua", "big.lua"):
            continue
        # As all.lua has it: once as it is, once through dump and undump.
        status, said = b.output(b.path("lua"), name, cwd=tests, env=env)
        results[name] = f"{ended(status)}: {last_line(said)}"
        status, _ = b.output(b.path("lua"), "-e", f"assert(loadstring(string.dump(assert(loadfile '{name}'))))()", cwd=tests, env=env)
        results[f"{name}, dumped"] = ended(status)
    return results


def last_line(text):
    """The last line that was printed, without what differs from run to run."""
    lines = [line for line in text.splitlines() if line.strip()]
    line = re.sub(r"0x[0-9a-f]+|/\S+/", "", lines[-1]) if lines else ""
    return re.sub(r"\d+(\.\d+)?", "N", line)


def build_lpeg(b):
    """Lua 5.4 and LPeg, parsing expression grammars: a module that allocates by Lua's allocator."""
    programs.build_lua(b)
    lua, lpeg = os.path.join(b.sources["lua5.4"], "src"), b.sources["lua-lpeg"]
    b.compile(sorted(glob.glob(f"{lpeg}/lp*.c")), ["-w", "-fPIC", f"-I{lua}", f"-I{b.folder}"], ["-shared", "-fPIC"], "lpeg.so")


def test_lpeg(b):
    env = {"LUA_CPATH": b.path("?.so"), "LUA_PATH": os.path.join(b.sources["lua-lpeg"], "?.lua")}
    status, said = b.output(b.path("lua"), os.path.join(b.sources["lua-lpeg"], "test.lua"), cwd=b.folder, env=env)
    return {"test.lua": f"{ended(status)}: {last_line(said)}", **numbered(said.splitlines())}


def build_zlib(b):
    tree = b.copy("zlib")
    b.run("./configure", cwd=tree, env={"CC": b.cc, "CFLAGS": b.flags})
    b.make(tree)
    b.run(b.cc, *b.flags.split(), "-w", "-I.", "test/infcover.c", "libz.a", "-o", "infcover", cwd=tree)


def test_zlib(b):
    status, said = b.output("make", "test", cwd=b.path("zlib"))
    results = {"make test": ended(status), **numbered(line.strip() for line in said.splitlines() if "zlib" in line and "test" in line)}
    status, said = b.output("./infcover", cwd=b.path("zlib"))
    return {**results, "infcover": ended(status), **numbered(said.splitlines())}


def test_jq(b):
    tree = b.path("jq-tree")
    results = {}
    for name in ("jq.test", "base64.test", "optional.test"):
        status, said = b.output(os.path.join(tree, "jq"), "-L", f"{tree}/tests/modules", "--run-tests", f"{tree}/tests/{name}", cwd=tree)
        results[name] = ended(status)
        results.update({f"{name}: {k}": v for k, v in numbered(said.splitlines()).items()})
    for name in ("shtest", "utf8test"):
        status, said = b.output("sh", f"tests/{name}", cwd=tree, env={"NO_VALGRIND": "1"})
        results[name] = ended(status)
    return results


def build_jq_tree(b):
    """jq's scripts want the program beside their folder."""
    programs.build_jq(b)
    tree = b.path("jq-tree")
    shutil.copytree(b.sources["jq"], tree, symlinks=True)
    shutil.copy(b.path("jq"), os.path.join(tree, "jq"))


# What `make check` runs, but for the fuzzer's seeds, which Debian's sources lack.
LIBXML2_PROGRAMS = "runtest testrecurse testapi testchar testdict testThreads runsuite".split()


def build_libxml2(b):
    tree = b.copy("libxml2")
    b.configure(tree, *(f"--without-{w}" for w in "python lzma zlib icu http ftp".split()))
    b.make(tree)
    b.make(tree, *LIBXML2_PROGRAMS)


def test_libxml2(b):
    results = {}
    for name in LIBXML2_PROGRAMS:
        status, said = b.output(f"./{name}", cwd=b.path("libxml2"), minutes=20)
        # Debian's sources lack the files of the threads' tests, and all threads say so at once, into each other's lines.
        kept = [line for line in said.splitlines()
                if re.match(r"## |Total|Ran |(File|Result|Error|Failed|Function) .*(error|fail|FAIL|mismatch|differ)", line)]
        results.update({name: ended(status), **{f"{name}: {k}": v for k, v in numbered(kept).items()}})
    return results


def build_libxslt(b):
    xml = b.copy("libxml2")
    b.configure(xml, *(f"--without-{w}" for w in "python lzma zlib icu http ftp modules".split()))
    b.make(xml)
    xslt = b.copy("libxslt")
    b.configure(xslt, f"--with-libxml-src={xml}", *(f"--without-{w}" for w in "python crypto debugger plugins".split()))
    b.make(xslt)


def test_libxslt(b):
    status, said = b.output("make", "-C", "tests", "tests", cwd=b.path("libxslt"))
    # The tests of dates print today's; what make says of itself, and of data that only the first run makes, is no result.
    kept = [re.sub(r"\d+", "N", line) if re.match(r"Current Date| +[\w-]+ +: ", line) else line
            for line in said.splitlines() if not re.match(r"make|perl |## Running", line) and b.folder not in line]
    started = [line for line in said.splitlines() if line.startswith("## Running")]
    return {"make tests": ended(status), **numbered(started), **numbered(kept)}


REDIS_UNITS = """unit/dump unit/protocol unit/keyspace unit/scan unit/info unit/type/string unit/type/incr unit/type/list
    unit/type/list-2 unit/type/list-3 unit/type/set unit/type/zset unit/type/hash unit/type/stream unit/type/stream-cgroups
    unit/sort unit/expire unit/multi unit/quit unit/aofrw unit/acl unit/latency-monitor unit/pubsub unit/slowlog
    unit/scripting unit/functions unit/introspection unit/introspection-2 unit/limits unit/bitops unit/bitfield unit/geo
    unit/hyperloglog unit/lazyfree unit/tracking unit/querybuf unit/networking integration/aof integration/rdb
    integration/convert-ziplist-hash-on-load integration/redis-cli""".split()


def build_redis(b):
    tree = b.copy("redis")
    b.make(f"{tree}/src", "MALLOC=libc", "USE_SYSTEMD=no", "DEBUG=", f"OPTIMIZATION={b.flags.split()[0]}", "all",
           env={"CC": b.cc, "CFLAGS": b.flags, "LDFLAGS": b.flags})


def test_redis(b):
    units = [word for unit in REDIS_UNITS for word in ("--single", unit)]
    status, said = b.output("./runtest", "--clients", "2", "--timeout", "300", *units, cwd=b.path("redis"), minutes=40)
    results = {"runtest": ended(status)}
    for line in re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines():
        found = re.match(r"\[(ok|err|exception|ignore|skip)\]: (.*)", line)
        if found:
            # Times, and what a test drew at random and puts into its name.
            name = re.sub(r" \(\d+ ms\)$|\d{4,}|in tests/\S+", "", found.group(2))
            results[name] = found.group(1) if results.get(name) != "err" else "err"
    return results


def build_sqlite3(b):
    tree = b.copy("sqlite3")
    b.configure(tree, "--disable-readline", "--with-tcl=/usr/lib/tcl8.6")
    b.make(tree, "testfixture")
    if "-flto" in b.flags:
        # testfixture is compiled and linked by one command, which leaves no bitcode.
        b.make(tree, "sqlite3.c")
        b.compile([f"{tree}/sqlite3.c"], ["-w", "-fPIC", f"-I{tree}"], ["-shared", "-lm"], "libsqlite3.so")


def as_nobody(tree):
    """What a command starts with that root must not run: sqlite3's tests end early where root reads what it must not."""
    if os.geteuid() != 0:
        return ()
    nobody = pwd.getpwnam("nobody")
    os.chown(tree, nobody.pw_uid, nobody.pw_gid)
    for folder, folders, files in os.walk(tree):
        for name in folders + files:
            os.chown(os.path.join(folder, name), nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


# sqlite3's own "quick" tests: all but the slowest, those that let each allocation fail in turn among them; and some of the
# slow ones that do so or corrupt a file.  sortfault.test ends the whole run where clang-19 has built it, too.
SQLITE_ALSO = "backup_ioerr corrupt corruptC crash crash2 delete3 fkey_malloc fuzz fuzz3 fuzz_malloc in2 misc7".split()


# Tests that go on until nothing fails or crashes any more: how many there are depends on how often the program allocates, and
# so on malloc_usable_size, or on chance.
SQLITE_COUNTED = re.compile(r"transient|persistent|ioerr|oom|iFail|malloc|crash|fault")


def test_sqlite3(b):
    tree = b.path("sqlite3")
    status, said = b.output(*as_nobody(tree), "./testfixture", "test/quick.test", cwd=tree, minutes=100, env={
        "QUICKTEST_OMIT": "sortfault", "QUICKTEST_INCLUDE": " ".join(f"{name}.test" for name in SQLITE_ALSO)})
    results = {"quick.test": ended(status)}
    for line in said.splitlines():
        line = re.sub(r"\b(pager1-16\.1)\.\d+", r"\1.N", line)  # how long the folder's name is
        found = re.match(r"(\S+-\S+)\.\.\. (Ok|\S+)$", line)
        failed = re.match(r"! (\S+) ", line)
        summary = re.match(r"(\d+) errors out of \d+ tests", line)
        if found or failed:
            name = (found or failed).group(1)
            name = re.sub(r"\d+", "N", name) if SQLITE_COUNTED.search(name) else name
            if failed or results.get(name, "Ok") == "Ok":
                results[name] = found.group(2) if found else "failed"
        elif summary:
            results["errors"] = summary.group(1)
    if "errors" not in results:
        raise programs.BuildFailed(f"sqlite3's tests did not come to their end, see {b.test_log}")
    return results


def count_redis(b):
    b.output("./runtest", "--clients", "1", "--single", "unit/type/list", "--single", "unit/type/hash", cwd=b.path("redis"))


def count_sqlite3(b):
    tree = b.path("sqlite3")
    for name in ("select1", "insert", "index", "join", "trigger1", "where", "func", "alter", "fts3aa", "view"):
        b.output(*as_nobody(tree), "./testfixture", f"test/{name}.test", cwd=tree)


# ---- C++ -----------------------------------------------------------------------------------------------------------

def build_tinyxml2(b):
    tree = b.copy("tinyxml2")
    b.compile([f"{tree}/tinyxml2.cpp", f"{tree}/xmltest.cpp"], [], [], "xmltest")


def test_tinyxml2(b):
    tree = b.path(os.path.basename(b.path("tinyxml2")))
    os.makedirs(f"{tree}/resources/out", exist_ok=True)
    status, said = b.output(b.path("xmltest"), cwd=tree)
    kept = [line for line in said.splitlines() if re.match(r"\[(pass|fail)\]|Pass \d+", line) or "assert" in line.lower()]
    return {"xmltest": ended(status), **numbered(kept)}


def build_pugixml(b):
    tree = b.copy("pugixml")
    files = [f for f in sorted(glob.glob(f"{tree}/tests/*.cpp")) if "/fuzz_" not in f]
    b.compile([*files, f"{tree}/src/pugixml.cpp"], ["-w", "-std=c++11"], [], "pugitest")


def test_pugixml(b):
    status, said = b.output(b.path("pugitest"), cwd=b.path("pugixml"))
    return {"pugitest": ended(status), **numbered(said.splitlines())}


def ctests(b, *options):
    """The tests that ctest runs in the build's cmake folder."""
    status, said = b.output("ctest", "--timeout", "600", *options, cwd=b.path("cmake"), minutes=40)
    found = re.findall(r"Test +#\d+: (\S+) \.*\s*(\*\*\*\w+|Passed)", said)
    return {"ctest": ended(status), **{name: how.strip("*") for name, how in found}}


def gtests(b, program):
    """The tests of a program made with GoogleTest."""
    status, said = b.output(program, cwd=b.path("cmake"), minutes=20)
    found = re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] (\w+\.[\w/]+)", said, re.M)
    return {os.path.basename(program): ended(status), **{name: how for how, name in found}}


LEVELDB = "c_test env_test status_test autocompact_test corruption_test db_test dbformat_test log_test recovery_test " \
    "skiplist_test version_edit_test version_set_test write_batch_test memenv_test filter_block_test table_test arena_test " \
    "bloom_test cache_test coding_test crc32c_test hash_test logging_test fault_injection_test issue178_test issue200_test issue320_test"


def build_leveldb(b):
    # Its -Werror would take the linker's choice, on the command line of a compilation, for a mistake.
    b.flags += " -Wno-unused-command-line-argument"
    b.cmake(b.sources["leveldb"], ["all"], "-DLEVELDB_BUILD_TESTS=ON", "-DLEVELDB_BUILD_BENCHMARKS=OFF",
            "-DCMAKE_CXX_STANDARD=14")


def test_leveldb(b):
    results = ctests(b)
    for name in LEVELDB.split():
        program = b.path("cmake", name)
        if os.path.exists(program) and name not in ("c_test",):
            results.update(gtests(b, program))
    return results


def count_leveldb(b):
    for name in LEVELDB.split():
        if name not in ("c_test", "db_test", "autocompact_test", "fault_injection_test", "env_test"):
            b.output(b.path("cmake", name), cwd=b.path("cmake"))


def build_xerces(b):
    b.cmake(b.sources["xerces-c"], ["all"], "-Dnetwork=OFF", "-Dtranscoder=gnuiconv", "-Dmessage-loader=inmemory")


PROJECTS = (
    Project("lua", "C", ("lua5.1",), build_lua, test_lua, "lua", data=("golang-github-yuin-gopher-lua-dev",)),
    Project("lpeg", "C", ("lua-lpeg", "lua5.4"), build_lpeg, test_lpeg, "lua"),
    Project("zlib", "C", ("zlib",), build_zlib, test_zlib, "zlib/minigzip"),
    Project("jq", "C", ("jq",), build_jq_tree, test_jq, "jq"),
    Project("libxml2", "C", ("libxml2",), build_libxml2, test_libxml2, "libxml2/xmllint", minutes=5),
    Project("libxslt", "C", ("libxslt", "libxml2"), build_libxslt, test_libxslt, "libxslt/xsltproc/xsltproc", minutes=4),
    Project("redis", "C", ("redis",), build_redis, test_redis, "redis/src/redis-server", minutes=12, least=2000,
            count=count_redis),
    Project("sqlite3", "C", ("sqlite3",), build_sqlite3, test_sqlite3, "sqlite3/testfixture", minutes=15, least=400000,
            count=count_sqlite3, at_once=True),
    Project("tinyxml2", "C++", ("tinyxml2",), build_tinyxml2, test_tinyxml2, "xmltest"),
    Project("pugixml", "C++", ("pugixml",), build_pugixml, test_pugixml, "pugitest", minutes=2),
    Project("leveldb", "C++", ("leveldb",), build_leveldb, test_leveldb, "cmake/db_test", minutes=4,
            count=count_leveldb),
    Project("xerces-c", "C++", ("xerces-c",), build_xerces, ctests, "cmake/samples/DOMPrint", minutes=10),
)
