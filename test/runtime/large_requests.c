/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A large block that was requested is there, faulted in where the program filled earlier ones, when it is allocated; one that
 * realloc lets grow finds its space behind it; what nobody takes goes back within the decay; nothing that a request says changes what malloc does.
 * How many were requested, then allocated, and were ready, is counted.
 */
#include "heap.h"

#include "front/alloc.h"
#include "os/os.h"
#include "room/arena.h"
#include "room/claim.h"
#include "room/room.h"

#include <string.h>
#include <unistd.h>

static const size_t size = (size_t)9 << 20;

static bool served(void) { return ng_claim_held() && !ng_claim_waiting(); }

static bool idle(void) { return !ng_claim_waiting(); }

static bool gone(void) { return !ng_claim_held(); }

static size_t present(const char *block, size_t bytes) { return ng_os_present((void *)block, bytes / ng_os_page()); }

static bool is_zero(const char *block, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64)
        if (block[i] != 0)
            return false;
    return true;
}

/* Out of line: the room is invited by the caller's address, and libc calls main. */
__attribute__((noinline)) static void invite(void) {
    void *blocks[4000];
    for (size_t i = 0; i < 4000; i++)
        CHECK((blocks[i] = heap_alloc(1000)) != NULL);
    for (size_t i = 0; i < 4000; i++)
        heap_free(blocks[i]);
}

static char *requested_block(void) {
    ng_request(NGRT_BIN_LARGE, size);
    test_wait_for(served, "the room has the block");
    char *block = heap_alloc(size);
    CHECK(block != NULL && !ng_claim_held());
    return block;
}

/* What was counted since the last call. */
static void expect_counts(uint64_t requested, uint64_t used, uint64_t ready, uint64_t faulted) {
    static struct ng_claim_counts before;
    struct ng_claim_counts now = ng_claim_counts();
    uint64_t got[] = {now.requested - before.requested, now.used - before.used, now.ready - before.ready,
                      now.faulted - before.faulted};
    CHECK(got[0] == requested && got[1] == used && got[2] == ready && got[3] == faulted, "%d, %d, %d, %d", (int)got[0],
          (int)got[1], (int)got[2], (int)got[3]);
    before = now;
}

/* A program that touches little of what it asks for gets no more. */
static void sparse(void) {
    char *blocks[8];
    for (size_t i = 0; i < 8; i++) {
        blocks[i] = requested_block();
        blocks[i][0] = 1;
        CHECK(present(blocks[i], size) <= NG_CHUNK_BYTES / ng_os_page());
    }
    expect_counts(8, 8, 8, 0);
    for (size_t i = 0; i < 8; i++)
        heap_free(blocks[i]);
    CHECK(ng_trim(0));
}

/* One that fills it does. */
static void filled(void) {
    char *blocks[3];
    for (size_t i = 0; i < 3; i++)
        memset(blocks[i] = requested_block(), 1, size);
    expect_counts(3, 3, 3, 1); /* two to see that it does */
    for (size_t i = 0; i < 3; i++)
        heap_free(blocks[i]);
    CHECK(ng_trim(0));
}

static void claimed(void) {
    ng_request(NGRT_BIN_LARGE, size);
    test_wait_for(served, "the room has the block");
    char *other = heap_alloc(size / 2);
    CHECK(ng_claim_held(), "a block of another size is not taken for it");
    char *block = heap_alloc(size);
    CHECK(block != NULL && !ng_claim_held());
    CHECK(present(block, size) == size / ng_os_page(), "all its pages are in memory");
    CHECK(is_zero(block, size));
    expect_counts(1, 1, 1, 1);
    heap_free(block);
    heap_free(other);
}

/* As many free slabs lie in memory already: the room has nothing to do, and the block is there all the same. */
static void lying(void) {
    void *block = heap_alloc(size);
    memset(block, 1, size);
    heap_free(block);
    expect_counts(0, 0, 0, 0);
    ng_request(NGRT_BIN_LARGE, size);
    test_wait_for(idle, "the room has looked");
    CHECK(!ng_claim_held());
    heap_free(heap_alloc(size));
    expect_counts(1, 1, 1, 1);
    heap_free(heap_alloc(size));
    expect_counts(0, 0, 0, 0);
}

static void grown(void) {
    ng_request(NGRT_BIN_GROWS, 2 * size);
    test_wait_for(served, "the room has the block");
    char *block = heap_alloc(20000);
    memset(block, 1, 20000);
    char *first = block = ng_realloc(block, 40000);
    CHECK(!ng_claim_held() && block[19999] == 1);
    for (size_t bytes = 50000; bytes <= 2 * size; bytes += 50000) {
        block = ng_realloc(block, bytes);
        CHECK(block == first, "it grows where it stands");
        block[bytes - 1] = 2;
    }
    CHECK(block[19999] == 1 && block[49999] == 2);
    CHECK(ng_realloc(block, 40000) == first);
    expect_counts(1, 1, 1, 1);
    heap_free(first);
}

static void wrong(void) {
    ng_request(NGRT_BIN_LARGE, 1000);     /* too little to be worth it */
    ng_request(NGRT_BIN_LARGE, SIZE_MAX); /* more than there is */
    ng_request(NGRT_BIN_LARGE, (size_t)1 << 40);
    usleep(20000);
    CHECK(!ng_claim_held());
    ng_request(NGRT_BIN_LARGE, 3 * size);
    test_wait_for(served, "the room has the block");
    test_wait_for(gone, "what nobody takes goes back");
    heap_free(heap_alloc(3 * size));
    expect_counts(1, 0, 0, 0); /* the wrong ones are none */
}

int main(void) {
    if (TEST_SANITIZED)
        test_skip("a sanitizer faults pages in as it likes");
    test_begin();
    if (ng_os_cpus(false) < 2)
        test_skip("one processor has no room");
    invite();
    CHECK(ng_room_present());
    sparse();
    filled();
    claimed();
    lying();
    CHECK(ng_trim(0)); /* so that the next finds no free pages in memory */
    grown();
    CHECK(ng_trim(0));
    wrong();
    return 0;
}
