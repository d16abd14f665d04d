/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * longjmp and siglongjmp over functions that allocate: what was allocated before and after the jump stays whole, and
 * what is reachable can still be freed.  Also built with the pass, whose inlined paths are jumped over.
 */
#include "check.h"

#include <setjmp.h>

static jmp_buf out;
static void *kept[400];
static volatile unsigned count;
static bool deeper = true;

__attribute__((noinline)) static void go_deeper(unsigned depth) {
    unsigned char *p = (unsigned char *)malloc(depth % 500 + 1);
    CHECK(p != NULL);
    test_fill(p, depth % 500 + 1, depth);
    kept[count++] = p;
    if (depth == 0)
        longjmp(out, (int)count);
    if (*(volatile bool *)&deeper)
        go_deeper(depth - 1);
    free(p); /* never reached */
}

int main(void) {
    test_begin();
    for (unsigned round = 0; round < 3000; round++) {
        unsigned char *volatile before = (unsigned char *)malloc(40);
        CHECK(before != NULL);
        test_fill(before, 40, round);
        count = 0;
        unsigned depth = round % 300;
        int jumped = setjmp(out);
        if (jumped == 0)
            go_deeper(depth);
        CHECK((unsigned)jumped == depth + 1 && count == depth + 1);
        for (unsigned i = 0; i <= depth; i++) {
            test_intact(kept[i], (depth - i) % 500 + 1, depth - i);
            free(kept[i]);
        }
        test_intact(before, 40, round);
        free(before);
    }
    /* A loop by setjmp: the block of each round is the one that the last round left. */
    void *volatile last = malloc(100);
    volatile int rounds = 0;
    if (setjmp(out) < 1000) {
        void *next = malloc(100);
        CHECK(next != NULL && next != last);
        memset(next, 1, 100);
        free(last);
        last = next;
        rounds = rounds + 1;
        longjmp(out, rounds);
    }
    CHECK(rounds == 1000);
    free(last);
    return 0;
}
