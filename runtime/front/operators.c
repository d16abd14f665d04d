/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * operators.c: every replaceable operator new and delete of C++, under its mangled name, and the misses of inlined ones.
 *
 * Owns nothing; on the app's core; no lock.  Compiled with -fexceptions: std::bad_alloc passes through.
 *
 * The standard says which form calls which: new[] calls new, the nothrow forms call the throwing ones, the sized and
 * nothrow deletes call the plain ones; the hinted forms are ours to define and do likewise.  So a program that replaces
 * one form changes those that call it.  Here the calls are left out as long as the program replaces nothing
 * (ng_new_replaced); the misses look for themselves, since a program's constructors may come before ours.
 */
#include "front/entry.h"
#include "front/interposed.h"
#include "front/newfail.h"
#include "os/os.h"

#include <dlfcn.h>

/* ---- new_handler and bad_alloc: libstdc++'s or libc++'s, if there is one ---- */

typedef void new_handler(void);

#ifdef NGRT_STATIC

/* The reference must bring the function in from a static C++ library, which the program links since it calls new. */
extern new_handler *_ZSt15get_new_handlerv(void);
extern _Noreturn void _ZSt17__throw_bad_allocv(void);

static new_handler *current_handler(void) { return _ZSt15get_new_handlerv(); }
static _Noreturn void throw_bad_alloc(void) { _ZSt17__throw_bad_allocv(); }

#else

/* Absent in C programs; those may have loaded a C++ library since this one was bound. */
extern __attribute__((weak)) new_handler *_ZSt15get_new_handlerv(void);
extern __attribute__((weak)) void _ZSt17__throw_bad_allocv(void);

static void *loaded_later(const char *name) {
    static const char *const runtimes[] = {"libstdc++.so.6", "libc++.so.1"};
    for (unsigned i = 0; i < sizeof runtimes / sizeof *runtimes; i++) {
        void *runtime = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
        if (runtime == NULL)
            continue;
        void *function = dlsym(runtime, name);
        dlclose(runtime); /* the reference that RTLD_NOLOAD took */
        if (function != NULL)
            return function;
    }
    return NULL;
}

static new_handler *current_handler(void) {
    new_handler *(*get)(void) = _ZSt15get_new_handlerv;
    if (get == NULL)
        get = (new_handler * (*)(void)) loaded_later("_ZSt15get_new_handlerv");
    return get != NULL ? get() : NULL;
}

static _Noreturn void throw_bad_alloc(void) {
    void (*raise)(void) = _ZSt17__throw_bad_allocv;
    if (raise == NULL)
        raise = (void (*)(void))loaded_later("_ZSt17__throw_bad_allocv");
    if (raise != NULL)
        raise();
    ng_fatal("operator new found no memory, and no C++ library to throw std::bad_alloc with");
}

#endif

/* ---- how a miss ends ---- */

/* The loop that the standard asks for: the handler frees memory, throws, or takes itself away.  align 0: any. */
NG_MISS static void *retry(size_t size, size_t align) {
    for (;;) {
        new_handler *handler = current_handler();
        if (handler == NULL)
            throw_bad_alloc();
        handler();
        void *p = align == 0 ? ng_miss_malloc(size, NULL) : ng_miss_aligned(align, size, NULL);
        if (p != NULL)
            return p;
    }
}

NG_MISS static void *new_miss(size_t size, const void *caller) {
    void *p = ng_miss_malloc(size, caller);
    return NG_LIKELY(p != NULL) ? p : retry(size, 0);
}

NG_MISS static void *new_aligned_miss(size_t size, size_t align, const void *caller) {
    void *p = ng_miss_aligned(align, size, caller);
    return NG_LIKELY(p != NULL) ? p : retry(size, align);
}

/* operator new as the program has it, new[] and the others likewise. */
NG_MISS static void *any_new(size_t size, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.new_one != ng_entry_new))
        return ng_interposed.new_one(size);
    return new_miss(size, caller);
}

