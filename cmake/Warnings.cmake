# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The warnings that all of the project is free of, with gcc 12 and with clang 19.  Not -Wpedantic: the runtime is GNU C
# on purpose (statement expressions, asm labels, __int128).

add_compile_options(
  -Wall
  -Wextra
  -Wshadow
  -Wundef
  -Wpointer-arith
  -Wwrite-strings
  -Wvla
  -Wimplicit-fallthrough
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wold-style-definition>
  $<$<COMPILE_LANGUAGE:C>:-Werror=implicit-function-declaration>
)

if(NGRT_WERROR)
  add_compile_options(-Werror)
endif()
