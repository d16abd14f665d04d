/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * serve.c: see serve.h.  Runs on the room's core, or on the app's where a thread serves itself; with the key, but for
 * what says so.
 */
#include "room/serve.h"

#include "os/os.h"
#include "room/idle.h"
#include "room/large.h"
#include "room/pages.h"
#include "room/slab.h"

/* What may wait for one thread in returned magazines and inboxes, all classes together; more goes to the bitmaps. */
enum {
    MOST_HELD_BYTES = 96 << 10,
    MOST_SIZE_HELD = 1 << 10,   /* few larger blocks would fill it; the bitmaps cost little next to their use */
    MOST_UNCOUNTED = 512 << 10, /* of all threads together, which may be idle for long */
    MOST_AHEAD = 4,             /* magazines for one request, so that the key is soon free again */
};

/* Bytes that may still be put there. */
static int64_t room_for(const struct ng_heap *h) {
    return MOST_HELD_BYTES - (int64_t)(h->given - ng_load(&h->taken, NG_RELAXED));
}

static bool may_hold(const struct ng_heap *h, uint64_t bytes) { return !h->orphaned && (int64_t)bytes <= room_for(h); }

static void to_inbox(struct ng_heap *h, struct ng_magazine *m, uint32_t given) {
    m->given = given;
    ng_inbox_put(&h->inbox[m->cls], &m->next);
}

/* Foreign blocks on their way to one owner.  What all of them change is read once and written once: those lines are also
 * the owner's, who works on another core. */
struct owner {
    struct ng_heap *heap;
    int64_t room; /* bytes that it may still hold */
    int64_t given;
    uint64_t stocked;
};

static struct owner begin_owner(struct ng_heap *h) {
    return (struct owner){.heap = h, .room = h->orphaned ? 0 : room_for(h)};
}

static void end_owner(const struct owner *o) {
    o->heap->given += (uint64_t)o->given;
    ng_idle_note();
    ng_store(&o->heap->stocked, ng_load(&o->heap->stocked, NG_RELAXED) | o->stocked, NG_RELAXED);
}

/* A returned magazine is full: to the inbox if none waits there, else into the bitmaps. */
static void returned_full(struct owner *o, uint32_t cls) {
    struct ng_heap *h = o->heap;
    struct ng_magazine *m = h->returned[cls];
    h->returned[cls] = NULL;
    uint32_t bytes = m->count * ng_classes[cls].size;
    if (ng_inbox_empty(&h->inbox[cls])) {
        to_inbox(h, m, bytes);
        return;
    }
    o->given -= bytes;
    o->room += bytes;
    ng_slab_return(m->block, m->count);
    ng_magazine_drop(m);
}

/* To the owner's returned magazine, without touching a bitmap; false where the owner has enough. */
static bool hold(struct owner *o, uint32_t cls, void *block) {
    struct ng_magazine *m = o->heap->returned[cls];
    const struct ng_class *k = &ng_classes[cls];
    if (k->size > MOST_SIZE_HELD || o->room < k->size || (m == NULL && (m = ng_magazine_get()) == NULL))
        return false;
    o->heap->returned[cls] = m;
    m->cls = (uint16_t)cls;
    m->block[m->count++] = block;
    o->room -= k->size;
    o->given += k->size;
    o->stocked |= (uint64_t)1 << cls;
    if (m->count >= k->most_held)
        returned_full(o, cls);
    return true;
}

/* The blocks from number i on that have one owner, to it; those that it does not take to the magazine's start.  Where the
 * next one's begin. */
static uint32_t sort_run(struct ng_magazine *from, uint32_t i, uint32_t *left) {
    uint32_t word = ng_arena_word(from->block[i]), owner = ng_word_heap(word);
    struct owner o = begin_owner(ng_heap_at(owner));
    while (ng_word_heap(word) == owner) {
        void *block = from->block[i++];
        if (!hold(&o, ng_word_class(word), block))
            from->block[(*left)++] = block;
        if (i == from->count)
            break;
        word = ng_arena_word(from->block[i]);
    }
    end_owner(&o);
    return i;
}

