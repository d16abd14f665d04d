/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * api.c: what C, POSIX and glibc's manual promise of each function: results, errno, alignment, contents.  Runs on glibc
 * too, which must pass it.
 */
#include "expect.h"

#include <limits.h>
#include <malloc.h>

/* glibc's headers have some of these no more, or not yet. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t), *__libc_valloc(size_t), *__libc_pvalloc(size_t);
extern void __libc_free(void *);
/* Those that some glibc does not export. */
extern int __posix_memalign(void **, size_t, size_t) __attribute__((weak));
extern void *__libc_reallocarray(void *, size_t, size_t) __attribute__((weak));
extern int __libc_mallopt(int, int) __attribute__((weak));
extern struct mallinfo __libc_mallinfo(void) __attribute__((weak));
extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));
/* As a program linked before glibc 2.26 calls it. */
#if defined(__x86_64__) && !defined(TEST_STATIC)
__asm__(".symver old_cfree, cfree@GLIBC_2.2.5");
extern void old_cfree(void *);
#else
#define old_cfree free
#endif

static const size_t too_large[] = {SIZE_MAX,         SIZE_MAX - 4095,         SIZE_MAX - 4096,
                                   SIZE_MAX / 2 + 2, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX};
#define TOO_LARGE (sizeof too_large / sizeof *too_large)
static const size_t sizes[] = {0,    1,    8,    15,    16,    17,    100,    128,     129,     1000,          4095,
                               4096, 4097, 8192, 32767, 32768, 32769, 100000, 1 << 20, 3 << 20, (32 << 20) + 1};
#define SIZES (sizeof sizes / sizeof *sizes)

/* Alignments that the compiler would warn of. */
static size_t unseen(size_t n) { return (size_t)test_launder((void *)n); }

#define EXPECT_NO_MEMORY(call)                                                                                         \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        EXPECT((call) == NULL);                                                                                        \
        EXPECT(errno == ENOMEM);                                                                                       \
    } while (0)

#define EXPECT_INVALID(call)                                                                                           \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        EXPECT((call) == NULL);                                                                                        \
        EXPECT(errno == EINVAL);                                                                                       \
    } while (0)

static void malloc_gives_blocks_of_each_size(void) {
    void *block[SIZES];
    for (size_t i = 0; i < SIZES; i++) {
        block[i] = malloc(sizes[i]);
        EXPECT(is_block(block[i], sizes[i], 16), "malloc(%zu) = %p", sizes[i], block[i]);
    }
    for (size_t i = 0; i < SIZES; i++)
        test_fill(block[i], sizes[i], i);
    for (size_t i = 0; i < SIZES; i++) {
        EXPECT(test_first_difference(block[i], sizes[i], i) == sizes[i], "size %zu", sizes[i]);
        free(block[i]);
    }
    void *a = malloc(0), *b = malloc(0);
    EXPECT(a != NULL && b != NULL && a != b, "malloc(0) twice: %p, %p", a, b);
    free(a);
    free(b);
}

static void what_is_too_large_is_refused(void) {
    char *p = malloc(100);
    test_fill(p, 100, 1);
    for (size_t i = 0; i < TOO_LARGE; i++) {
        size_t n = too_large[i];
        EXPECT_NO_MEMORY(malloc(n));
        EXPECT_NO_MEMORY(calloc(1, n));
        EXPECT_NO_MEMORY(calloc(n, 1));
        EXPECT_NO_MEMORY(realloc(NULL, n));
        EXPECT_NO_MEMORY(realloc(p, n));
        EXPECT_NO_MEMORY(reallocarray(p, n, 1));
        EXPECT_NO_MEMORY(reallocarray(p, 1, n));
        EXPECT_NO_MEMORY(aligned_alloc(64, n));
        EXPECT_NO_MEMORY(memalign(4096, n));
        EXPECT_NO_MEMORY(valloc(n));
        EXPECT_NO_MEMORY(pvalloc(n));
        EXPECT_NO_MEMORY(__libc_malloc(n));
        EXPECT_NO_MEMORY(__libc_memalign(64, n));
        void *out = p;
        errno = 1234;
        EXPECT(posix_memalign(&out, 64, n) == ENOMEM, "size %zx", n);
        EXPECT(out == p);
    }
    EXPECT(test_first_difference(p, 100, 1) == 100, "a realloc that fails leaves the block");
    free(p);
}

