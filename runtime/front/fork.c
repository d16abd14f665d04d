/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fork.c: see fork.h.  On the forking thread.
 *
 * Before: the room's thread goes, and the key is taken, so that the child inherits metadata between two changes.  What
 * threads do without the key (stacks, inboxes, rings, the bump counter) is whole at every instant.  After: the key is
 * left; in the child the heaps of threads that are gone wait for new threads.
 */
#include "front/fork.h"

#include "front/thread.h"
#include "os/os.h"
#include "room/room.h"

#include <pthread.h>

static void before_fork(void) {
    ng_room_stop();
    while (!ng_key_try(&ng_key))
        ng_os_yield();
}

static void in_parent(void) {
    ng_key_leave(&ng_key);
    ng_room_allow();
}

static void in_child(void) {
    ng_room_note_process();
    ng_thread_only_this_one();
    ng_key_leave(&ng_key);
    ng_room_allow();
}

void ng_fork_start(void) { (void)pthread_atfork(before_fork, in_parent, in_child); }
