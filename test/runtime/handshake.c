/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * NGRT_MODE=handshake: blocks of either thread are asked of the room and given back to it one by one, and the heap is whole.
 */
#include "heap.h"

#include "room/heap.h"

#include <pthread.h>
#include <sched.h>

enum { BLOCKS = 20000, EACH = 4 * BLOCKS };

static void *block[BLOCKS];

static void make(void) {
    uint64_t random = 5;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = 16 + test_random(&random) % 2000;
        block[i] = heap_alloc(size);
        CHECK(block[i] != NULL);
        test_fill(block[i], 16, i);
    }
}

static void *drop(void *unused) {
    for (size_t i = 0; i < BLOCKS; i++) {
        test_intact(block[i], 16, i);
        heap_free(block[i]);
    }
    return unused;
}

static uint64_t handshakes(void) {
    struct ng_totals t;
    ng_totals_read(&t);
    return t.handshakes;
}

int main(void) {
    cpu_set_t own;
    pthread_t thread;
    test_begin();
    if (sched_getaffinity(0, sizeof own, &own) != 0 || CPU_COUNT(&own) < 2)
        test_skip("one processor: there is no room");
    make();
    drop(NULL); /* the room starts */
    uint64_t all = 0;
    for (int tries = 0; tries < 50 && all < EACH * 9 / 10; tries++) { /* on a busy machine some have no answer */
        uint64_t before = handshakes();
        make();
        drop(NULL);
        make();
        CHECK(pthread_create(&thread, NULL, drop, NULL) == 0);
        pthread_join(thread, NULL);
        uint64_t asked = handshakes() - before;
        CHECK(asked <= EACH, "%llu handshakes for %d blocks made and freed", (unsigned long long)asked, EACH);
        all += asked;
    }
    CHECK(all >= EACH * 9 / 10, "%llu handshakes in all, where each turn has %d blocks made and freed",
          (unsigned long long)all, EACH);
    return 0;
}
