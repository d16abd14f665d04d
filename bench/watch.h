/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * watch.h: what /proc says of a command while it runs: the process itself, its children, and theirs.  For launch.c.
 *
 *     average KIB          resident memory of whichever process had the most, weighted by time
 *     room_user NS / room_system NS / room_faults N              the part of the threads that are named ngrt-room
 *     rss NS KIB           the same memory over time, at most 200 lines
 *
 * Everything is read through descriptors that stay open, since watching takes time from what is measured.  What a
 * room does after the last look counts as the program's, and so does what one does in a process that ends before it was
 * found: the first look for processes comes after 5 ms, later ones every 60 ms.
 */
#ifndef WATCH_H
#define WATCH_H

#include <sys/types.h>

/* Times are CLOCK_MONOTONIC's nanoseconds. */
void watch_begin(pid_t command, long long started);
void watch_look(long long time);
/* Writes the lines above. */
void watch_report(int report, long long elapsed);

#endif