NG_MISS static void *any_new_array(size_t size, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.new_array != ng_entry_new_array))
        return ng_interposed.new_array(size);
    return any_new(size, caller);
}

NG_MISS static void *any_new_aligned(size_t size, size_t align, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.new_aligned != ng_entry_new_aligned))
        return ng_interposed.new_aligned(size, align);
    return new_aligned_miss(size, align, caller);
}

NG_MISS static void *any_new_array_aligned(size_t size, size_t align, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.new_array_aligned != ng_entry_new_array_aligned))
        return ng_interposed.new_array_aligned(size, align);
    return any_new_aligned(size, align, caller);
}

static void *call_new(size_t size, size_t align) {
    (void)align;
    return any_new(size, NULL);
}

static void *call_new_array(size_t size, size_t align) {
    (void)align;
    return any_new_array(size, NULL);
}

static void *call_new_aligned(size_t size, size_t align) { return any_new_aligned(size, align, NULL); }
static void *call_new_array_aligned(size_t size, size_t align) { return any_new_array_aligned(size, align, NULL); }

/* The nothrow forms.  Only a handler or an operator of the program's own throws something to catch. */
static void *nothrow_miss(ng_new_function *any, size_t size, const void *caller) {
    if (NG_LIKELY(ng_interposed.new_one == ng_entry_new && ng_interposed.new_array == ng_entry_new_array)) {
        void *p = ng_miss_malloc(size, caller);
        if (NG_LIKELY(p != NULL) || current_handler() == NULL)
            return p;
    }
    return ng_new_catching(any, size, 0);
}

static void *nothrow_aligned_miss(ng_new_function *any, size_t size, size_t align, const void *caller) {
    if (NG_LIKELY(ng_interposed.new_aligned == ng_entry_new_aligned &&
                  ng_interposed.new_array_aligned == ng_entry_new_array_aligned)) {
        void *p = ng_miss_aligned(align, size, caller);
        if (NG_LIKELY(p != NULL) || current_handler() == NULL)
            return p;
    }
    return ng_new_catching(any, size, align);
}

NG_MISS static void *new_nothrow(size_t size, const void *caller) { return nothrow_miss(call_new, size, caller); }
NG_MISS static void *new_array_nothrow(size_t size, const void *caller) {
    return nothrow_miss(call_new_array, size, caller);
}
NG_MISS static void *new_aligned_nothrow(size_t size, size_t align, const void *caller) {
    return nothrow_aligned_miss(call_new_aligned, size, align, caller);
}
NG_MISS static void *new_array_aligned_nothrow(size_t size, size_t align, const void *caller) {
    return nothrow_aligned_miss(call_new_array_aligned, size, align, caller);
}

/* ---- the hits ---- */

static inline void *take(size_t size) { return ng_hit_take(size); }

static inline void *take_aligned(size_t size, size_t align) {
    if (align > NGRT_SMALL_MAX || size > NGRT_SMALL_MAX)
        return NULL;
    return ng_hit_take(ngrt_size_for_alignment(size, align));
}

/* For the forms that call another one: empty-handed where that may be the program's. */
static inline void *take_default(size_t size) { return NG_UNLIKELY(ng_new_replaced) ? NULL : take(size); }

static inline void *take_default_aligned(size_t size, size_t align) {
    return NG_UNLIKELY(ng_new_replaced) ? NULL : take_aligned(size, align);
}

#define SIZE size_t size
#define ALIGN , size_t align
#define IGNORED_ALIGN , __attribute__((unused)) size_t align
#define NOTHROW , __attribute__((unused)) const void *nothrow
#define HINT , __attribute__((unused)) uint8_t hint

/* A form of operator new: its name, its parameters, its hit, and the call that is its miss. */
#define NEW(linkage, name, parameters, hit, miss)                                                                      \
    linkage void *name(parameters) {                                                                                   \
        void *block = hit;                                                                                             \
        return NG_LIKELY(block != NULL) ? block : miss;                                                                \
    }

