/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * idle.h: threads that sleep do not keep what they do not use: their chains, returned magazines and inboxes go back to the
 * bitmaps.  What stands in their bins stays: a thread may be in the middle of a hit path.
 *
 * note: a thread whose cache grows, or whoever gives it blocks.  The rest: who ticks (pages.c), without the key.
 */
#ifndef NG_ROOM_IDLE_H
#define NG_ROOM_IDLE_H

#include <stdbool.h>

/* A thread may hold more from now on. */
void ng_idle_note(void);

/* Whether there is a thread to look at. */
bool ng_idle_wanted(void);

/* Takes from threads whose chains stood still since the last time; all: from every thread, wanted or not. */
void ng_idle_tick(bool all);

#endif
