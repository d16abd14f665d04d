/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * slab.c: see slab.h.  Runs on whichever core serves, with the key.
 *
 * Lists.  A slab with something free is in one list: of its owner, by class and rank, or of the orphans, by class.
 * `listed` says in which kind, since an owner may turn orphan and back while the slab stays where it is.
 */
#include "room/slab.h"

#include "os/os.h"
#include "room/sparse.h"

#include <string.h>

enum { UNLISTED, LISTED, LISTED_ORPHAN };
enum { BITS_AHEAD = 6, INFO_AHEAD = 6 }; /* blocks */

struct ng_class ng_classes[NGRT_CLASSES];

static uint32_t orphan[NGRT_CLASSES]; /* first slab of each list */
static ng_atomic orphan_classes;      /* a bit a class: the list is not empty */
static uint64_t *spare_bits[NGRT_CLASSES];
static ng_atomic free_bytes;

static uint32_t clamp(uint32_t n, uint32_t least, uint32_t most) { return n < least ? least : n > most ? most : n; }

/* Newton's method: each step doubles the bits that are right, of which the number itself has three. */
static uint64_t inverse_of_odd(uint64_t odd) {
    uint64_t inverse = odd;
    for (int bits = 3; bits < 64; bits *= 2)
        inverse *= 2 - odd * inverse;
    return inverse;
}

void ng_classes_fill(void) {
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        uint32_t size = ngrt_class_size(c);
        struct ng_class *k = &ng_classes[c];
        k->size = size;
        k->inverse = (uint32_t)(((uint64_t)1 << 32) / size + (((uint64_t)1 << 32) % size != 0));
        k->zeros = (uint8_t)__builtin_ctz(size);
        k->of_odd = inverse_of_odd(size >> k->zeros);
        k->blocks = (uint16_t)(NG_SLAB_BYTES / size);
        k->words = (uint16_t)((k->blocks + 63u) / 64u);
        k->first_cap = (uint16_t)clamp(2048 / size, 1, 32);
        k->most_cap = (uint16_t)clamp(131072 / size, 4, 5 * NGRT_MAGAZINE_SLOTS);
        k->most_held = (uint16_t)clamp(16384 / size, 1, NGRT_MAGAZINE_SLOTS);
        orphan[c] = NG_NO_SLAB;
    }
}

/* ---- lists ---- */

static uint32_t rank_of(const struct ng_slab *s) {
    uint32_t f = 4u * s->free, b = s->blocks;
    return (f >= b) + (f >= 2 * b) + (f >= 3 * b);
}

static uint32_t *list_of(const struct ng_slab *s) {
    return s->listed == LISTED_ORPHAN ? &orphan[s->cls] : &ng_heap_at(s->heap)->partial[s->cls][s->rank];
}

static void set_orphan_bit(uint32_t cls) {
    uint64_t bits = ng_load(&orphan_classes, NG_RELAXED) & ~((uint64_t)1 << cls);
    ng_store(&orphan_classes, bits | (uint64_t)(orphan[cls] != NG_NO_SLAB) << cls, NG_RELAXED);
}

static void stock(struct ng_heap *h, uint32_t cls) {
    uint64_t bits = ng_load(&h->stocked, NG_RELAXED);
    ng_store(&h->stocked, bits | (uint64_t)1 << cls, NG_RELAXED);
}

static void unlink_slab(uint32_t slab) {
    struct ng_slab *s = ng_slab_info(slab);
    if (s->prev != NG_NO_SLAB)
        ng_slab_info(s->prev)->next = s->next;
    else
        *list_of(s) = s->next;
    if (s->next != NG_NO_SLAB)
        ng_slab_info(s->next)->prev = s->prev;
    if (s->listed == LISTED_ORPHAN)
        set_orphan_bit(s->cls);
    s->listed = UNLISTED;
    ng_slab_bits(slab / 64)->partial &= ~((uint64_t)1 << slab % 64);
}

