/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pages.h: which addresses of a program lie on huge pages, and which pages were touched at all, from the calls that it
 * makes (mmap, munmap, mprotect, mremap, madvise, prctl) and from the system's setting.  It decides at the first touch, as Linux does;
 * what khugepaged does later by itself is left out.  No libc, one thread.
 */
#ifndef NG_SIM_PAGES_H
#define NG_SIM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* /sys/kernel/mm/transparent_hugepage/enabled */
enum ngsim_thp { NGSIM_THP_NEVER, NGSIM_THP_MADVISE, NGSIM_THP_ALWAYS };

struct ngsim_pages;

/* whole: whether a range is memory without a file behind it, writable, in one mapping; asked at the first touch of a chunk
 * that may become huge.  allocate as for ngsim_new(). */
struct ngsim_pages *ngsim_pages_new(enum ngsim_thp thp, bool (*whole)(uint64_t address, uint64_t bytes),
                                    void *(*allocate)(size_t));

/* prctl(PR_SET_THP_DISABLE) */
void ngsim_pages_disable(struct ngsim_pages *pages, bool disabled);

/* A new mapping in place of whatever was there. */
void ngsim_pages_map(struct ngsim_pages *pages, uint64_t address, uint64_t bytes);
/* What was there goes (munmap, MADV_DONTNEED, MADV_FREE); advice stays with advice_too false.  A huge page of which a part
 * goes is small pages from then on. */
void ngsim_pages_drop(struct ngsim_pages *pages, uint64_t address, uint64_t bytes, bool advice_too);
/* mprotect: a huge page of which a part changes is split. */
void ngsim_pages_split(struct ngsim_pages *pages, uint64_t address, uint64_t bytes);
/* MADV_HUGEPAGE, MADV_NOHUGEPAGE */
void ngsim_pages_advise(struct ngsim_pages *pages, uint64_t address, uint64_t bytes, bool huge);
/* MADV_COLLAPSE: chunks that lie whole in the range become huge. */
void ngsim_pages_collapse(struct ngsim_pages *pages, uint64_t address, uint64_t bytes);

struct ngsim_touch {
    bool huge;
    bool fresh;           /* the touch made the page: the kernel has cleared it */
    uint64_t page, bytes; /* it */
};

/* A touch of one address. */
struct ngsim_touch ngsim_pages_touch(struct ngsim_pages *pages, uint64_t address);

#endif
