/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * lifetimes.c: blocks that live for a while among many others: caches, queues, trees of a document.  The working set is
 * larger than the first-level cache, so where the blocks lie counts too.
 */
#include "micro.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE = 100000, LIVE = 50000 };

/* The oldest of QUEUE blocks is freed, a new one allocated: a queue of messages. */
static void fifo(size_t n) {
    static void *blocks[QUEUE];
    for (size_t i = 0; i < n; i++) {
        size_t at = i % QUEUE;
        free(blocks[at]);
        blocks[at] = checked(malloc(64));
    }
    for (size_t k = 0; k < QUEUE; k++)
        free(blocks[k]);
    memset(blocks, 0, sizeof(blocks));
}

/* Sizes as programs have them: mostly small, some of hundreds of bytes, a few of thousands. */
static size_t random_size(uint64_t r) {
    unsigned kind = r & 15;
    if (kind < 10)
        return 16 + (r >> 8) % 112;
    if (kind < 15)
        return 128 + (r >> 8) % 896;
    return 1024 + (r >> 8) % 7168;
}

/* A random one of LIVE blocks is freed, one of random size takes its place and is written at both ends. */
static void random_lives(size_t n) {
    static char *blocks[LIVE];
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next_random(&state);
        size_t at = (r >> 32) % LIVE, size = random_size(r);
        free(blocks[at]);
        blocks[at] = checked(malloc(size));
        blocks[at][0] = blocks[at][size - 1] = 1;
    }
    for (size_t k = 0; k < LIVE; k++)
        free(blocks[k]);
    memset(blocks, 0, sizeof(blocks));
}

const struct micro micro_lifetimes[] = {
    {"fifo", fifo, 2000000, "100,000 blocks of 64 bytes, the oldest freed for each new one"},
    {"random", random_lives, 1000000, "50,000 blocks of 16 bytes to 8 KiB, a random one freed for each new one"},
    {0},
};