static void link_slab(uint32_t slab) {
    struct ng_slab *s = ng_slab_info(slab);
    struct ng_heap *h = ng_heap_at(s->heap);
    /* A heap that waited and has a thread again is no orphan, though its mark stays until that thread gets the key. */
    s->listed = h->orphaned && ng_load(&h->threads, NG_RELAXED) == 0 ? LISTED_ORPHAN : LISTED;
    s->rank = (uint8_t)rank_of(s);
    uint32_t *first = list_of(s);
    s->prev = NG_NO_SLAB;
    s->next = *first;
    if (*first != NG_NO_SLAB)
        ng_slab_info(*first)->prev = slab;
    *first = slab;
    ng_slab_bits(slab / 64)->partial |= (uint64_t)1 << slab % 64;
    if (s->listed == LISTED_ORPHAN)
        set_orphan_bit(s->cls);
    else
        stock(h, s->cls);
}

/* ---- bitmaps ---- */

/* Bitmaps of one class are all alike and reused; the first word of a spare one links the list. */
static uint64_t *bits_get(uint32_t cls) {
    uint64_t *bits = spare_bits[cls];
    size_t bytes = ng_classes[cls].words * sizeof *bits;
    if (bits == NULL)
        return ng_region_take(&ng_bits_region, bytes);
    spare_bits[cls] = (uint64_t *)(uintptr_t)bits[0];
    memset(bits, 0, bytes);
    return bits;
}

static void bits_drop(uint32_t cls, uint64_t *bits) {
    bits[0] = (uint64_t)(uintptr_t)spare_bits[cls];
    spare_bits[cls] = bits;
}

static void note_free_bytes(int64_t bytes) {
    ng_store(&free_bytes, ng_load(&free_bytes, NG_RELAXED) + (uint64_t)bytes, NG_RELAXED);
}

size_t ng_slab_free_bytes(void) { return ng_load(&free_bytes, NG_RELAXED); }

bool ng_slab_orphans(uint32_t cls) { return ng_load(&orphan_classes, NG_RELAXED) >> cls & 1; }

/* ---- a slab's life ---- */

void ng_slab_open(uint32_t slab, uint32_t heap, uint32_t cls) {
    struct ng_slab *s = ng_slab_info(slab);
    ng_slab_reset(s);
    s->heap = heap;
    s->cls = (uint8_t)cls;
    s->blocks = ng_classes[cls].blocks;
    ng_arena_set_word(slab, ng_word_for(heap, cls));
}

static void close_slab(uint32_t slab) {
    struct ng_slab *s = ng_slab_info(slab);
    if (s->listed != UNLISTED)
        unlink_slab(slab);
    note_free_bytes(-(int64_t)s->blocks * ng_classes[s->cls].size);
    bits_drop(s->cls, s->bits);
    s->bits = NULL;
    ng_arena_set_word(slab, 0);
    ng_arena_free(slab, 1, true);
}

static bool has_bits(struct ng_slab *s) { return s->bits != NULL || (s->bits = bits_get(s->cls)) != NULL; }

/* Counts the blocks that were marked, and lists or closes the slab accordingly. */
static void count_marked(uint32_t slab) {
    struct ng_slab *s = ng_slab_info(slab);
    uint32_t marked = s->marked;
    s->marked = 0;
    s->free = (uint16_t)(s->free + marked);
    note_free_bytes((int64_t)marked * ng_classes[s->cls].size);
    if (s->free == s->blocks) {
        close_slab(slab);
    } else if (s->listed == UNLISTED) {
        link_slab(slab);
    } else if (s->listed == LISTED && rank_of(s) != s->rank) {
        unlink_slab(slab);
        link_slab(slab);
    }
}

/* Whether the block can be marked; not where there is no memory for a bitmap: it is lost then, the heap is whole. */
static bool may_mark(uint32_t slab, const void *block) {
    struct ng_slab *s = ng_slab_info(slab);
    if (s->bits == NULL && ng_arena_word(block) == 0)
        ng_fatal("double free"); /* the first one emptied the slab */
    return has_bits(s);
}

/* Sets the bit.  Ends the program where it is set. */
static inline uint64_t with_bit(uint64_t word, uint64_t bit) {
#ifdef __x86_64__
    bool was_set; /* one instruction tells and sets; no compiler makes it of C */
    __asm__("btsq %2, %0" : "+r"(word), "=@ccc"(was_set) : "r"(bit));
    if (was_set)
        ng_fatal("double free");
    return word;
#else
    if (word >> (bit % 64) & 1)
        ng_fatal("double free");
    return word | (uint64_t)1 << (bit % 64);
#endif
}

