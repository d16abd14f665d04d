// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: x86_64
// The same for new and delete; the sized delete knows its class and compares one word with it.
// RUN: clang++ -O2 -fpass-plugin=%plugin -c -o %t.o %s
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o take 'total=<=8' total=7 loads=3 stores=1 compares=1 branches=1
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o take_nothrow 'total=<=8' total=7 loads=3 stores=1 compares=1 branches=1
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o take_aligned 'total=<=8' total=7 loads=3 stores=1 compares=1 branches=1
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o give 'total=<=18' total=17 loads=8 stores=2 compares=3 branches=3
// RUN: %python %inputs/hit_path.py llvm-objdump %t.o give_known 'total=<=18' total=17 loads=8 stores=2 compares=3 branches=3
#include <new>

struct Node {
    long value[5];
};
struct alignas(64) Wide {
    long value[8];
};
extern "C" {
__attribute__((hot)) void *take() { return new Node; }
__attribute__((hot)) void *take_nothrow() { return new (std::nothrow) Node; }
__attribute__((hot)) void *take_aligned() { return new Wide; }
__attribute__((hot)) void give(void *p) { __builtin_operator_delete(p); }
__attribute__((hot)) void give_known(Node *p) { __builtin_operator_delete(p, sizeof *p); }
}
