/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * idle.c: see idle.h.
 */
#include "room/idle.h"

#include "room/serve.h"

static ng_atomic wanted;

void ng_idle_note(void) {
    if (ng_load(&wanted, NG_RELAXED) == 0)
        ng_store(&wanted, 1, NG_RELAXED);
}

bool ng_idle_wanted(void) { return ng_load(&wanted, NG_RELAXED) != 0; }

/* With the key. */
static void empty(struct ng_heap *h) {
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        ng_serve_list(ng_chain_steal(&h->chain[c]));
        ng_serve_held(h, c);
    }
}

/* Whether to look at it again. */
static bool look_at(struct ng_heap *h, bool all) {
    uint64_t turns = ng_load(&h->turns, NG_RELAXED);
    bool still = turns == h->seen_turns;
    if (still && h->emptied && h->given == ng_load(&h->taken, NG_RELAXED))
        return false;
    h->seen_turns = turns;
    h->emptied = still || all;
    if (h->emptied)
        empty(h);
    return !h->emptied;
}

void ng_idle_tick(bool all) {
    if (!all && !ng_idle_wanted())
        return;
    ng_store(&wanted, 0, NG_RELAXED); /* first: who notes something from here on is looked at the next time */
    for (uint32_t n = ng_heap_count(); n > 0; n--) {
        if (!ng_key_enter(&ng_key)) {
            ng_idle_note();
            return;
        }
        if (look_at(ng_heap_at(n), all))
            ng_idle_note();
        ng_key_leave(&ng_key);
    }
}
