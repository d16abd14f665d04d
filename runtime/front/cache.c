/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cache.c: see cache.h.  On the app's core.
 *
 * One class of one thread, at most cap blocks in all (limit - start is at most half of them, so that a thread that goes
 * back and forth over a boundary does not swap at every step):
 *
 *     bin:    [full part | free slots]     the magazine in use
 *     chain:  [full] -> [full] -> ...      the newest first; the oldest is given away
 *     carve:  addresses of a slab of ours that no magazine has held yet
 *
 * cap starts small and doubles with each refill or overflow, within a budget for the thread; where that is used up, a
 * class that has much gives half of its own.
 */
#include "front/cache.h"

#include "front/fills.h"
#include "front/thread.h"
#include "os/os.h"
#include "room/idle.h"
#include "room/pages.h"
#include "room/pressure.h"
#include "room/room.h"
#include "room/serve.h"
#include "room/slab.h"

#include <string.h>

enum {
    BUDGET_BYTES = 384 << 10, /* rule 4 grants 512 KiB a thread; the rest is what is on its way (serve.c) */
    KEPT_BY_DEAD = 64 << 10,
    MOST_ASIDES = 8,  /* magazines; from here on the thread lets others run to get the key, or does without */
    MOST_WAITING = 8, /* words on the ring; a room that leaves more there is stalled, whatever it says of itself */
    MOST_RESTING = 8, /* heaps without a thread that may keep magazines */
    DEBT_NS = 50000,
    HEAVY = 8,    /* a debt is heavy where it took more than one part in so many of the time */
    SPELLS = 200, /* heavy debts, 10 ms of work in all, before the room is worth starting */
    MUCH_FREE = 1 << 20,
    RING_ALL = 2 * NG_RING_SLOTS,
    MOST_BORROWED = 16, /* blocks */
    LEAST_SLABS = 4,
    STREAK = 8, /* refills */
    MOST_STREAK = 6 * STREAK,
};

/* ---- magazines at hand ---- */

static struct ng_magazine *blank_get(struct ng_heap *h) {
    struct ng_magazine *m = h->blank;
    if (m == NULL)
        return ng_magazine_get();
    h->blank = NULL;
    m->count = 0;
    return m;
}

static void blank_put(struct ng_heap *h, struct ng_magazine *m) {
    if (h->blank == NULL)
        h->blank = m;
    else
        ng_magazine_drop(m);
}

/* How many blocks the magazine in use may hold. */
static uint32_t slots(const struct ng_heap *h, uint32_t cls) {
    uint32_t half = (h->cap[cls] + 1u) / 2u;
    return half < NGRT_MAGAZINE_SLOTS ? half : NGRT_MAGAZINE_SLOTS;
}

/* While a bin is closed, both hit paths miss, and a signal handler's miss finds heap->busy: nobody else changes the
 * magazine meanwhile.  A bin keeps its magazine through refills and overflows (blocks are copied, 15 ns for 254), so that
 * a hit path which a handler interrupted ends in the magazine where it began: it may lose blocks then, but hands none
 * out twice. */
static struct ng_magazine *close_bin(struct ngrt_bin *b) {
    struct ng_magazine *m = ng_magazine_of_bin(b);
    b->limit = m->block;
    b->top = m->block;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return m;
}

static void open_bin(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, uint32_t count) {
    struct ngrt_bin *b = ng_bin(h, cls);
    uint32_t limit = slots(h, cls);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    b->top = m->block + count;
    b->limit = m->block + (count > limit ? count : limit);
}

/* The magazine of a bin that has none yet; false where there is no memory for one. */
static bool give_bin_a_magazine(struct ng_heap *h, uint32_t cls) {
    if (ng_magazine_of_bin(ng_bin(h, cls)) != NULL)
        return true;
    struct ng_magazine *m = blank_get(h);
    if (m == NULL)
        return false;
    open_bin(h, cls, m, 0);
    return true;
}

static uint32_t bin_count(const struct ngrt_bin *b) {
    return (uint32_t)(((uintptr_t)b->top & (NGRT_MAGAZINE_BYTES - 1)) / sizeof(void *));
}

