/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * places.c: how often each place of a program allocates.  Preloaded; promoted.py compiles it and reads what it writes.
 *
 *     NGRT_BENCH_PLACES      a folder: each process leaves a file there, with "COUNT OFFSET MODULE" a line, the offset in
 *                            the module being where the call of malloc or one of its family, or of new, returns to
 *
 * A call that is a jump (a tail call) counts where its function was called.  What a process does that ends by _exit or a
 * signal is lost.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { PLACES = 1 << 16 }; /* a power of two; what finds no room is not counted */

static struct {
    atomic_uintptr_t returns_to;
    atomic_ullong count;
} places[PLACES];

static void count(const void *returns_to) {
    uintptr_t at = (uintptr_t)returns_to;
    size_t hash = (size_t)(at * 0x9e3779b97f4a7c15u >> 48);
    for (size_t i = 0; i < PLACES; i++) {
        size_t here = (hash + i) % PLACES;
        uintptr_t found = atomic_load_explicit(&places[here].returns_to, memory_order_relaxed);
        if (found == at || (found == 0 && atomic_compare_exchange_strong(&places[here].returns_to, &found, at)) ||
            found == at) {
            atomic_fetch_add_explicit(&places[here].count, 1, memory_order_relaxed);
            return;
        }
    }
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t number, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
    count(__builtin_return_address(0));
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes) {
    count(__builtin_return_address(0));
    return __libc_calloc(number, bytes);
}

void *realloc(void *block, size_t bytes) {
    count(__builtin_return_address(0));
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, bytes);
}

/* The library's own operators, which throw and know the new handler. */
typedef void *operator_new(size_t bytes);
static operator_new *_Atomic library_new, *_Atomic library_new_array;

static void *allocate(operator_new *_Atomic *known, const char *name, size_t bytes) {
    operator_new *next = *known;
    if (next == NULL)
        *known = next = (operator_new *)(uintptr_t)dlsym(RTLD_NEXT, name);
    if (next == NULL)
        abort();
    return next(bytes);
}

void *_Znwm(size_t bytes) {
    count(__builtin_return_address(0));
    return allocate(&library_new, "_Znwm", bytes);
}

void *_Znam(size_t bytes) {
    count(__builtin_return_address(0));
    return allocate(&library_new_array, "_Znam", bytes);
}

static void forget(void) {
    for (size_t i = 0; i < PLACES; i++)
        atomic_store(&places[i].count, 0);
}

__attribute__((constructor)) static void start(void) { pthread_atfork(NULL, NULL, forget); }

/* The program itself goes by whatever name it was called. */
static void write_places(FILE *file) {
    static char self[4096];
    Dl_info program = {0}, module;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    void *headers = (void *)getauxval(AT_PHDR); /* NOLINT(performance-no-int-to-ptr) */
    if (length <= 0 || dladdr(headers, &program) == 0)
        return;
    for (size_t i = 0; i < PLACES; i++) {
        void *at = (void *)atomic_load(&places[i].returns_to); /* NOLINT(performance-no-int-to-ptr) */
        unsigned long long times = atomic_load(&places[i].count);
        if (times != 0 && dladdr(at, &module) != 0 && module.dli_fname != NULL)
            fprintf(file, "%llu %tx %s\n", times, (char *)at - (char *)module.dli_fbase,
                    module.dli_fbase == program.dli_fbase ? self : module.dli_fname);
    }
}

__attribute__((destructor)) static void write_down(void) {
    const char *folder = getenv("NGRT_BENCH_PLACES");
    char *path;
    if (folder == NULL || asprintf(&path, "%s/%d", folder, (int)getpid()) < 0)
        return;
    FILE *file = fopen(path, "ae"); /* after exec it is the same process */
    free(path);
    if (file == NULL)
        return;
    write_places(file);
    fclose(file);
}
