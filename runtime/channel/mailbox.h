/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * mailbox.h: one question of a thread to the key's holder and its answer, in one word: the two-way handshake of the paper's
 * prototype (NGRT_MODE=handshake).
 *
 * ask, answer, withdraw: the owner; one question at a time.  look, reply: with the key.
 *
 * Ordering.  Every change of the word is one CAS or, by the owner while nobody may reply, one store.  A question can be
 * withdrawn until it is replied to, and replied to until it is withdrawn: one CAS decides, so the owner waits for nobody,
 * and both know who has the block.  ask's release and reply's acquire hand over what the owner wrote to a block that it
 * frees; reply's release and answer's acquire hand over what was done to a block that the owner gets.
 */
#ifndef NG_CHANNEL_MAILBOX_H
#define NG_CHANNEL_MAILBOX_H

#include "channel/atomic.h"

struct ng_mailbox {
    _Alignas(64) ng_atomic word; /* 0: no question; a question, or its answer */
};

/* Words' kinds, in the low bits. */
enum { NG_MAIL_TAKE = 1, NG_MAIL_GIVE = 2, NG_MAIL_ANSWER = 4, NG_MAIL_KIND = 7 };

static inline void ng_mailbox_ask(struct ng_mailbox *m, uint64_t question) { ng_store(&m->word, question, NG_RELEASE); }

/* The answer to the question, without its kind, if there is one: then the mailbox is empty again. */
static inline bool ng_mailbox_answer(struct ng_mailbox *m, uint64_t *answer) {
    uint64_t word = ng_load(&m->word, NG_ACQUIRE);
    if ((word & NG_MAIL_ANSWER) == 0)
        return false;
    ng_store(&m->word, 0, NG_RELAXED);
    *answer = word & ~(uint64_t)NG_MAIL_KIND;
    return true;
}

/* False: it was answered in between. */
static inline bool ng_mailbox_withdraw(struct ng_mailbox *m, uint64_t question) {
    return ng_cas(&m->word, &question, 0, NG_RELAXED);
}

/* The question that waits; 0: none. */
static inline uint64_t ng_mailbox_look(const struct ng_mailbox *m) {
    uint64_t word = ng_load(&m->word, NG_RELAXED);
    return (word & NG_MAIL_ANSWER) != 0 ? 0 : word;
}

/* False: it was withdrawn, the answer is the caller's still. */
static inline bool ng_mailbox_reply(struct ng_mailbox *m, uint64_t question, uint64_t answer) {
    return ng_cas(&m->word, &question, answer | NG_MAIL_ANSWER, NG_ACQ_REL);
}

#endif
