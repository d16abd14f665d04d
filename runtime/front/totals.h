/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * totals.h: the heap in numbers, for mallinfo2, malloc_info and NGRT_STATS.
 *
 * Counted by the magazine on the slow paths, never by the block on the fast ones, so they cost nothing there; what lies
 * in the threads' own magazines is counted when it moves.
 */
#ifndef NG_FRONT_TOTALS_H
#define NG_FRONT_TOTALS_H

#include <stdint.h>

struct ng_totals {
#define NG_TOTAL(name, sentence) uint64_t name;
#include "front/totals.def"
#undef NG_TOTAL
};

/* Reads them all; those that change meanwhile may be of slightly different moments.  May take the key. */
void ng_totals_read(struct ng_totals *totals);

#endif
