/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Among many right frees a wrong one ends the program with a message, once the blocks go back to their slabs: a block freed
 * twice, an address inside a block, one that is not even aligned, and one behind a slab's last block.  Without it the same
 * frees go through, in whatever order they come.
 */
#include "heap.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 20000, SIZE = 48, SLAB = 1 << 16, BEHIND_LAST = SLAB / SIZE * SIZE };

enum wrong { NOTHING, TWICE, INSIDE, UNALIGNED, BEHIND };

static char *block[BLOCKS];

/* What is freed besides, after this block and before the next one. */
static void *extra(enum wrong wrong, size_t i) {
    char *next = block[i + 1];
    return wrong == TWICE       ? block[i]
           : wrong == INSIDE    ? next + 16
           : wrong == UNALIGNED ? next + 15
           : wrong == BEHIND    ? (char *)((uintptr_t)next & ~(uintptr_t)(SLAB - 1)) + BEHIND_LAST
                                : NULL;
}

static void swap(size_t i, size_t k) {
    char *at = block[i];
    block[i] = block[k];
    block[k] = at;
}

/* order: 0 as allocated, 1 against it, 2 at random. */
static void free_all(unsigned order, enum wrong wrong) {
    uint64_t random = 27182;
    for (size_t i = 0; i < BLOCKS; i++)
        CHECK((block[i] = heap_alloc(SIZE)) != NULL);
    for (size_t i = 0; order == 1 && i < BLOCKS / 2; i++)
        swap(i, BLOCKS - 1 - i);
    for (size_t i = BLOCKS - 1; order == 2 && i > 0; i--)
        swap(i, test_random(&random) % (i + 1));
    for (size_t i = 0; i < BLOCKS; i++) {
        heap_free(block[i]);
        if (i == BLOCKS / 2)
            heap_free(extra(wrong, i));
    }
    (void)heap_trim();
}

/* What a child that does so writes to stderr; *status is how it ended. */
static void run(unsigned order, enum wrong wrong, char *text, size_t most, int *status) {
    int out[2];
    CHECK(pipe(out) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(out[1], STDERR_FILENO);
        free_all(order, wrong);
        _exit(0);
    }
    close(out[1]);
    size_t n = 0;
    for (ssize_t got; n + 1 < most && (got = read(out[0], text + n, most - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(out[0]);
    CHECK(waitpid(child, status, 0) == child);
}

int main(void) {
    static const char *const message[] = {
        "", "ngrt: double free\n", "ngrt: free of an address at which no block starts\n",
        "ngrt: free of an address at which no block starts\n", "ngrt: free of an address at which no block starts\n"};
    if (TEST_SANITIZED)
        test_skip("a sanitizer has its own way to end a child");
    test_begin();
    for (unsigned order = 0; order < 3; order++)
        for (enum wrong wrong = NOTHING; wrong <= BEHIND; wrong++) {
            char text[200];
            int status;
            run(order, wrong, text, sizeof text, &status);
            CHECK(strcmp(text, message[wrong]) == 0, "order %u, wrong %d: it says '%s'", order, (int)wrong, text);
            CHECK(wrong == NOTHING ? status == 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "order %u, wrong %d: it ended with %#x", order, (int)wrong, (unsigned)status);
        }
    return 0;
}