static void set_cap(struct ng_heap *h, uint32_t cls, uint32_t cap) {
    int64_t more = ((int64_t)cap - h->cap[cls]) * ng_classes[cls].size;
    ng_count(&h->cap_bytes, (uint64_t)more);
    h->cap[cls] = (uint16_t)cap;
    if (cap * ng_classes[cls].size > h->largest_cap)
        h->largest_cap = cap * ng_classes[cls].size;
}

/* What is kept of the class from here on: no more than at first. */
static void lower_cap(struct ng_heap *h, uint32_t cls) {
    if (h->cap[cls] > ng_classes[cls].first_cap)
        set_cap(h, cls, ng_classes[cls].first_cap);
}

/* The chain, which is the thread's until it puts it back with chain_end.  The key's holder may have taken it away since
 * the last time (idle.c): then the class may keep little again, as at first. */
static struct ng_magazine *chain_begin(struct ng_heap *h, uint32_t cls) {
    struct ng_magazine *m = ng_magazine_of_next((ng_atomic *)(uintptr_t)ng_chain_begin(&h->chain[cls]));
    if (m == NULL && h->chained[cls] != 0) {
        h->chained[cls] = 0;
        lower_cap(h, cls);
    }
    return m;
}

static void chain_end(struct ng_heap *h, uint32_t cls, struct ng_magazine *first) {
    ng_count(&h->turns, 1);
    ng_chain_end(&h->chain[cls], first == NULL ? 0 : (uint64_t)(uintptr_t)&first->next);
}

static void chain_push(struct ng_heap *h, uint32_t cls, struct ng_magazine *m) {
    ng_magazine_put_before(m, chain_begin(h, cls));
    h->chained[cls] += m->count;
    chain_end(h, cls, m);
}

static struct ng_magazine *chain_pop(struct ng_heap *h, uint32_t cls) {
    struct ng_magazine *m = chain_begin(h, cls);
    if (m != NULL) {
        h->chained[cls] -= m->count;
        chain_end(h, cls, ng_magazine_behind(m));
    }
    return m;
}

/* The oldest, or whichever is at hand where the chain is far longer than it may be: much came at once (take_inbox). */
static struct ng_magazine *chain_pop_oldest(struct ng_heap *h, uint32_t cls) {
    if (h->chained[cls] > 8 * NGRT_MAGAZINE_SLOTS)
        return chain_pop(h, cls);
    struct ng_magazine *first = chain_begin(h, cls), *m = first, *before = NULL, *next;
    if (m == NULL)
        return NULL;
    while ((next = ng_magazine_behind(m)) != NULL) {
        before = m;
        m = next;
    }
    if (before == NULL)
        first = NULL;
    else
        ng_magazine_put_before(before, NULL);
    h->chained[cls] -= m->count;
    chain_end(h, cls, first);
    return m;
}

size_t ng_cache_holds(const struct ng_heap *h, uint32_t cls) {
    return bin_count(&h->bin[cls]) + (ng_chain_empty(&h->chain[cls]) ? 0 : h->chained[cls]);
}

/* ---- debt: when the thread does much of the room's work itself, wake the room ---- */

static void settle(struct ng_heap *h) {
    uint64_t now = ng_os_now();
    bool heavy = now - h->debt_since < HEAVY * h->debt;
    h->debt = 0;
    h->debt_since = now;
    if (heavy) {
        ng_room_wake();
        ng_room_consider(++h->busy_spells >= SPELLS);
    }
    ng_room_note_dirty();
    if (!ng_room_present())
        (void)ng_pages_tick(now);
}

static void owe(struct ng_heap *h, uint64_t ns) {
    h->debt += ns;
    if (h->debt >= DEBT_NS)
        settle(h);
}

/* ---- giving magazines away ---- */

/* With the key: what could not be given away before, and what waits on the own ring. */
static void serve_own_backlog(struct ng_heap *h) {
    ng_serve_ring(h, RING_ALL);
    for (struct ng_magazine *m; (m = h->aside) != NULL;) {
        h->aside = ng_magazine_next(m);
        h->asides--;
        ng_serve_magazine(m);
        ng_magazine_drop(m);
    }
}

