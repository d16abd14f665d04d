/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fork.c: see fork.h.  On the forking thread.
 *
 * Before: the room's thread goes (if it would be the only other one), and both keys are taken, so that the child inherits
 * metadata between two changes.  What threads do without a key (stacks, inboxes, rings, the bump counter) is whole at
 * every instant.  After: the keys are left; in the child the heaps of threads that are gone wait for new threads.
 */
#include "front/fork.h"

#include "front/thread.h"
#include "room/arena.h"
#include "room/keys.h"
#include "room/pages.h"
#include "room/room.h"

#include <pthread.h>

/* One fork at a time: ng_room_bar lets the next one in when this one allows the room again.  Where a key was not to be
 * had, parent and child go on as without it, each in its own memory. */
static bool have_key, have_arena_key;

enum { LOOP_WORDS = 512 }; /* of stack, that libc's loop over the handlers takes at most */

static void before_fork(void) {
    ng_room_bar(ng_thread_count() <= 1);
    have_key = ng_key_take_for_fork(&ng_key);
    have_arena_key = ng_key_take_for_fork(&ng_arena_key);
}

/* The place on the stack of what libc's loop over the handlers returns to, or of what a handler returns to, which is the same
 * for each: until other calls overwrite it, handlers may be at work that come after ours.  frame: a handler's. */
static const uint64_t *place_in_loop(void *const *frame) {
#ifdef __aarch64__
    void *const *loop = (void *const *)*frame;
    return loop > frame && loop < frame + LOOP_WORDS ? (const uint64_t *)(loop + 1) : NULL;
#else
    return (const uint64_t *)(frame + 1);
#endif
}

static void leave(struct ng_key *k, bool *have) {
    if (*have)
        ng_key_leave_fork(k);
    *have = false;
}

static void in_parent(void) {
    leave(&ng_arena_key, &have_arena_key);
    leave(&ng_key, &have_key);
    ng_room_allow(false, place_in_loop((void *const *)__builtin_frame_address(0)));
}

static void in_child(void) {
    ng_room_note_process();
    ng_pages_in_child();
    if (have_arena_key)
        ng_arena_in_child();
    leave(&ng_arena_key, &have_arena_key);
    if (have_key)
        ng_thread_only_this_one();
    leave(&ng_key, &have_key);
    ng_room_allow(true, place_in_loop((void *const *)__builtin_frame_address(0)));
}

void ng_fork_start(void) { (void)pthread_atfork(before_fork, in_parent, in_child); }
