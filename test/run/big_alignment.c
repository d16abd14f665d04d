/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Alignments up to 1 GiB, with sizes small and large; the blocks are freed, resized and counted like any other.
 */
#include "check.h"
#include "shadow.h"

#include <malloc.h>

int main(void) {
    test_begin();
    shadow_start();
    for (size_t align = 32; align <= ((size_t)1 << 30); align *= 2) {
        void *block[8] = {NULL};
        size_t size[8];
        for (size_t i = 0; i < 8; i++) {
            size[i] = i * i * 20000 + i + 1;
            int rc = posix_memalign(&block[i], align, size[i]);
            if (align >= (256u << 20) && rc == ENOMEM && i > 1) {
                block[i] = NULL; /* that many of them need not fit */
                continue;
            }
            CHECK(rc == 0, "align %zu, size %zu: %d", align, size[i], rc);
            CHECK(((uintptr_t)block[i] & (align - 1)) == 0);
            CHECK(malloc_usable_size(block[i]) >= size[i]);
            shadow_claim(block[i], size[i]);
            test_fill(block[i], size[i], align);
        }
        for (size_t i = 0; i < 8; i++) {
            if (block[i] == NULL)
                continue;
            test_intact(block[i], size[i], align);
            shadow_release(block[i], size[i]);
            if (i % 2) {
                block[i] = realloc(block[i], size[i] * 2);
                CHECK(block[i] != NULL);
                test_intact(block[i], size[i] & ~(size_t)7, align);
            }
            free(block[i]);
        }
    }
    /* Many with one page's alignment, as O_DIRECT buffers have. */
    size_t before = test_rss();
    for (int i = 0; i < 200000; i++) {
        char *p = (char *)aligned_alloc(4096, 8192);
        CHECK(p != NULL && ((uintptr_t)p & 4095) == 0);
        p[0] = p[8191] = 1;
        free(p);
    }
    size_t after = test_rss();
    CHECK(after < before + (16u << 20), "resident %zu KiB, then %zu KiB", before >> 10, after >> 10);
    return 0;
}
