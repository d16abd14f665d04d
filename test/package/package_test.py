#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a user gets: the installation, what the library exports, documents that agree with the sources.

Each case is a function named after what it shows; CMakeLists.txt runs them one by one.  `install` comes first: it installs
into one folder and moves that folder, so that all the others use a prefix that is not where it was installed.
"""
import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CACHE_SYMBOL = "ngrt_thread_cache__link_with_libngrt_of_abi_"


class Context:
    def __init__(self, arguments):
        self.source = Path(arguments.source)
        self.build = Path(arguments.build)
        self.work = Path(arguments.work)
        self.version = arguments.version
        self.cmake = arguments.cmake
        self.prefix = self.work / "moved to" / "prefix"  # a space: paths must be quoted everywhere
        self.app = self.source / "test/package/app"
        self.scratch = self.work / arguments.case

    def fresh_scratch(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        return self.scratch


def fail(message):
    sys.exit(f"package_test: {message}")


def run(command, expect=0, **more):
    """Runs a command; its output (both streams).  Fails unless it exits as expected (None: not with 0)."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    good = done.returncode == expect if expect is not None else done.returncode != 0
    if not good:
        fail(f"{' '.join(command)}\nexited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def defined_symbols(library):
    """The names that the dynamic symbol table of a library defines, without their versions."""
    lines = run(["nm", "-D", "--defined-only", library]).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.split()[1] != "A"}


def undefined_symbols(file):
    return {line.split()[-1].split("@")[0] for line in run(["nm", "-u", file]).splitlines() if line.strip()}


def uses_the_pass(file):
    return any(name.startswith(CACHE_SYMBOL) for name in undefined_symbols(file))


def check_app(c, app, library_in_use=True):
    """Runs the program: its result is right, and the allocator says that it is there with its version (or is not)."""
    environment = dict(os.environ, NGRT_VERBOSE="1", LD_LIBRARY_PATH=str(c.prefix / "lib"))
    environment.pop("LD_PRELOAD", None)
    output = run([app], env=environment)
    if "sum 500500\n" not in output:
        fail(f"{app} computed something else:\n{output}")
    in_use = any(line.startswith("ngrt") and c.version in line for line in output.splitlines())
    if in_use != library_in_use:
        fail(f"{app}: the allocator is {'not ' if library_in_use else ''}in use:\n{output}")


def cmake_app(c, use, compiler):
    """Configures and builds the user's project; (its program, what was said)."""
    scratch = c.fresh_scratch()
    said = run([c.cmake, "-G", "Ninja", "-S", c.app, "-B", scratch, f"-DUSE={use}", f"-DCMAKE_PREFIX_PATH={c.prefix}",
                f"-DCMAKE_C_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=Release"])
    said += run([c.cmake, "--build", scratch])
    return scratch / "app", said


def install(c):
    first = c.work / "prefix"
    shutil.rmtree(first, ignore_errors=True)
    shutil.rmtree(c.prefix.parent, ignore_errors=True)
    run([c.cmake, "--install", c.build, "--prefix", first])
    c.prefix.parent.mkdir(parents=True)
    first.rename(c.prefix)


def every_file_is_there(c):
    wanted = ["lib/libngrt.so", "lib/libngrt.so.0", f"lib/libngrt.so.{c.version}", "lib/libngrt.a", "include/ngrt/abi.h",
              "include/ngrt/ngrt.h", "bin/ngrt-help", "lib/cmake/ngrt/ngrtConfig.cmake", "lib/pkgconfig/ngrt.pc",
              "share/man/man7/ngrt.7", "share/doc/ngrt/LICENSE"]
    if (c.build / "lib/NextGenPass.so").exists():
        wanted += ["lib/NextGenPass.so", "bin/ngcc", "bin/ng++"]
    missing = [name for name in wanted if not (c.prefix / name).exists()]
    if missing:
        fail(f"not installed: {' '.join(missing)}")
    for file in c.prefix.rglob("*"):
        if file.suffix in (".cmake", ".pc") and str(c.build) in file.read_text():
            fail(f"{file} names the build folder")


def measuring_tools_work_there(c):
    """ng-model, and ng-sim with its instrument and geometries, from a prefix that was moved."""
    if "74.99 billion cycles" not in run([c.prefix / "bin/ng-model", "--paper"]):
        fail("ng-model --paper does not give the paper's sum")
    if not (c.build / "bin/ng-sim").exists():
        print("skipped: built without valgrind's headers and libraries, so without ng-sim")
        sys.exit(77)
    if "neoverse-n1" not in run([c.prefix / "bin/ng-sim", "--list"]):
        fail("ng-sim does not find its geometries")
    said = run([c.prefix / "bin/ng-sim", "--geometry=neoverse-n1", f"--preload={c.prefix}/lib/libngrt.so", "--", "/bin/true"])
    if "ng-sim: neoverse-n1" not in said:
        fail(f"ng-sim gives no report:\n{said}")