static void products_that_overflow_are_refused(void) {
    static const size_t pairs[][2] = {
        {SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX / 2 + 1, 2}, {(size_t)1 << 33, (size_t)1 << 33}, {SIZE_MAX, SIZE_MAX}};
    void *p = malloc(50);
    test_fill(p, 50, 2);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        EXPECT_NO_MEMORY(calloc(pairs[i][0], pairs[i][1]));
        EXPECT_NO_MEMORY(reallocarray(p, pairs[i][0], pairs[i][1]));
        EXPECT_NO_MEMORY(reallocarray(NULL, pairs[i][0], pairs[i][1]));
        EXPECT_NO_MEMORY(__libc_calloc(pairs[i][0], pairs[i][1]));
    }
    EXPECT(test_first_difference(p, 50, 2) == 50);
    free(p);
    /* Beside it, what does not overflow. */
    p = calloc(0, SIZE_MAX);
    EXPECT(p != NULL);
    free(p);
    p = calloc(1000, 1000);
    EXPECT(is_block(p, 1000000, 16));
    p = reallocarray(p, 2000, 1000);
    EXPECT(is_block(p, 2000000, 16));
    free(p);
}

static bool is_zero(const unsigned char *p, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (p[i] != 0)
            return false;
    return true;
}

static void calloc_zeroes_used_memory(void) {
    for (size_t i = 0; i < SIZES; i++) {
        for (int round = 0; round < 3; round++) {
            void *used[4];
            for (int k = 0; k < 4; k++)
                EXPECT(is_block(used[k] = malloc(sizes[i]), sizes[i], 16));
            for (int k = 0; k < 4; k++)
                free(used[k]);
            for (int k = 0; k < 4; k++) {
                used[k] = k % 2 == 0 ? calloc(1, sizes[i]) : __libc_calloc(sizes[i], 1);
                EXPECT(used[k] != NULL && is_zero(used[k], sizes[i]), "size %zu", sizes[i]);
            }
            for (int k = 0; k < 4; k++)
                free(used[k]);
        }
    }
}

static void realloc_keeps_contents(void) {
    for (size_t from = 0; from < SIZES; from++) {
        for (size_t to = 0; to < SIZES; to++) {
            unsigned char *p = malloc(sizes[from]);
            test_fill(p, sizes[from], from);
            size_t common = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
            unsigned char *q = to % 2 == 0 ? realloc(p, sizes[to]) : reallocarray(p, 1, sizes[to]);
            if (sizes[to] == 0) {
                EXPECT(q == NULL, "realloc(p, 0) frees");
                continue;
            }
            EXPECT(q != NULL && malloc_usable_size(q) >= sizes[to], "%zu to %zu", sizes[from], sizes[to]);
            EXPECT(test_first_difference(q, common & ~(size_t)7, from) == (common & ~(size_t)7), "%zu to %zu",
                   sizes[from], sizes[to]);
            free(q);
        }
    }
    void *p = realloc(NULL, 40);
    EXPECT(is_block(p, 40, 16));
    p = __libc_realloc(p, 400);
    EXPECT(is_block(p, 400, 16));
    EXPECT(reallocarray(p, 0, 8) == NULL);
    void *empty = realloc(NULL, 0);
    EXPECT(empty != NULL, "realloc(NULL, 0) is malloc(0)");
    free(empty);
    /* By small steps, as a string grows. */
    char *s = NULL;
    for (size_t n = 1; n < 70000; n += n / 16 + 1) {
        s = realloc(s, n);
        EXPECT(s != NULL);
        s[n - 1] = (char)n;
        EXPECT(n < 20 || s[19 - 1] == 19 || s[0] == 1);
    }
    free(s);
}

static void free_keeps_errno(void) {
    for (size_t i = 0; i < SIZES; i++) {
        void *small = malloc(sizes[i]), *aligned = memalign(1 << 16, sizes[i]);
        errno = 1234;
        free(small);
        free(aligned);
        EXPECT(errno == 1234, "size %zu", sizes[i]);
    }
    free(NULL);
    __libc_free(NULL);
    EXPECT(errno == 1234);
    EXPECT(!on_ngrt() || (free_sized != NULL && free_aligned_sized != NULL));
    for (size_t i = 0; i < SIZES; i++) {
        if (free_sized != NULL && free_aligned_sized != NULL) {
            free_sized(malloc(sizes[i]), sizes[i]);
            free_aligned_sized(aligned_alloc(256, sizes[i]), 256, sizes[i]);
        }
        old_cfree(malloc(sizes[i]));
    }
    EXPECT(errno == 1234);
}

