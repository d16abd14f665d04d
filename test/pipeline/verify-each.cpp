// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The IR is valid after our passes, in each pipeline, with debug info and with exceptions; -verify-each looks after each pass
// of all, for a smaller module.
// RUN: clang++ -O2 -g -Xclang -disable-llvm-passes -c -emit-llvm -o %t.bc %S/Inputs/shapes.cpp
// RUN: opt -passes='default<O1>,verify' -S -o - %t.bc | FileCheck %s
// RUN: opt -passes='thinlto-pre-link<O2>,verify' -S -o - %t.bc | FileCheck %s
// RUN: opt -passes='default<O2>,verify,nextgen-lower<growth=0;cold>,verify' -S -o - %t.bc | FileCheck %s
// RUN: clang++ -O2 -g -Xclang -disable-llvm-passes -c -emit-llvm -o %t.small.bc %S/exceptions.cpp
// RUN: opt -passes='default<O3>' -verify-each -S -o - %t.small.bc | FileCheck %s
// RUN: opt -passes='lto-pre-link<O2>,lto<O2>' -verify-each -S -o - %t.small.bc | FileCheck %s
// CHECK: ngrt_new_slow
