/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * room.c: the room's thread.  Its loop runs on the room's core: it takes the key for a short piece of work at a time,
 * faults pages in without it, and parks when there is nothing to do.
 *
 * Life:  ABSENT -> STARTING -> RUNNING -> STOPPING -> BARRED (a fork is under way) -> ABSENT
 *                                 \--> BARRED_RUNNING (the same, in a program with threads) -> RUNNING, ABSENT in the child
 * One CAS moves it on, so that of several threads one starts it or stops it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "room/room.h"

#include "channel/park.h"
#include "os/os.h"
#include "room/collapse.h"
#include "room/handshake.h"
#include "room/heap.h"
#include "room/options.h"
#include "room/pages.h"
#include "room/serve.h"
#include "room/spare.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum {
    SPIN_NS = 100000,        /* parks so long after the last word on a ring */
    STACK_BYTES = 256 << 10, /* addresses; it touches two pages of them */
    START_SLABS = 128,       /* 8 MiB of slabs in use ... */
    RESTART_SLABS = 64,      /* ... and after a fork so much more, before the thread pays for itself again */
    WORDS_AT_ONCE = 4,
    STOP_SECONDS = 1,
    HOPELESS_NS = 2000000000, /* affinity and quota may change; to ask means to read files */
    BUSY_NS = 2000000,        /* before it looks again for an idle core: to look means to open a file */
};

/* How long a thread stays shy: where its stack tells when that is over, and where nothing does. */
static const uint64_t shy_at_most_ns = 10000000000, shy_ns = 100000000;

enum life { ABSENT, STARTING, RUNNING, STOPPING, BARRED, BARRED_RUNNING };

uint32_t ng_room_wanted;

static ng_atomic life;
static struct ng_park park;
static ng_atomic quit, timed;
static ng_atomic starts, wakes, beside;
static ng_atomic waker_cpu; /* where the thread ran that woke the room, plus one; 0: it woke by itself */
static ng_atomic start_at = {START_SLABS};
static ng_atomic process;
static ng_atomic exiting;
static ng_atomic hopeless_until; /* below two CPUs or none to spare, or the system gave no thread: until this time */
/* The thread that starts no room, since it forks or ends: until then, and while this place on its stack, if any, holds that. */
static ng_atomic shy_thread, shy_until, shy_place, shy_word;
static pthread_t thread;
static struct ng_spare spare; /* the room's thread; cpus: whoever starts it */

struct ng_room_counts ng_room_counts(void) {
    return (struct ng_room_counts){ng_load(&starts, NG_RELAXED), ng_load(&wakes, NG_RELAXED),
                                   ng_load(&beside, NG_RELAXED)};
}

/* ---- the loop ---- */

static void stall_if(const char *place) {
    if (__builtin_expect(ng_options.stall[0] != '\0', 0) && strcmp(ng_options.stall, place) == 0) {
        pthread_setname_np(pthread_self(), NG_ROOM_STALLED);
        while (ng_load(&quit, NG_ACQUIRE) == 0)
            ng_os_sleep(&park.word.value, (uint32_t)ng_load(&park.word, NG_RELAXED), 10000000);
    }
}

static bool waits(const struct ng_heap *h) { return ng_ring_waiting(&h->ring) || ng_handshake_waiting(h); }

/* One round over all rings, a few words each, the key free in between so that no thread waits long. */
static bool serve_rings(void) {
    bool some = ng_late_waiting() && ng_key_try(&ng_key);
    if (some) {
        ng_serve_late();
        ng_key_leave(&ng_key);
    }
    for (uint32_t n = ng_heap_count(); n > 0; n--) {
        struct ng_heap *h = ng_heap_at(n);
        if (!waits(h) || !ng_key_try(&ng_key))
            continue;
        stall_if("key");
        some |= ng_serve_ring(h, WORDS_AT_ONCE) != 0;
        some |= ng_handshake_waiting(h) && ng_handshake_serve(h);
        ng_key_leave(&ng_key);
        stall_if("drain");
    }
    return some;
}

