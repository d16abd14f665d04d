/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ngrt.h: what a program may ask of NextGen-Malloc beyond malloc and operator new themselves.
 *
 * No program needs this header: linking with -lngrt, or LD_PRELOAD=libngrt.so, is enough.  All functions may be called
 * from any thread at any time after the first constructor, from signal handlers too where it says so.  A program that
 * shall also run without the library declares the function weak and asks whether it is there.
 */
#ifndef NGRT_NGRT_H
#define NGRT_NGRT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, such as "0.1.0".  Signal-safe. */
const char *ngrt_version(void);

/* 1 if the process's malloc and free are this library's; 0 if they are others, as in a program that defines its own or
 * that loaded this library by dlopen: then memory comes from there, and this library does nothing.  Signal-safe. */
int ngrt_in_use(void);

/* Forms of ngrt_stats_print. */
#define NGRT_STATS_TEXT 1 /* lines for people */
#define NGRT_STATS_JSON 2 /* one object in one line */

/* Writes the heap's numbers to a file descriptor: what NGRT_STATS=1 and NGRT_STATS=json write at exit.  Sizes are bytes.
 * Allocates nothing.  0; -1 with errno EINVAL for another form, or with what write(2) says. */
int ngrt_stats_print(int fd, int form);

/* Gives all unused memory back to the system now, rather than after its decay (NGRT_DECAY).  What other threads hold in
 * their caches stays with them.  `keep` is there for likeness with malloc_trim and has no effect.  1 if any was given
 * back, else 0; errno stays. */
int ngrt_trim(size_t keep);

#ifdef __cplusplus
}
#endif

#endif
