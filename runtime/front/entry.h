/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * entry.h: what the exported entry points of C (libc.c) and of C++ (operators.c) share: the hit paths, which are abi.h's
 * own, and the way to the miss.  On the app's core; no lock.
 *
 * An entry point is: hit, return; else a tail call of its miss, which gets the return address, since by then only the
 * entry point knows who called.  So no hit path has a stack frame (test/runtime/exports/hit_path.py counts its instructions).
 */
#ifndef NG_FRONT_ENTRY_H
#define NG_FRONT_ENTRY_H

#include "front/alloc.h"
#include "ngrt/abi.h"

/* Weak, so that a program linked statically may bring its own: to the dynamic linker weak and strong are the same. */
#define NG_EXPORT __attribute__((visibility("default"), weak))
#define NG_EXPORT_AS(function) __attribute__((visibility("default"), weak, alias(#function)))
#define NG_MISS __attribute__((noinline, cold))
#define NG_NOINLINE __attribute__((noinline))
#define NG_LIKELY(x) __builtin_expect(!!(x), 1)
#define NG_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Before a loop that mostly goes round once or twice. */
#ifdef __clang__
#define NG_ROLLED _Pragma("clang loop unroll(disable) vectorize(disable)")
#else
#define NG_ROLLED _Pragma("GCC unroll 1")
#endif

#define NG_CALLER __builtin_return_address(0)

/* Begins with a cache line, so that a hit lies in one: docs/decisions/0033-instructions-for-allocation.md. */
#define NG_BEGINS_LINE __attribute__((aligned(64)))

/* NULL on a miss. */
static inline void *ng_hit_take(size_t size) { return ngrt_take_any(&ngrt_cache, size); }

/* The bodies that the weak names in libc.c stand for; what is here stays ours whatever the program brings. */
void *ng_entry_malloc(size_t size);
void ng_entry_free(void *p);
/* The same in operators.c. */
void *ng_entry_new(size_t size);
void *ng_entry_new_array(size_t size);
void *ng_entry_new_aligned(size_t size, size_t align);
void *ng_entry_new_array_aligned(size_t size, size_t align);
void ng_entry_delete(void *p);
void ng_entry_delete_array(void *p);
void ng_entry_delete_aligned(void *p, size_t align);
void ng_entry_delete_array_aligned(void *p, size_t align);

/* Any size, NULL and ENOMEM; invites the room first where one is wanted. */
void *ng_miss_malloc(size_t size, const void *caller);
void *ng_miss_aligned(size_t align, size_t size, const void *caller);
/* p != NULL; keeps errno. */
void ng_miss_free(void *p, const void *caller);

#endif