#define HIDDEN
NEW(NG_BEGINS_LINE, ng_entry_new, SIZE, take(size), new_miss(size, NG_CALLER))
NEW(HIDDEN, ng_entry_new_array, SIZE, take_default(size), any_new(size, NG_CALLER))
NEW(HIDDEN, ng_entry_new_aligned, SIZE ALIGN, take_aligned(size, align), new_aligned_miss(size, align, NG_CALLER))
NEW(HIDDEN, ng_entry_new_array_aligned, SIZE ALIGN, take_default_aligned(size, align),
    any_new_aligned(size, align, NG_CALLER))

NG_EXPORT_AS(ng_entry_new) void *_Znwm(size_t size);
NG_EXPORT_AS(ng_entry_new_array) void *_Znam(size_t size);
NG_EXPORT_AS(ng_entry_new_aligned) void *_ZnwmSt11align_val_t(size_t size, size_t align);
NG_EXPORT_AS(ng_entry_new_array_aligned) void *_ZnamSt11align_val_t(size_t size, size_t align);

NEW(NG_EXPORT, _ZnwmRKSt9nothrow_t, SIZE NOTHROW, take_default(size), new_nothrow(size, NG_CALLER))
NEW(NG_EXPORT, _ZnamRKSt9nothrow_t, SIZE NOTHROW, take_default(size), new_array_nothrow(size, NG_CALLER))
NEW(NG_EXPORT, _ZnwmSt11align_val_tRKSt9nothrow_t, SIZE ALIGN NOTHROW, take_default_aligned(size, align),
    new_aligned_nothrow(size, align, NG_CALLER))
NEW(NG_EXPORT, _ZnamSt11align_val_tRKSt9nothrow_t, SIZE ALIGN NOTHROW, take_default_aligned(size, align),
    new_array_aligned_nothrow(size, align, NG_CALLER))

/* What builds with a MemProf profile call (clang's -optimize-hot-cold-new).  The hint has no use here yet. */
NEW(NG_EXPORT, _Znwm12__hot_cold_t, SIZE HINT, take_default(size), any_new(size, NG_CALLER))
NEW(NG_EXPORT, _Znam12__hot_cold_t, SIZE HINT, take_default(size), any_new_array(size, NG_CALLER))
NEW(NG_EXPORT, _ZnwmRKSt9nothrow_t12__hot_cold_t, SIZE NOTHROW HINT, take_default(size), new_nothrow(size, NG_CALLER))
NEW(NG_EXPORT, _ZnamRKSt9nothrow_t12__hot_cold_t, SIZE NOTHROW HINT, take_default(size),
    new_array_nothrow(size, NG_CALLER))
NEW(NG_EXPORT, _ZnwmSt11align_val_t12__hot_cold_t, SIZE ALIGN HINT, take_default_aligned(size, align),
    any_new_aligned(size, align, NG_CALLER))
NEW(NG_EXPORT, _ZnamSt11align_val_t12__hot_cold_t, SIZE ALIGN HINT, take_default_aligned(size, align),
    any_new_array_aligned(size, align, NG_CALLER))
NEW(NG_EXPORT, _ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t, SIZE ALIGN NOTHROW HINT,
    take_default_aligned(size, align), new_aligned_nothrow(size, align, NG_CALLER))
NEW(NG_EXPORT, _ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t, SIZE ALIGN NOTHROW HINT,
    take_default_aligned(size, align), new_array_aligned_nothrow(size, align, NG_CALLER))

/* ---- operator delete ---- */

NG_MISS static void any_delete(void *p, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.delete_one != ng_entry_delete))
        ng_interposed.delete_one(p);
    else
        ng_miss_free(p, caller);
}

NG_MISS static void any_delete_array(void *p, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.delete_array != ng_entry_delete_array))
        ng_interposed.delete_array(p);
    else
        any_delete(p, caller);
}

NG_MISS static void any_delete_aligned(void *p, size_t align, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.delete_aligned != ng_entry_delete_aligned))
        ng_interposed.delete_aligned(p, align);
    else
        ng_miss_free(p, caller);
}

