/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * interposed.h: which malloc and which operators the process really uses.
 *
 * A program may define operator new of its own, or malloc; a library that comes by dlopen finds the process's malloc
 * long chosen.  Then the program's functions are called, never a magazine behind their back.  Read-only once the
 * dynamic linker has relocated this library: any core, no lock.
 */
#ifndef NG_FRONT_INTERPOSED_H
#define NG_FRONT_INTERPOSED_H

#include <stdbool.h>
#include <stddef.h>

/* What these names stand for in the process, as the dynamic (or static) linker bound them. */
struct ng_interposed {
    void *(*malloc)(size_t size);
    void (*free)(void *p);
    void *(*new_one)(size_t size);
    void *(*new_array)(size_t size);
    void *(*new_aligned)(size_t size, size_t align);
    void *(*new_array_aligned)(size_t size, size_t align);
    void (*delete_one)(void *p);
    void (*delete_array)(void *p);
    void (*delete_aligned)(void *p, size_t align);
    void (*delete_array_aligned)(void *p, size_t align);
};
extern const struct ng_interposed ng_interposed __attribute__((visibility("hidden")));

/* Whether the program brings any of the operators in struct ng_interposed; false until ng_operators_start().
 * Hidden by its declaration, so that the hit paths reach it with one instruction. */
extern bool ng_new_replaced __attribute__((visibility("hidden")));

/* Whether the process's malloc and free are this library's. */
bool ng_malloc_is_ours(void);

/* Called once by ng_start.  True where the inlined fast paths must stay empty for good, in every thread: the program
 * brings operators or malloc of its own, and code is there that would not notice. */
bool ng_operators_start(void);

#endif
