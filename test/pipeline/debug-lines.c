// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// With -g the DWARF is valid, and inlined code belongs to the line of the call.
// RUN: clang -O2 -g -fpass-plugin=%plugin -c -o %t.o %s
// RUN: llvm-dwarfdump --verify %t.o
// RUN: llvm-objdump -d -l --no-show-raw-insn --disassemble-symbols=take %t.o | FileCheck %s
// RUN: clang -O2 -g -flto -fpass-plugin=%plugin -c -o %t.bc %s
// RUN: llvm-dis -o - %t.bc | FileCheck %s --check-prefix=IR
#include <stdlib.h>

// CHECK: debug-lines.c:[[@LINE+8]]
// CHECK: mov{{.*}}%fs:0x20(
// CHECK-NOT: debug-lines.c:
// CHECK: test{{.*}}$0x7ff
// CHECK: debug-lines.c:[[@LINE+5]]
// IR: load volatile ptr, ptr %{{.*}}, !dbg ![[LOC:[0-9]+]]
// IR: ![[LOC]] = !DILocation(line: [[@LINE+2]], column: 15
__attribute__((hot)) void *take(long *seen) {
    void *p = malloc(40);
    ++*seen;
    return p;
}
