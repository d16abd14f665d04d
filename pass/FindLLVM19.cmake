# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Included by each folder that needs LLVM (pass, tools, test): find_package's variables live in one folder's scope.
# "19" alone fails: LLVM's version file wants major and minor to be equal.

set(NGRT_LLVM 19.1 CACHE STRING "the LLVM that the pass is built for, major and minor: 19.1, or 16.0")
find_package(LLVM ${NGRT_LLVM} REQUIRED CONFIG)

# The clang of the very LLVM that the plugin is built against: another major crashes when it loads the plugin.
set(NGRT_CLANG ${LLVM_TOOLS_BINARY_DIR}/clang)
set(NGRT_CLANGXX ${LLVM_TOOLS_BINARY_DIR}/clang++)
foreach(tool ${NGRT_CLANG} ${NGRT_CLANGXX})
  if(NOT EXISTS ${tool})
    message(FATAL_ERROR "${tool} does not exist: install clang-19 beside llvm-19-dev")
  endif()
endforeach()
