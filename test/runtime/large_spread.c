/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Blocks over the largest class begin at different lines of their first pages, as far as their last pages have room, and take
 * no page more for it; all that frees, resizes and moves them knows them by where they begin.
 */
#include "heap.h"

#include <string.h>

enum { LINE = 64, PAGE = 4096, MOST_BLOCKS = 256 };

static char *blocks[MOST_BLOCKS];

static size_t line_of(const char *block) { return (uintptr_t)block % PAGE / LINE; }

static size_t pages_of(const char *block, size_t size) { return ((uintptr_t)block % PAGE + size + PAGE - 1) / PAGE; }

static size_t get_all(size_t size, size_t count) {
    bool seen[PAGE / LINE] = {false};
    size_t lines = 0;
    for (size_t i = 0; i < count; i++) {
        blocks[i] = heap_alloc(size);
        CHECK(blocks[i] != NULL && (uintptr_t)blocks[i] % LINE == 0 && heap_usable(blocks[i]) >= size);
        CHECK(pages_of(blocks[i], size) == (size + PAGE - 1) / PAGE, "a block of %zu touches a page more", size);
        memset(blocks[i], (int)i, size);
        lines += !seen[line_of(blocks[i])];
        seen[line_of(blocks[i])] = true;
    }
    return lines;
}

static void free_all(size_t size, size_t count) {
    for (size_t i = 0; i < count; i++) {
        CHECK(blocks[i][0] == (char)i && blocks[i][size - 1] == (char)i);
        heap_free(blocks[i]);
    }
}

/* Of so many places, how many blocks of one size begin at: of random ones 256 balls would meet 63 of 64. */
static void spread(size_t size, size_t places, size_t count) {
    size_t lines = get_all(size, count);
    CHECK(places == 1 ? lines == 1 : lines >= places * 3 / 4, "blocks of %zu begin at %zu lines of %zu", size, lines,
          places);
    free_all(size, count);
}

/* A block keeps what was in it, wherever it goes: in place, with its pages moved, copied, and down to a small one. */
static void resized(size_t from, size_t to, size_t end) {
    char *block = heap_alloc(from), *behind = heap_alloc(50000);
    memset(block, 7, from);
    const size_t sizes[] = {from + 100, to, end};
    size_t kept = from;
    for (size_t s = 0; s < 3; s++) {
        block = heap_resize(block, sizes[s]);
        CHECK(block != NULL && (uintptr_t)block % 16 == 0 && heap_usable(block) >= sizes[s]);
        kept = kept < sizes[s] ? kept : sizes[s];
        for (size_t i = 0; i < kept; i += 61)
            CHECK(block[i] == 7, "byte %zu of %zu, %zu to %zu to %zu", i, kept, from, to, end);
        block[sizes[s] - 1] = 8;
        block[kept - 1] = 7;
    }
    heap_free(block);
    heap_free(behind);
}

static void zeroed(size_t size) {
    for (size_t round = 0; round < 8; round++) {
        char *block = heap_zeroed(size);
        for (size_t i = 0; i < size; i++)
            CHECK(block[i] == 0, "byte %zu of %zu", i, size);
        memset(block, 1, heap_usable(block));
        heap_free(block);
    }
}

static void aligned(size_t align, size_t size) {
    for (size_t i = 0; i < 16; i++) {
        blocks[i] = heap_aligned(align, size);
        CHECK(blocks[i] != NULL && (uintptr_t)blocks[i] % align == 0);
        memset(blocks[i], (int)i, size);
    }
    free_all(size, 16);
}

int main(void) {
    test_begin();
    spread(65536 - 4096 + 64, 64,
           MOST_BLOCKS); /* 4032 bytes are left in its last page: each line of the first will do */
    spread(40000, 16, 64);
    spread((size_t)300 * 1024 + 2048, 33, MOST_BLOCKS); /* half a page is left */
    spread(65536, 1, 32);                               /* whole pages: nothing is left */
    spread(49152, 1, 32);
    spread(65536 - 63, 1, 32);
    for (size_t from = 33000; from < 3000000; from += from / 3 + 77) {
        resized(from, 2 * from + 333, 33000);
        resized(from, 5 * from, 100);
        resized(from, from + 65536, 4096 * (from / 4096));
        zeroed(from);
    }
    for (size_t align = 32; align <= (4u << 20); align *= 2)
        aligned(align, 100100);
    return 0;
}