/* Marks blocks from the first on as free, while they lie in the slab, which has a bitmap; one must follow that does not.
 * How many.  What a program frees for good comes by here, on its own core where the room is away. */
static uint32_t mark_run(uint32_t slab, void *const *block) {
    struct ng_slab *s = ng_slab_info(slab);
    const struct ng_class k = ng_classes[s->cls];
    const char *start = ng_slab_start(slab);
    uint64_t *bits = s->bits, blocks = k.blocks, number;
    void *const *next = block;
#pragma GCC unroll 4
    while ((number = ng_number_in_slab(&k, (uint64_t)((const char *)*next - start))) < blocks) {
        bits[number / 64] = with_bit(bits[number / 64], number);
        next++;
    }
    void *behind =
        *(void *const volatile *)next; /* read anew: the loop would keep the offset of each for this one's sake */
    if ((uintptr_t)behind - (uintptr_t)start < NG_SLAB_BYTES)
        ng_fatal("free of an address at which no block starts");
    s->marked = (uint16_t)(s->marked + (next - block));
    return (uint32_t)(next - block);
}

/* Blocks that were freed at random lie in as many slabs, whose lines are in nobody's cache. */
static void prefetch_info(const void *block) { __builtin_prefetch(ng_slab_info(ng_slab_of(block)), 1); }

static void prefetch_bits(const void *block) {
    uint32_t slab = ng_slab_of(block);
    const struct ng_slab *s = ng_slab_info(slab);
    uint64_t offset = (uint64_t)((const char *)block - ng_slab_start(slab));
    if (s->bits != NULL)
        __builtin_prefetch(&s->bits[(offset * ng_classes[s->cls].inverse >> 32) / 64], 1);
}

/* The first blocks' lines, unless they seem to lie in one slab. */
static void prefetch_first(void *const *block, uint32_t n) {
    uint32_t most = n < BITS_AHEAD + INFO_AHEAD ? n : BITS_AHEAD + INFO_AHEAD;
    if (ng_slab_of(block[0]) == ng_slab_of(block[most / 2]) && ng_slab_of(block[0]) == ng_slab_of(block[most - 1]))
        return;
    for (uint32_t i = 1; i < most; i++)
        prefetch_info(block[i]);
    for (uint32_t i = 1; i < most && i < BITS_AHEAD; i++)
        prefetch_bits(block[i]);
}

/* n blocks, with NULL behind them; the slabs that got a mark are put behind those of which there are `count` already. */
static uint32_t mark_all(void *const *block, uint32_t n, uint32_t *slabs, uint32_t count) {
    for (uint32_t i = 0; i < n;) {
        if (i + BITS_AHEAD + INFO_AHEAD < n)
            prefetch_info(block[i + BITS_AHEAD + INFO_AHEAD]);
        if (i + BITS_AHEAD < n)
            prefetch_bits(block[i + BITS_AHEAD]);
        uint32_t slab = ng_slab_of(block[i]);
        if (ng_slab_info(slab)->marked == 0) {
            if (!may_mark(slab, block[i])) {
                i++;
                continue;
            }
            slabs[count++] = slab;
        }
        i += mark_run(slab, block + i);
    }
    return count;
}

/* Blocks of a magazine lie in few slabs, in any order: each slab is counted once, after all are marked.  NULL in the last
 * block's place ends the runs, which then need not count. */
void ng_slab_return(void **block, uint32_t n) {
    uint32_t slabs[NGRT_MAGAZINE_SLOTS], count = 0;
    if (n != 0) {
        prefetch_first(block, n);
        void *last[] = {block[n - 1], NULL};
        block[n - 1] = NULL;
        count = mark_all(block, n - 1, slabs, count);
        count = mark_all(last, 1, slabs, count);
    }
    for (uint32_t i = 0; i < count; i++)
        count_marked(slabs[i]);
    ng_sparse_returned();
}