/* Foreign blocks, each to its owner. */
static void sort(struct ng_magazine *from) {
    uint32_t left = 0, i = 0;
    while (i < from->count) {
        uint32_t word = ng_arena_word(from->block[i]);
        if (word == 0)
            ng_fatal("free of an address at which no block starts");
        if (word == NGRT_BIN_LARGE)
            ng_large_put(from->block[i++]);
        else
            i = sort_run(from, i, &left);
    }
    if (left != 0)
        ng_slab_return(from->block, left);
}

void ng_serve_magazine(struct ng_magazine *m) {
    if (m->cls == NG_MIXED)
        sort(m);
    else
        ng_slab_return(m->block, m->count);
    m->count = 0;
}

static struct ng_inbox late;

void ng_late_put(struct ng_magazine *m) { ng_inbox_put(&late, &m->next); }

void ng_late_free(void *block) {
    struct ng_magazine *m = ng_magazine_get();
    if (m == NULL)
        return; /* lost: there is no memory to remember it in */
    m->block[0] = block;
    m->count = 1;
    m->cls = NG_MIXED;
    ng_late_put(m);
}

/* How much of it was counted as given. */
static uint64_t serve_list(struct ng_magazine *m) {
    uint64_t given = 0;
    while (m != NULL) {
        struct ng_magazine *next = ng_magazine_behind(m);
        given += m->given;
        ng_serve_magazine(m);
        ng_magazine_drop(m);
        m = next;
    }
    return given;
}

void ng_serve_list(uint64_t first) { (void)serve_list(ng_magazine_of_next((ng_atomic *)(uintptr_t)first)); }

static uint64_t empty_inbox(struct ng_inbox *in) { return serve_list(ng_magazine_of_next(ng_inbox_take(in))); }

static void empty_inboxes(struct ng_heap *h) {
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        h->given -= empty_inbox(&h->inbox[c]);
}

void ng_serve_held(struct ng_heap *h, uint32_t cls) {
    struct ng_magazine *m = h->returned[cls];
    h->given -= empty_inbox(&h->inbox[cls]);
    if (h->answers[cls] != NULL)
        ng_serve_magazine(h->answers[cls]);
    if (m == NULL)
        return;
    h->given -= (uint64_t)m->count * ng_classes[cls].size;
    h->returned[cls] = NULL;
    ng_serve_magazine(m);
    ng_magazine_drop(m);
}

static ng_atomic uncounted; /* bytes delivered without the key since inboxes were last emptied */

static bool much_uncounted(void) { return ng_load(&uncounted, NG_ACQUIRE) > MOST_UNCOUNTED; }

bool ng_late_waiting(void) { return !ng_inbox_empty(&late) || much_uncounted(); }

void ng_serve_late(void) {
    if (much_uncounted()) {
        ng_store(&uncounted, 0, NG_RELAXED);
        for (uint32_t n = ng_heap_count(); n > 0; n--)
            empty_inboxes(ng_heap_at(n));
    }
    (void)empty_inbox(&late);
}

unsigned ng_serve_refill(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, unsigned want, unsigned slabs) {
    struct ng_magazine *back = h->returned[cls];
    unsigned n = 0;
    if (back != NULL) {
        while (n < want && back->count > 0)
            m->block[n++] = back->block[--back->count];
        h->given -= (uint64_t)n * ng_classes[cls].size;
        if (back->count == 0) {
            h->returned[cls] = NULL;
            ng_magazine_drop(back);
        }
    }
    if (n == 0)
        n = ng_slab_refill(h, cls, m->block, want, slabs);
    m->count = n;
    m->cls = cls;
    return n;
}

