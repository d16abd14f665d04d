# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DIN=file.bc -DOUT=file.inc -P EmbedBitcode.cmake: the file's bytes as the body of a C array.

file(READ "${IN}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUT}" "${bytes}\n")
