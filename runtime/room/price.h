/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * price.h: what it costs here to fault pages in, and so which kind a fresh chunk gets (docs/decisions/0006-huge-pages.md).
 *
 * Any thread, no lock: a figure that two threads change at a time is one of theirs.
 */
#ifndef NG_ROOM_PRICE_H
#define NG_ROOM_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many bytes were faulted in by one call in so many ns. */
void ng_price_note(bool huge, size_t bytes, uint64_t ns);

/* Whether to measure what a fault costs that a program takes at its first touch of a page: now and then. */
bool ng_price_wants_touch(void);
void ng_price_note_touch(uint64_t ns);

/* Whether a fresh chunk that the program fills should be a huge page. */
bool ng_price_huge(void);

/* Whether the last ones were worth it, and there were some. */
bool ng_price_huge_known(void);

#endif
