// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: x86_64
// What a hit costs, counted in the object file.  Promised: at most 8 instructions for an allocation of constant size, at
// most 18 for a free; the exact numbers below are what is reached, by kind.  A size that varies has two ways: to 128 bytes, and
// the others.
// RUN: clang -O2 -fpass-plugin=%plugin -c -o %t.o %s
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o take 'total=<=8' total=7 loads=3 stores=1 compares=1 branches=1
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o give 'total=<=18' total=17 loads=8 stores=2 compares=3 branches=3
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o take_any ways=2 'total=<=22' loads=3 stores=1 compares=3 branches=4 short:total=11 short:compares=2 short:branches=2
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o zeroed 'total=<=12' loads=3 stores=4 compares=1 branches=1
// RUN: clang -O3 -fno-pic -fpass-plugin=%plugin -c -o %t.o %s
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o take 'total=<=8'
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o give 'total=<=18'
// The count itself can fail.
// RUN: not %python %inputs/hit_path.py llvm-objdump %t.o take 'total=<=6'
// RUN: clang -O2 -c -o %t.o %s
// RUN: not %python %inputs/hit_path.py llvm-objdump %t.o take 'total=<=8'
#include <stdlib.h>

__attribute__((hot)) void *take(void) { return malloc(40); }
__attribute__((hot)) void give(void *p) { free(p); }
__attribute__((hot)) void *take_any(size_t n) { return malloc(n); }
__attribute__((hot)) void *zeroed(void) { return calloc(1, 40); }
