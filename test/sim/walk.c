/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * walk: touches memory in patterns whose misses are known, for sim_test.py.  walk PATTERN:
 *
 *     lines    loads one byte of each line of 4 MiB, four times
 *     huge     the same of 32 MiB that was advised to be huge pages; small: of memory that was not
 *     share    two threads add to one line in turns, and to lines of their own
 *     end      threads that end after this many instructions and that many, one after the other
 *     mix      loads and stores all over 4 MiB, for cachegrind
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, ROUNDS = 4, TURNS = 100000, ENDS = 200 };

__attribute__((noinline)) static unsigned read_lines(const volatile char *at, size_t bytes, int rounds) {
    unsigned sum = 0;
    for (int i = 0; i < rounds; ++i)
        for (size_t k = 0; k < bytes; k += LINE)
            sum += (unsigned char)at[k];
    return sum;
}

__attribute__((noinline)) static unsigned read_pages(const volatile char *at, size_t bytes, int rounds) {
    unsigned sum = 0;
    for (int i = 0; i < rounds; ++i)
        for (size_t k = 0; k < bytes; k += 4096)
            sum += (unsigned char)at[k];
    return sum;
}

static char *map(size_t bytes, int huge) {
    const uintptr_t chunk = 2 << 20;
    char *p = mmap(NULL, bytes + chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p += (chunk - (uintptr_t)p % chunk) % chunk;
    if (huge)
        madvise(p, bytes, MADV_HUGEPAGE);
    memset(p, 1, bytes);
    return p;
}

static struct {
    _Alignas(LINE) volatile unsigned shared, turn;
    _Alignas(LINE) volatile unsigned own[2][LINE / sizeof(unsigned)];
} all;

static volatile unsigned running;

/* Both wait awake: a thread that the system has yet to wake would leave the other one all turns until then. */
__attribute__((noinline)) static void *take_turns(void *which) {
    unsigned me = (unsigned)(uintptr_t)which;
    __atomic_fetch_add(&running, 1, __ATOMIC_RELAXED);
    while (running < 2)
        ;
    for (int i = 0; i < TURNS; ++i) {
        __atomic_fetch_add(&all.shared, 1, __ATOMIC_RELAXED);
        all.own[me][0]++;
    }
    return NULL;
}

static void *count_to(void *most) {
    for (volatile uintptr_t k = 0; k < (uintptr_t)most; ++k)
        ;
    return NULL;
}

static void run_two(void *(*work)(void *)) {
    pthread_t thread[2];
    for (uintptr_t i = 0; i < 2; ++i)
        pthread_create(&thread[i], NULL, work, (void *)i);
    for (int i = 0; i < 2; ++i)
        pthread_join(thread[i], NULL);
}

__attribute__((noinline)) static unsigned mix(volatile unsigned *at, size_t n) {
    unsigned x = 1;
    for (int i = 0; i < 300000; ++i) {
        x = x * 1664525U + 1013904223U;
        size_t k = (x >> 8) % n;
        if (x & 128)
            at[k] = x;
        else
            x += at[k] & 1;
    }
    return x;
}

int main(int argc, char **argv) {
    const char *pattern = argc > 1 ? argv[1] : "";
    if (strcmp(pattern, "lines") == 0)
        return read_lines(map(4 << 20, 0), 4 << 20, ROUNDS) == 0;
    if (strcmp(pattern, "huge") == 0 || strcmp(pattern, "small") == 0)
        return read_pages(map(32 << 20, pattern[0] == 'h'), 32 << 20, ROUNDS) == 0;
    if (strcmp(pattern, "mix") == 0)
        return mix((unsigned *)(void *)map(4 << 20, 0), 1 << 20) == 0;
    if (strcmp(pattern, "share") == 0) {
        run_two(take_turns);
        return all.shared != 2 * TURNS;
    }
    if (strcmp(pattern, "end") == 0) {
        pthread_t thread;
        for (uintptr_t i = 0; i < ENDS; ++i)
            if (pthread_create(&thread, NULL, count_to, (void *)i) != 0 || pthread_join(thread, NULL) != 0)
                return 1;
        return 0;
    }
    fprintf(stderr, "walk: lines, huge, small, share, end or mix\n");
    return 2;
}
