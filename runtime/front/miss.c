/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * miss.c: what happens when the fast path misses.  On the app's core; no lock held on entry.
 *
 * A signal handler may interrupt a miss and allocate: heap->busy tells it, and it is served without the heap, by a slab
 * of its own or through an inbox.  (Between two instructions of the fast path itself there is no such mark: like every
 * malloc's, it is not async-signal-safe there.)
 */
#include "front/alloc.h"

#include "front/cache.h"
#include "front/foreign.h"
#include "front/thread.h"
#include "os/os.h"
#include "room/claim.h"
#include "room/handshake.h"
#include "room/idle.h"
#include "room/large.h"
#include "room/pages.h"
#include "room/serve.h"
#include "room/slab.h"
#include "room/sparse.h"

#include <errno.h>
#include <string.h>

/* The compiler must keep the mark around what it marks; the processor keeps its own order for its own handler. */
static void enter(struct ng_heap *h) {
    h->busy = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void leave(struct ng_heap *h) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    h->busy = 0;
    if (__builtin_expect(ng_thread_ending(), 0))
        ng_heap_release();
}

static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

/* ---- allocation ---- */

enum { RECLAIM_NAPS = 200, RECLAIM_NAP_NS = 500000 };

/* All caches back, so that empty slabs turn up: before anybody is told that there is no memory. */
static void reclaim(struct ng_heap *h) {
    int saved = errno;
    ng_arena_claim();
    /* NULL may be the program's end, so it is worth waiting even for a holder of the key that was preempted. */
    uint64_t nobody = 0;
    bool entered = false;
    for (unsigned nap = 0; nap < RECLAIM_NAPS && !(entered = ng_key_enter(&ng_key)); nap++)
        ng_os_sleep(&nobody, 0, RECLAIM_NAP_NS);
    errno = saved;
    if (!entered)
        return;
    if (h != NULL)
        ng_cache_flush(h);
    for (uint32_t n = ng_heap_count(); n > 0; n--)
        ng_serve_ring(ng_heap_at(n), 2 * NG_RING_SLOTS);
    ng_key_leave(&ng_key);
    ng_idle_tick(true);
}

static void *get_large(size_t size, size_t align, bool zero) {
    struct ng_heap *h = ng_heap_here();
    if (size > PTRDIFF_MAX || align > PTRDIFF_MAX / 2 || !ng_init())
        return no_memory();
    void *p = ng_large_get(size, align, zero);
    if (p == NULL && h != NULL && !h->busy) {
        enter(h);
        reclaim(h);
        leave(h);
        p = ng_large_get(size, align, zero);
    }
    if (p == NULL)
        return no_memory();
    if (h != NULL)
        ng_count(&h->counts.large, 1);
    ng_room_consider(false);
    return p;
}

static void count_ready(struct ng_heap *h, uint32_t cls, bool ready) {
    ng_count(ready ? &h->counts.ready : ng_room_awake() ? &h->counts.late : &h->counts.self, 1);
    if (h->owed[cls] == 0)
        return;
    h->owed[cls]--;
    ng_count(&h->counts.asked_used, 1);
    ng_count(&h->counts.asked_ready, ready);
}

static void *take(struct ng_heap *h, uint32_t cls) {
    struct ngrt_bin *b = ng_bin(h, cls);
    ng_count(&h->counts.allocations, 1);
    if (((uintptr_t)b->top & (NGRT_MAGAZINE_BYTES - 1)) != 0) {
        count_ready(h, cls, true);
        return *--b->top;
    }
    void *answer = ng_handshake_mode() ? ng_handshake_take(h, cls) : NULL;
    if (answer != NULL) {
        ng_count(&h->counts.handshakes, 1);
        return answer;
    }
    uint64_t from_inbox = ng_load(&h->counts.inbox_magazines, NG_RELAXED);
    uint64_t misses = ng_load(&h->counts.misses, NG_RELAXED);
    if (!ng_cache_refill(h, cls)) {
        reclaim(h);
        if (!ng_cache_refill(h, cls))
            return NULL;
    }
    bool ready = ng_load(&h->counts.misses, NG_RELAXED) == misses ||
                 ng_load(&h->counts.inbox_magazines, NG_RELAXED) != from_inbox;
    count_ready(h, cls, ready);
    return *--b->top;
}

void *ng_malloc_miss(size_t size) {
    if (size > NGRT_SMALL_MAX)
        return get_large(size, 1, false);
    int saved = errno;
    struct ng_heap *h = ng_heap_here();
    if (h == NULL || h->busy)
        return get_large(size, 1, false);
    enter(h);
    uint32_t cls = ngrt_class_of(size + (size == 0)), lender = ng_cache_lender(h, cls);
    void *p = take(h, lender);
    if (p == NULL && lender != cls)
        p = take(h, cls);
    leave(h);
    if (p == NULL)
        return no_memory();
    errno = saved;
    return p;
}

void *ng_malloc(size_t size) {
    void *p = ngrt_take_any(&ngrt_cache, size);
    return p != NULL ? p : ng_malloc_miss(size);
}

void *ng_calloc(size_t bytes) {
    if (bytes > NGRT_SMALL_MAX)
        return get_large(bytes, 1, true);
    void *p = ng_malloc(bytes);
    return p == NULL ? NULL : memset(p, 0, bytes);
}

void *ng_aligned(size_t align, size_t size) {
    size_t block = ngrt_size_for_alignment(size, align);
    return block <= NGRT_SMALL_MAX ? ng_malloc(block) : get_large(size, align, false);
}

/* ---- free ---- */

static void free_large(void *p) {
    ng_large_put(p);
    ng_room_note_dirty();
}

static void free_small(struct ng_heap *h, void *p, uint32_t word) {
    uint32_t cls = ng_word_class(word);
    ng_count(&h->counts.frees, 1);
    if (ng_handshake_mode() && ng_handshake_give(h, p)) {
        ng_count(&h->counts.handshakes, 1);
        return;
    }
    if (ng_word_heap(word) != h->number) {
        ng_count(&h->counts.foreign, 1);
        if (!ng_cache_send(h, p, ng_classes[cls].size))
            ng_late_free(p);
        return;
    }
    struct ngrt_bin *b = ng_bin(h, cls);
    if (b->top == b->limit && !ng_cache_make_room(h, cls))
        return; /* no magazine to be had: lost, the heap is whole */
    *b->top++ = p;
}

static __attribute__((noinline)) void free_any(void *p) {
    if (p == NULL)
        return;
    if (!ng_arena_holds(p)) {
        ng_foreign_free(p);
        return;
    }
    int saved = errno;
    uint32_t word = ng_arena_word(p);
    struct ng_heap *h = ng_heap_here();
    if (word == 0)
        ng_fatal("free of an address at which no block starts");
    if (word == NGRT_BIN_LARGE) {
        free_large(p);
    } else if (h == NULL || h->busy) {
        ng_late_free(p);
    } else {
        enter(h);
        free_small(h, p, word);
        leave(h);
    }
    errno = saved;
}

/* A block of another thread's slab while nothing stands in the way.  Such frees come in streams (pipelines, sessions that
 * move), so this way is short: no system call is near, so there is no errno to keep, and a thread that has a cache before
 * the call is not ending. */
static inline bool free_foreign(struct ng_heap *h, void *p) {
    uint32_t word = ngrt_word_of(&ngrt_cache, p), owner = ng_word_heap(word);
    if (h == NULL || h->busy || owner == 0 || owner == h->number)
        return false;
    enter(h);
    bool sent = ng_cache_append(h, p, ng_word_class(word));
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    h->busy = 0;
    return sent;
}

void ng_free_miss(void *p) {
    if (!free_foreign(ng_heap_if_any(), p))
        free_any(p);
}

void ng_free(void *p) {
    if (!ngrt_give(&ngrt_cache, p))
        ng_free_miss(p);
}

/* ---- sizes ---- */

size_t ng_usable(const void *p) {
    uint32_t word = ng_arena_word(p);
    if (word == NGRT_BIN_LARGE)
        return ng_large_usable(p);
    if (word == 0)
        ng_fatal("size asked of an address at which no block starts");
    return ng_classes[ng_word_class(word)].size;
}

void *ng_realloc(void *p, size_t size) {
    size_t usable = ng_usable(p);
    bool large = usable > NGRT_SMALL_MAX || ng_arena_word(p) == NGRT_BIN_LARGE;
    if (!large && ng_realloc_keeps(usable, size))
        return p;
    if (large && size > NGRT_SMALL_MAX) {
        if (size > PTRDIFF_MAX)
            return no_memory();
        void *q = ng_large_resize(p, size);
        if (q != NULL)
            return q;
    }
    void *q = size > usable && size > NGRT_SMALL_MAX ? ng_large_grown(size) : NULL;
    if (q == NULL)
        q = ng_malloc(size);
    if (q == NULL)
        return size <= usable ? p : NULL;
    memcpy(q, p, size < usable ? size : usable);
    ng_free(p);
    return q;
}

/* ---- ahead and back ---- */

/* To wake the room costs a system call, more than to refill a few magazines oneself. */
enum { WAKING_BLOCKS = 1000 };

void ng_request(uint32_t bin, size_t blocks) {
    struct ng_heap *h = ng_heap_if_any();
    uint32_t cls = bin / (uint32_t)sizeof(struct ngrt_bin);
    if (h == NULL || h->busy)
        return;
    if (bin == NGRT_BIN_LARGE || bin == NGRT_BIN_GROWS)
        ng_claim_request(blocks, bin == NGRT_BIN_GROWS);
    if (cls >= NGRT_CLASSES)
        return;
    h->owed[cls] += blocks;
    ng_count(&h->counts.asked, blocks);
    if (ng_cache_holds(h, cls) >= blocks)
        return;
    ng_count(&h->counts.requests, 1);
    h->requested |= (uint64_t)1 << cls;
    bool worth_waking = blocks >= WAKING_BLOCKS && ng_room_present();
    if ((ng_room_awake() || worth_waking) && ng_ring_put(&h->ring, ng_request_word(cls, blocks)) && worth_waking)
        ng_room_wake();
}

bool ng_trim(size_t keep) {
    (void)keep; /* glibc's measures its main heap's end, which has no counterpart here */
    struct ng_heap *h = ng_heap_here();
    if (h == NULL || h->busy)
        return false;
    enter(h);
    reclaim(h);
    bool some = ng_arena_purge(true);
    some |= ng_sparse_purge_all();
    leave(h);
    return some;
}