static bool words_wait(void) {
    if (ng_late_waiting())
        return true;
    for (uint32_t n = ng_heap_count(); n > 0; n--)
        if (waits(ng_heap_at(n)))
            return true;
    return false;
}

/* The kernel wakes a thread where its waker runs while it takes all cores for busy, which on a machine with two it does though one is
 * idle (docs/decisions/0038-off-the-wakers-core.md): there the room would stop the program for as long as it works.  Once moved it stays,
 * since its last core is idle when it is woken.  Not to where another program runs: what the room holds would wait there. */
static void leave_program(int cpu) {
    static uint64_t next;
    if (cpu < 0 || cpu != sched_getcpu())
        return;
    uint64_t now = ng_os_now();
    if (ng_heap_count() < spare.cpus && now >= next) {
        bool idle = ng_os_running() <= spare.cpus;
        if (idle)
            ng_os_leave_cpu(cpu);
        else
            next = now + BUSY_NS;
    }
    if (cpu == sched_getcpu())
        ng_count(&beside, 1);
}

/* Of two times to wait, where 0 is for ever. */
static uint64_t sooner(uint64_t a, uint64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

/* full: what is wanted of fresh pages cannot be had, so it is no work. */
static void sleep_until_woken(bool full) {
    stall_if("idle");
    uint64_t due = sooner(ng_pages_tick(ng_os_now()), ng_collapse_turn(ng_os_now()));
    if (!full)
        due = sooner(due, ng_pages_nap(ng_os_now()));
    ng_store(&timed, due != 0, NG_RELAXED);
    ng_store(&waker_cpu, 0, NG_RELAXED);
    ng_park_begin(&park);
    if (!words_wait() && (full || !ng_pages_wanted()) && ng_load(&quit, NG_ACQUIRE) == 0 &&
        (due != 0 || !ng_pages_waiting()))
        ng_os_sleep(&park.word.value, NG_PARKED, due);
    ng_park_end(&park);
    leave_program((int)ng_load(&waker_cpu, NG_RELAXED) - 1);
}

/* Whoever asked for a room by NGRT_SERVER=on, or for handshakes, has said that a core is to spare. */
static bool own_core(void) { return ng_options.server == NG_ON || ng_handshake_mode(); }

/* Out of the program's way, while it has use for every core. */
static void rest(void) {
    while (spare.rest != 0) {
        ng_spare_sleep(&spare, ng_os_now());
        ng_park_rest(&park);
        if (ng_load(&quit, NG_ACQUIRE) == 0)
            ng_os_sleep(&park.word.value, NG_RESTING, spare.rest);
        ng_park_end(&park);
        bool enough = ng_spare_woken(&spare, ng_os_now()) || (own_core() && !ng_spare_too_few(&spare, ng_os_now()));
        if (ng_load(&quit, NG_ACQUIRE) != 0 || enough)
            return;
    }
}

static void *room_main(void *program_cpu) {
    cpu_set_t cpus;
    ng_os_room_cpus(ng_options.core, (int)(intptr_t)program_cpu, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    pthread_setname_np(pthread_self(), "ngrt-room");
    leave_program((int)(intptr_t)program_cpu);
    uint64_t last_word = 0;
    bool full = false; /* no more can be faulted in for now: the arena or memory is at its end */
    ng_spare_begin(&spare, ng_os_now());
    while (ng_load(&quit, NG_ACQUIRE) == 0) {
        uint64_t begin = ng_os_now();
        bool served = serve_rings(), populated = false;
        if (ng_pages_wanted() && !full) {
            stall_if("populate");
            populated = ng_pages_ahead();
            full = !populated;
        }
        uint64_t now = ng_os_now();
        if (served)
            last_word = now;
        if (served || populated)
            ng_collapse_again();
        if (ng_spare_too_few(&spare, now) || (!own_core() && !ng_spare_turn(&spare, begin, now, served || populated))) {
            rest();
        } else if (served || populated ||
                   (now - last_word <= SPIN_NS && (own_core() || ng_spare_is_busy(&spare, now)))) {
            ng_relax();
        } else {
            ng_spare_sleep(&spare, now);
            sleep_until_woken(full);
            full = false; /* whoever woke us may have made it possible */
            if (!ng_spare_woken(&spare, ng_os_now()) && !own_core())
                rest();
        }
    }
    return program_cpu;
}

/* ---- waking ---- */

bool ng_room_awake(void) { return ng_park_state(&park) == NG_AWAKE; }

bool ng_room_present(void) { return ng_park_state(&park) != NG_ABSENT; }

void ng_room_wake(void) {
    if (ng_park_wake(&park)) {
        ng_add(&wakes, 1, NG_RELAXED);
        ng_store(&waker_cpu, (uint64_t)sched_getcpu() + 1, NG_RELAXED);
        ng_os_wake(&park.word.value);
    }
}

void ng_room_note_dirty(void) {
    if (!ng_pages_waiting())
        return;
    ng_fence(); /* the slabs are counted before the look at the parking word: park.h's pattern, test/model checks it */
    if (ng_park_state(&park) == NG_PARKED && ng_load(&timed, NG_RELAXED) == 0)
        ng_room_wake();
}

/* ---- starting and stopping ---- */

void ng_room_consider(bool busy) {
    if (ng_load(&life, NG_RELAXED) != ABSENT || ng_options.server == NG_OFF)
        return;
    uint64_t until = ng_load(&hopeless_until, NG_RELAXED);
    if (until != 0 && (until == UINT64_MAX || ng_os_now() < until))
        return;
    if (busy || own_core() || ng_arena_in_use() >= ng_load(&start_at, NG_RELAXED))
        __atomic_store_n(&ng_room_wanted, 1, __ATOMIC_RELAXED);
}

void ng_room_exit(void) { ng_store(&exiting, 1, NG_RELAXED); }

void ng_room_no_exit(void) {
    if (ng_load(&exiting, NG_RELAXED) != 0 && ng_os_first_thread())
        ng_store(&exiting, 0, NG_RELAXED);
}

void ng_room_note_process(void) {
    ng_store(&process, (uint64_t)ng_os_pid(), NG_RELAXED);
    ng_os_find_loader();
}

static uint64_t this_thread(void) { return (uint64_t)(uintptr_t)&ngrt_cache; }

static void be_shy(const uint64_t *place) {
    ng_store(&shy_thread, this_thread(), NG_RELAXED);
    ng_store(&shy_until, ng_os_now() + (place != NULL ? shy_at_most_ns : shy_ns), NG_RELAXED);
    ng_store(&shy_place, (uintptr_t)place, NG_RELAXED);
    ng_store(&shy_word, place == NULL ? 0 : *place, NG_RELAXED);
}

/* The stack may be gone by now: it was a coroutine's. */
static bool is_shy(void) {
    if (ng_load(&shy_thread, NG_RELAXED) != this_thread() || ng_os_now() >= ng_load(&shy_until, NG_RELAXED))
        return false;
    uint64_t place = ng_load(&shy_place, NG_RELAXED);
    bool holds = place == 0 || ((uintptr_t)__builtin_frame_address(0) < place &&
                                ng_os_holds((uint64_t *)(uintptr_t)place, (uint32_t)ng_load(&shy_word, NG_RELAXED)));
    if (!holds)
        ng_store(&shy_thread, 0, NG_RELAXED);
    return holds;
}

static bool create_thread(void) {
    sigset_t all, before;
    pthread_attr_t attr;
    ng_store(&quit, 0, NG_RELAXED);
    ng_store(&park.word, NG_AWAKE, NG_RELAXED);
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    /* The new thread inherits the mask: no handler of the program ever runs on it. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool created = pthread_create(&thread, &attr, room_main, (void *)(intptr_t)sched_getcpu()) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!created)
        ng_store(&park.word, NG_ABSENT, NG_RELAXED);
    return created;
}

/* How long not to start a room, ns; 0: now.  Who asks is alone in that (STARTING). */
static uint64_t must_wait(uint64_t now) {
    uint32_t heaps = ng_heap_count();
    spare.cpus = ng_os_cpus_at_least(heaps < 2 ? 2 : heaps + 1);
    spare.cpus_at = now;
    if (spare.cpus < 2)
        return HOPELESS_NS;
    /* With fewer threads than processors one is to spare. */
    if (own_core() || heaps < spare.cpus || ng_spare_at_start(&spare, now))
        return 0;
    return spare.rest;
}

void ng_room_invite(const void *caller) {
    uint64_t absent = ABSENT, now = ng_os_now();
    /* The loader and libc call malloc with locks held that creating a thread needs, or inside of pthread_create itself;
     * a constructor that dlopen runs may have a thread waited for that needs the loader. */
    if (ng_load(&exiting, NG_RELAXED) != 0 || is_shy() || ng_os_in_loader(caller) ||
        (uint64_t)ng_os_pid() != ng_load(&process, NG_RELAXED) || !ng_cas(&life, &absent, STARTING, NG_ACQUIRE))
        return;
    __atomic_store_n(&ng_room_wanted, 0, __ATOMIC_RELAXED);
    uint64_t wait = must_wait(now);
    if (wait == 0 && create_thread()) {
        ng_count(&starts, 1);
        ng_store(&life, RUNNING, NG_RELEASE);
    } else {
        ng_store(&hopeless_until, now + (wait == 0 ? HOPELESS_NS : wait), NG_RELAXED);
        ng_store(&life, ABSENT, NG_RELEASE);
    }
}

/* False where it does not go within a while, stopped by a debugger perhaps: then it is left to itself, to end when it
 * runs again, and no other is started. */
static bool stop_thread(void) {
    ng_store(&quit, 1, NG_RELEASE);
    ng_fence(); /* the room parks, fences, then looks at quit */
    ng_store(&park.word, NG_AWAKE, NG_RELAXED);
    ng_os_wake(&park.word.value);
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += STOP_SECONDS;
    bool gone = pthread_timedjoin_np(thread, NULL, &end) == 0;
    if (!gone)
        ng_store(&hopeless_until, UINT64_MAX, NG_RELAXED);
    ng_store(&park.word, NG_ABSENT, NG_RELAXED);
    return gone;
}

void ng_room_bar(bool alone) {
    for (;;) {
        uint64_t now = ABSENT;
        if (ng_cas(&life, &now, BARRED, NG_ACQUIRE))
            return;
        if (now == RUNNING && !alone && ng_cas(&life, &now, BARRED_RUNNING, NG_ACQUIRE))
            return;
        if (now == RUNNING && alone && ng_cas(&life, &now, STOPPING, NG_ACQUIRE)) {
            (void)stop_thread();
            ng_store(&life, BARRED, NG_RELAXED);
            return;
        }
        ng_os_yield(); /* another thread starts it, or forks as well */
    }
}

/* The program has to grow again before a room pays. */
static void allow(void) {
    ng_store(&start_at, ng_arena_in_use() + RESTART_SLABS, NG_RELAXED);
    if (ng_load(&hopeless_until, NG_RELAXED) != UINT64_MAX) /* else a thread that did not go may still look at it */
        spare = (struct ng_spare){0};                       /* a child's CPU time begins anew */
    __atomic_store_n(&ng_room_wanted, 0, __ATOMIC_RELAXED);
    ng_store(&life, ABSENT, NG_RELEASE);
}

void ng_room_allow(bool in_child, const uint64_t *place) {
    if (ng_load(&life, NG_RELAXED) == BARRED_RUNNING) {
        if (!in_child) {
            ng_store(&life, RUNNING, NG_RELEASE);
            return;
        }
        ng_store(&park.word, NG_ABSENT, NG_RELAXED);
    }
    be_shy(place);
    allow();
}

void ng_room_dismiss(void) {
    if (ng_load(&life, NG_RELAXED) == ABSENT)
        return;
    ng_room_bar(true);
    be_shy(NULL);
    allow();
}
