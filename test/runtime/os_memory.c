/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What os/memory.c does to pages: touched ones are there to be written, not one and the same page of zeros, which a read would
 * get; and whoever makes a huge page ready keeps none.
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
    return 0;
}
