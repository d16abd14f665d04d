/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A request brings blocks to the thread before it asks for them: free blocks that lie in the room's bitmaps wait in the
 * thread's inbox at its next miss, as many magazines as the request is worth; a room that sleeps is woken for a request of
 * many.  What the thread holds already is not asked for.
 */
#include "heap.h"

#include "front/cache.h"
#include "os/os.h"
#include "room/heap.h"
#include "room/slab.h"

#include <unistd.h>

#define BLOCKS 40000
#define SIZE 48

static void *block[BLOCKS];

static struct ng_heap *own(void) { return (struct ng_heap *)ngrt_cache.heap; }

/* Out of line: the room is invited by the caller's address, and libc calls main. */
__attribute__((noinline)) static void allocate(size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        CHECK((block[i] = heap_alloc(SIZE)) != NULL);
}

static void release(size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        heap_free(block[i]);
}

static bool asleep(void) { return ng_room_present() && !ng_room_awake(); }

static bool has_served(void) { return !ng_ring_waiting(&own()->ring); }

/* The blocks that a round of the loop after a request of `blocks` takes, until the thread has to serve itself. */
static size_t ahead(size_t blocks) {
    uint32_t cls = ngrt_class_of(SIZE);
    struct ng_counts *c = &own()->counts;
    size_t taken = ng_cache_holds(own(), cls);
    allocate(0, taken);
    test_wait_for(asleep, "the room sleeps");
    uint64_t requests = ng_load(&c->requests, NG_RELAXED), fulfilled = ng_load(&c->fulfilled, NG_RELAXED);
    ng_request(ngrt_bin_of(SIZE), blocks);
    CHECK(ng_load(&c->requests, NG_RELAXED) == requests + 1);
    test_wait_for(has_served, "the room has served the request");
    usleep(1000); /* the word is taken before the work is done */
    uint64_t by_itself = ng_load(&c->misses, NG_RELAXED) - ng_load(&c->inbox_magazines, NG_RELAXED);
    size_t first = taken;
    while (ng_load(&c->misses, NG_RELAXED) - ng_load(&c->inbox_magazines, NG_RELAXED) == by_itself && taken < BLOCKS) {
        allocate(taken, taken + 1);
        taken++;
        if (taken == first + 1)
            CHECK(ng_load(&c->fulfilled, NG_RELAXED) == fulfilled + 1, "the first block was there in time");
    }
    release(0, taken);
    return taken - first;
}

int main(void) {
    test_begin();
    if (ng_os_cpus(false) < 2)
        test_skip("one processor has no room");
    allocate(0, BLOCKS);
    CHECK(ng_room_present());
    for (size_t i = 0; i < BLOCKS; i++)
        if (i % 4 != 0) /* so that no slab is empty */
            heap_free(block[i]);
    ng_trim(0); /* everything into the bitmaps */
    uint32_t cls = ngrt_class_of(SIZE);
    allocate(0, 10);
    release(0, 10);
    ng_request(ngrt_bin_of(SIZE), ng_cache_holds(own(), cls));
    CHECK(ng_load(&own()->counts.requests, NG_RELAXED) == 0, "what the thread holds is not asked for");
    size_t many = ahead(BLOCKS), magazine = ng_classes[cls].most_held;
    CHECK(many >= 2 * magazine, "%zu blocks came ahead of use, no more than one magazine of %zu", many, magazine);
    CHECK(many < BLOCKS / 2, "%zu blocks: far more than a thread may hold", many);
    return 0;
}