static void aligned_blocks_are_aligned(void) {
    for (size_t align = 1; align <= (size_t)64 << 20; align *= 2) {
        for (size_t i = 0; i < SIZES; i++) {
            size_t n = sizes[i], least = align < 16 ? (align < 8 ? 8 : align) : align;
            void *block[5] = {memalign(align, n), aligned_alloc(align, n), __libc_memalign(align, n), NULL, NULL};
            int result = align >= 8 ? posix_memalign(&block[3], align, n) : 0;
            EXPECT(result == 0, "posix_memalign(%zu, %zu)", align, n);
            for (int k = 0; k < 4; k++) {
                if (k == 3 && align < 8)
                    continue;
                EXPECT(is_block(block[k], n, least), "%d: align %zu, size %zu: %p", k, align, n, block[k]);
                EXPECT(malloc_usable_size(block[k]) >= n);
            }
            EXPECT(is_block(block[4] = realloc(block[0], n + 100), n + 100, 16));
            for (int k = 1; k < 5; k++)
                free(block[k]);
        }
    }
}

static void alignments_that_cannot_be(void) {
    static const size_t bad[] = {0, 1, 2, 3, 4, 7, 12, 24, 48, 1000, SIZE_MAX, SIZE_MAX - 7};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *out = &out;
        errno = 1234;
        EXPECT(posix_memalign(&out, bad[i], 10) == EINVAL, "alignment %zu", bad[i]);
        EXPECT(out == &out && errno == 1234);
        /* glibc 2.38 and later. */
        if (on_ngrt() && (bad[i] & (bad[i] - 1)) != 0)
            EXPECT_INVALID(aligned_alloc(bad[i], 10));
    }
    if (on_ngrt())
        EXPECT_INVALID(aligned_alloc(unseen(0), 10));
    EXPECT_INVALID(memalign(unseen(SIZE_MAX), 10));
    EXPECT_INVALID(memalign(unseen(SIZE_MAX / 2 + 2), 10));
    EXPECT_NO_MEMORY(memalign(unseen(SIZE_MAX / 2 + 1), 10));
    /* The next power of two. */
    static const size_t odd[][2] = {{0, 8}, {3, 4}, {17, 32}, {48, 64}, {5000, 8192}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        void *p = memalign(odd[i][0], 10);
        EXPECT(is_block(p, 10, odd[i][1]), "memalign(%zu): %p", odd[i][0], p);
        free(p);
    }
}

static void pages(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < SIZES; i++) {
        size_t whole = (sizes[i] + page - 1) & ~(page - 1);
        void *block[] = {valloc(sizes[i]), pvalloc(sizes[i]), __libc_valloc(sizes[i]), __libc_pvalloc(sizes[i])};
        for (int k = 0; k < 4; k++) {
            EXPECT(is_block(block[k], k % 2 == 0 ? sizes[i] : whole, page), "%d: size %zu: %p", k, sizes[i], block[k]);
            free(block[k]);
        }
    }
}

static void usable_size_is_usable(void) {
    EXPECT(malloc_usable_size(NULL) == 0);
    for (size_t n = 0; n < 70000; n += n / 8 + 1) {
        void *p = malloc(n);
        size_t usable = malloc_usable_size(p);
        EXPECT(usable >= n, "%zu of %zu", usable, n);
        memset(p, 0x5A, usable);
        EXPECT(malloc_usable_size(p) == usable);
        void *q = realloc(p, usable);
        EXPECT(q != NULL && malloc_usable_size(q) >= usable);
        free(q);
    }
}