bool ng_serve_fresh(struct ng_heap *h, uint32_t cls, struct ng_magazine *m) {
    const struct ng_class *k = &ng_classes[cls];
    bool in_memory;
    uint32_t slab = ng_pages_slab(k->size <= ng_os_page(), &in_memory);
    if (slab == NG_NO_SLAB)
        return false;
    ng_slab_open(slab, h->number, cls);
    char *at = ng_slab_start(slab);
    for (m->count = 0; m->count < k->most_held && m->count < k->blocks; at += k->size)
        m->block[m->count++] = at;
    if (m->count < k->blocks)
        ng_slab_return_rest(at, k->blocks - m->count);
    return true;
}

/* One more magazine into the inbox; how many blocks, 0 where there are none or that would be too much. */
static uint32_t stock_inbox(struct ng_heap *h, uint32_t cls) {
    uint32_t size = ng_classes[cls].size, want = ng_classes[cls].most_held;
    struct ng_magazine *m = may_hold(h, (uint64_t)want * size) ? ng_magazine_get() : NULL;
    if (m == NULL)
        return 0;
    uint32_t n = ng_serve_refill(h, cls, m, want, UINT32_MAX);
    if (n == 0) {
        ng_magazine_drop(m);
    } else {
        h->given += (uint64_t)n * size;
        to_inbox(h, m, n * size);
    }
    return n;
}

/* Magazines for the heap's next misses, if none wait there. */
static void serve_request(struct ng_heap *h, uint32_t cls, uint32_t blocks) {
    if (!ng_inbox_empty(&h->inbox[cls]))
        return;
    for (uint32_t n = 1, magazines = 0; n > 0 && blocks > 0 && magazines < MOST_AHEAD; magazines++) {
        n = stock_inbox(h, cls);
        blocks -= n < blocks ? n : blocks;
    }
}

unsigned ng_serve_ring(struct ng_heap *h, unsigned most) {
    uint64_t word;
    unsigned n = 0;
    ng_serve_late();
    for (; n < most && ng_ring_take(&h->ring, &word); n++) {
        if ((word & NG_WORD_KIND) == NG_WORD_REQUEST) {
            serve_request(h, ng_request_class(word), ng_request_blocks(word));
        } else {
            struct ng_magazine *m = (struct ng_magazine *)(uintptr_t)word;
            ng_serve_magazine(m);
            ng_magazine_drop(m);
        }
    }
    return n;
}

void ng_deliver_without_key(struct ng_heap *h, struct ng_magazine *m) {
    uint32_t bytes = m->count * ng_classes[m->cls].size;
    to_inbox(h, m, 0);
    ng_add(&uncounted, bytes, NG_RELEASE); /* who sees the sum finds the magazine */
}

/* The blocks with this word, moved from the magazines to one of their own at its owner's inbox; false: there is no memory
 * for it. */
static bool deliver_one_kind(struct ng_magazine *from, uint32_t word) {
    struct ng_magazine *to = ng_magazine_get();
    if (to == NULL)
        return false;
    for (struct ng_magazine *m = from; m != NULL; m = ng_magazine_next(m)) {
        uint16_t left = 0;
        for (uint32_t i = 0; i < m->count; i++) {
            void *block = m->block[i];
            if (to->count < NGRT_MAGAZINE_SLOTS && ng_arena_word(block) == word)
                to->block[to->count++] = block;
            else
                m->block[left++] = block;
        }
        m->count = left;
    }
    to->cls = (uint16_t)ng_word_class(word);
    if (to->count != 0)
        ng_deliver_without_key(ng_heap_at(ng_word_heap(word)), to);
    else
        ng_magazine_drop(to); /* the slab was adopted in between */
    return true;
}

void ng_sort_without_key(struct ng_magazine *from) {
    /* A slab may be adopted by another heap meanwhile; then its old owner merely frees the block as foreign later. */
    for (struct ng_magazine *m = from; m != NULL; m = ng_magazine_next(m)) {
        for (uint32_t tries = m->count; m->count > 0 && tries > 0; tries--) {
            uint32_t word = ng_arena_word(m->block[m->count - 1]);
            if (word == 0 || word == NGRT_BIN_LARGE || !deliver_one_kind(m, word))
                break; /* what is left waits for the key */
        }
    }
}
