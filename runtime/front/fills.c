/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fills.c: see fills.h.  A slab of blocks over a page that came as it was is looked at some slabs later, when its blocks have
 * left the magazines.  It may be another's by then, or gone back: one wrong guess, until the next look.
 */
#include "front/fills.h"

#include "os/cgroup.h"
#include "os/os.h"
#include "room/arena.h"
#include "room/filled.h"
#include "room/pages.h"
#include "room/pressure.h"
#include "room/slab.h"

enum {
    JUDGE_AFTER = 3,  /* slabs */
    WATCH_EVERY = 16, /* slabs of a class that is filled: one comes as it is, to see whether that still holds */
};

static bool small(uint32_t cls) { return ng_classes[cls].size <= ng_os_page(); }

static bool is_full(uint32_t slab, uint32_t cls) {
    size_t page = ng_os_page(), pages = ((size_t)ng_classes[cls].blocks * ng_classes[cls].size + page - 1) / page;
    return ng_filled_judge(slab, pages, 0) != 0;
}

bool ng_fills(struct ng_heap *h, uint32_t cls) {
    struct ng_fills *f = &h->fills[cls];
    if (small(cls))
        return h->carve[cls] != NULL; /* its first slab may be all that it ever needs */
    if (f->since < WATCH_EVERY)
        f->since++;
    if (f->watched != 0 && f->since >= JUDGE_AFTER) {
        f->full = ng_os_may_open() && is_full(f->watched - 1, cls);
        f->watched = 0;
    }
    return f->full && f->since < WATCH_EVERY;
}

void ng_fills_open(struct ng_heap *h, uint32_t cls, uint32_t slab, bool fills, bool in_memory) {
    struct ng_fills *f = &h->fills[cls];
    bool near = ng_pressure_near(), whole = fills && !near;
    f->by_pieces = small(cls) && !in_memory && !whole && !near;
    if (small(cls) && !fills)
        ng_pages_asked();
    if (in_memory)
        return;
    if (whole) {
        ng_pages_fill(slab, 0, NG_SLAB_BYTES / ng_os_page());
    } else if (!small(cls) && f->watched == 0) {
        f->watched = slab + 1;
        f->since = 0;
    }
}

/* How many of a slab's pages are there when its first bytes have been handed out: as many more as are in use. */
static size_t there(size_t bytes) {
    size_t pages = (bytes + ng_os_page() - 1) / ng_os_page(), n = 1;
    while (n < pages)
        n *= 2;
    return n;
}

void ng_fills_carve(struct ng_heap *h, uint32_t cls, const char *from, const char *to) {
    if (!h->fills[cls].by_pieces)
        return;
    uint32_t slab = ng_slab_of(from);
    const char *start = ng_slab_start(slab);
    size_t before = from == start ? 0 : there((size_t)(from - start)), now = there((size_t)(to - start));
    if (now > 1 && before < now)
        ng_pages_fill(slab, before, now);
}
