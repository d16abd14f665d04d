/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * spare.h: whether the room's core is one to spare, and whether its work is worth staying awake for.
 *
 * The room's thread alone, and before there is one whoever starts it; no lock.  Two signs that there is none to spare: something else ran on the room's core while
 * the room wanted it, by the room's own clock; or the process used all the processors that it may use, though the room
 * slept for most of the time, by the process's CPU time.
 */
#ifndef NG_ROOM_SPARE_H
#define NG_ROOM_SPARE_H

#include <stdbool.h>
#include <stdint.h>

struct ng_spare {
    unsigned cpus;                  /* that the process may use ... */
    uint64_t cpus_at;               /* ... when it was last asked for */
    uint64_t since, seen;           /* a window of the time awake; when the loop last came by */
    uint64_t lost, worked;          /* ns in it in which something else ran here; in which there was work */
    uint64_t period_at, period_cpu; /* since when the process's CPU time is counted, and what it was then */
    uint64_t awake;                 /* ns awake in that period */
    uint64_t rest;                  /* how long to rest, ns; 0: need not */
};

/* Before the room is started in a program that has threads for all its processors: whether it left one of them idle since
 * this was asked last.  False too where nothing is known yet (rest is set: ask again after it). */
bool ng_spare_at_start(struct ng_spare *s, uint64_t now);

/* The room begins to run. */
void ng_spare_begin(struct ng_spare *s, uint64_t now);

/* The loop comes by after a turn that began at `begin` and was work or not.  False: no core to spare (rest is set). */
bool ng_spare_turn(struct ng_spare *s, uint64_t begin, uint64_t now, bool work);

/* Whether the process has but one processor by now: affinity and quota may change, and processors go. */
bool ng_spare_too_few(struct ng_spare *s, uint64_t now);

/* Whether so much of the window was work that spinning for more is better than being woken for it. */
bool ng_spare_is_busy(const struct ng_spare *s, uint64_t now);

/* Around a sleep.  The second is false where no core was to spare (rest is set). */
void ng_spare_sleep(struct ng_spare *s, uint64_t now);
bool ng_spare_woken(struct ng_spare *s, uint64_t now);

#endif
