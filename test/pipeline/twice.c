// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The wrapper gives the plugin, and so may the user: no double fast path, the same code.
// RUN: clang -O2 -fpass-plugin=%plugin -S -o %t.once %s
// RUN: clang -O2 -fpass-plugin=%plugin -fpass-plugin=%plugin -S -o %t.twice %s
// RUN: diff %t.once %t.twice
// RUN: FileCheck %s --input-file=%t.twice
#include <stdlib.h>
void keep(void *);

// CHECK: ngrt_request_slow
// CHECK: ngrt_malloc_slow
void fill(int n) {
    for (int i = 0; i < n; ++i)
        keep(calloc(1, 40)), keep(malloc(40));
}
void *grow(void *p, size_t n) { return realloc(p, n); }
