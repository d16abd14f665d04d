/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * start.c: what happens before main, once the options are read (options.c's constructor calls ng_start), and at exit.
 * On the main thread.
 */
#include "front/foreign.h"
#include "front/fork.h"
#include "front/info.h"
#include "front/interposed.h"
#include "front/thread.h"
#include "os/os.h"
#include "room/handshake.h"
#include "room/room.h"

#include <unistd.h>

/* libc's, for thread-local objects: exit destroys those of its thread before it calls a handler of atexit. */
extern int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *library) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

static void on_exit_or_thread_end(void *unused) {
    (void)unused;
    ng_room_exit();
}

void ng_start(void) {
    if (!ng_init())
        return;
    /* The heap may have been reserved before the options were read. */
    if (ng_options.limit != 0)
        ng_arena.limit = ng_options.limit >> NGRT_SLAB_SHIFT;
    ng_os_note_filter();
    ng_foreign_start();
    ng_room_note_process();
    ng_fork_start();
    if (ng_operators_start() || ng_options.slow || ng_handshake_mode() || ng_options.stats != NG_STATS_OFF)
        ng_thread_all_slow();
    if (ng_options.verbose)
        ng_verbose_line();
    if (__cxa_thread_atexit_impl != NULL && ng_os_first_thread())
        (void)__cxa_thread_atexit_impl(on_exit_or_thread_end, NULL, &__dso_handle);
    ng_room_consider(false);
}

__attribute__((destructor)) static void at_exit(void) {
    if (ng_options.stats != NG_STATS_OFF)
        (void)ng_stats_write(STDERR_FILENO, ng_options.stats);
}
