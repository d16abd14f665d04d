// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LLVM has had its use of malloc before the pass comes: dead allocations are gone, contents and noalias are known.
// RUN: clang -O2 -fpass-plugin=%plugin -S -emit-llvm -o - %s | FileCheck %s
#include <stdlib.h>
void keep(void *);

// CHECK-LABEL: define {{.*}}@dead(
// CHECK-NEXT: ret i32 7
int dead(void) {
    int *p = malloc(sizeof *p);
    *p = 7;
    int v = *p;
    free(p);
    return v;
}

// The store through q cannot change *p.
// CHECK-LABEL: define {{.*}}@fresh(
// CHECK: call {{.*}}@ngrt_malloc_slow
// CHECK: ret i32 5
int fresh(int *q) {
    int *p = malloc(sizeof *p);
    *p = 5;
    *q = 6;
    int v = *p;
    keep(p);
    return v;
}
