/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * abi.h: the contract between the pass and the runtime, and the fast path itself.
 *
 * Owns: the size classes, the thread cache's layout, the slab map's word, the inlined hit paths, the names of the slow
 * paths.  Included by the runtime (which exports the same functions out of line) and by pass/fastpath.c (which the
 * plugin carries as bitcode), so that there is one fast path.  Runs on the app's core and needs no lock: everything it
 * writes is the calling thread's own.  Freestanding: it includes nothing of libc.
 *
 * The invariant that everything here leans on: A THREAD CACHE OF ALL ZERO BYTES IS THE EMPTY CACHE.  A thread that has
 * no cache yet, or no longer, or whose fast path is switched off, misses on every allocation and takes every free for
 * foreign, without a null check and before the first relocation is done.
 *
 *   a magazine, 2 KiB, aligned to its size; its header is at the end so that "empty" is an address with low bits zero
 *
 *     |-- blocks ready, oldest first --|------- free slots -------|-- not used yet --|header|
 *     ^ address of the magazine        ^ bin.top                  ^ bin.limit        ^ + NGRT_MAGAZINE_SLOTS
 */
#ifndef NGRT_ABI_H
#define NGRT_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Raised whenever anything in this file changes its meaning.  It is part of NGRT_CACHE_SYMBOL: a mismatch cannot link. */
#define NGRT_ABI_VERSION 1
#define NGRT_CACHE_SYMBOL "ngrt_thread_cache__link_with_libngrt_of_abi_1"

#define NGRT_CLASSES 40u          /* size classes: 16-byte steps to 128, then four to a doubling */
#define NGRT_SMALL_MAX 32768u     /* the largest size that has a class, bytes */
#define NGRT_SLAB_SHIFT 16u       /* a slab is 64 KiB */
#define NGRT_MAGAZINE_BYTES 2048u /* a magazine's size and alignment, its header of 16 bytes included */
#define NGRT_MAGAZINE_SLOTS ((NGRT_MAGAZINE_BYTES - 16u) / (unsigned)sizeof(void *))

/* The slab map's word: the byte offset of the class's bin in the thread cache (a multiple of 16), and above it the
 * owner's tag.  So `word ^ tag` is the bin's offset where the slab is one's own, and a large number where it is not.
 * 0 means: no block starts in this slab. */
#define NGRT_BIN_BITS 10u
#define NGRT_BIN_MASK ((1u << NGRT_BIN_BITS) - 1u)
#define NGRT_BIN_LARGE 1008u /* a block over NGRT_SMALL_MAX starts here; no bin has this offset */

/* Large requests: NGRT_BIN_LARGE in place of a bin: one block of so many bytes; NGRT_BIN_GROWS: one that realloc will let
 * grow to so many.  Of fewer bytes than NGRT_REQUEST_MIN they are not worth waking the room. */
#define NGRT_BIN_GROWS 1024u
#define NGRT_REQUEST_MIN ((size_t)256 << 10)

/* One class's magazine in use.  top: where the next freed block goes; top[-1]: the next block to hand out. */
struct ngrt_bin {
    void **top;
    void **limit;
};

/* What a thread reaches without leaving its own cache lines.  Lives in thread-local storage, initial-exec. */
struct ngrt_cache {
    struct ngrt_bin bin[NGRT_CLASSES];
    uintptr_t base;      /* the arena's first address */
    uintptr_t slabs;     /* slabs in the arena; 0: nothing is inside, every pointer is foreign */
    const uint32_t *map; /* the slab map: written by the key's holder, read by all (relaxed) */
    uintptr_t tag;       /* this thread's owner tag, shifted above the bin's offset; never 0 with a cache */
    void *heap;          /* the runtime's: what the thread owns outside of this structure */
    uint32_t state;      /* the runtime's: life of this thread's cache (front/thread.c) */
    uint32_t unused;
};

_Static_assert(sizeof(void *) == 8, "64-bit only");
_Static_assert(sizeof(struct ngrt_bin) == 16, "the map's word holds class * 16, and ngrt_bin_of counts on it");
_Static_assert(sizeof(((struct ngrt_cache *)0)->bin) <= NGRT_BIN_LARGE, "no bin has the offset that means large");
_Static_assert(NGRT_BIN_LARGE < (1u << NGRT_BIN_BITS), "the bin's offset fits under the tag");
_Static_assert(sizeof(struct ngrt_cache) <= 1024, "static TLS is scarce in a library that dlopen loads");

