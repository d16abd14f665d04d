// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters where there is no -passes: NGRT_PASS, and the wrapper's --ng-pass=.  A wrong one ends the compilation and is named.
// RUN: clang -O2 -fpass-plugin=%plugin -Rpass=nextgen-promote -c -o %t.o %s 2>&1 | FileCheck %s
// RUN: env NGRT_PASS='nextgen-promote<max-bytes=39>' clang -O2 -fpass-plugin=%plugin -Rpass-missed=nextgen-promote -c -o %t.o %s 2>&1 | FileCheck %s --check-prefix=LESS
// RUN: ngcc -O2 '--ng-pass=nextgen-hoist,nextgen-promote<max-bytes=39>' -Rpass-missed=nextgen-promote -c -o %t.o %s 2>&1 | FileCheck %s --check-prefix=LESS
// RUN: not env NGRT_PASS='nextgen-promote<max-bites=39>' clang -O2 -fpass-plugin=%plugin -c -o %t.o %s 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not ngcc -O2 '--ng-pass=nextgen-promote<max-frame=x>' -c -o %t.o %s 2>&1 | FileCheck %s --check-prefix=NUMBER
// RUN: not ngcc -O2 --ng-pass=nextgen-demote -c -o %t.o %s 2>&1 | FileCheck %s --check-prefix=PASS
// CHECK: remark: malloc: moved to the stack, 40 bytes
// LESS: remark: malloc: stays on the heap: it is too large for the stack
// NAME: NGRT_PASS: nextgen-promote: no parameter 'max-bites=39'; there are max-bytes=N, max-frame=N
// NUMBER: NGRT_PASS: nextgen-promote: 'max-frame=x': max-frame is a number from 0 to 1048576
// PASS: NGRT_PASS: no pass 'nextgen-demote'; there are nextgen-promote, nextgen-hoist, nextgen-split, nextgen-batch, nextgen-lower
#include <stdlib.h>
#include <string.h>
int compare(const char *s) {
    char *copy = malloc(40);
    strncpy(copy, s, 40);
    int order = memcmp(copy, "abcdefghijklmnopqrstuvwxyzabcdefghijklm", 40);
    free(copy);
    return order;
}
