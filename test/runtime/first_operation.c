/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The first call that a process makes to the heap may be any of them.  Runs itself once for each, and each must leave
 * a heap that works.
 */
#include "heap.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static char foreign[64] __attribute__((aligned(16)));

static void use_heap(void) {
    void *block[64];
    for (size_t i = 0; i < 64; i++) {
        block[i] = heap_alloc(1 + i * 97);
        CHECK(block[i] != NULL);
        test_fill(block[i], 1 + i * 97, i);
    }
    for (size_t i = 0; i < 64; i++) {
        test_intact(block[i], 1 + i * 97, i);
        heap_free(block[i]);
    }
}

static void do_free_null(void) {
    errno = 77;
    heap_free(NULL);
    CHECK(errno == 77);
}
static void do_alloc(void) { CHECK(heap_alloc(1) != NULL); }
static void do_alloc_none(void) {
    void *p = heap_alloc(0);
    CHECK(p != NULL);
    heap_free(p);
}
static void do_alloc_large(void) {
    char *p = (char *)heap_alloc(9u << 20);
    CHECK(p != NULL);
    p[0] = p[(9u << 20) - 1] = 1;
    heap_free(p);
}
static void do_calloc(void) {
    char *p = (char *)heap_zeroed(5000);
    CHECK(p != NULL);
    for (size_t i = 0; i < 5000; i++)
        CHECK(p[i] == 0);
    heap_free(p);
}
static void do_realloc(void) {
    void *p = heap_resize(NULL, 100);
    CHECK(p != NULL);
    test_fill(p, 100, 1);
    p = heap_resize(p, 100000);
    test_intact(p, 100, 1);
    heap_free(p);
}
static void do_aligned(void) {
    void *p = heap_aligned(4096, 10);
    CHECK(p != NULL && ((uintptr_t)p & 4095) == 0);
    heap_free(p);
}
static void do_usable_null(void) { CHECK(heap_usable(NULL) == 0); }
static void do_trim(void) { heap_trim(); }
static void do_is_ours(void) {
#ifndef TEST_PLAIN
    CHECK(!ng_is_ours(foreign) && !ng_is_ours(NULL) && !ng_is_ours((void *)~(uintptr_t)0));
#else
    foreign[0] = 1;
#endif
}

static const struct {
    const char *name;
    void (*run)(void);
} operations[] = {
    {"free(NULL)", do_free_null},
    {"malloc(1)", do_alloc},
    {"malloc(0)", do_alloc_none},
    {"malloc of 9 MiB", do_alloc_large},
    {"calloc", do_calloc},
    {"realloc(NULL)", do_realloc},
    {"memalign", do_aligned},
    {"usable(NULL)", do_usable_null},
    {"trim", do_trim},
    {"is_ours", do_is_ours},
};

int main(int argc, char **argv) {
    size_t count = sizeof operations / sizeof operations[0];
    if (argc > 1) {
        operations[strtoul(argv[1], NULL, 10)].run();
        use_heap();
        return 0;
    }
    test_begin();
    for (size_t i = 0; i < count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%zu", i);
        char *arguments[] = {argv[0], number, NULL};
        pid_t child;
        int status;
        CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(status == 0, "the process whose first call was %s ended with status 0x%x", operations[i].name, status);
    }
    return 0;
}