def soname_is_versioned(c):
    dynamic = run(["readelf", "-d", c.prefix / "lib/libngrt.so"])
    if "soname: [libngrt.so.0]" not in dynamic:
        fail(f"the soname is not libngrt.so.0:\n{dynamic}")


def needs_no_cxx_library(c):
    dynamic = run(["readelf", "-d", c.prefix / "lib/libngrt.so"])
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))
    more = {name for name in needed if not re.match(r"(libc|libpthread|libdl|libgcc_s|ld-linux.*)\.so\.", name)}
    if "libc.so.6" not in needed or more:
        fail(f"needs {sorted(needed)}")


def map_patterns(c):
    """The patterns under `global:` in the version script."""
    text = re.sub(r"/\*.*?\*/", "", (c.source / "runtime/ngrt.map").read_text(), flags=re.DOTALL)
    patterns = set()
    for part in re.findall(r"global:(.*?)(?:local:|\})", text, re.DOTALL):
        patterns |= {item.strip().strip('"') for item in part.split(";") if item.strip()}
    if not patterns or "*" in patterns:
        fail("runtime/ngrt.map lists no names, or all")
    return patterns


def exports_only_its_api(c):
    exported = defined_symbols(c.prefix / "lib/libngrt.so")
    patterns = map_patterns(c)
    for name in ("malloc", "free", "_Znwm", "_ZdlPv"):
        if name not in exported:
            fail(f"{name} is not exported")
    unlisted = {name for name in exported if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)}
    if unlisted:
        fail(f"exported, but not in runtime/ngrt.map: {sorted(unlisted)}")
    internal = {name for name in exported if name.startswith("ng_")}
    if internal:
        fail(f"internal names are exported: {sorted(internal)}")
    unmet = {pattern for pattern in patterns if not fnmatch.filter(exported, pattern)}
    if unmet:
        fail(f"in runtime/ngrt.map, but not exported: {sorted(unmet)}")


def static_tls_is_small(c):
    headers = run(["readelf", "-lW", c.prefix / "lib/libngrt.so"])
    size = int(re.search(r"^ +TLS +\S+ +\S+ +\S+ +\S+ +(\S+)", headers, re.MULTILINE).group(1), 16)
    if not 0 < size <= 1024:
        fail(f"{size} bytes of static TLS; dlopen leaves room for 1024")


def find_package_gives_the_allocator(c):
    app, _ = cmake_app(c, "ngrt::ngrt", "gcc")
    check_app(c, app)
    # Without ngrt the same program works too, and the check above sees the difference.
    run(["gcc", "-O2", c.app / "app.c", "-o", c.scratch / "plain"])
    check_app(c, c.scratch / "plain", library_in_use=False)


def find_package_gives_the_archive(c):
    app, _ = cmake_app(c, "ngrt::ngrt_static", "gcc")
    check_app(c, app)
    dynamic = run(["readelf", "-d", app])
    if "libngrt" in dynamic or "libstdc++" in dynamic:
        fail(f"the program needs a library that it should not:\n{dynamic}")


def pkg_config_gives_the_allocator(c):
    scratch = c.fresh_scratch()
    environment = dict(os.environ, PKG_CONFIG_PATH=str(c.prefix / "lib/pkgconfig"))
    version = run(["pkg-config", "--modversion", "ngrt"], env=environment).strip()
    if version != c.version:
        fail(f"pkg-config says version {version}")
    flags = run(["pkg-config", "--cflags", "--libs", "ngrt"], env=environment)
    # pkg-config quotes for a shell.
    run(["sh", "-c", f'gcc -O2 "$1" {flags.strip()} -o "$2"', "sh", c.app / "app.c", scratch / "app"])
    check_app(c, scratch / "app")


def ngrt_enable_adds_the_pass(c):
    app, _ = cmake_app(c, "pass", "clang-19")
    check_app(c, app)
    if not uses_the_pass(app):
        fail("the program was compiled without the pass")


def ngrt_enable_without_clang_warns(c):
    app, said = cmake_app(c, "pass", "gcc")
    check_app(c, app)
    if "the pass needs clang 19" not in said or uses_the_pass(app):
        fail(f"no warning:\n{said}")


def wrapper_works(c, wrapper, source):
    scratch = c.fresh_scratch()
    tool = c.prefix / "bin" / wrapper
    run([tool, "-O2", "-Werror", "-c", source, "-o", scratch / "app.o"])
    run([tool, scratch / "app.o", "-o", scratch / "app"])
    if not uses_the_pass(scratch / "app.o"):
        fail(f"{wrapper} -O2 compiled without the pass")
    check_app(c, scratch / "app")
    run([tool, "-O0", "-c", source, "-o", scratch / "plain.o"])
    if uses_the_pass(scratch / "plain.o"):
        fail(f"{wrapper} -O0 compiled with the pass")


