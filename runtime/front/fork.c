/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fork.c: see fork.h.  On the forking thread.
 *
 * Before: the room's thread goes (if it would be the only other one), and the key is taken, so that the child inherits metadata between two changes.  What
 * threads do without the key (stacks, inboxes, rings, the bump counter) is whole at every instant.  After: the key is
 * left; in the child the heaps of threads that are gone wait for new threads.
 */
#include "front/fork.h"

#include "front/thread.h"
#include "os/os.h"
#include "room/room.h"

#include <pthread.h>

enum { PATIENCE_NS = 1000000000, IMPATIENCE_NS = 1000000 };

/* One fork at a time: ng_room_bar lets the next one in when this one allows the room again. */
static bool have_key;

static void before_fork(void) {
    ng_room_bar(ng_thread_count() <= 1);
    /* Who keeps it longer is stopped by a debugger: parent and child go on as without a key, each in its own memory, and
     * the next fork does not wait as long again. */
    static bool stuck;
    uint64_t start = ng_os_now(), patience = stuck ? IMPATIENCE_NS : PATIENCE_NS;
    while (!(have_key = ng_key_try(&ng_key)) && ng_os_now() - start < patience)
        ng_os_yield();
    stuck = !have_key;
}

static void leave_key(void) {
    if (have_key)
        ng_key_leave(&ng_key);
}

static void in_parent(void) {
    leave_key();
    ng_room_allow(false);
}

static void in_child(void) {
    ng_room_note_process();
    if (have_key)
        ng_thread_only_this_one();
    leave_key();
    ng_room_allow(true);
}

void ng_fork_start(void) { (void)pthread_atfork(before_fork, in_parent, in_child); }