void ng_slab_return_rest(const char *block, uint32_t n) {
    uint32_t slab = ng_slab_of(block);
    struct ng_slab *s = ng_slab_info(slab);
    if (!has_bits(s))
        return; /* lost, as in return_run */
    uint32_t end = s->blocks, first = end - n;
    for (uint32_t w = first / 64; w * 64 < end; w++) {
        uint64_t mask = UINT64_MAX << (w * 64 < first ? first % 64 : 0);
        if (end - w * 64 < 64)
            mask &= UINT64_MAX >> (64 - (end - w * 64));
        if (s->bits[w] & mask)
            ng_fatal("double free");
        s->bits[w] |= mask;
    }
    s->marked = (uint16_t)n;
    count_marked(slab);
    ng_sparse_returned();
}

/* Up to `want` blocks in address order into block[-1], block[-2], ... */
static unsigned take_blocks(uint32_t slab, void **block, unsigned want) {
    struct ng_slab *s = ng_slab_info(slab);
    const struct ng_class *k = &ng_classes[s->cls];
    char *start = ng_slab_start(slab);
    unsigned n = 0;
    for (unsigned w = 0; w < k->words && n < want; w++) {
        uint64_t bits = s->bits[w];
        for (; bits != 0 && n < want; bits &= bits - 1)
            block[-(int)++n] = start + (size_t)(w * 64 + (unsigned)__builtin_ctzll(bits)) * k->size;
        s->bits[w] = bits;
    }
    if ((s->aged_pages | s->gone_pages) != 0)
        ng_sparse_taken(s, start, block - n, n);
    s->free = (uint16_t)(s->free - n);
    note_free_bytes(-(int64_t)n * k->size);
    if (s->free == 0) {
        unlink_slab(slab);
    } else if (rank_of(s) != s->rank) {
        unlink_slab(slab);
        link_slab(slab);
    }
    return n;
}

static void adopt(struct ng_heap *h, uint32_t slab) {
    struct ng_slab *s = ng_slab_info(slab);
    unlink_slab(slab);
    s->heap = h->number;
    ng_arena_set_word(slab, ng_word_for(h->number, s->cls));
    link_slab(slab);
}

/* The fullest slab of the class with something free; NG_NO_SLAB where there is none. */
static uint32_t fullest(struct ng_heap *h, uint32_t cls) {
    for (unsigned r = 0; r < NG_RANKS; r++)
        if (h->partial[cls][r] != NG_NO_SLAB)
            return h->partial[cls][r];
    if (orphan[cls] == NG_NO_SLAB)
        return NG_NO_SLAB;
    uint32_t slab = orphan[cls];
    adopt(h, slab);
    return slab;
}

/* The list goes from slab to slab at random: the lines of the next ones come while this one is worked on. */
static void prefetch_list(uint32_t slab) {
    uint32_t next = ng_slab_info(slab)->next;
    if (next == NG_NO_SLAB)
        return;
    const struct ng_slab *s = ng_slab_info(next);
    __builtin_prefetch(s->bits, 1);
    if (s->next != NG_NO_SLAB)
        __builtin_prefetch(ng_slab_info(s->next), 1);
}

unsigned ng_slab_refill(struct ng_heap *h, uint32_t cls, void **block, unsigned want, unsigned slabs) {
    h->orphaned = false;
    unsigned n = 0;
    for (; n < want && slabs > 0; slabs--) {
        uint32_t slab = fullest(h, cls);
        if (slab == NG_NO_SLAB)
            break;
        prefetch_list(slab);
        n += take_blocks(slab, block + (want - n), want - n);
    }
    if (n != 0 && n < want)
        memmove(block, block + (want - n), n * sizeof *block);
    if (n == 0 && h->returned[cls] == NULL) {
        uint64_t bits = ng_load(&h->stocked, NG_RELAXED);
        ng_store(&h->stocked, bits & ~((uint64_t)1 << cls), NG_RELAXED);
    }
    return n;
}

void ng_slab_orphan(struct ng_heap *h) {
    h->orphaned = true;
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        for (unsigned r = 0; r < NG_RANKS; r++) {
            while (h->partial[c][r] != NG_NO_SLAB) {
                uint32_t slab = h->partial[c][r];
                unlink_slab(slab);
                link_slab(slab);
            }
        }
    }
    ng_store(&h->stocked, 0, NG_RELAXED);
}
