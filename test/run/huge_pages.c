/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * NGRT_THP=on fills the heap with huge pages, off leaves it without any, as the kernel counts them.  With auto (late) a heap
 * that is too small for huge pages when it grows gets them later, once its chunks are full (late); the chunk that it begins
 * with, which has gaps, once the heap is large (first).
 * Usage: huge_pages on|off|late|first
 */
#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

static const size_t MIB = 1 << 20;

/* Bytes of anonymous memory on huge pages in all the process. */
static size_t huge(void) {
    static char text[4096];
    CHECK(test_read_file("/proc/self/smaps_rollup", text, sizeof text) > 0);
    const char *line = strstr(text, "AnonHugePages:");
    CHECK(line != NULL, "no AnonHugePages in smaps_rollup");
    return strtoul(line + strlen("AnonHugePages:"), NULL, 10) << 10;
}

/* Whether the system gives huge pages to who asks: switched on, not switched off for this process, memory not in pieces. */
static bool system_gives_some(void) {
    size_t bytes = 16 * MIB;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    madvise(p, bytes, MADV_HUGEPAGE);
    memset(p, 1, bytes);
    size_t have = huge();
    munmap(p, bytes);
    return have >= bytes / 2;
}

static bool system_gives_them_unasked(void) {
    char text[128];
    return test_read_file("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text) > 0 &&
           strstr(text, "[always]") != NULL;
}

static void fill(size_t most) {
    for (size_t bytes = 0; bytes < most; bytes += 256) {
        void *p = test_launder(malloc(256));
        CHECK(p != NULL);
        memset(p, 1, 256);
    }
}

static void expect_late(void) {
    fill(14 * MIB);
    CHECK(huge() == 0, "a heap of 14 MiB began with %zu KiB on huge pages", huge() >> 10);
    size_t have = 0;
    for (int i = 0; i < 100 && (have = huge()) < 10 * MIB; i++)
        test_sleep_ms(200);
    CHECK(have >= 10 * MIB, "20 s later %zu KiB of 14 MiB are on huge pages", have >> 10);
}

/* Pages of 2 MiB that are there. */
static size_t present(char *chunk) {
    static unsigned char page[512];
    size_t n = 0;
    CHECK(sysconf(_SC_PAGESIZE) == 4096 && mincore(chunk, 2 * MIB, page) == 0);
    for (size_t i = 0; i < sizeof page; i++)
        n += page[i] & 1;
    return n;
}

/* One block of each of some classes: a page or so of each one's slab. */
static char *begin_with_gaps(void) {
    char *first = test_launder(malloc(6000));
    CHECK(first != NULL);
    first[0] = 1;
    for (size_t size = 8000; size <= 20000; size += 2000) {
        char *p = test_launder(malloc(size));
        CHECK(p != NULL);
        p[0] = 1;
    }
    return (char *)((uintptr_t)first & ~(2 * MIB - 1));
}

/* What collapses chunks that are full leaves this one alone: more than a sixteenth of it is missing. */
static void expect_first(void) {
    char *chunk = begin_with_gaps();
    fill(24 * MIB);
    size_t before = present(chunk), filled = 24;
    CHECK(before < 512 - 512 / 16, "%zu pages of the first chunk are there: no gaps to be seen", before);
    for (; filled < 1024 && present(chunk) < 512; filled += 16)
        fill(16 * MIB);
    dprintf(1, "%zu pages of the first chunk before, %zu with %zu MiB, of which %zu on huge pages\n", before,
            present(chunk), filled, huge() / MIB);
    if (present(chunk) < 512 && huge() < 16 * MIB)
        test_skip("huge pages are dear here, so that the room only tries some now and then");
    CHECK(filled > 48, "a heap of %zu MiB is not large", filled);
    CHECK(present(chunk) == 512, "%zu pages of the first chunk are there", present(chunk));
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    test_begin();
    bool on = strcmp(argv[1], "on") == 0;
    if (!system_gives_some())
        test_skip("the system gives no huge pages to who asks (/sys/kernel/mm/transparent_hugepage/enabled)");
    if (!on && system_gives_them_unasked())
        test_skip("the system gives huge pages to who does not ask");
    if (strcmp(argv[1], "late") == 0) {
        expect_late();
        return 0;
    }
    if (strcmp(argv[1], "first") == 0) {
        expect_first();
        return 0;
    }
    fill(64 * MIB);
    size_t have = huge();
    dprintf(1, "%zu of 64 MiB on huge pages\n", have / MIB);
    if (on)
        CHECK(have >= 32 * MIB, "%zu KiB on huge pages", have >> 10);
    else
        CHECK(have == 0, "%zu KiB on huge pages", have >> 10);
    return 0;
}
