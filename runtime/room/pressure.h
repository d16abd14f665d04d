/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pressure.h: whether memory is short, by the process's limits and by what the kernel says of stalls; where it is, bounds
 * tighten: nothing is faulted in ahead, free memory goes back at once, threads may keep less.
 *
 * look: who ticks (pages.c), without the key.  The questions: any thread, at no cost.
 */
#ifndef NG_ROOM_PRESSURE_H
#define NG_ROOM_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

/* Looks again if the last look is a second old, or the heap has grown by much of what was left. */
void ng_pressure_look(uint64_t now);
/* The same, but the first look is a second after the first call: it takes 0.2 ms, which a young program need not spend.
 * A room that starts meanwhile looks at once. */
void ng_pressure_look_later(uint64_t now);

/* In the child of a fork: whoever looked is gone. */
void ng_pressure_in_child(void);

/* A limit is near, or memory is short. */
bool ng_pressure_near(void);

/* Somebody waits for memory, or a limit was met, within the last seconds. */
bool ng_pressure_short(void);

#endif
