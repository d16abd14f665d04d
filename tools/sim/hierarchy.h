/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * hierarchy.h: a model of a machine's data side: for each core L1, L2 and two levels of TLB, one last level for all, and
 * coherence (MESI) between the cores.  It knows addresses only and needs no libc, so that the same code runs inside of an
 * instrument and in a test.  docs/sim.md says what is left out.
 *
 * Not for several threads at a time: the caller gives one access after the other.
 */
#ifndef NG_SIM_HIERARCHY_H
#define NG_SIM_HIERARCHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NGSIM_LINE_SHIFT = 6, NGSIM_CORES = 512, NGSIM_HUGE_SHIFT = 21, NGSIM_PAGE_SHIFT = 12 };

/* What a geometry says, and in which order: the one list for the parser, the command line and the model. */
#define NGSIM_FIELDS(F)                                                                                                \
    F(l1_bytes, "bytes of each core's L1 for data")                                                                    \
    F(l1_ways, "its ways")                                                                                             \
    F(l2_bytes, "bytes of each core's L2, inclusive of L1; 0: none")                                                   \
    F(l2_ways, "its ways")                                                                                             \
    F(llc_bytes, "bytes of the last level, which all cores share")                                                     \
    F(llc_ways, "its ways")                                                                                            \
    F(llc_victim, "1: it takes what an L2 evicts; 0: what comes from memory")                                          \
    F(dtlb_entries, "entries of each core's first TLB for data")                                                       \
    F(dtlb_ways, "its ways (as many as entries: fully associative)")                                                   \
    F(dtlb_huge_entries, "entries of its own for huge pages; 0: they share")                                           \
    F(dtlb_huge_ways, "their ways")                                                                                    \
    F(stlb_entries, "entries of each core's second TLB")                                                               \
    F(stlb_ways, "its ways")                                                                                           \
    F(stlb_huge_entries, "entries of its own for huge pages; 0: they share")                                           \
    F(stlb_huge_ways, "their ways")                                                                                    \
    F(dtlb_event_walk, "what perf's dTLB-misses count: 1 misses of both TLBs, 0 of the first")                         \
    F(prefetch_streams, "streams that each core's prefetcher follows; 0: none")                                        \
    F(prefetch_lines, "lines that it fetches ahead, into L2")

struct ngsim_geometry {
#define NGSIM_FIELD(name, text) uint32_t name;
    NGSIM_FIELDS(NGSIM_FIELD)
#undef NGSIM_FIELD
};

/* What one access met: bits, none where all was at hand. */
enum ngsim_event {
    NGSIM_L1 = 1,       /* not in this core's L1 */
    NGSIM_L2 = 2,       /* nor in its L2 */
    NGSIM_LLC = 4,      /* nor in the last level, nor with another core: from memory */
    NGSIM_MOVE = 8,     /* another core had changed the line */
    NGSIM_UPGRADE = 16, /* a store to a line that others had too: theirs are gone */
    NGSIM_TLB = 32,     /* not in the first TLB */
    NGSIM_WALK = 64,    /* nor in the second */
    NGSIM_EVENTS = 7
};

struct ngsim;

/* A machine with cold caches.  allocate: gives zeroed memory that is kept until the end, or NULL.  Returns NULL where
 * allocate did, or where ngsim_wrong() would complain. */
struct ngsim *ngsim_new(const struct ngsim_geometry *geometry, void *(*allocate)(size_t));

/* What is wrong with a geometry: the name of the field, or NULL. */
const char *ngsim_wrong(const struct ngsim_geometry *geometry);

/* One access of a core (below NGSIM_CORES), in at most two lines; huge: its page is 2 MiB.  Returns the events' sum; an access in two
 * lines counts each event once. */
unsigned ngsim_access(struct ngsim *machine, unsigned core, uint64_t address, unsigned bytes, bool store, bool huge);

/* The core's caches take the lines of a range as written, without its TLB: what the kernel does when it clears a page.
 * Returns how many of them came from memory. */
unsigned ngsim_clear(struct ngsim *machine, unsigned core, uint64_t address, uint64_t bytes);

/* No TLB knows these addresses any more (munmap, mprotect, a page that was split). */
void ngsim_forget(struct ngsim *machine, uint64_t address, uint64_t bytes);

/* Whether the core's last access was to this line, and to write it again is no event either: a shortcut for callers. */
static inline uint64_t ngsim_line(uint64_t address) { return address >> NGSIM_LINE_SHIFT; }

#endif
