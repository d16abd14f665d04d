// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each decision is a remark with its reason.
// RUN: clang -O2 -fpass-plugin=%plugin -Rpass=nextgen -Rpass-missed=nextgen -c -o %t.o %s 2>&1 | FileCheck %s
// RUN: clang -O2 -fpass-plugin=%plugin -Rpass=nextgen-hoist -c -o %t.o %s 2>&1 | FileCheck %s --check-prefix=HOIST
// RUN: clang -O2 -fpass-plugin=%plugin -Werror -c -o %t.o %s 2>&1 | count 0
// RUN: clang -O2 -fpass-plugin=%plugin -fsave-optimization-record -c -o %t.o %s
// RUN: FileCheck %s --check-prefix=YAML --input-file=%t.opt.yaml
// RUN: llvm-remarkutil yaml2bitstream %t.opt.yaml -o %t.bits
// RUN: llvm-remarkutil bitstream2yaml %t.bits -o - | FileCheck %s --check-prefix=YAML
// HOIST: remarks.c:[[@LINE+19]]:14: remark: malloc: requested before the loop, class 2, 1 each round [-Rpass=nextgen-hoist]
// HOIST-NOT: remark
// YAML-DAG: Name: Request
// YAML-DAG: Name: Allocation
// YAML-DAG: Name: Kept
#include <stdlib.h>
void keep(void *);

// CHECK-DAG: remarks.c:[[@LINE+1]]:31: remark: malloc: allocation in line, class 2 [-Rpass=nextgen-lower]
void *constant(void) { return malloc(40); }

// CHECK-DAG: remarks.c:[[@LINE+1]]:28: remark: malloc: the call stays: a block of this size has no size class
void *large(void) { return malloc(100000); }

// CHECK-DAG: remarks.c:[[@LINE+1]]:45: remark: free: the call stays: the code is cold [-Rpass-missed=nextgen-lower]
__attribute__((cold)) void error(void *p) { free(p); }

void fill(long n) {
    for (long i = 0; i < n; ++i)
        keep(malloc(40));
}
