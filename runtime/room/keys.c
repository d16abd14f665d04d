/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * keys.c: see keys.h.  Any core.
 */
#include "room/keys.h"

#include "ngrt/abi.h"
#include "os/os.h"

#include <errno.h>

struct ng_key ng_key, ng_arena_key;

enum {
    SPINS = 64, /* about a microsecond: some round trips between cores */
    YIELDS = 8,
    FORK_NAPS = 200,
    FORK_NAP_NS = 50000,
};
static const uint64_t patience_ns = 1000000000, impatience_ns = 1000000;

/* Whether another thread holds it while it forks, or waits for it to fork.  This thread itself may be the one: handlers of
 * pthread_atfork allocate in between. */
static bool others_fork(const struct ng_key *k) {
    uint64_t forks = ng_load(&k->forks, NG_RELAXED);
    return forks != 0 && forks != (uint64_t)(uintptr_t)&ngrt_cache;
}

bool ng_key_enter(struct ng_key *k) {
    for (unsigned i = 0; i < SPINS && !others_fork(k); i++) {
        if (ng_key_try(k))
            return true;
        ng_relax();
    }
    return false;
}

/* With an end, since the fork may itself wait for this thread in a handler of pthread_atfork. */
static bool sit_fork_out(struct ng_key *k) {
    uint64_t nobody = 0;
    int saved = errno;
    bool entered = false;
    for (unsigned nap = 0; others_fork(k) && nap < FORK_NAPS && !entered; nap++) {
        ng_os_sleep(&nobody, 0, FORK_NAP_NS);
        entered = ng_key_enter(k);
    }
    errno = saved;
    return entered;
}

bool ng_key_insist(struct ng_key *k) {
    unsigned yields = ng_load(&k->in_vain, NG_RELAXED) != 0 ? 0 : YIELDS;
    bool entered;
    for (unsigned i = 0; !(entered = ng_key_enter(k)) && !others_fork(k) && i < yields; i++)
        ng_os_yield();
    if (!entered && others_fork(k))
        entered = sit_fork_out(k);
    if (entered != (yields != 0))
        ng_store(&k->in_vain, !entered, NG_RELAXED);
    return entered;
}

bool ng_key_wait(struct ng_key *k) {
    bool taken;
    uint64_t start = ng_os_now(), patience = ng_load(&k->lost, NG_RELAXED) ? impatience_ns : patience_ns;
    while (!(taken = ng_key_try(k)) && ng_os_now() - start < patience)
        ng_os_yield();
    ng_store(&k->lost, !taken, NG_RELAXED);
    return taken;
}

bool ng_key_take_for_fork(struct ng_key *k) {
    ng_store(&k->forks, (uint64_t)(uintptr_t)&ngrt_cache, NG_RELAXED);
    bool taken = ng_key_wait(k);
    if (!taken)
        ng_store(&k->forks, 0, NG_RELAXED);
    return taken;
}

void ng_key_leave_fork(struct ng_key *k) {
    ng_store(&k->forks, 0, NG_RELAXED);
    ng_key_leave(k);
}