static void aside_keep(struct ng_heap *h, struct ng_magazine *m) {
    ng_magazine_link(m, h->aside);
    h->aside = m;
    h->asides++;
}

/* Straight into the inboxes of those who own the blocks, oneself included. */
static void deliver_asides(struct ng_heap *h) {
    struct ng_magazine *mixed = NULL, *next;
    for (struct ng_magazine *m = h->aside; m != NULL; m = next) {
        next = ng_magazine_next(m);
        if (m->cls == NG_MIXED) {
            ng_magazine_link(m, mixed);
            mixed = m;
        } else {
            ng_deliver_without_key(h, m);
        }
    }
    h->aside = NULL;
    h->asides = 0;
    ng_sort_without_key(mixed);
    for (; mixed != NULL; mixed = next) {
        next = ng_magazine_next(mixed);
        if (mixed->count == 0)
            blank_put(h, mixed);
        else
            aside_keep(h, mixed);
    }
    if (ng_late_waiting())
        ng_room_wake();
}

/* Neither ring nor key: put it aside.  With many there, whoever has the key was probably preempted: let it run. */
static void aside_put(struct ng_heap *h, struct ng_magazine *m) {
    aside_keep(h, m);
    if (h->asides < MOST_ASIDES)
        return;
    if (ng_key_insist(&ng_key)) {
        serve_own_backlog(h);
        ng_key_leave(&ng_key);
    } else {
        deliver_asides(h);
    }
}

static bool to_ring(struct ng_heap *h, struct ng_magazine *m) {
    return ng_ring_length(&h->ring) < MOST_WAITING && ng_ring_put(&h->ring, (uint64_t)(uintptr_t)m | NG_WORD_MAGAZINE);
}

/* A magazine with count and cls set: to the room if it is at work, else by the thread itself, else later. */
static void hand_back(struct ng_heap *h, struct ng_magazine *m) {
    if (ng_room_awake() && to_ring(h, m))
        return;
    if (ng_key_enter(&ng_key)) {
        uint64_t ns = 300 + 4ull * m->count;
        serve_own_backlog(h);
        ng_serve_magazine(m);
        ng_key_leave(&ng_key);
        blank_put(h, m);
        owe(h, ns);
    } else if (!to_ring(h, m)) {
        aside_put(h, m);
    }
}

static void hand_back_outgoing(struct ng_heap *h) {
    struct ng_magazine *m = h->outgoing;
    h->outgoing = NULL;
    h->outgoing_bytes = 0;
    if (m == NULL)
        return;
    m->cls = NG_MIXED;
    hand_back(h, m);
}

bool ng_cache_send(struct ng_heap *h, void *block, uint32_t bytes) {
    struct ng_magazine *m = h->outgoing;
    if (m == NULL && (m = h->outgoing = blank_get(h)) == NULL)
        return false;
    m->block[m->count++] = block;
    h->outgoing_bytes += bytes;
    if (m->count == NGRT_MAGAZINE_SLOTS || h->outgoing_bytes >= NG_OUTGOING_BYTES)
        hand_back_outgoing(h);
    return true;
}

/* ---- capacity ---- */

/* Of the heap's size a thirty-second for all threads together. */
static size_t budget(void) {
    if (ng_pressure_short())
        return BUDGET_BYTES / 4;
    return BUDGET_BYTES + (ng_arena_in_use() << NGRT_SLAB_SHIFT) / 32 / ng_heap_count();
}

/* What the thread may have in any case is below every budget: most misses of a small program look no further. */
static bool within_budget(size_t bytes) { return bytes <= BUDGET_BYTES / 4 || bytes <= budget(); }

