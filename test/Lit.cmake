# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ngrt_add_lit_tests(folder): one ctest for the lit tests of test/<folder>, by the lit that comes with LLVM's tools.

if(NOT TARGET NextGenPass)
  function(ngrt_add_lit_tests folder)
  endfunction()
  return()
endif()

include(${PROJECT_SOURCE_DIR}/pass/FindLLVM19.cmake)
find_program(NGRT_LIT NAMES lit.py HINTS ${LLVM_TOOLS_BINARY_DIR}/../build/utils/lit NO_DEFAULT_PATH)
if(NOT NGRT_LIT OR NOT EXISTS ${LLVM_TOOLS_BINARY_DIR}/FileCheck)
  message(FATAL_ERROR "lit.py or FileCheck is not with LLVM in ${LLVM_TOOLS_BINARY_DIR}: install llvm-19-tools")
endif()

set(lit_dir ${PROJECT_BINARY_DIR}/test/lit)
configure_file(${PROJECT_SOURCE_DIR}/test/lit.site.cfg.py.in ${lit_dir}/lit.site.cfg.py @ONLY)

function(ngrt_add_lit_tests folder)
  file(MAKE_DIRECTORY ${lit_dir}/${folder})
  add_test(NAME lit-${folder} COMMAND ${NGRT_PYTHON} ${NGRT_LIT} -sv ${lit_dir}/${folder})
  set_tests_properties(lit-${folder} PROPERTIES LABELS pass TIMEOUT 900 PROCESSORS 2)
endfunction()
