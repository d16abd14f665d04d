# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lit's configuration for test/pass (IR through opt) and test/pipeline (C and C++ through clang and the wrappers).
# Run by ctest; by hand: python3 <llvm>/build/utils/lit/lit.py -v <build>/test/lit/pass

import os
import re

import lit.formats

config.name = "ngrt"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".ll", ".c", ".cpp", ".test"]
config.excludes = ["Inputs", "run", "runtime", "model", "fuzz", "support", "package", "output", "lit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.ngrt_lit_dir

plugin = os.path.join(config.ngrt_lib_dir, "NextGenPass.so")
llvm = config.llvm_tools_dir


def bind(name, command):
    """The word `name`, where it stands as a command, means `command`: never the system's tool of that name."""
    config.substitutions.append((r"(?<![-\w/.%%=])%s(?![-\w/.=])" % re.escape(name), command))


# The wrappers first: their names contain no other's.
bind("ngcc", os.path.join(config.ngrt_bin_dir, "ngcc"))
bind("ng++", os.path.join(config.ngrt_bin_dir, "ng++"))
# As a user would write it: no option but the plugin.
bind("clang", f"{llvm}/clang")
bind("clang++", f"{llvm}/clang++")
for tool in ("FileCheck not count llvm-objdump llvm-nm llvm-dwarfdump llvm-readelf llvm-dis llvm-as llc llvm-profdata "
             "llvm-size split-file llvm-ar llvm-remarkutil").split():
    bind(tool, f"{llvm}/{tool}")
bind("opt", f"{llvm}/opt -load-pass-plugin={plugin}")

config.substitutions += [
    ("%plugin", plugin),
    ("%lib", config.ngrt_lib_dir),
    ("%bin", config.ngrt_bin_dir),
    ("%inputs", os.path.join(config.test_source_root, "pipeline", "Inputs")),
    ("%python", config.python),
    ("%cmake", config.cmake),
    ("%include", config.ngrt_include_dir),
    # Ends opt where a pass has changed a function and does not say so; LLVM 16 has none that looks at a module pass.
    ("%verify-told", "-verify-analysis-invalidation" if config.llvm_major >= 17 else ""),
]

config.available_features.add(config.target_arch)
if os.path.exists(os.path.join(config.ngrt_lib_dir, "libngrt.so")):
    config.available_features.add("runtime")
if config.llvm_major >= 17:
    config.available_features.add("hot-cold-new")
if os.path.exists(os.path.join(llvm, "ld.lld")):
    config.available_features.add("lld")

# Nothing of the caller's may change what the compilers do or where a program finds its libraries.
config.environment = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
config.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
config.environment["LC_ALL"] = "C.UTF-8"
