// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From -O1 on allocations are in line; at -O0 nothing is touched, at -Os and -Oz calls stay calls.
// RUN: clang -O1 -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=IN
// RUN: clang -Og -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=IN
// RUN: clang -O2 -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=IN
// RUN: clang -O3 -g -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=IN
// RUN: clang -O2 -fno-pic -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=IN
// RUN: clang -O0 -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
// RUN: clang -Os -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
// RUN: clang -Oz -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
// RUN: clang -O2 -fno-builtin -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
// RUN: clang -O2 -ffreestanding -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
// RUN: clang -O2 -fno-builtin-malloc -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=MALLOC
// RUN: clang -O2 -fsanitize=address -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
// RUN: clang -O2 -Xclang -disable-llvm-passes -fpass-plugin=%plugin -S -o - %s | FileCheck %s --check-prefix=CALL --implicit-check-not=ngrt_
#include <stdlib.h>

// IN-LABEL: take:
// IN-NOT: {{(call|jmp).*[^_]malloc}}
// IN: ngrt_thread_cache__link_with_libngrt_of_abi_1@GOTTPOFF
// IN: call{{.*}}*ngrt_malloc_slow@GOTPCREL
// CALL-LABEL: take:
// CALL: {{(call|jmp).*malloc}}
// MALLOC-LABEL: take:
// MALLOC: {{(call|jmp).*malloc}}
void *take(void) { return malloc(40); }

// IN-LABEL: give:
// IN: call{{.*}}*ngrt_free_slow@GOTPCREL
// CALL-LABEL: give:
// CALL: {{(call|jmp).*free}}
// MALLOC-LABEL: give:
// MALLOC: call{{.*}}*ngrt_free_slow@GOTPCREL
void give(void *p) { free(p); }