/* Halves the capacity of one class that has more bytes than `bytes`, and gives its chain away; false: there is none. */
static bool shrink_another(struct ng_heap *h, uint32_t bytes) {
    if (h->largest_cap <= bytes)
        return false;
    for (unsigned i = 0; i < NGRT_CLASSES; i++) {
        uint32_t v = h->victim = (h->victim + 1) % NGRT_CLASSES;
        if (h->cap[v] < 2 || h->cap[v] * ng_classes[v].size <= bytes)
            continue;
        set_cap(h, v, h->cap[v] / 2u);
        for (struct ng_magazine *m; h->chained[v] > h->cap[v] / 2u && (m = chain_pop_oldest(h, v)) != NULL;)
            hand_back(h, m);
        struct ngrt_bin *b = ng_bin(h, v);
        struct ng_magazine *m = ng_magazine_of_bin(b);
        if (m != NULL && bin_count(b) <= slots(h, v))
            b->limit = m->block + slots(h, v);
        return true;
    }
    h->largest_cap = bytes;
    return false;
}

static void grow(struct ng_heap *h, uint32_t cls) {
    const struct ng_class *k = &ng_classes[cls];
    uint32_t cap = h->cap[cls], more = cap == 0 ? k->first_cap : 2 * cap;
    if (cap == k->most_cap)
        return;
    if (more > k->most_cap)
        more = k->most_cap;
    size_t bytes = (size_t)(more - cap) * k->size;
    if (cap != 0 && !within_budget(ng_load(&h->cap_bytes, NG_RELAXED) + bytes) && !shrink_another(h, 2 * cap * k->size))
        return;
    if (cap == 0 || within_budget(ng_load(&h->cap_bytes, NG_RELAXED) + bytes)) {
        set_cap(h, cls, more);
        ng_idle_note();
    }
}

/* ---- free: the bin is full ---- */

bool ng_cache_make_room(struct ng_heap *h, uint32_t cls) {
    struct ngrt_bin *b = ng_bin(h, cls);
    uint32_t count = bin_count(b);
    h->streak[cls] = 0;
    if (count == 0 || h->cap[cls] < 2 || h->chained[cls] + 2 * count > h->cap[cls])
        grow(h, cls);
    if (!give_bin_a_magazine(h, cls))
        return false;
    if (count < slots(h, cls)) {
        b->limit = ng_magazine_of_bin(b)->block + slots(h, cls);
        return true;
    }
    struct ng_magazine *m = blank_get(h);
    if (m == NULL)
        return false;
    struct ng_magazine *in_use = close_bin(b);
    memcpy(m->block, in_use->block, count * sizeof *m->block);
    m->count = (uint16_t)count;
    m->cls = (uint16_t)cls;
    chain_push(h, cls, m);
    open_bin(h, cls, in_use, 0);
    if (!within_budget(ng_load(&h->cap_bytes, NG_RELAXED)))
        (void)shrink_another(h, 0); /* the heap has shrunk */
    while (h->chained[cls] + slots(h, cls) > h->cap[cls] && (m = chain_pop_oldest(h, cls)) != NULL)
        hand_back(h, m);
    return true;
}

/* ---- allocation: the bin is empty ---- */

/* The blocks of m into the bin, which is empty and has a magazine. */
static void use_magazine(struct ng_heap *h, uint32_t cls, struct ng_magazine *m) {
    struct ng_magazine *in_use = close_bin(ng_bin(h, cls));
    memcpy(in_use->block, m->block, m->count * sizeof *m->block);
    open_bin(h, cls, in_use, m->count);
    blank_put(h, m);
}

/* What the room or another thread had ready; the request for as much again is on its way while this is used. */
static bool take_inbox(struct ng_heap *h, uint32_t cls) {
    struct ng_magazine *m = ng_magazine_of_next(ng_inbox_take(&h->inbox[cls]));
    if (m == NULL)
        return false;
    struct ng_magazine *rest = ng_magazine_behind(m);
    uint64_t given = m->given;
    size_t blocks = m->count;
    use_magazine(h, cls, m);
    while (rest != NULL) {
        struct ng_magazine *next = ng_magazine_behind(rest);
        given += rest->given;
        blocks += rest->count;
        chain_push(h, cls, rest);
        rest = next;
    }
    ng_count(&h->taken, given);
    ng_count(&h->counts.inbox_magazines, 1);
    if (ng_room_awake())
        (void)ng_ring_put(&h->ring, ng_request_word(cls, blocks));
    return true;
}

