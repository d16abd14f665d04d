#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs existing programs with libngrt preloaded, and compares what they print and write with a run on glibc's malloc:
# as they come (auto), with the room from the first operation (on), without it (off), and on one processor (one).
# One line for each program and mode; a failure leaves the others running.
#
# Usage: preload.py --library LIBNGRT [--mode auto|on|off|one]... [PROGRAM...]
# Exit: 0 all well, 1 something failed, 77 nothing could run.

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MODES = {
    "auto": ({}, []),
    "on": ({"NGRT_SERVER": "on"}, []),
    "off": ({"NGRT_SERVER": "off"}, []),
    "one": ({}, ["taskset", "-c", "0"]),
}
TIMEOUT = 100  # seconds for one run of one program


class Failure(Exception):
    pass


class Skipped(Exception):
    pass


class Run:
    """One run of one program: a folder of its own, an environment, and what it printed."""

    def __init__(self, folder, environment, prefix):
        self.folder, self.environment, self.prefix = folder, environment, prefix

    def __call__(self, *command, stdin=None, argv0=None, check=True, timeout=TIMEOUT, extra=None, merge=False):
        environment = dict(self.environment, **(extra or {}))
        executable = None
        command = list(command)
        if argv0 is not None:  # the file to run, under another name
            command = ["bash", "-c", 'exec -a "$0" "$@"', argv0] + command
        process = subprocess.Popen(
            self.prefix + command, executable=executable, cwd=self.folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(stdin.encode() if stdin else None, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failure(f"{command[0]} did not end within {timeout} s")
        if check and process.returncode != 0:
            tail = (err or out or b"").decode(errors="replace")[-1500:]
            raise Failure(f"{' '.join(command)[:200]}: exit status {process.returncode}\n{tail}")
        return out.decode(errors="replace")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def digest(self, name):
        with open(self.path(name), "rb") as file:
            return f"{name} {hashlib.sha256(file.read()).hexdigest()}"


def need(*programs):
    for program in programs:
        if shutil.which(program, path="/usr/bin:/bin:/usr/local/bin") is None:
            raise Skipped(f"{program} is not installed")


# --- The programs: each returns what must be the same on every malloc ----------------------------------------------

BASH = r"""
declare -A seen
for i in $(seq 1 20000); do
    key=k$((i * 7919 % 5003)); seen[$key]+="$i,"
done
echo "${#seen[@]} ${seen[k17]}"
text=; for i in {1..3000}; do text+="line $i of a growing string"$'\n'; done
echo "${#text}"; sort -r <<< "$text" | md5sum
for i in {1..150}; do x=$(echo $((i * i)) | (read y; echo $((y + 1)))); echo -n "$x "; done; echo
f() { local a=("$@"); [ ${#a[@]} -gt 300 ] && echo "${#a[@]} deep" || f "${a[@]}" x; }; f
cat <(seq 1 50000) | while read -r n; do s=$((s + n)); [ "$n" = 50000 ] && echo "sum $s"; done
trap 'echo left' EXIT
"""

PERL = r"""
use strict; use warnings; my (%h, @a); my $s = "";
for my $i (1 .. 200000) { $h{"key" . ($i * 7919 % 50021)} .= chr(65 + $i % 26); push @a, $i x ($i % 7) }
my $n = 0; $n += length $h{$_} for sort keys %h; print scalar(keys %h), " $n ", scalar(@a), "\n";
$s .= "word$_ " for 1 .. 50000; my @w = sort { $b cmp $a } split / /, $s; print "$w[0] $w[-1] ", length $s, "\n";
(my $t = $s) =~ s/(\d+)/<$1>/g; print length $t, "\n";
my @tree = map { { left => [1 .. $_ % 10], right => { name => "n$_" } } } 1 .. 50000; print scalar(@tree), "\n"; @tree = ();
for my $i (1 .. 20) { my $pid = open(my $f, "-|"); if (!$pid) { print join(",", map { $_ * $i } 1 .. 1000); exit 0 }
    local $/; my $x = <$f>; close $f; print length($x), " " } print "\n";
"""


def bash(run):
    need("bash")
    return run("bash", "-c", BASH)


def perl(run):
    need("perl")
    return run("perl", "-e", PERL)


def git(run):
    need("git")
    when = {"GIT_AUTHOR_DATE": "2024-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2024-01-02T03:04:05Z",
            "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.org", "GIT_COMMITTER_NAME": "T",
            "GIT_COMMITTER_EMAIL": "t@example.org", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": run.folder}
    run("git", "init", "-q", "-b", "main", ".", extra=when)
    out = ""
    for step in range(8):
        for i in range(150):
            os.makedirs(run.path(f"d{i % 10}"), exist_ok=True)
            run.write(f"d{i % 10}/f{i}", "".join(f"{i * 31 + line + step * (line % 7 == 0)}\n" for line in range(400)))
        run("git", "add", "-A", extra=when)
        run("git", "commit", "-q", "-m", f"step {step}", extra=when)
    out += run("git", "log", "--stat", "--format=%H %s", extra=when)
    out += run("git", "diff", "HEAD~3", "--shortstat", extra=when)
    run("git", "-c", "pack.threads=2", "repack", "-q", "-a", "-d", "-f", extra=when)
    out += run("git", "fsck", "--full", "--no-progress", extra=when)
    out += run("git", "blame", "-s", "d0/f0", extra=when)
    run("git", "clone", "-q", ".", "copy", extra=when)
    return out + run("git", "-C", "copy", "rev-parse", "HEAD^{tree}", extra=when)


def big_c():
    text = "struct node { struct node *next; long key; double value; };\nextern double sink;\n"
    for i in range(300):
        text += (f"double f{i}(struct node *n, int k) {{ double s = {i}.5; for (int j = 0; j < k; j++, n = n->next) {{"
                 f" switch ((n->key + {i}) % 5) {{ case 0: s += n->value * {i}; break; case 1: s -= j; break;"
                 f" case 2: s = s > {i} ? s / 2 : s * 3; break; default: sink = s; }} }} return s; }}\n")
    return text + "double (*all[])(struct node *, int) = {" + ",".join(f"f{i}" for i in range(300)) + "};\n"


BIG_CPP = "#include <algorithm>\n#include <functional>\n#include <iostream>\n#include <map>\n#include <memory>\n" \
    "#include <regex>\n#include <string>\n#include <unordered_map>\n#include <variant>\n#include <vector>\n" + "".join(
        f"struct T{i} {{ std::map<std::string, std::vector<std::variant<int, std::string, double>>> m; "
        f"std::unordered_map<int, std::shared_ptr<T{i}>> u; std::function<int(T{i} &)> f; }};\n"
        f"int g{i}(T{i} &t) {{ t.m[\"a\"].emplace_back({i}); t.u[{i}] = std::make_shared<T{i}>(); "
        f"return t.f ? t.f(t) : static_cast<int>(t.m.size()); }}\n" for i in range(6)) + \
    "bool match(const std::string &s) { static std::regex r(\"a(b|c)*d\"); return std::regex_match(s, r); }\n"


def compile_with(run, c, cpp):
    need(c, cpp)
    run.write("big.c", big_c())
    run.write("big.cpp", BIG_CPP)
    run(c, "-O2", "-c", "big.c", "-o", "big.o")
    run(cpp, "-std=c++17", "-O1", "-c", "big.cpp", "-o", "bigpp.o")
    run.write("hello.cpp", "#include <iostream>\nint main() { std::cout << \"built\\n\"; }\n")
    run(cpp, "hello.cpp", "-o", "hello")
    return "\n".join([run.digest("big.o"), run.digest("bigpp.o"), run("./hello")])


def gcc(run):
    return compile_with(run, "gcc", "g++")


def clang(run):
    return compile_with(run, "clang-19", "clang++-19")


SQL = """
create table t(id integer primary key, name text, value real, body blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
  insert into t select i, 'name' || (i * 7919 % 100003), i * 0.5, zeroblob(i % 200) from n;
create index byname on t(name);
select count(*), sum(value), max(name), sum(length(body)) from t;
select a.name, b.id from t a join t b on a.id = b.id + 17 where a.value > 49900 order by a.name desc limit 5;
update t set body = randomblob(10), name = name || 'x' where id % 3 = 0;
delete from t where id % 5 = 0; vacuum;
select count(*), max(name) from t; select group_concat(substr(name, 1, 6)) from (select * from t limit 50);
pragma integrity_check;
"""


def sqlite(run):
    need("sqlite3")
    return run("sqlite3", "test.db", stdin=SQL)


def redis(run):
    need("redis-benchmark", "redis-cli")
    # Debian's redis-server is redis-check-rdb under another name; the package with the name also starts a service.
    server = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    socket = os.path.join(tempfile.mkdtemp(prefix="ngrt-redis-"), "s")
    command = ["bash", "-c", 'exec -a redis-server "$0" "$@"', server, "--port", "0", "--unixsocket", socket,
               "--save", "", "--dir", run.folder, "--loglevel", "warning"]
    process = subprocess.Popen(run.prefix + command, env=run.environment, cwd=run.folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(200):
            if os.path.exists(socket):
                break
            if process.poll() is not None:
                raise Failure(f"redis-server ended with {process.returncode}")
            time.sleep(0.05)
        cli = ["redis-cli", "-s", socket]
        run("redis-benchmark", "-s", socket, "-q", "-n", "30000", "-r", "20000", "-d", "200", "-t",
            "set,get,lpush,lpop,sadd,hset,spop,zadd,lrange_100,mset")
        out = run(*cli, "ping") + run(*cli, "set", "a", "b" * 5000) + run(*cli, "strlen", "a")
        out += run(*cli, "eval", "local n = 0; for i = 1, 20000 do redis.call('set', 'k' .. i, string.rep('x', i % 500));"
                   " n = n + 1 end; return n", "0")
        run(*cli, "bgsave")  # forks while the heap is full
        for _ in range(200):
            if "rdb_bgsave_in_progress:0" in run(*cli, "info", "persistence"):
                break
            time.sleep(0.05)
        info = run(*cli, "info", "persistence")
        out += "saved\n" if "rdb_last_bgsave_status:ok" in info else "not saved\n"
        if "CHECKSUM" not in run("redis-check-rdb", "dump.rdb").upper():
            raise Failure("the saved file is not whole")
        out += run(*cli, "flushall") + run(*cli, "dbsize")
        run(*cli, "shutdown", "nosave", check=False)
        if process.wait(20) != 0:
            raise Failure(f"redis-server ended with {process.returncode}")
        return out
    except subprocess.TimeoutExpired:
        raise Failure("redis-server did not end")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(os.path.dirname(socket))


PYTHON = r"""
import ctypes, hashlib, multiprocessing, os, subprocess, threading, zlib
def work(n):
    table = {str(i): [i] * (i % 9) for i in range(40000)}
    return hashlib.sha256(zlib.compress(repr(sorted(table)).encode())).hexdigest() + str(n)
results = [None] * 4
def run(i): results[i] = work(i)
threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(results)
with multiprocessing.Pool(3) as pool: print(pool.map(work, range(6)))
print(subprocess.run(["echo", "sub"], capture_output=True).stdout)
buffer = ctypes.create_string_buffer(1000000); print(len(buffer))
libc = ctypes.CDLL(None); libc.strdup.restype = ctypes.c_void_p
for i in range(1000):
    p = libc.strdup(b"x" * i); libc.free(ctypes.c_void_p(p))
pid = os.fork()
if pid == 0: os._exit(len(str(work(0))) % 256)
print(os.waitpid(pid, 0)[1])
"""


def python(run):
    need("python3")
    return run("/usr/bin/python3", "-c", PYTHON)


PYTHON_TESTS = ["test_threading", "test_subprocess", "test_fork1", "test_ctypes"]
# These sleep for seconds to see a timeout; they run too where NGRT_TEST_WHOLE=1.
PYTHON_SLEEPERS = ["*timeout*", "*_dead", "*communicate_repeated_call*", "ForkWait"]


def python_tests(run):
    """Python's own tests: all must run and pass, on glibc too, or there is nothing to compare with."""
    if not os.path.exists("/usr/lib/python3.11/test/test_threading.py"):
        raise Skipped("Python's own tests are not installed (libpython3.11-testsuite)")
    left_out = [] if os.environ.get("NGRT_TEST_WHOLE") == "1" else [f"--ignore={name}" for name in PYTHON_SLEEPERS]
    out = run("/usr/bin/python3", "-m", "test", "-j3", "--timeout", "90", "--tempdir", run.folder, *left_out,
              *PYTHON_TESTS, check=False, merge=True)
    lines = out.splitlines()
    result = [line for line in lines if "tests OK" in line or line.startswith("Tests result")]
    if result != [f"All {len(PYTHON_TESTS)} tests OK.", "Tests result: SUCCESS"]:
        wrong = [line for line in lines if line.startswith(("FAIL:", "ERROR:", "    test_")) or "failed:" in line]
        raise Failure("; ".join(sorted(set(wrong)) + result) or out[-1500:])
    return "\n".join(result) + "\n"


JAVA = r"""
import java.nio.ByteBuffer; import java.util.*; import java.util.concurrent.*; import java.util.zip.*;
public class Main {
    static long work(int n) throws Exception {
        Map<String, byte[]> live = new HashMap<>(); long sum = 0;
        for (int i = 0; i < 60000; i++) { live.put("k" + i % 5000, new byte[i % 3000]); sum += live.size(); }
        ByteBuffer direct = ByteBuffer.allocateDirect(1 << 20); for (int i = 0; i < direct.capacity(); i++) direct.put((byte) i);
        Deflater deflater = new Deflater(); byte[] in = new byte[500000], out = new byte[600000];
        for (int i = 0; i < in.length; i++) in[i] = (byte) (i * n % 91);
        deflater.setInput(in); deflater.finish(); int size = deflater.deflate(out); deflater.end();
        CRC32 crc = new CRC32(); crc.update(out, 0, size); return sum + crc.getValue();
    }
    public static void main(String[] a) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(6); List<Future<Long>> all = new ArrayList<>();
        for (int i = 1; i <= 12; i++) { final int n = i; all.add(pool.submit(() -> work(n))); }
        for (Future<Long> f : all) System.out.println(f.get());
        pool.shutdown(); System.gc();
        for (int i = 0; i < 200; i++) { Thread t = new Thread(() -> new byte[10000].clone()); t.start(); t.join(); }
        System.out.println(new String(Runtime.getRuntime().exec("echo child").getInputStream().readAllBytes()));
    }
}
"""


def java(run):
    need("java", "javac")
    run("java", "-version")
    run.write("Main.java", JAVA)
    run("javac", "Main.java")
    return run("java", "-Xmx256m", "-cp", ".", "Main")


NODE = r"""
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto'), { execFileSync } = require('child_process');
function work(n) {
    const m = new Map(); for (let i = 0; i < 60000; i++) m.set('k' + i % 7000, Buffer.alloc(i % 2000, n));
    const packed = zlib.gzipSync(Buffer.concat([...m.values()].slice(0, 500)));
    return crypto.createHash('sha256').update(zlib.gunzipSync(packed)).digest('hex');
}
if (isMainThread) {
    let left = 4; const out = [];
    for (let i = 0; i < 4; i++) {
        const w = new Worker(__filename, { workerData: i });
        w.on('message', (x) => { out[i] = x; });
        w.on('exit', () => { if (--left === 0) { console.log(out.join('\n')); console.log(work(9));
            console.log(execFileSync('echo', ['child']).toString()); } });
    }
} else parentPort.postMessage(work(workerData));
"""


def node(run):
    need("node")
    run.write("main.js", NODE)
    return run("node", "main.js")


PROGRAMS = {f.__name__: f for f in (bash, perl, git, gcc, clang, sqlite, redis, python, python_tests, java, node)}


def environment_for(library, settings):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NGRT_", "LD_PRELOAD", "TEST_"))}
    environment.update(PATH="/usr/local/bin:/usr/bin:/bin", LC_ALL="C.UTF-8")
    if library is not None:
        environment.update(settings, LD_PRELOAD=library)
    return environment


def run_once(program, library, mode):
    settings, prefix = MODES[mode]
    with tempfile.TemporaryDirectory(prefix="ngrt-preload-") as folder:
        start = time.monotonic()
        out = PROGRAMS[program](Run(folder, environment_for(library, settings), prefix))
        return out.replace(folder, "FOLDER"), time.monotonic() - start


def first_difference(want, got):
    a, b = want.splitlines(), got.splitlines()
    for i in range(max(len(a), len(b))):
        x, y = (a[i] if i < len(a) else "(nothing)"), (b[i] if i < len(b) else "(nothing)")
        if x != y:
            return f"line {i + 1}: on glibc {x[:200]!r}, here {y[:200]!r}"
    return "only in line ends"


def check_preload_works(library):
    """A run that was not on libngrt would prove nothing: the library must say that it is in use."""
    environment = dict(environment_for(library, {}), NGRT_VERBOSE="1")
    result = subprocess.run(["bash", "-c", "true"], env=environment, capture_output=True, timeout=30)
    if result.returncode != 0 or b"ngrt" not in result.stderr:
        sys.exit(f"{library} does not say that it is in use (NGRT_VERBOSE=1): status {result.returncode}, "
                 f"stderr {result.stderr!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--mode", action="append", choices=MODES)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=", ".join(PROGRAMS))
    options = parser.parse_args()
    unknown = [p for p in options.programs if p not in PROGRAMS]
    if unknown:
        sys.exit(f"unknown program {unknown[0]}: one of {', '.join(PROGRAMS)}")
    check_preload_works(options.library)
    failed = passed = 0
    for program in options.programs or PROGRAMS:
        try:
            want, seconds = run_once(program, None, "auto")
        except Skipped as reason:
            print(f"{program:13} skipped: {reason}", flush=True)
            continue
        except Failure as reason:
            print(f"{program:13} FAILED on glibc, so nothing is compared: {reason}", flush=True)
            failed += 1
            continue
        for mode in options.mode or MODES:
            try:
                got, taken = run_once(program, options.library, mode)
                if got != want:
                    raise Failure(f"another output: {first_difference(want, got)}")
                passed += 1
                print(f"{program:13} {mode:5} ok      {taken:6.2f} s (glibc {seconds:.2f} s)", flush=True)
            except Failure as reason:
                failed += 1
                print(f"{program:13} {mode:5} FAILED  {reason}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0 if passed else 77)


main()
