/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * thread.c: see thread.h.
 *
 * A thread gets its cache at its first miss and gives it up in the destructor of a thread-specific key.  Destructors
 * that run after ours may allocate: then the thread gets a cache again, and the key's destructor another turn; after the
 * last turn (PTHREAD_DESTRUCTOR_ITERATIONS) the cache is given up after each call instead (ng_heap_release).
 */
#include "front/thread.h"

#include "front/cache.h"
#include "os/os.h"
#include "room/options.h"
#include "room/pages.h"
#include "room/room.h"
#include "room/slab.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

_Thread_local struct ngrt_cache ngrt_cache;

static ng_atomic ready; /* 0: no heap yet, 1: one thread makes it, 2: it is there, 3: there is no memory for it */
static ng_atomic all_slow;
static ng_atomic key_made;
static pthread_key_t key;

static void at_thread_end(void *heap);

bool ng_init(void) {
    uint64_t state = ng_load(&ready, NG_ACQUIRE);
    if (state == 0 && ng_cas(&ready, &state, 1, NG_ACQUIRE)) {
        ng_classes_fill();
        bool made = ng_arena_reserve(ng_options.limit);
        ng_store(&key_made, made && pthread_key_create(&key, at_thread_end) == 0, NG_RELAXED);
        ng_store(&ready, made ? 2 : 3, NG_RELEASE);
    }
    while ((state = ng_load(&ready, NG_ACQUIRE)) == 1)
        ng_os_yield();
    return state == 2;
}

static void open_fast_path(struct ng_heap *h) {
    ngrt_cache.base = (uintptr_t)ng_arena.base;
    ngrt_cache.map = ng_arena.map;
    ngrt_cache.tag = ng_heap_tag(h);
    ngrt_cache.slabs = ng_arena.slabs;
}

/* All zero but the heap and the turns: the empty cache. */
static void close_fast_path(void) {
    memset(ngrt_cache.bin, 0, sizeof ngrt_cache.bin);
    ngrt_cache.slabs = 0;
    ngrt_cache.tag = 0;
}

static struct ng_heap *attach(void) {
    if (!ng_init())
        return NULL;
    struct ng_heap *h = ng_heap_get();
    if (h == NULL)
        return NULL;
    h->busy = 0;
    ng_store(&h->threads, 1, NG_RELAXED);
    ngrt_cache.heap = h;
    if (ng_load(&all_slow, NG_RELAXED) != 0) {
        h->bin = h->shadow;
    } else {
        h->bin = ngrt_cache.bin;
        open_fast_path(h);
    }
    /* May allocate itself, which finds the heap attached. */
    if (ng_load(&key_made, NG_RELAXED) != 0)
        pthread_setspecific(key, h);
    return h;
}

struct ng_heap *ng_heap_here(void) {
    struct ng_heap *h = ngrt_cache.heap;
    return h != NULL ? h : attach();
}

static bool any_thread_left(void) {
    for (uint32_t n = 1; n <= ng_heap_count(); n++)
        if (ng_load(&ng_heap_at(n)->threads, NG_RELAXED) != 0)
            return true; /* mostly the first: the main thread's */
    return false;
}

static void detach(struct ng_heap *h) {
    h->busy = 1; /* a signal handler from here on must not use it */
    ng_store(&h->threads, 0, NG_RELAXED);
    ng_cache_put_away(h);
    close_fast_path();
    ngrt_cache.heap = NULL;
    ng_heap_put(h);
    if (!any_thread_left())
        ng_room_dismiss();
}

static void at_thread_end(void *heap) {
    if (ngrt_cache.heap == heap) {
        ngrt_cache.state++;
        ng_room_no_exit(); /* exit does not come here */
        detach(heap);
    }
}

bool ng_thread_ending(void) { return ngrt_cache.state >= PTHREAD_DESTRUCTOR_ITERATIONS; }

void ng_heap_release(void) {
    if (ngrt_cache.heap != NULL)
        detach(ngrt_cache.heap);
}

void ng_thread_all_slow(void) {
    ng_store(&all_slow, 1, NG_RELAXED);
    struct ng_heap *h = ngrt_cache.heap;
    if (h == NULL || h->bin == h->shadow)
        return;
    memcpy(h->shadow, ngrt_cache.bin, sizeof h->shadow);
    h->bin = h->shadow;
    close_fast_path();
}

unsigned ng_thread_count(void) {
    unsigned count = 0;
    for (uint32_t n = ng_heap_count(); n > 0; n--)
        count += ng_load(&ng_heap_at(n)->threads, NG_RELAXED) != 0;
    return count;
}

void ng_thread_only_this_one(void) {
    for (uint32_t n = ng_heap_count(); n > 0; n--) {
        struct ng_heap *h = ng_heap_at(n);
        if (h == ngrt_cache.heap || ng_load(&h->threads, NG_RELAXED) == 0)
            continue;
        /* Its thread may have been anywhere in its own part: what lay there is lost to the child, a bounded amount. */
        ng_store(&h->threads, 0, NG_RELAXED);
        ng_cache_forget(h);
        ng_slab_orphan(h);
        ng_heap_put(h);
    }
}