def ngcc_works_where_it_was_moved(c):
    wrapper_works(c, "ngcc", c.app / "app.c")


def ngxx_works_where_it_was_moved(c):
    wrapper_works(c, "ng++", c.app / "app.cpp")


def without_the_runtime_it_does_not_link(c):
    scratch = c.fresh_scratch()
    run([c.prefix / "bin/ngcc", "-O2", "-c", c.app / "app.c", "-o", scratch / "app.o"])
    run(["clang-19", scratch / "app.o", "-L", c.prefix / "lib", "-lngrt", "-o", scratch / "app"])
    check_app(c, scratch / "app")
    said = run(["clang-19", scratch / "app.o", "-o", scratch / "app"], expect=None)
    if CACHE_SYMBOL not in said:
        fail(f"the linker's message does not say why:\n{said}")


def examples_do_what_they_say(c):
    scratch = c.fresh_scratch()
    environment = dict(os.environ, LD_LIBRARY_PATH=str(c.prefix / "lib"))
    said = run([c.prefix / "bin/ngcc", "-O2", "-Wall", "-Werror", "-Rpass=nextgen", c.source / "examples/ahead.c",
                "-o", scratch / "ahead"])
    if "requested before the loop" not in said:
        fail(f"ahead.c: the pass requested nothing:\n{said}")
    if run([scratch / "ahead"], env=environment) != "99999000000\n":
        fail("ahead.c computed something else")
    run(["gcc", "-O2", "-Wall", "-Werror", c.source / "examples/ask.c", "-o", scratch / "ask"])
    if run([scratch / "ask"]) != "another malloc\n":
        fail("ask.c without the library believes that it is there")
    said = run([scratch / "ask"], env=dict(environment, LD_PRELOAD="libngrt.so.0"))
    if said != f"ngrt {c.version}\nmemory given back now: yes\n":
        fail(f"ask.c with the library preloaded says:\n{said}")


def option_names(c):
    names = re.findall(r'^NG_OPTION\(\w+, \w+, "(NGRT_\w+)"', (c.source / "runtime/room/options.def").read_text(),
                       re.MULTILINE)
    if len(names) < 5:
        fail(f"found only {names} in options.def")
    return names


def readme_lists_the_options(c):
    table = run([c.build / "bin/ngrt-help", "--markdown"])
    if table not in (c.source / "README.md").read_text():
        fail(f"the README's table of options is not what `ngrt-help --markdown` prints:\n{table}")
    for name in option_names(c):
        if f"| `{name}` |" not in table:
            fail(f"{name} is not in the table")


def manual_lists_the_options(c):
    manual = c.build / "share/man/man7/ngrt.7"
    if shutil.which("man") is None:
        print("skipped: there is no man")
        sys.exit(77)
    text = run(["man", "--warnings", "-l", manual], env=dict(os.environ, MANPAGER="cat", MANWIDTH="100", TERM="dumb"))
    text = re.sub(r".\b", "", text) if "\b" in text else text
    if "warning" in text.lower():
        fail(f"the manual page has errors:\n{text}")
    for name in option_names(c):
        if name not in text:
            fail(f"{name} is not in the manual page")


def project_files(c):
    """Every file of the project, without what builds made."""
    for folder, folders, files in os.walk(c.source):
        folders[:] = [name for name in folders if name not in (".git", "build")]
        for name in files:
            yield Path(folder, name).relative_to(c.source).as_posix()


def documents_name_files_that_exist(c):
    files = list(project_files(c))
    documents = [name for name in files if name.endswith(".md")]
    wrong = []
    for document in documents:
        text = (c.source / document).read_text()
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target and not (c.source / document).parent.joinpath(target).exists():
                wrong.append(f"{document}: link to {target}")
    # Where the life of a block is told, each file must be there, by its path's end.
    for document in ("docs/internals.md", "CONTRIBUTING.md"):
        for name in re.findall(r"`([\w./+-]+\.(?:c|cpp|h|py|sh|S|def|test|md))`", (c.source / document).read_text()):
            if name[0] != "." and not any(file == name or file.endswith("/" + name) for file in files):
                wrong.append(f"{document}: {name}")
    if wrong or len(documents) < 5:
        fail("named, but not there:\n" + "\n".join(wrong))


def help_rejects_what_it_does_not_know(c):
    tool = c.build / "bin/ngrt-help"
    text = run([tool])
    for name in option_names(c):
        if f"\n{name}=" not in text:
            fail(f"{name} is not in the help")
    said = run([tool, "--wrong"], expect=2)
    if "--wrong" not in said:
        fail(f"the message does not name the argument: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source", "build", "work", "version", "cmake"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("case")
    arguments = parser.parse_args()
    case = globals().get(arguments.case)
    if case is None:
        fail(f"there is no case {arguments.case}")
    case(Context(arguments))
    print(f"{arguments.case}: good")


if __name__ == "__main__":
    main()
