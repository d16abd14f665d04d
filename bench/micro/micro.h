/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * micro.h: what every micro benchmark is made of.  A benchmark is a function that does n operations and leaves nothing
 * allocated; micro.c times it.  One operation is one allocation with its free, unless the benchmark's head says else.
 */
#ifndef NGRT_BENCH_MICRO_H
#define NGRT_BENCH_MICRO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct micro {
    const char *name;
    void (*run)(size_t n);
    size_t n; /* operations a round that take about 10 ms: short, so that some rounds meet a quiet machine */
    const char *what;
};

extern const struct micro micro_pairs[], micro_lifetimes[], micro_threads[], micro_operators[];

/* The compiler must believe that somebody else has seen the block, so that it keeps the allocation and its free.  No
 * instruction comes of it, and memory is not clobbered: that would make inlined code load again what it just stored. */
static inline void *escape(void *block) {
    __asm__ volatile("" : "+r"(block));
    return block;
}

/* Stops the run where an allocation failed: out of line, so that the check costs one predicted branch everywhere. */
__attribute__((noreturn, cold)) void micro_out_of_memory(void);

static inline void *checked(void *block) {
    if (__builtin_expect(!block, 0))
        micro_out_of_memory();
    return escape(block);
}

/* xorshift: cheap next to an allocation, the same sequence with every allocator. */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

#ifdef __cplusplus
}
#endif
#endif
