/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * atomic.h: the only atomic operations of the runtime, and plain accesses to data that they hand over.
 *
 * Everything in channel/ is written with these, so that the model checker (test/model) can put its own in their place:
 * it enumerates interleavings and stale reads, and reports a plain access that nothing orders.  No locks, any core.
 */
#ifndef NG_CHANNEL_ATOMIC_H
#define NG_CHANNEL_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef NGRT_MODEL
#include NGRT_MODEL
#else

#define NG_RELAXED __ATOMIC_RELAXED
#define NG_ACQUIRE __ATOMIC_ACQUIRE
#define NG_RELEASE __ATOMIC_RELEASE
#define NG_ACQ_REL __ATOMIC_ACQ_REL
#define NG_SEQ_CST __ATOMIC_SEQ_CST

typedef struct {
    uint64_t value;
} ng_atomic;

static inline uint64_t ng_load(const ng_atomic *a, int order) { return __atomic_load_n(&a->value, order); }
static inline void ng_store(ng_atomic *a, uint64_t v, int order) { __atomic_store_n(&a->value, v, order); }
static inline uint64_t ng_swap(ng_atomic *a, uint64_t v, int order) { return __atomic_exchange_n(&a->value, v, order); }
static inline uint64_t ng_add(ng_atomic *a, uint64_t v, int order) { return __atomic_fetch_add(&a->value, v, order); }

/* On failure *seen becomes what stood there (relaxed). */
static inline bool ng_cas(ng_atomic *a, uint64_t *seen, uint64_t v, int order) {
    return __atomic_compare_exchange_n(&a->value, seen, v, false, order, NG_RELAXED);
}

/* A plain word that an atomic operation elsewhere hands over. */
static inline uint64_t ng_data_read(const uint64_t *p) { return *p; }
static inline void ng_data_write(uint64_t *p, uint64_t v) { *p = v; }

/* Orders this thread's earlier stores before its later loads (Dekker's pattern, see park.h). */
static inline void ng_fence(void) {
#if defined(__SANITIZE_THREAD__)
    /* gcc's and clang's TSan do not model fences; a read-modify-write of a private word orders as much for them. */
    static ng_atomic word;
    (void)ng_add(&word, 0, NG_SEQ_CST);
#else
    __atomic_thread_fence(NG_SEQ_CST);
#endif
}

static inline void ng_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

#endif
#endif
