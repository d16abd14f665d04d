/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * price.c: see price.h.
 *
 * A huge page may cost twice its small pages faulted in by one call, for what it saves the program later; and as much as they
 * would if the program touched each of them, since that is the choice when nobody comes first.  In a virtual machine a touch is
 * dear, and so is every miss in the TLB, which huge pages save; where memory is in pieces, huge pages alone are dear.
 */
#include "room/price.h"

#include "channel/atomic.h"
#include "os/os.h"
#include "room/options.h"

enum {
    SMOOTH = 8,
    HICCUP = 4,             /* times as long as it may take */
    LEAST_BYTES = 32 << 10, /* of fewer the time is the call's */
    TOUCH_EVERY = 32,       /* calls */
    TRIAL_CHUNKS = 32,
    MOST_TRIAL_CHUNKS = 128,
};

/* ns, smoothed, a chunk's; 0: not measured. */
static ng_atomic huge_ns, small_ns, touch_ns;
static ng_atomic calls;
static ng_atomic small_bytes; /* since a huge page was last tried */
static ng_atomic trial_after = {TRIAL_CHUNKS};

static void smooth(ng_atomic *a, uint64_t ns) {
    uint64_t old = ng_load(a, NG_RELAXED);
    ng_store(a, old == 0 ? ns + 1 : old - old / SMOOTH + ns / SMOOTH, NG_RELAXED);
}

/* What a huge page may cost. */
static uint64_t most(void) {
    uint64_t small = 2 * ng_load(&small_ns, NG_RELAXED), touch = ng_load(&touch_ns, NG_RELAXED);
    return touch > small ? touch : small;
}

static bool pays(void) {
    uint64_t limit = most();
    return limit == 0 || ng_load(&huge_ns, NG_RELAXED) <= limit;
}

/* One page that took very long, its thread being held up perhaps, says little of the next. */
static uint64_t without_hiccup(uint64_t ns) {
    uint64_t limit = HICCUP * most();
    return limit != 0 && ns > limit ? limit : ns;
}

/* As long as they stay dear, less often. */
static void note_trial(bool paid) {
    uint64_t after = ng_load(&trial_after, NG_RELAXED);
    ng_store(&small_bytes, 0, NG_RELAXED);
    if (paid || pays())
        after = TRIAL_CHUNKS;
    else if (after < MOST_TRIAL_CHUNKS)
        after *= 2;
    ng_store(&trial_after, after, NG_RELAXED);
}

void ng_price_note(bool huge, size_t bytes, uint64_t ns) {
    uint64_t of_chunk = ns * NG_CHUNK_BYTES / bytes;
    if (huge) {
        bool paid = pays();
        smooth(&huge_ns, without_hiccup(of_chunk));
        note_trial(paid);
        return;
    }
    if (bytes >= LEAST_BYTES)
        smooth(&small_ns, of_chunk);
    ng_add(&small_bytes, bytes, NG_RELAXED);
}

bool ng_price_wants_touch(void) { return ng_add(&calls, 1, NG_RELAXED) % TOUCH_EVERY == 0; }

void ng_price_note_touch(uint64_t ns) { smooth(&touch_ns, ns * (NG_CHUNK_BYTES / ng_os_page())); }

bool ng_price_huge(void) {
    if (ng_options.thp != NG_AUTO)
        return ng_options.thp == NG_ON;
    return pays() || ng_load(&small_bytes, NG_RELAXED) >= ng_load(&trial_after, NG_RELAXED) * NG_CHUNK_BYTES;
}

bool ng_price_huge_known(void) { return ng_load(&huge_ns, NG_RELAXED) != 0 && pays(); }
