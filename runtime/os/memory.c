/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * memory.c: address ranges, pages and what is behind them.  Owns no state but the page size; any core, no lock.
 */
#include "os/os.h"

#include "channel/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { MOST_PRESENT = 512 };

size_t ng_os_page(void) {
    static ng_atomic page;
    uint64_t bytes = ng_load(&page, NG_RELAXED);
    if (bytes == 0) {
        bytes = getauxval(AT_PAGESZ);
        ng_store(&page, bytes, NG_RELAXED);
    }
    return bytes;
}

/* What the alignment leaves over stays reserved: two system calls fewer in every process. */
void *ng_os_reserve(size_t bytes) {
    if (bytes > SIZE_MAX - NG_CHUNK_BYTES)
        return NULL;
    char *p = mmap(NULL, bytes + NG_CHUNK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    return (char *)(((uintptr_t)p + NG_CHUNK_BYTES - 1) & ~(NG_CHUNK_BYTES - 1));
}

void ng_os_unreserve(void *p, size_t bytes) { munmap(p, bytes); }

size_t ng_os_address_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return limit.rlim_cur;
}

bool ng_os_commit(void *p, size_t bytes) { return mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0; }

bool ng_os_readable(void *p, size_t bytes) { return mprotect(p, bytes, PROT_READ) == 0; }

bool ng_os_purge(void *p, size_t bytes) { return madvise(p, bytes, MADV_DONTNEED) == 0; }

/* An atomic addition of nothing faults a page in for writing and cannot lose what another thread writes there.  That it is nothing
 * the compiler must not see: it would read the page, or do without. */
void ng_os_touch(char *p) {
    char nothing = 0;
    __asm__("" : "+r"(nothing));
    __atomic_fetch_add(p, nothing, __ATOMIC_RELAXED);
}

static void touch_each_page(char *p, size_t bytes) {
    size_t page = ng_os_page();
    for (size_t at = 0; at < bytes; at += page)
        ng_os_touch(p + at);
}

bool ng_os_populate(void *p, size_t bytes) {
    if (madvise(p, bytes, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    touch_each_page(p, bytes); /* a kernel before 5.14 */
    return true;
}

size_t ng_os_present(void *p, size_t pages) {
    unsigned char present[MOST_PRESENT];
    size_t count = 0;
    for (size_t from = 0; from < pages; from += MOST_PRESENT) {
        size_t n = pages - from < MOST_PRESENT ? pages - from : MOST_PRESENT;
        if (mincore((char *)p + from * ng_os_page(), n * ng_os_page(), present) != 0)
            return 0;
        for (size_t i = 0; i < n; i++)
            count += present[i] & 1;
    }
    return count;
}

void ng_os_huge(void *p, size_t bytes, bool on) { (void)madvise(p, bytes, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE); }

/* The kernel keeps what was just freed at hand, and hands that out first. */
void ng_os_huge_at_hand(void) {
    char *p =
        mmap(NULL, 2 * NG_CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return;
    char *chunk = (char *)(((uintptr_t)p + NG_CHUNK_BYTES - 1) & ~(NG_CHUNK_BYTES - 1));
    ng_os_huge(chunk, NG_CHUNK_BYTES, true);
    (void)madvise(chunk, NG_CHUNK_BYTES, MADV_POPULATE_WRITE);
    munmap(p, 2 * NG_CHUNK_BYTES);
}

bool ng_os_collapse(void *p, size_t bytes) {
    if (madvise(p, bytes, MADV_COLLAPSE) == 0)
        return true;
    if (errno == EINVAL)
        ng_os_huge(p, bytes, true); /* a kernel before 6.1: its own thread may do it in time */
    return false;
}

bool ng_os_renew(void *p, size_t bytes) {
    return mmap(p, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
}

bool ng_os_move(void *from, void *to, size_t bytes) {
    if (mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
        return false;
    /* The old place is a hole now, which another mapping could take: close it, or nothing of the arena is safe. */
    if (!ng_os_renew(from, bytes))
        ng_fatal("cannot map the arena again after moving a block");
    return true;
}

size_t ng_os_resident(void) {
    char text[64];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *p = text;
    while (*p != '\0' && *p != ' ')
        p++;
    size_t pages = 0;
    for (p += *p == ' '; *p >= '0' && *p <= '9'; p++)
        pages = pages * 10 + (size_t)(*p - '0');
    return pages * ng_os_page();
}