extern _Thread_local struct ngrt_cache ngrt_cache __asm__(NGRT_CACHE_SYMBOL)
    __attribute__((tls_model("initial-exec"), visibility("default")));

/* The slow paths that inlined code calls.  Those marked NGRT_PRESERVES keep every general register of the caller but
 * r11 and the result (LLVM's preserve_most), so that the fast path stays a leaf; front/slow_<arch>.S implements that by
 * hand, since gcc lacks the attribute.  Call them through the GOT, never through a lazy PLT, which would lose r10. */
#if defined(__clang__) && (defined(__x86_64__) || defined(__aarch64__))
#define NGRT_PRESERVES __attribute__((preserve_most, nothrow, cold, visibility("default")))
#else
#define NGRT_PRESERVES __attribute__((nothrow, cold, visibility("default")))
#endif

#ifdef NGRT_BUILDING_RUNTIME
/* The runtime defines these in assembly around C functions of the ordinary convention and never calls them itself. */
#else
/* malloc(size), any size, errno included. */
NGRT_PRESERVES void *ngrt_malloc_slow(size_t size);
/* free(p), any pointer, NULL included; errno is kept. */
NGRT_PRESERVES void ngrt_free_slow(void *p);
/* Says that `blocks` blocks of the bin are about to be allocated, or a large one: NGRT_BIN_LARGE, NGRT_BIN_GROWS.
 * Non-binding: may do nothing, and what it makes ready goes back where nobody asks for it.  Any thread; keeps errno. */
NGRT_PRESERVES void ngrt_request_slow(uint32_t bin, size_t blocks);
#endif
/* operator new's miss: calls the program's own operator new where there is one, else throws std::bad_alloc or returns a
 * block.  The ordinary convention: preserve_most loses registers at a landing pad. */
__attribute__((cold, visibility("default"))) void *ngrt_new_slow(size_t size);
__attribute__((cold, visibility("default"))) void *ngrt_new_array_slow(size_t size);
/* operator delete's miss: the program's own operator delete where there is one, else free. */
__attribute__((cold, nothrow, visibility("default"))) void ngrt_delete_slow(void *p);
__attribute__((cold, nothrow, visibility("default"))) void ngrt_delete_array_slow(void *p);

/* The class of a size from 1 to NGRT_SMALL_MAX.  With x = size - 1: below 128 x / 16; above, the highest three bits of x
 * and the position of the highest.  Seven instructions; a constant where size is. */
static inline uint32_t ngrt_class_of(size_t size) {
    size_t x = size - 1;
    unsigned shift = 61u - (unsigned)__builtin_clzl(x | 64);
    return (uint32_t)(x >> shift) + 4u * shift - 16u;
}

/* The largest request that class c serves, in bytes: what its blocks measure. */
static inline uint32_t ngrt_class_size(uint32_t c) { return c < 8 ? 16u * (c + 1) : (5u + (c & 3u)) << (c / 4u + 3u); }

/* A size whose class's blocks are all aligned to `align` (a power of two) and hold `size` bytes; over NGRT_SMALL_MAX
 * where there is none.  Slabs start at multiples of 64 KiB, so a class keeps every alignment that divides its size.
 * At most four steps: one class in each doubling is a power of two. */
static inline size_t ngrt_size_for_alignment(size_t size, size_t align) {
    if (size == 0)
        size = 1;
    while (size <= NGRT_SMALL_MAX) {
        size_t block = ngrt_class_size(ngrt_class_of(size));
        if ((block & (align - 1)) == 0)
            return block;
        size = block + 1;
    }
    return size;
}

/* Whether size has a class; 0 has none here and takes the slow path, so that the hit path needs one compare. */
static inline int ngrt_is_small(size_t size) { return size - 1 < NGRT_SMALL_MAX; }

/* As wide as an address: in 32 bits the product could wrap, which costs an instruction where size varies.  Most sizes are of
 * the first eight classes, a step of 16 bytes each: class and bin are then one instruction. */
static inline uintptr_t ngrt_bin_of(size_t size) {
    if (__builtin_expect(size - 1 < 128, 1))
        return (size - 1) & ~(uintptr_t)15;
    return (uintptr_t)ngrt_class_of(size) * sizeof(struct ngrt_bin);
}

