/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * libc.c: the allocation API of libc, under glibc's names.
 *
 * Owns nothing.  The program calls in here, on its own core, in any state: before this library is relocated (free(NULL)),
 * before main, in a signal handler, after the thread's cache is gone.  Takes no lock; a miss may take the key.
 *
 * What glibc's manual leaves open is as in glibc 2.36, the oracle of test/runtime/exports/api.c: realloc(p, 0) frees,
 * memalign rounds a bad alignment up, pvalloc(0) is valloc(0).  Sizes above PTRDIFF_MAX get ENOMEM.
 */
#include "front/entry.h"
#include "front/foreign.h"
#include "front/info.h"
#include "front/interposed.h"
#include "os/os.h"
#include "room/slab.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

/* What the caller's errno must not see: starting the room makes system calls. */
static void invite(const void *caller) {
    int saved = errno;
    ng_room_invite(caller);
    errno = saved;
}

NG_MISS void *ng_miss_malloc(size_t size, const void *caller) {
    if (NG_UNLIKELY(ng_room_wanted))
        invite(caller);
    return ng_malloc_miss(size);
}

NG_MISS void *ng_miss_aligned(size_t align, size_t size, const void *caller) {
    if (NG_UNLIKELY(ng_room_wanted))
        invite(caller);
    return ng_aligned(align, size != 0 ? size : 1);
}

NG_MISS static void free_and_invite(void *p, const void *caller) {
    invite(caller);
    ng_free_miss(p);
}

/* A tail call either way, so that no register is saved: every free of another thread's block comes by. */
NG_MISS void ng_miss_free(void *p, const void *caller) {
    if (NG_UNLIKELY(ng_room_wanted))
        free_and_invite(p, caller);
    else
        ng_free_miss(p);
}

NG_MISS static void *calloc_miss(size_t bytes, const void *caller) {
    if (NG_UNLIKELY(ng_room_wanted))
        invite(caller);
    return ng_calloc(bytes);
}

NG_MISS static void *realloc_miss(void *p, size_t size, const void *caller) {
    if (NG_UNLIKELY(ng_room_wanted))
        invite(caller);
    return ng_is_ours(p) ? ng_realloc(p, size) : ng_foreign_realloc(p, size);
}

/* ---- malloc, free ---- */

NG_BEGINS_LINE void *ng_entry_malloc(size_t size) {
    void *p = ng_hit_take(size);
    return NG_LIKELY(p != NULL) ? p : ng_miss_malloc(size, NG_CALLER);
}

/* The test for NULL comes first: glibc 2.44 calls free(NULL) before this library's relocations are done, when neither
 * the offset of the thread cache nor the way to the miss is known.  On the hit path it costs one fused instruction. */
void ng_entry_free(void *p) {
    if (p == NULL)
        return;
    if (NG_UNLIKELY(!ngrt_give(&ngrt_cache, p)))
        ng_miss_free(p, NG_CALLER);
}

NG_EXPORT_AS(ng_entry_malloc) void *malloc(size_t size);
NG_EXPORT_AS(ng_entry_malloc) void *__libc_malloc(size_t size);
NG_EXPORT_AS(ng_entry_free) void free(void *p);
NG_EXPORT_AS(ng_entry_free) void __libc_free(void *p);
/* glibc has it for programs linked before 2.26 only; without ours, such a program would free our blocks there. */
NG_EXPORT_AS(ng_entry_free) void cfree(void *p);

/* C23.  The map knows the size: what the caller says it is could only be wrong. */
NG_EXPORT void free_sized(void *p, size_t size) {
    (void)size;
    ng_entry_free(p);
}

NG_EXPORT void free_aligned_sized(void *p, size_t align, size_t size) {
    (void)align;
    (void)size;
    ng_entry_free(p);
}

/* ---- calloc, realloc ---- */

static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

