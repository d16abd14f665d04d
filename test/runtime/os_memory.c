/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What os/memory.c does to pages: touched ones are there to be written, not one and the same page of zeros, which a read would
 * get; and whoever makes a huge page ready keeps none.  Prints what pages cost here.
 */
#include "heap.h"

#include "os/os.h"

#include <sys/mman.h>

enum { PAGES = 4096 };

/* Addresses, and pages in memory. */
static void held(size_t *mapped, size_t *resident) {
    char text[256];
    CHECK(test_read_file("/proc/self/statm", text, sizeof text) > 0);
    char *end;
    *mapped = strtoul(text, &end, 10);
    *resident = strtoul(end, NULL, 10);
}

/* Microseconds for 2 MiB: 512 touches, one call, one huge page; nothing is asked of them. */
static void print_prices(char *p) {
    uint64_t at[4] = {ng_os_now()};
    for (size_t i = 0; i < NG_CHUNK_BYTES; i += ng_os_page())
        ng_os_touch(p + i);
    at[1] = ng_os_now();
    CHECK(ng_os_populate(p + NG_CHUNK_BYTES, NG_CHUNK_BYTES));
    at[2] = ng_os_now();
    ng_os_huge(p + 2 * NG_CHUNK_BYTES, NG_CHUNK_BYTES, true);
    CHECK(ng_os_populate(p + 2 * NG_CHUNK_BYTES, NG_CHUNK_BYTES));
    at[3] = ng_os_now();
    dprintf(1, "2 MiB: touched %llu us, by a call %llu us, a huge page %llu us\n",
            (unsigned long long)(at[1] - at[0]) / 1000, (unsigned long long)(at[2] - at[1]) / 1000,
            (unsigned long long)(at[3] - at[2]) / 1000);
}

int main(void) {
    if (TEST_SANITIZED)
        test_skip("a sanitizer has shadows of its own");
    test_begin();
    size_t page = ng_os_page(), mapped, before, mapped_after, after;
    char *p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    ng_os_huge(p, PAGES * page, false);
    held(&mapped, &before);
    for (size_t i = 0; i < PAGES; i++)
        ng_os_touch(p + i * page);
    held(&mapped_after, &after);
    CHECK(after >= before + PAGES * 15 / 16, "%zu pages more in memory, not %d", after - before, PAGES);

    held(&mapped, &before);
    for (int i = 0; i < 16; i++)
        ng_os_huge_at_hand();
    held(&mapped_after, &after);
    CHECK(mapped_after == mapped, "%zu pages of addresses before, %zu after", mapped, mapped_after);
    CHECK(after < before + 512, "%zu pages more in memory", after - before);

    CHECK(ng_os_purge(p, PAGES * page));
    print_prices((char *)(((uintptr_t)p + NG_CHUNK_BYTES - 1) & ~(NG_CHUNK_BYTES - 1)));
    return 0;
}
