/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * slow_callers.c: code that a compiler made around the slow paths of preserve_most, with more live values than there are
 * registers: they are the same after as without the calls.  clang only, since gcc lacks the attribute.
 */
#include "expect.h"

#include "ngrt/abi.h"

#define EIGHT(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7)
#define DEFINE(i) uint64_t v##i = seed * (i + 3), w##i = seed ^ (i * 77);
#define STEP(i)                                                                                                        \
    v##i = v##i * 31 + w##i;                                                                                           \
    w##i ^= v##i >> 7;
#define SUM(i) ^v##i ^ w##i

__attribute__((noinline)) static uint64_t with_calls(uint64_t seed, size_t size) {
    EIGHT(DEFINE)
    for (int k = 0; k < 100; k++) {
        void *p = ngrt_malloc_slow(size);
        EIGHT(STEP)
        if (size <= NGRT_SMALL_MAX)
            ngrt_request_slow(ngrt_bin_of(size), (size_t)k);
        ngrt_free_slow(p);
    }
    return 0 EIGHT(SUM);
}

/* The fast path first, as in code that went through the pass. */
__attribute__((noinline)) static uint64_t with_fast_path(uint64_t seed, size_t size) {
    EIGHT(DEFINE)
    for (int k = 0; k < 100; k++) {
        void *p = ngrt_is_small(size) ? ngrt_take(&ngrt_cache, ngrt_bin_of(size)) : NULL;
        if (p == NULL)
            p = ngrt_malloc_slow(size);
        EIGHT(STEP)
        if (!ngrt_give(&ngrt_cache, p))
            ngrt_free_slow(p);
    }
    return 0 EIGHT(SUM);
}

__attribute__((noinline)) static uint64_t without(uint64_t seed) {
    EIGHT(DEFINE)
    for (int k = 0; k < 100; k++) {
        EIGHT(STEP)
        __asm__ volatile("" ::: "memory");
    }
    return 0 EIGHT(SUM);
}

int main(void) {
    for (size_t size = 1; size < 100000; size += size / 2 + 1) {
        uint64_t seed = size * 0x9e3779b97f4a7c15u;
        EXPECT(with_calls(seed, size) == without(seed), "around calls of the slow paths, %zu bytes", size);
        EXPECT(with_fast_path(seed, size) == without(seed), "around the fast path, %zu bytes", size);
    }
    return expect_result();
}
