/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * foreign.c: finds the malloc that the process would have without us, and gives it the blocks that are not ours.
 *
 * Owns the three addresses.  Any thread may look for them at any time and all find the same, so there is no lock: a
 * thread publishes what it found, and `found` says so (release, acquire).  The one danger is recursion, since dlsym may
 * call malloc and free: while a thread looks, blocks that are not ours are left alone in it.
 */
#include "front/foreign.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Absent in a program linked statically, where no other malloc can be. */
extern __attribute__((weak)) void *dlsym(void *handle, const char *name);
/* Ours; absent in ngrt_core. */
extern __attribute__((weak)) void ng_entry_free(void *p);

static struct {
    void (*free)(void *p);
    size_t (*usable)(void *p);
    void *(*realloc)(void *p, size_t size);
    bool found;
} next;

static __attribute__((tls_model("initial-exec"))) _Thread_local bool looking;

/* The function that this name has after us, or NULL. */
static void *after_us(const char *name) { return dlsym(RTLD_NEXT, name); }

static void look(void) {
    looking = true;
    const char *const names[2][2] = {{"free", "realloc"}, {"__libc_free", "__libc_realloc"}};
    for (int i = 0; i < 2; i++) {
        void *release = after_us(names[i][0]), *resize = after_us(names[i][1]);
        if (release == NULL || resize == NULL || (ng_entry_free != NULL && release == (void *)ng_entry_free))
            continue;
        __atomic_store_n(&next.free, (void (*)(void *))release, __ATOMIC_RELAXED);
        __atomic_store_n(&next.realloc, (void *(*)(void *, size_t))resize, __ATOMIC_RELAXED);
        __atomic_store_n(&next.usable, (size_t (*)(void *))after_us("malloc_usable_size"), __ATOMIC_RELAXED);
        break;
    }
    looking = false;
    __atomic_store_n(&next.found, true, __ATOMIC_RELEASE);
}

/* Whether the addresses may be used. */
static bool ready(void) {
    if (__atomic_load_n(&next.found, __ATOMIC_ACQUIRE))
        return true;
    if (dlsym == NULL || looking)
        return false;
    int saved = errno;
    look();
    errno = saved;
    return true;
}

void ng_foreign_start(void) { (void)ready(); }

void ng_foreign_free(void *p) {
    void (*release)(void *) = ready() ? __atomic_load_n(&next.free, __ATOMIC_RELAXED) : NULL;
    if (release == NULL)
        return;
    int saved = errno;
    release(p); /* glibc keeps errno since 2.33, others may not */
    errno = saved;
}

size_t ng_foreign_usable(const void *p) {
    size_t (*usable)(void *) = ready() ? __atomic_load_n(&next.usable, __ATOMIC_RELAXED) : NULL;
    return usable != NULL ? usable((void *)(uintptr_t)p) : 0;
}

void *ng_foreign_realloc(void *p, size_t size) {
    void *(*resize)(void *, size_t) = ready() ? __atomic_load_n(&next.realloc, __ATOMIC_RELAXED) : NULL;
    if (resize != NULL)
        return resize(p, size);
    errno = ENOMEM;
    return NULL;
}