static size_t in_use(void) {
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void numbers(void) {
    size_t before = in_use(), block = 64 << 20;
    void *p = malloc(block);
    memset(p, 1, block);
    size_t during = in_use();
    EXPECT(during >= before + block && during < before + 2 * block, "%zu, then %zu", before, during);
    struct mallinfo2 m2 = mallinfo2();
    EXPECT(m2.uordblks + m2.fordblks == m2.arena, "%zu + %zu = %zu", m2.uordblks, m2.fordblks, m2.arena);
    struct mallinfo m = mallinfo();
    EXPECT((size_t)m.hblkhd + (size_t)m.uordblks >= block, "%d + %d", m.hblkhd, m.uordblks);
    free(p);
    EXPECT(in_use() < during - block / 2, "%zu, then %zu", during, in_use());
    int trimmed = malloc_trim(0);
    EXPECT(trimmed == 0 || trimmed == 1);
    static const int known[] = {M_MXFAST,       M_TRIM_THRESHOLD, M_TOP_PAD,    M_MMAP_THRESHOLD, M_MMAP_MAX,
                                M_CHECK_ACTION, M_PERTURB,        M_ARENA_TEST, M_ARENA_MAX};
    for (size_t i = 0; i < sizeof known / sizeof *known && on_ngrt(); i++)
        EXPECT(mallopt(known[i], 1) == 1, "parameter %d", known[i]);
    EXPECT(!on_ngrt() || mallopt(12345, 1) == 0);
}

static void reports(void) {
    EXPECT(malloc_info(1, stdout) == EINVAL);
    char text[65536] = {0};
    FILE *stream = fmemopen(text, sizeof text, "w");
    EXPECT(stream != NULL && malloc_info(0, stream) == 0);
    fclose(stream);
    EXPECT(strncmp(text, "<malloc version=\"1\">\n", 21) == 0, "%.40s", text);
    EXPECT(strstr(text, "<system type=\"current\" size=\"") != NULL && strstr(text, "</malloc>\n") != NULL);

    int saved = dup(2), pipes[2];
    EXPECT(pipe(pipes) == 0 && dup2(pipes[1], 2) == 2);
    malloc_stats();
    fflush(stderr);
    dup2(saved, 2);
    close(pipes[1]);
    ssize_t n = read(pipes[0], text, sizeof text - 1);
    EXPECT(n > 50, "malloc_stats wrote %zd bytes", n);
    close(pipes[0]);
    close(saved);
}

/* The second names once each: what they share with the plain names is tested by those. */
static void libc_reallocarray(void) {
    if (__libc_reallocarray == NULL)
        return;
    void *p = malloc(80);
    test_fill(p, 80, 3);
    p = __libc_reallocarray(p, 500, 800);
    EXPECT(p != NULL && malloc_usable_size(p) >= 400000 && test_first_difference(p, 80, 3) == 80);
    EXPECT_NO_MEMORY(__libc_reallocarray(p, SIZE_MAX / 2, 4));
    free(p);
}

static void libc_posix_memalign(void) {
    void *out = NULL;
    if (__posix_memalign == NULL)
        return;
    EXPECT(__posix_memalign(&out, 4096, 100) == 0 && is_block(out, 100, 4096), "%p", out);
    free(out);
    EXPECT(__posix_memalign(&out, 24, 100) == EINVAL);
}

static void libc_numbers(void) {
    if (__libc_mallopt != NULL)
        EXPECT(__libc_mallopt(M_ARENA_MAX, 1) == 1 && (!on_ngrt() || __libc_mallopt(12345, 1) == 0));
    if (__libc_mallinfo == NULL)
        return;
    void *p = malloc(64 << 20);
    struct mallinfo m = __libc_mallinfo();
    EXPECT((size_t)m.hblkhd + (size_t)m.uordblks >= 64 << 20, "%d + %d", m.hblkhd, m.uordblks);
    free(p);
}

static void second_names_are_there(void) {
    EXPECT(__posix_memalign != NULL && __libc_reallocarray != NULL && __libc_mallopt != NULL &&
           __libc_mallinfo != NULL);
}

int main(void) {
    test_begin();
    malloc_gives_blocks_of_each_size();
    what_is_too_large_is_refused();
    products_that_overflow_are_refused();
    calloc_zeroes_used_memory();
    realloc_keeps_contents();
    free_keeps_errno();
    aligned_blocks_are_aligned();
    alignments_that_cannot_be();
    pages();
    usable_size_is_usable();
    numbers();
    if (on_ngrt())
        second_names_are_there();
    libc_reallocarray();
    libc_posix_memalign();
    libc_numbers();
    reports();
    return expect_result();
}
