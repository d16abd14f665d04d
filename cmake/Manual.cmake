# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ngrt-help, which prints the options that the runtime was built with, and the manual page made by it: both come from
# runtime/room/options.def, so neither can lag behind the parser.

add_executable(ngrt-help tools/ngrt-help.c)
target_include_directories(ngrt-help PRIVATE runtime)
target_compile_definitions(ngrt-help PRIVATE NGRT_VERSION="${PROJECT_VERSION}")

set(NGRT_MANUAL ${PROJECT_BINARY_DIR}/share/man/man7/ngrt.7)
add_custom_command(
  OUTPUT ${NGRT_MANUAL}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/share/man/man7
  COMMAND sh -c "\"$1\" --man >\"$2\"" manual $<TARGET_FILE:ngrt-help> ${NGRT_MANUAL}
  DEPENDS ngrt-help
  COMMENT "Writing the manual page ngrt.7"
  VERBATIM)
add_custom_target(ngrt-manual ALL DEPENDS ${NGRT_MANUAL})