/* A slab for the class to carve: a free one, else a fresh one. */
static bool open_slab(struct ng_heap *h, uint32_t cls) {
    bool fills = ng_fills(h, cls), in_memory;
    uint32_t slab = ng_pages_slab(fills, &in_memory);
    if (slab == NG_NO_SLAB)
        return false;
    ng_fills_open(h, cls, slab, fills, in_memory);
    ng_slab_open(slab, h->number, cls);
    h->carve[cls] = ng_slab_start(slab);
    h->carve_left[cls] = ng_classes[cls].blocks;
    ng_count(&h->counts.fresh_slabs, 1);
    h->carve_in_memory = (h->carve_in_memory & ~((uint64_t)1 << cls)) | (uint64_t)in_memory << cls;
    ng_room_consider(false);
    return true;
}

/* Addresses of the carve range into m, the lowest to be handed out first: touches neither the heap nor its metadata.  Four
 * at a time take fewer instructions: a program that grows does this itself while no room is at work. */
static void carve(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, uint32_t want) {
    typedef uintptr_t four __attribute__((vector_size(32)));
    uintptr_t size = ng_classes[cls].size;
    uint32_t n = h->carve_left[cls] < want ? h->carve_left[cls] : want, left = n;
    uintptr_t at = (uintptr_t)h->carve[cls];
    four next = {at + 3 * size, at + 2 * size, at + size, at};
    for (; left >= 4; left -= 4, next += 4 * size)
        memcpy(&m->block[left - 4], &next, sizeof next);
    at = next[3];
    for (; left > 0; left--, at += size)
        m->block[left - 1] = (void *)at;
    h->carve[cls] = (char *)at;
    h->carve_left[cls] -= n;
    m->count = (uint16_t)n;
}

/* The bin's blocks to the chain, the bin without a magazine. */
static void unload_bin(struct ng_heap *h, uint32_t cls) {
    struct ngrt_bin *b = ng_bin(h, cls);
    uint32_t count = bin_count(b);
    if (ng_magazine_of_bin(b) == NULL)
        return;
    struct ng_magazine *m = close_bin(b);
    b->limit = b->top = NULL;
    m->count = (uint16_t)count;
    m->cls = (uint16_t)cls;
    if (m->count != 0)
        chain_push(h, cls, m);
    else
        blank_put(h, m);
}

/* What the bin, the chain and the inbox of a class hold, back to the bitmaps.  With the key. */
static void return_class(struct ng_heap *h, uint32_t cls) {
    uint64_t given = 0;
    unload_bin(h, cls);
    for (struct ng_magazine *m = ng_magazine_of_next(ng_inbox_take(&h->inbox[cls])), *next; m != NULL; m = next) {
        next = ng_magazine_behind(m);
        given += m->given;
        chain_push(h, cls, m);
    }
    ng_count(&h->taken, given);
    for (struct ng_magazine *m; (m = chain_pop(h, cls)) != NULL;) {
        ng_serve_magazine(m);
        ng_magazine_drop(m);
    }
}

/* Few blocks in magazines, spread over many slabs, keep all of those from being empty.  Before the heap grows although
 * a sixteenth of it is free in bitmaps, what the other classes hold goes back; again after a sixteenth of growth.  With the
 * key. */
static void empty_idle_classes(struct ng_heap *h, uint32_t cls) {
    size_t now = ng_arena_in_use(), step = now / 16 + 4;
    if (ng_slab_free_bytes() < (now << NGRT_SLAB_SHIFT) / 16 ||
        (now < h->emptied_at + step && now + step > h->emptied_at))
        return;
    h->emptied_at = (uint32_t)now;
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        if (c != cls)
            return_class(h, c);
    }
}

/* Whether whoever holds the key could help: free blocks, a backlog of ours, much that is free in other classes. */
static bool key_could_help(struct ng_heap *h, uint32_t cls) {
    return (ng_load(&h->stocked, NG_RELAXED) >> cls & 1) != 0 || ng_slab_orphans(cls) || h->aside != NULL ||
           (h->carve_left[cls] == 0 && (ng_ring_waiting(&h->ring) || ng_slab_free_bytes() >= MUCH_FREE));
}

