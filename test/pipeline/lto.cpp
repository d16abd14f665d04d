// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: lld, runtime
// Full and thin LTO through lld: compiled, linked, run; the result is that of a build without the pass.
// RUN: clang++ -O2 %S/Inputs/shapes.cpp -o %t.plain && %t.plain > %t.want
// RUN: ng++ -O2 %S/Inputs/shapes.cpp -o %t.o2 && %t.o2 | diff %t.want -
// RUN: ng++ -Os %S/Inputs/shapes.cpp -o %t.os && %t.os | diff %t.want -
// RUN: ng++ -O2 -flto %S/Inputs/shapes.cpp -o %t.full && %t.full | diff %t.want -
// RUN: ng++ -O2 -flto=thin %S/Inputs/shapes.cpp -o %t.thin && %t.thin | diff %t.want -
// RUN: ng++ -O2 -static %S/Inputs/shapes.cpp -o %t.static && %t.static | diff %t.want -
// The pass was at work in each of them but the small ones.
// RUN: llvm-nm %t.o2 | FileCheck %s
// RUN: llvm-nm %t.full | FileCheck %s
// RUN: llvm-nm %t.thin | FileCheck %s
// RUN: llvm-nm %t.os | FileCheck %s --check-prefix=SMALL
// CHECK: U ngrt_thread_cache__link_with_libngrt_of_abi_1
// SMALL-NOT: ngrt_thread_cache
