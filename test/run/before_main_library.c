/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The library of before_main.c: an IFUNC that is local to it, so that its resolver runs while this library is relocated,
 * before those that were loaded ahead of it (a preloaded one) are.
 */
#include <malloc.h>
#include <stdlib.h>

__attribute__((visibility("default"))) int library_answer(void);

static void *volatile none; /* of a constant NULL the pass leaves free a call */

static int answer_43(void) { return 43; }
static int (*resolve_local(void))(void) {
    free(NULL);
    free(none);
    if (malloc_usable_size(NULL) != 0)
        return NULL;
    return answer_43;
}
__attribute__((visibility("hidden"))) int local_answer(void) __attribute__((ifunc("resolve_local")));

int library_answer(void) { return local_answer(); }