/* A slab of an old heap has few free blocks and lines in nobody's cache: where the thread frees about as much as it
 * takes, a few slabs are enough, and the rest of a full magazine would go back unused.  Where it only takes: ever more. */
static unsigned slabs_for_refill(struct ng_heap *h, uint32_t cls) {
    unsigned slabs = LEAST_SLABS << h->streak[cls] / STREAK;
    if (h->streak[cls] < MOST_STREAK)
        h->streak[cls]++;
    return slabs;
}

/* A class that could lend to this one: of blocks so much larger that half of one is still used, aligned as well. */
static bool may_lend(uint32_t lender, uint32_t cls) {
    uint32_t size = ng_classes[cls].size, align = size & -size;
    return 2 * ng_classes[lender].size <= 3 * size && ng_classes[lender].size % align == 0;
}

/* In an old heap whose sizes have changed much is free in other classes.  Where that is an eighth of it, blocks of the next
 * larger classes are taken before the heap grows: a third of each at most is lost, of a hole that nobody takes all is. */
static unsigned borrow(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, uint32_t want) {
    unsigned n = 0;
    if (ng_slab_free_bytes() < (ng_arena_in_use() << NGRT_SLAB_SHIFT) / 8)
        return 0;
    for (uint32_t c = cls + 1; n == 0 && c < NGRT_CLASSES; c++)
        if (may_lend(c, cls) && (ng_load(&h->stocked, NG_RELAXED) >> c & 1) != 0)
            n = ng_slab_refill(h, c, m->block, want, slabs_for_refill(h, cls));
    m->count = (uint16_t)n;
    return n;
}

static bool serve_by_key(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, uint32_t want) {
    /* One more slab is worth a few turns of waiting; what is left to carve is not. */
    if (!key_could_help(h, cls) || !(h->carve_left[cls] == 0 ? ng_key_insist(&ng_key) : ng_key_enter(&ng_key)))
        return false;
    serve_own_backlog(h);
    unsigned n = ng_serve_refill(h, cls, m, want, slabs_for_refill(h, cls));
    if (n == 0 && h->carve_left[cls] == 0 && (n = borrow(h, cls, m, want)) == 0)
        empty_idle_classes(h, cls);
    ng_key_leave(&ng_key);
    owe(h, 300 + 3ull * n);
    return n != 0;
}

static bool serve_by_carving(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, uint32_t want) {
    if (h->carve_left[cls] == 0 && !open_slab(h, cls))
        return false;
    const char *from = h->carve[cls];
    carve(h, cls, m, want);
    ng_fills_carve(h, cls, from, h->carve[cls]);
    owe(h, 100 + m->count);
    return true;
}

/* ready: without the room's work, metadata or page faults, being left to the thread. */
static void count_request(struct ng_heap *h, uint32_t cls, bool ready) {
    uint64_t bit = (uint64_t)1 << cls;
    if (h->requested & bit) {
        h->requested &= ~bit;
        ng_count(&h->counts.fulfilled, ready);
    }
}

bool ng_cache_refill(struct ng_heap *h, uint32_t cls) {
    if (h->cap[cls] == 0)
        grow(h, cls);
    if (!give_bin_a_magazine(h, cls))
        return false;
    struct ng_magazine *m = chain_pop(h, cls);
    if (m != NULL) {
        use_magazine(h, cls, m);
        return true;
    }
    ng_count(&h->counts.misses, 1);
    grow(h, cls);
    if (take_inbox(h, cls)) {
        count_request(h, cls, true);
        return true;
    }
    struct ng_magazine *in_use = close_bin(ng_bin(h, cls));
    bool by_key = serve_by_key(h, cls, in_use, slots(h, cls));
    bool served = by_key || serve_by_carving(h, cls, in_use, slots(h, cls));
    count_request(h, cls, served && !by_key && (h->carve_in_memory >> cls & 1) != 0);
    open_bin(h, cls, in_use, served ? in_use->count : 0);
    return served;
}

