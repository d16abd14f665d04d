/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Blocks over the largest class: random sizes by several threads, exchanged, resized, partly touched; none overlaps, and
 * memory that was freed is used again.
 */
#include "heap.h"
#include "shadow.h"

#include <pthread.h>

#define SLOTS 24

static struct held {
    char *block;
    size_t size;
} slots[SLOTS];
static pthread_mutex_t locks[SLOTS];
static size_t rounds;

static void mark(const struct held *h) {
    for (size_t i = 0; i < h->size; i += 4096)
        h->block[i] = (char)(i >> 12);
    h->block[h->size - 1] = 77;
}

static void check(const struct held *h, size_t size) {
    for (size_t i = 0; i < size - 1; i += 4096)
        CHECK(h->block[i] == (char)(i >> 12), "byte %zu of %zu", i, h->size);
}

static void *work(void *argument) {
    uint64_t random = 31 + (uintptr_t)argument * 7907;
    for (size_t i = 0; i < rounds; i++) {
        size_t at = test_random(&random) % SLOTS;
        size_t size = 32769 + test_random_size(&random, 22);
        pthread_mutex_lock(&locks[at]);
        struct held *h = &slots[at];
        if (h->block == NULL || test_random(&random) % 4 != 0) {
            if (h->block != NULL) {
                check(h, h->size);
                CHECK(h->block[h->size - 1] == 77);
                shadow_release(h->block, h->size);
                heap_free(h->block);
            }
            h->block = (char *)(test_random(&random) % 4 ? heap_alloc(size) : heap_zeroed(size));
            CHECK(h->block != NULL);
        } else {
            shadow_release(h->block, h->size);
            char *block = (char *)heap_resize(h->block, size);
            CHECK(block != NULL);
            h->block = block;
            check(h, size < h->size ? size : h->size - 1);
        }
        h->size = size;
        CHECK(heap_usable(h->block) >= size);
        shadow_claim(h->block, size);
        mark(h);
        pthread_mutex_unlock(&locks[at]);
    }
    return NULL;
}

int main(void) {
    test_begin();
    shadow_start();
    rounds = test_rounds(3000);
    for (size_t i = 0; i < SLOTS; i++)
        pthread_mutex_init(&locks[i], NULL);
    pthread_t thread[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    size_t rss = test_rss();
    CHECK(TEST_SANITIZED || rss < (400u << 20), "resident %zu MiB for at most %u MiB of blocks", rss >> 20, SLOTS * 8);
    for (size_t i = 0; i < SLOTS; i++)
        heap_free(slots[i].block);
    return 0;
}
