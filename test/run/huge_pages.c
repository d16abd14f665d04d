/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * NGRT_THP=on fills the heap with huge pages, off leaves it without any, as the kernel counts them.  With auto (late) a heap
 * that is too small for huge pages when it grows gets them later, once its chunks are full.
 * Usage: huge_pages on|off|late
 */
#include "check.h"

#include <sys/mman.h>

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
    fill(24 * MIB);
    CHECK(huge() == 0, "a heap of 24 MiB began with %zu KiB on huge pages", huge() >> 10);
    size_t have = 0;
    for (int i = 0; i < 100 && (have = huge()) < 16 * MIB; i++)
        test_sleep_ms(200);
    CHECK(have >= 16 * MIB, "20 s later %zu KiB of 24 MiB are on huge pages", have >> 10);
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
    fill(64 * MIB);
    size_t have = huge();
    dprintf(1, "%zu of 64 MiB on huge pages\n", have / MIB);
    if (on)
        CHECK(have >= 32 * MIB, "%zu KiB on huge pages", have >> 10);
    else
        CHECK(have == 0, "%zu KiB on huge pages", have >> 10);
    return 0;
}