/* A class's first block costs a page of its slab and half a page for its magazine, more time than all else in a program
 * that allocates little; so the first few come from a class that has both.  Only where realloc would keep the block for
 * each size of the class, and with every alignment that the class has. */
uint32_t ng_cache_lender(struct ng_heap *h, uint32_t cls) {
    uint32_t size = ng_classes[cls].size;
    if (h->cap[cls] != 0 || cls == 0 || h->borrowed[cls] == MOST_BORROWED || (h->requested >> cls & 1) != 0)
        return cls;
    uint32_t most = 2 * (ng_classes[cls - 1].size + 1), align = size & -size;
    for (uint32_t c = cls + 1; c < NGRT_CLASSES && ng_classes[c].size <= most; c++) {
        if (h->cap[c] != 0 && ng_classes[c].size % align == 0) {
            h->borrowed[cls]++;
            return c;
        }
    }
    return cls;
}

/* ---- giving everything up ---- */

static void return_carve(struct ng_heap *h, uint32_t cls) {
    if (h->carve_left[cls] > 0)
        ng_slab_return_rest(h->carve[cls], h->carve_left[cls]);
    h->carve_left[cls] = 0;
}

void ng_cache_flush(struct ng_heap *h) {
    serve_own_backlog(h);
    if (h->outgoing != NULL) {
        h->outgoing->cls = NG_MIXED;
        ng_serve_magazine(h->outgoing);
        h->outgoing_bytes = 0;
    }
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        return_class(h, c);
        ng_serve_held(h, c);
        return_carve(h, c);
    }
}

static size_t held_bytes(const struct ng_heap *h) {
    size_t bytes = 0;
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        bytes += (size_t)h->chained[c] * ng_classes[c].size;
    return bytes;
}

/* The largest blocks go back first: few of them are much memory, and many small ones are what the next thread needs.  With
 * the key. */
static void flush_to(struct ng_heap *h, size_t bytes) {
    size_t held = held_bytes(h);
    for (uint32_t c = NGRT_CLASSES; c-- > 0 && held > bytes;) {
        held -= (size_t)h->chained[c] * ng_classes[c].size;
        return_class(h, c);
        lower_cap(h, c); /* or the next thread, if it lives as shortly, would fetch and return ever more */
    }
}

/* With the key. */
static void flush_all(struct ng_heap *h) {
    ng_cache_flush(h);
    ng_slab_orphan(h);
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        lower_cap(h, c);
}

void ng_cache_put_away(struct ng_heap *h) {
    hand_back_outgoing(h);
    memset(h->owed, 0, sizeof h->owed);
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        unload_bin(h, c);
    for (struct ng_magazine *m; (m = h->aside) != NULL; ng_late_put(m)) {
        h->aside = ng_magazine_next(m);
        h->asides--;
    }
    if (ng_late_waiting())
        ng_room_wake();
    bool rests = ng_heap_waiting() < MOST_RESTING;
    if (rests && held_bytes(h) <= KEPT_BY_DEAD)
        return;
    /* Slabs of a heap at rest serve nobody else: not where much of the memory may be free in them. */
    rests = rests && ng_slab_free_bytes() < MUCH_FREE;
    /* With many dying at once the key may be busy for a while: a few turns, then the next owner of the heap has it. */
    for (unsigned turn = 0; turn < 64; turn++) {
        if (ng_key_enter(&ng_key)) {
            if (rests)
                flush_to(h, KEPT_BY_DEAD / 2);
            else
                flush_all(h);
            ng_key_leave(&ng_key);
            ng_room_note_dirty();
            return;
        }
        ng_os_yield();
    }
}

void ng_cache_forget(struct ng_heap *h) {
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        ng_chain_end(&h->chain[c], 0);
    ng_store(&h->mailbox.word, 0, NG_RELAXED);
    memset(h->chained, 0, sizeof h->chained);
    memset(h->carve, 0, sizeof h->carve);
    memset(h->carve_left, 0, sizeof h->carve_left);
    memset(h->shadow, 0, sizeof h->shadow);
    h->blank = h->outgoing = h->aside = NULL;
    h->asides = h->outgoing_bytes = 0;
    ng_serve_ring(h, RING_ALL);
}
