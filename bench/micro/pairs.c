/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pairs.c: the shortest lives.  A block is freed by the next line, or with a thousand of its kind: what temporary
 * strings, nodes of small lists and arguments of calls are.  Times the fast path and little else.
 */
#include "micro.h"

#include <stdlib.h>

static void pairs(size_t n) {
    for (size_t i = 0; i < n; i++)
        free(checked(malloc(32)));
}

static void pairs_variable(size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t size = 16 + (i & 7) * 24;
        __asm__ volatile("" : "+r"(size)); /* unknown to the compiler, known to the branch predictor */
        free(checked(malloc(size)));
    }
}

/* The same without two neighbours of one size class: there a processor cannot mistake which free a malloc comes after. */
static void pairs_classes(size_t n) {
    static const size_t sizes[] = {16, 48, 64, 96, 112, 160, 192, 224};
    for (size_t i = 0; i < n; i++) {
        size_t size = sizes[i & 7];
        __asm__ volatile("" : "+r"(size));
        free(checked(malloc(size)));
    }
}

enum { BATCH = 1000 };

static void batches(size_t n) {
    static void *blocks[BATCH];
    for (size_t i = 0; i < n; i += BATCH) {
        for (size_t k = 0; k < BATCH; k++)
            blocks[k] = checked(malloc(48));
        for (size_t k = 0; k < BATCH; k++)
            free(blocks[k]);
    }
}

static void calloc_pairs(size_t n) {
    for (size_t i = 0; i < n; i++)
        free(checked(calloc(1, 64)));
}

/* One operation is one realloc: a buffer grows by 1.5 from 16 bytes to 64 KiB, as vectors and string builders do. */
static void realloc_growth(size_t n) {
    size_t done = 0;
    while (done < n) {
        char *buffer = checked(malloc(16));
        for (size_t size = 16; size < 65536 && done < n; size += size / 2, done++) {
            buffer = checked(realloc(buffer, size + size / 2));
            buffer[size] = 1;
        }
        free(buffer);
    }
}

/* Alignments from 16 to 4096 bytes in turn, through aligned_alloc and posix_memalign: buffers for vector instructions, cache
 * lines, pages. */
static void aligned_pairs(size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t alignment = (size_t)16 << (i >> 1) % 9, size = alignment < 256 ? 256 : alignment;
        void *block = NULL;
        if (i & 1)
            block = aligned_alloc(alignment, size);
        else if (posix_memalign(&block, alignment, size) != 0)
            block = NULL;
        free(checked(block));
    }
}

const struct micro micro_pairs[] = {
    {"pairs", pairs, 4000000, "malloc(32) and free, at once"},
    {"pairs-variable", pairs_variable, 2000000, "malloc of 16 to 184 bytes, size not known when compiled, and free"},
    {"pairs-classes", pairs_classes, 2000000, "malloc of 8 sizes in turn, each of another size class, and free"},
    {"batches", batches, 2000000, "1000 times malloc(48), then all freed in order"},
    {"calloc", calloc_pairs, 2000000, "calloc(1, 64) and free, at once"},
    {"aligned", aligned_pairs, 500000,
     "aligned_alloc and posix_memalign, aligned to 16 to 4096 bytes, and free, at once"},
    {"realloc", realloc_growth, 200000, "a buffer grows from 16 bytes to 64 KiB by halves; an operation is a realloc"},
    {0},
};
