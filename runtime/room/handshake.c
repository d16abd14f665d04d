/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * handshake.c: see handshake.h.
 */
#include "room/handshake.h"

#include "room/room.h"
#include "room/serve.h"
#include "room/slab.h"

enum {
    PATIENCE = 2000, /* looks at the mailbox: some ten times a round trip between two cores */
    WITHOUT = 1000,  /* calls, after one that had no answer */
};

/* ---- the thread ---- */

static bool ask(struct ng_heap *h, uint64_t question, uint64_t *answer) {
    if (h->without != 0 || !ng_room_present()) {
        h->without -= h->without != 0;
        return false;
    }
    ng_mailbox_ask(&h->mailbox, question);
    ng_room_wake(); /* a full fence comes first: park.h's pattern */
    for (unsigned look = 0; look < PATIENCE; look++) {
        if (ng_mailbox_answer(&h->mailbox, answer))
            return true;
        ng_relax();
    }
    h->without = WITHOUT;
    return !ng_mailbox_withdraw(&h->mailbox, question) && ng_mailbox_answer(&h->mailbox, answer);
}

void *ng_handshake_take(struct ng_heap *h, uint32_t cls) {
    uint64_t block = 0;
    if (!ask(h, (uint64_t)cls << 3 | NG_MAIL_TAKE, &block))
        return NULL;
    return (void *)(uintptr_t)block;
}

bool ng_handshake_give(struct ng_heap *h, void *block) {
    uint64_t nothing;
    return ask(h, (uint64_t)(uintptr_t)block | NG_MAIL_GIVE, &nothing);
}

/* ---- the room ---- */

/* The magazine that the heap's answers of this class come out of, with a block in it; NULL where there is no memory. */
static struct ng_magazine *stock(struct ng_heap *h, uint32_t cls) {
    struct ng_magazine *m = h->answers[cls];
    if (m == NULL && (m = ng_magazine_get()) == NULL)
        return NULL;
    h->answers[cls] = m;
    m->cls = (uint16_t)cls;
    if (m->count != 0 || ng_serve_refill(h, cls, m, ng_classes[cls].most_held, UINT32_MAX) != 0)
        return m;
    return ng_serve_fresh(h, cls, m) ? m : NULL;
}

static bool take(struct ng_heap *h, uint64_t question) {
    struct ng_magazine *m = stock(h, (uint32_t)(question >> 3));
    void *block = m != NULL ? m->block[m->count - 1] : NULL; /* NULL: the thread sees itself whether there is memory */
    if (!ng_mailbox_reply(&h->mailbox, question, (uint64_t)(uintptr_t)block))
        return false;
    if (block != NULL)
        m->count--;
    return true;
}

static bool give(struct ng_heap *h, uint64_t question) {
    void *block = (void *)(uintptr_t)(question & ~(uint64_t)NG_MAIL_KIND);
    uint32_t word = ng_arena_word(block);
    if (word == 0 || word == NGRT_BIN_LARGE)
        ng_fatal("free of an address at which no block starts");
    if (!ng_mailbox_reply(&h->mailbox, question, 0))
        return false;
    struct ng_magazine *m = h->answers[ng_word_class(word)];
    if (ng_word_heap(word) == h->number && m != NULL && m->count < ng_classes[m->cls].most_held)
        m->block[m->count++] = block;
    else
        ng_slab_return(&block, 1);
    return true;
}

bool ng_handshake_serve(struct ng_heap *h) {
    uint64_t question = ng_mailbox_look(&h->mailbox);
    if (question == 0)
        return false;
    return (question & NG_MAIL_KIND) == NG_MAIL_TAKE ? take(h, question) : give(h, question);
}