NG_MISS static void any_delete_array_aligned(void *p, size_t align, const void *caller) {
    if (NG_UNLIKELY(ng_interposed.delete_array_aligned != ng_entry_delete_array_aligned))
        ng_interposed.delete_array_aligned(p, align);
    else
        any_delete_aligned(p, align, caller);
}

static inline bool give(void *p) { return ngrt_give(&ngrt_cache, p); }
static inline bool give_default(void *p) { return NG_LIKELY(!ng_new_replaced) && give(p); }

#define POINTER void *p
#define SIZED , __attribute__((unused)) size_t size

/* Most callers have looked for NULL, and libc calls none of these before this library is relocated: NULL is a miss. */
#define DELETE(linkage, name, parameters, hit, miss)                                                                   \
    linkage void name(parameters) {                                                                                    \
        if (NG_UNLIKELY(!hit) && p != NULL)                                                                            \
            miss;                                                                                                      \
    }

DELETE(HIDDEN, ng_entry_delete, POINTER, give(p), ng_miss_free(p, NG_CALLER))
DELETE(HIDDEN, ng_entry_delete_array, POINTER, give_default(p), any_delete(p, NG_CALLER))
DELETE(HIDDEN, ng_entry_delete_aligned, POINTER IGNORED_ALIGN, give(p), ng_miss_free(p, NG_CALLER))
DELETE(HIDDEN, ng_entry_delete_array_aligned, POINTER ALIGN, give_default(p), any_delete_aligned(p, align, NG_CALLER))

NG_EXPORT_AS(ng_entry_delete) void _ZdlPv(void *p);
NG_EXPORT_AS(ng_entry_delete_array) void _ZdaPv(void *p);
NG_EXPORT_AS(ng_entry_delete_aligned) void _ZdlPvSt11align_val_t(void *p, size_t align);
NG_EXPORT_AS(ng_entry_delete_array_aligned) void _ZdaPvSt11align_val_t(void *p, size_t align);

DELETE(NG_EXPORT, _ZdlPvm, POINTER SIZED, give_default(p), any_delete(p, NG_CALLER))
DELETE(NG_EXPORT, _ZdaPvm, POINTER SIZED, give_default(p), any_delete_array(p, NG_CALLER))
DELETE(NG_EXPORT, _ZdlPvRKSt9nothrow_t, POINTER NOTHROW, give_default(p), any_delete(p, NG_CALLER))
DELETE(NG_EXPORT, _ZdaPvRKSt9nothrow_t, POINTER NOTHROW, give_default(p), any_delete_array(p, NG_CALLER))
DELETE(NG_EXPORT, _ZdlPvmSt11align_val_t, POINTER SIZED ALIGN, give_default(p), any_delete_aligned(p, align, NG_CALLER))
DELETE(NG_EXPORT, _ZdaPvmSt11align_val_t, POINTER SIZED ALIGN, give_default(p),
       any_delete_array_aligned(p, align, NG_CALLER))
DELETE(NG_EXPORT, _ZdlPvSt11align_val_tRKSt9nothrow_t, POINTER ALIGN NOTHROW, give_default(p),
       any_delete_aligned(p, align, NG_CALLER))
DELETE(NG_EXPORT, _ZdaPvSt11align_val_tRKSt9nothrow_t, POINTER ALIGN NOTHROW, give_default(p),
       any_delete_array_aligned(p, align, NG_CALLER))

/* ---- the misses of inlined operators ---- */

void *ngrt_new_slow(size_t size) { return any_new(size, NG_CALLER); }
void *ngrt_new_array_slow(size_t size) { return any_new_array(size, NG_CALLER); }

void ngrt_delete_slow(void *p) {
    if (p != NULL)
        any_delete(p, NG_CALLER);
}

void ngrt_delete_array_slow(void *p) {
    if (p != NULL)
        any_delete_array(p, NG_CALLER);
}
