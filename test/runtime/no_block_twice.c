/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Random malloc, calloc, memalign, realloc and free by several threads that exchange blocks: no block is handed out
 * while it is live, and none changes while it is live.
 * Usage: no_block_twice [threads [rounds for each thread]]
 */
#include "heap.h"
#include "shadow.h"

#include <pthread.h>

#define SLOTS 4000
#define EXCHANGE 1000

struct held {
    void *block;
    size_t size;
    uint64_t seed;
};

static struct held *exchange[EXCHANGE];
static size_t rounds;

static void put_back(struct held *h) {
    if (h->block == NULL)
        return;
    test_intact(h->block, h->size, h->seed);
    shadow_release(h->block, h->size);
    heap_free(h->block);
    h->block = NULL;
}

static void take(struct held *h, uint64_t *random) {
    uint64_t r = test_random(random);
    size_t size = test_random_size(random, (r & 1023) == 0 ? 22 : (r & 31) == 0 ? 16 : 9);
    h->seed = test_random(random);
    h->size = size;
    switch ((r >> 32) % 16) {
    case 0:
        h->block = heap_zeroed(size);
        CHECK(h->block != NULL);
        for (size_t i = 0; i < size; i++)
            CHECK(((char *)h->block)[i] == 0, "calloc's block of %zu bytes is not zero at %zu", size, i);
        break;
    case 1: {
        size_t align = (size_t)16 << (r >> 40) % 10;
        h->block = heap_aligned(align, size);
        CHECK(h->block != NULL && ((uintptr_t)h->block & (align - 1)) == 0);
        break;
    }
    default:
        h->block = heap_alloc(size);
        CHECK(h->block != NULL);
    }
    shadow_claim(h->block, size);
    test_fill(h->block, size, h->seed);
}

static void resize(struct held *h, uint64_t *random) {
    size_t size = test_random_size(random, (test_random(random) & 63) == 0 ? 20 : 10);
    size_t kept = size < h->size ? size : h->size;
    test_intact(h->block, h->size, h->seed);
    shadow_release(h->block, h->size);
    void *block = heap_resize(h->block, size);
    CHECK(block != NULL);
    shadow_claim(block, size);
    /* The last word may be cut by the new size: what lies before it must be as it was. */
    test_intact(block, kept & ~(size_t)7, h->seed);
    h->block = block;
    h->size = size;
    test_fill(block, size, h->seed);
}

static void *work(void *argument) {
    uint64_t random = 0x1234567 + (uintptr_t)argument * 7919;
    struct held **slot = (struct held **)mmap(NULL, SLOTS * (sizeof(struct held) + sizeof(*slot)),
                                              PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(slot != MAP_FAILED);
    struct held *pool = (struct held *)(slot + SLOTS);
    for (size_t i = 0; i < SLOTS; i++)
        slot[i] = &pool[i];
    for (size_t i = 0; i < rounds; i++) {
        size_t at = test_random(&random) % SLOTS;
        struct held *h = slot[at];
        if (h->block == NULL)
            take(h, &random);
        else if (test_random(&random) % 8 == 0)
            resize(h, &random);
        else if (test_random(&random) % 4 == 0) {
            size_t with = test_random(&random) % EXCHANGE;
            struct held *other = __atomic_exchange_n(&exchange[with], h, __ATOMIC_ACQ_REL);
            slot[at] = other;
        } else
            put_back(h);
    }
    for (size_t i = 0; i < SLOTS; i++)
        put_back(slot[i]);
    return NULL;
}

int main(int argc, char **argv) {
    static struct held pool[EXCHANGE];
    size_t threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 4;
    rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : test_rounds(threads == 1 ? 1000000 : 300000);
    test_begin();
    shadow_start();
    for (size_t i = 0; i < EXCHANGE; i++)
        exchange[i] = &pool[i];
    pthread_t thread[64];
    CHECK(threads >= 1 && threads <= 64);
    for (size_t i = 0; i < threads; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (size_t i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < EXCHANGE; i++)
        put_back(exchange[i]);
    return 0;
}
