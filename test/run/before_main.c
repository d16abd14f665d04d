/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The heap is used before main: from .preinit_array, from constructors of every priority, and from IFUNC resolvers of
 * the program and of a library, which run while the loader still relocates (the library's before a preloaded one is).
 */
#include "check.h"

#include <malloc.h>

int library_answer(void); /* before_main_library.c */

static unsigned calls;
static void *kept[3];
static void *volatile none; /* of a constant NULL the pass leaves free a call */

static void use_all(int where) {
    free(NULL);
    free(none);
    CHECK(malloc_usable_size(NULL) == 0);
    char *p = (char *)malloc(100);
    CHECK(p != NULL);
    memset(p, where, 100);
    p = (char *)realloc(p, 10000);
    CHECK(p != NULL && p[99] == where);
    char *q = (char *)calloc(100, 30);
    CHECK(q != NULL && q[0] == 0 && q[2999] == 0);
    free(p);
    kept[where] = q;
    calls++;
}

static void from_preinit(void) { use_all(0); }
#ifndef __cplusplus
__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = from_preinit;
#endif
__attribute__((constructor(101))) static void from_early_constructor(void) { use_all(1); }
__attribute__((constructor)) static void from_constructor(void) { use_all(2); }

static int answer_42(void) { return 42; }
static int (*resolve_answer(void))(void) {
    free(NULL);
    free(none);
    return answer_42;
}
int answer(void) __attribute__((ifunc("resolve_answer")));

int main(void) {
    test_begin();
    CHECK(calls == 3);
    CHECK(answer() == 42);
    CHECK(library_answer() == 43);
    for (int i = 0; i < 3; i++)
        free(kept[i]);
    return 0;
}
