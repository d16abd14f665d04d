/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * room.h: the room's thread: when it starts, sleeps, wakes and goes.
 *
 * Any thread may call these, without the key.  None of them waits for the room's thread but ng_room_bar, which fork
 * needs.
 */
#ifndef NG_ROOM_ROOM_H
#define NG_ROOM_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* Places in the loop where NGRT_STALL stops the thread for ever, for tests: with `key` it holds the key then. */
#define NG_ROOM_PLACES "idle", "key", "drain", "populate"
/* The thread's name from then on, by which a test sees that it did stop. */
#define NG_ROOM_STALLED "ngrt-stalled"

/* Set where the program has allocated enough for the room to pay and it has not started: entry points then call
 * ng_room_invite on their next miss. */
extern uint32_t ng_room_wanted;

/* Starts the thread if `caller` (a return address) shows that no lock of the loader or of libc can be held here. */
void ng_room_invite(const void *caller);

/* Wakes the thread if it sleeps; one system call then. */
void ng_room_wake(void);

/* Whether it is at work: then what goes on the ring is served soon. */
bool ng_room_awake(void);

/* Whether there is a room's thread, awake or parked. */
bool ng_room_present(void);

/* After a thread served itself: the room must know of memory to give back later. */
void ng_room_note_dirty(void);

/* The program has grown or worked: whether the room would pay now. */
void ng_room_consider(bool busy);

/* The program's last thread ends: the room's goes first, since the process ends with its last thread, whoever made it.
 * Comes back lazily where there was another thread after all, one that had never allocated. */
void ng_room_dismiss(void);

/* Before fork: none starts until ng_room_allow.  Where the program has no other threads, ours is gone too, so that it is
 * single-threaded when fork returns; where it has, waiting for ours would cost more than it is worth to anybody. */
void ng_room_bar(bool alone);
/* After fork.  in_child: the thread did not come along.  The caller starts none while `place` on its stack holds what it holds
 * now, ten seconds at most: so long fork may not have returned.  NULL: not known; a tenth of a second. */
void ng_room_allow(bool in_child, const uint64_t *place);

/* exit was called, or the first thread ends: none starts any more, handlers of atexit and destructors come now. */
void ng_room_exit(void);
/* The calling thread ends.  If it is the first, that was no exit. */
void ng_room_no_exit(void);

/* Where the process's identity is noted; at start and in a fork's child. */
void ng_room_note_process(void);

struct ng_room_counts {
    uint64_t starts, wakes;
    uint64_t beside; /* wakes of these after which it worked on the core of who woke it */
};
struct ng_room_counts ng_room_counts(void);

#endif
