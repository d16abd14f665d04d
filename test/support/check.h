/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * check.h: what every test program needs: CHECK, SKIP, random numbers, patterns for blocks, clocks and memory figures.
 * For C and C++.  Nothing in here allocates, so that a test can use it while the heap is under test.
 */
#ifndef NGRT_TEST_CHECK_H
#define NGRT_TEST_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

/* Ends the program with a message unless the condition holds; a printf format and its values may follow. */
#define CHECK(cond, ...)                                                                                               \
    do {                                                                                                               \
        if (!(cond))                                                                                                   \
            check_failed(__FILE__, __LINE__, #cond, " " __VA_ARGS__);                                                  \
    } while (0)

__attribute__((noreturn, format(printf, 4, 5))) static inline void
check_failed(const char *file, int line, const char *what, const char *format, ...) {
    int error = errno;
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    dprintf(2, "%s:%d: not so: %s:%s (errno %d)\n", file, line, what, text, error);
    _exit(1);
}

/* Ends the program with the status that ctest shows as "skipped". */
__attribute__((noreturn)) static inline void test_skip(const char *why) {
    dprintf(1, "skipped: %s\n", why);
    _exit(77);
}

/* The work of a test: fewer rounds where a sanitizer makes each one slow. */
static inline size_t test_rounds(size_t rounds) { return TEST_SANITIZED ? (rounds + 9) / 10 : rounds; }

static inline uint64_t test_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545F4914F6CDD1Dull;
}

/* A size from 1 to about 2^bits, small ones as often as large ones. */
static inline size_t test_random_size(uint64_t *state, unsigned bits) {
    unsigned shift = (unsigned)(test_random(state) % bits);
    return 1 + (size_t)(test_random(state) & ((2ull << shift) - 1));
}

/* Until the condition holds; what: it, in words. */
static inline void test_wait_for(bool (*condition)(void), const char *what) {
    for (int ms = 0; ms < 20000; ms++) {
        if (condition())
            return;
        usleep(1000);
    }
    CHECK(false, "%s within 20 s", what);
}

/* Fills a block with bytes that follow from the seed, and checks that they are still there. */
static inline void test_fill(void *block, size_t size, uint64_t seed) {
    unsigned char *p = (unsigned char *)block;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word = seed + i * 0x9E3779B97F4A7C15ull;
        memcpy(p + i, &word, 8);
    }
    for (; i < size; i++)
        p[i] = (unsigned char)(seed + i);
}

static inline size_t test_first_difference(const void *block, size_t size, uint64_t seed) {
    const unsigned char *p = (const unsigned char *)block;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        if (word != seed + i * 0x9E3779B97F4A7C15ull)
            return i;
    }
    for (; i < size; i++)
        if (p[i] != (unsigned char)(seed + i))
            return i;
    return size;
}

static inline void test_intact(const void *block, size_t size, uint64_t seed) {
    size_t at = test_first_difference(block, size, seed);
    CHECK(at == size, "block %p of %zu bytes changed at byte %zu", block, size, at);
}

static inline uint64_t test_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void test_sleep_ms(unsigned ms) {
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

/* Reads a small file of /proc; -1 where it is gone. */
static inline ssize_t test_read_file(const char *path, char *buffer, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t have = 0;
    ssize_t n;
    while (have < size - 1 && (n = read(fd, buffer + have, size - 1 - have)) > 0)
        have += (size_t)n;
    close(fd);
    buffer[have] = '\0';
    return (ssize_t)have;
}

/* The process's resident memory, bytes. */
static inline size_t test_rss(void) {
    char text[128];
    unsigned long size, resident;
    CHECK(test_read_file("/proc/self/statm", text, sizeof text) > 0);
    CHECK(sscanf(text, "%lu %lu", &size, &resident) == 2);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* The address of a block, seen by no optimizer: a test may look at a block that it has freed. */
static inline void *test_launder(const void *p) {
    void *q = (void *)(uintptr_t)p;
    __asm__ volatile("" : "+r"(q) : : "memory");
    return q;
}

/* Where the command that started the test says (TEST_EXPECT) that malloc must come from a library, checks that it does:
 * a test that ran on the wrong allocator would prove nothing. */
static inline void test_begin(void) {
#ifdef TEST_STATIC
    /* Linked statically there is no library to name; but glibc's first small block lies below the break. */
    void *block = malloc(100);
    CHECK(block != NULL && block > sbrk(0), "a block at %p: this is glibc's malloc", block);
    free(block);
    return;
#endif
    const char *library = getenv("TEST_EXPECT");
    if (library == NULL || library[0] == '\0')
        return;
    Dl_info info;
    memset(&info, 0, sizeof info);
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    CHECK(function != NULL && dladdr(function, &info) != 0 && info.dli_fname != NULL, "where is malloc?");
    CHECK(strstr(info.dli_fname, library) != NULL, "malloc comes from %s, not from %s", info.dli_fname, library);
}

#endif
