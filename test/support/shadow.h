/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * shadow.h: a map of the addresses that live blocks cover, one bit for each 16 bytes, kept outside of the heap: a block
 * that overlaps a live one is found when it is handed out.  All threads share it.  Its atomics are relaxed on purpose:
 * they must not order what the allocator has to order itself.
 *
 *   table: hash of the 64 KiB region -> | region + 1 | 4096 bits |
 */
#ifndef NGRT_TEST_SHADOW_H
#define NGRT_TEST_SHADOW_H

#include "check.h"

#include <sys/mman.h>

#define SHADOW_REGIONS (1u << 16) /* of 64 KiB each: 4 GiB of addresses, ever */

struct shadow_region {
    uintptr_t key;
    uint64_t bits[64];
};

static struct shadow_region *shadow_table;

static inline void shadow_start(void) {
    void *table = mmap(NULL, sizeof(struct shadow_region) * SHADOW_REGIONS, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(table != MAP_FAILED);
    shadow_table = (struct shadow_region *)table;
}

static inline struct shadow_region *shadow_find(uintptr_t region) {
    uintptr_t key = region + 1;
    uint32_t at = (uint32_t)((region * 0x9E3779B97F4A7C15ull) >> 48);
    for (unsigned tries = 0; tries < SHADOW_REGIONS; tries++, at = (at + 1) % SHADOW_REGIONS) {
        uintptr_t seen = __atomic_load_n(&shadow_table[at].key, __ATOMIC_RELAXED);
        if (seen == 0)
            __atomic_compare_exchange_n(&shadow_table[at].key, &seen, key, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        if (seen == key || __atomic_load_n(&shadow_table[at].key, __ATOMIC_RELAXED) == key)
            return &shadow_table[at];
    }
    CHECK(false, "the test's shadow map is full");
    return NULL;
}

/* Sets (or clears) the bits of a block; every one must have been clear (or set). */
static inline void shadow_change(const void *block, size_t size, bool set) {
    uintptr_t first = (uintptr_t)block >> 4;
    uintptr_t end = ((uintptr_t)block + (size ? size : 1) + 15) >> 4;
    while (first < end) {
        struct shadow_region *region = shadow_find(first >> 12);
        unsigned bit = (unsigned)(first & 63);
        uintptr_t n = 64 - bit < end - first ? 64 - bit : end - first;
        uint64_t mask = (n == 64 ? ~0ull : ((1ull << n) - 1)) << bit;
        uint64_t *word = &region->bits[(first >> 6) & 63];
        uint64_t old =
            set ? __atomic_fetch_or(word, mask, __ATOMIC_RELAXED) : __atomic_fetch_and(word, ~mask, __ATOMIC_RELAXED);
        CHECK((old & mask) == (set ? 0 : mask), "block %p of %zu bytes overlaps one that is live", block, size);
        first += n;
    }
}

static inline void shadow_claim(const void *block, size_t size) { shadow_change(block, size, true); }
static inline void shadow_release(const void *block, size_t size) { shadow_change(block, size, false); }

#endif