static void *entry_calloc(size_t count, size_t size) {
    size_t bytes;
    if (NG_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
        return no_memory();
    void *p = ng_hit_take(bytes);
    return NG_LIKELY(p != NULL) ? memset(p, 0, bytes) : calloc_miss(bytes, NG_CALLER);
}

NG_EXPORT_AS(entry_calloc) void *calloc(size_t count, size_t size);
NG_EXPORT_AS(entry_calloc) void *__libc_calloc(size_t count, size_t size);

/* ---- realloc of a block of the thread's own slab: from one bin to another, without a word to anybody ---- */

/* Called last, so that its callers save no register; they would keep q themselves if they saw that it is what comes back. */
static NG_NOINLINE void *moved_miss(void *q, void *p, const void *caller) {
    ng_miss_free(p, caller);
    __asm__("" : "+r"(q));
    return q;
}

static inline void *moved(void *q, void *p, uintptr_t from, const void *caller) {
    return NG_LIKELY(ngrt_push(ngrt_bin_at(&ngrt_cache, from), p)) ? q : moved_miss(q, p, caller);
}

enum { SHORT_BYTES = 128 }; /* the largest class of 16-byte steps */

/* Where a magazine is empty or full, the long way. */
static NG_NOINLINE void *move_any(void *p, uintptr_t from, size_t size, uintptr_t to, const void *caller) {
    size_t usable = ng_classes[from / sizeof(struct ngrt_bin)].size;
    if (ng_realloc_keeps(usable, size))
        return p;
    void *q = ngrt_take(&ngrt_cache, to);
    if (NG_UNLIKELY(q == NULL))
        return realloc_miss(p, size, caller);
    memcpy(q, p, to < from ? size : usable);
    return moved(q, p, from, caller);
}

/* To a larger class, from one of 16-byte steps: its blocks measure 16 bytes more than its bin's offset.  Copied on the spot,
 * so that no register is saved: a call of memcpy takes longer than that. */
static inline void *move_small(void *p, uintptr_t from, size_t size, uintptr_t to, const void *caller) {
    char *q = ngrt_take(&ngrt_cache, to);
    if (NG_UNLIKELY(q == NULL))
        return realloc_miss(p, size, caller);
    uintptr_t at = 0;
    NG_ROLLED
    do {
        memcpy(q + at, (char *)p + at, 16);
        at += 16;
    } while (at <= from);
    return moved(q, p, from, caller);
}

NG_MISS static void *realloc_without_class(void *p, size_t size, const void *caller) {
    if (size != 0)
        return realloc_miss(p, size, caller);
    ng_entry_free(p);
    return NULL;
}

/* Into each of its callers, so that who called is read on a miss only. */
static inline __attribute__((always_inline)) void *reallocate(void *p, size_t size, const void *caller) {
    if (p == NULL) {
        void *fresh = ng_hit_take(size);
        return NG_LIKELY(fresh != NULL) ? fresh : ng_miss_malloc(size, caller);
    }
    if (NG_UNLIKELY(!ngrt_is_small(size)))
        return realloc_without_class(p, size, caller);
    uintptr_t from = ngrt_own_bin(&ngrt_cache, p), to = ngrt_bin_of(size);
    if (NG_UNLIKELY(from >= sizeof ngrt_cache.bin))
        return realloc_miss(p, size, caller);
    if (from == to)
        return p;
    return from < SHORT_BYTES && from < to ? move_small(p, from, size, to, caller)
                                           : move_any(p, from, size, to, caller);
}

static void *entry_realloc(void *p, size_t size) { return reallocate(p, size, NG_CALLER); }

static void *entry_reallocarray(void *p, size_t count, size_t size) {
    size_t bytes;
    if (NG_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
        return no_memory();
    return reallocate(p, bytes, NG_CALLER);
}

NG_EXPORT_AS(entry_realloc) void *realloc(void *p, size_t size);
NG_EXPORT_AS(entry_realloc) void *__libc_realloc(void *p, size_t size);
NG_EXPORT_AS(entry_reallocarray) void *reallocarray(void *p, size_t count, size_t size);
NG_EXPORT_AS(entry_reallocarray) void *__libc_reallocarray(void *p, size_t count, size_t size);

/* ---- aligned blocks ---- */

static inline bool is_power_of_two(size_t x) { return x != 0 && (x & (x - 1)) == 0; }

/* align: a power of two.  A class whose blocks are aligned well enough serves from its magazine like any other. */
static inline void *take_aligned(size_t align, size_t size, const void *caller) {
    if (align <= NGRT_SMALL_MAX && size <= NGRT_SMALL_MAX) {
        void *p = ng_hit_take(ngrt_size_for_alignment(size, align));
        if (NG_LIKELY(p != NULL))
            return p;
    }
    return ng_miss_aligned(align, size, caller);
}

static void *bad_alignment(void) {
    errno = EINVAL;
    return NULL;
}

NG_EXPORT void *aligned_alloc(size_t align, size_t size) {
    return is_power_of_two(align) ? take_aligned(align, size, NG_CALLER) : bad_alignment();
}

/* glibc's: an alignment that is no power of two becomes the next one. */
static void *entry_memalign(size_t align, size_t size) {
    if (align > SIZE_MAX / 2 + 1)
        return bad_alignment();
    size_t power = sizeof(void *);
    while (power < align)
        power *= 2;
    return take_aligned(power, size, NG_CALLER);
}

static void *entry_valloc(size_t size) { return take_aligned(ng_os_page(), size, NG_CALLER); }

static void *entry_pvalloc(size_t size) {
    size_t page = ng_os_page(), bytes;
    if (__builtin_add_overflow(size, page - 1, &bytes))
        return no_memory();
    return take_aligned(page, bytes & ~(page - 1), NG_CALLER);
}

NG_EXPORT_AS(entry_memalign) void *memalign(size_t align, size_t size);
NG_EXPORT_AS(entry_memalign) void *__libc_memalign(size_t align, size_t size);
NG_EXPORT_AS(entry_valloc) void *valloc(size_t size);
NG_EXPORT_AS(entry_valloc) void *__libc_valloc(size_t size);
NG_EXPORT_AS(entry_pvalloc) void *pvalloc(size_t size);
NG_EXPORT_AS(entry_pvalloc) void *__libc_pvalloc(size_t size);

/* Says what failed by its result alone: errno stays, and so does *out. */
static int entry_posix_memalign(void **out, size_t align, size_t size) {
    if (align % sizeof(void *) != 0 || !is_power_of_two(align))
        return EINVAL;
    int saved = errno;
    void *p = take_aligned(align, size, NG_CALLER);
    errno = saved;
    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

NG_EXPORT_AS(entry_posix_memalign) int posix_memalign(void **out, size_t align, size_t size);
NG_EXPORT_AS(entry_posix_memalign) int __posix_memalign(void **out, size_t align, size_t size);

/* ---- questions and settings ---- */

/* Stable for as long as the block lives. */
NG_EXPORT size_t malloc_usable_size(void *p) {
    if (p == NULL)
        return 0;
    return ng_is_ours(p) ? ng_usable(p) : ng_foreign_usable(p);
}

NG_EXPORT int malloc_trim(size_t keep) { return ng_trim(keep); }

/* glibc's knobs say how its own heap is cut; the heap here has no such parts, so those that glibc knows are accepted and
 * change nothing. */
static int entry_mallopt(int parameter, int value) {
    (void)value;
    switch (parameter) {
    case M_MXFAST:
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
        return 1;
    default:
        return 0;
    }
}

static struct mallinfo entry_mallinfo(void) { return ng_mallinfo(); }

NG_EXPORT_AS(entry_mallopt) int mallopt(int parameter, int value);
NG_EXPORT_AS(entry_mallopt) int __libc_mallopt(int parameter, int value);
NG_EXPORT_AS(entry_mallinfo) struct mallinfo mallinfo(void);
NG_EXPORT_AS(entry_mallinfo) struct mallinfo __libc_mallinfo(void);

NG_EXPORT struct mallinfo2 mallinfo2(void) { return ng_mallinfo2(); }
NG_EXPORT void malloc_stats(void) { ng_stats_write(2, NG_STATS_TEXT); }
NG_EXPORT int malloc_info(int options, FILE *stream) { return ng_malloc_info(options, stream); }

/* ---- the misses of inlined code; slow_<arch>.S calls these after it has saved the registers ---- */

void *ng_slow_malloc(size_t size, const void *caller);
void ng_slow_free(void *p, const void *caller);
void ng_slow_request(uint32_t bin, size_t blocks, const void *caller);

/* Where the process's malloc is another one (this library came by dlopen, or the program defines malloc), a block must
 * come from there: whoever frees it does. */
NG_MISS void *ng_slow_malloc(size_t size, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.malloc != ng_entry_malloc))
        return ng_interposed.malloc(size);
    return ng_miss_malloc(size, caller);
}

NG_MISS void ng_slow_free(void *p, const void *caller) {
    if (p == NULL)
        return;
    if (NG_UNLIKELY(ng_interposed.free != ng_entry_free) && !ng_is_ours(p))
        ng_interposed.free(p);
    else
        ng_miss_free(p, caller);
}

NG_MISS void ng_slow_request(uint32_t bin, size_t blocks, const void *caller) {
    if (NG_UNLIKELY(ng_room_wanted))
        invite(caller);
    ng_request(bin, blocks);
}
