// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: runtime
// An instrumented build runs on the runtime; with its profile the site that ran is in line and the one that did not is not,
// whatever LLVM would have guessed.
// RUN: ngcc -O2 -fprofile-generate=%t.dir %s -o %t.gen && rm -rf %t.dir && env LLVM_PROFILE_FILE=%t.profraw %t.gen
// RUN: llvm-profdata merge -o %t.profdata %t.profraw
// RUN: ngcc -O2 -fprofile-use=%t.profdata -Rpass=nextgen-lower -Rpass-missed=nextgen-lower -c -o %t.o %s 2>&1 | FileCheck %s
// CHECK-DAG: profile.c:[[@LINE+8]]:20: remark: malloc: allocation in line
// CHECK-DAG: profile.c:[[@LINE+10]]:20: remark: malloc: the call stays: the code is cold
#include <stdlib.h>
void *volatile sink;

__attribute__((noinline)) static void work(int n, int never) {
    for (int i = 0; i < n; ++i)
        if (i % 2 == never)
            sink = malloc(40);
    if (never > 1)
        for (int i = 0; i < n; ++i)
            sink = malloc(48);
}

int main(int argc, char **argv) {
    (void)argv;
    for (volatile int i = 0; i < 1000; ++i)
        work(100, argc - 1);
    return 0;
}