static inline struct ngrt_bin *ngrt_bin_at(struct ngrt_cache *cache, uintptr_t bin) {
    return (struct ngrt_bin *)((char *)cache->bin + bin);
}

/* The hit path of every allocation: 7 instructions, 4 loads, 1 store, one branch; touches no byte of the heap.
 * NULL on a miss. */
static inline void *ngrt_take(struct ngrt_cache *cache, uintptr_t bin) {
    struct ngrt_bin *b = ngrt_bin_at(cache, bin);
    void **top = b->top;
    if (__builtin_expect(((uintptr_t)top & (NGRT_MAGAZINE_BYTES - 1)) == 0, 0))
        return NULL;
    /* In this order, which volatile keeps: a signal handler that frees in between must not overwrite the slot. */
    void *block = *(void *volatile *)&top[-1];
    *(void **volatile *)&b->top = top - 1;
    if (block == NULL)
        __builtin_unreachable(); /* lets the caller's own null check fold away on this path */
    return block;
}

/* The same for a size that varies; NULL also where it has no class.  The range is looked at again only where the size is of
 * no class of 16-byte steps. */
static inline void *ngrt_take_any(struct ngrt_cache *cache, size_t size) {
    uintptr_t bin = (size - 1) & ~(uintptr_t)15;
    if (__builtin_expect(size - 1 >= 128, 0)) {
        if (!ngrt_is_small(size))
            return NULL;
        bin = ngrt_bin_of(size);
    }
    return ngrt_take(cache, bin);
}

/* The slab map's word for p, or 0 where p is in no slab of ours (NULL, another malloc's, before the heap exists). */
static inline uint32_t ngrt_word_of(const struct ngrt_cache *cache, const void *p) {
    uintptr_t slab = ((uintptr_t)p - cache->base) >> NGRT_SLAB_SHIFT;
    if (__builtin_expect(slab >= cache->slabs, 0))
        return 0;
    return __atomic_load_n(&cache->map[slab], __ATOMIC_RELAXED);
}

/* The offset of p's bin where its slab is the thread's own, else a number that is none. */
static inline uintptr_t ngrt_own_bin(const struct ngrt_cache *cache, const void *p) {
    uintptr_t slab = ((uintptr_t)p - cache->base) >> NGRT_SLAB_SHIFT;
    if (__builtin_expect(slab >= cache->slabs, 0))
        return UINTPTR_MAX;
    return __atomic_load_n(&cache->map[slab], __ATOMIC_RELAXED) ^ cache->tag;
}

/* In the runtime clang makes one instruction, which adds to memory, of what moves the top, and the time is the same.  In line,
 * and in ngrt_take, that is slower (0033); gcc would load the top again for nothing. */
static inline int ngrt_push(struct ngrt_bin *b, void *p) {
    void **top = b->top;
    if (__builtin_expect(top == b->limit, 0))
        return 0;
    *top = p;
#if defined(NGRT_BUILDING_RUNTIME) && defined(__clang__)
    __atomic_store_n(&b->top, __atomic_load_n(&b->top, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
#else
    b->top = top + 1;
#endif
    return 1;
}

/* The hit path of every free: the block's slab is the thread's own and its magazine has a free slot.  17 instructions,
 * one compare for pointers that are not ours (no cache: slabs is 0).  0 on a miss, nothing changed. */
static inline int ngrt_give(struct ngrt_cache *cache, void *p) {
    uintptr_t bin = ngrt_own_bin(cache, p);
    if (__builtin_expect(bin >= sizeof(cache->bin), 0))
        return 0;
    return ngrt_push(ngrt_bin_at(cache, bin), p);
}

/* The same for a block whose class the compiler believes to know.  The slab's word decides all the same: a wrong belief
 * is a miss.  As many instructions, but the magazine's address does not hang on the load of the word. */
static inline int ngrt_give_bin(struct ngrt_cache *cache, void *p, uint32_t bin) {
    if (__builtin_expect(ngrt_own_bin(cache, p) != bin, 0))
        return 0;
    return ngrt_push(ngrt_bin_at(cache, bin), p);
}

/* The blocks that the bin's magazine holds. */
static inline size_t ngrt_ready(const struct ngrt_cache *cache, uint32_t bin) {
    const struct ngrt_bin *b = (const struct ngrt_bin *)((const char *)cache->bin + bin);
    return ((uintptr_t)b->top & (NGRT_MAGAZINE_BYTES - 1)) / sizeof(void *);
}

#endif
