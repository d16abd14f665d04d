/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_chain.c: a thread pushes magazines on its chain and pops some, while the key's holder takes the chain away,
 * twice.
 *
 * Holds: each magazine is somebody's exactly once, and comes with what was written before it was pushed.
 */
#include "explore.h"

#include "channel/chain.h"

enum { MAGAZINES = 3 };

struct magazine {
    ng_atomic next;
    uint64_t block;
};

static struct {
    struct ng_chain chain;
    struct magazine magazine[MAGAZINES];
    bool taken[MAGAZINES];
} s;

static void setup(void) {
    model_name(&s.chain.first, "chain");
    for (int i = 0; i < MAGAZINES; i++) {
        model_name(&s.magazine[i].next, "magazine %d", i);
        model_name(&s.magazine[i].block, "block %d", i);
    }
}

static struct magazine *at(uint64_t first) { return (struct magazine *)(uintptr_t)first; }

static void push(int i) {
    uint64_t rest = ng_chain_begin(&s.chain);
    ng_data_write(&s.magazine[i].block, 100u + (unsigned)i);
    ng_store(&s.magazine[i].next, rest, NG_RELAXED);
    ng_chain_end(&s.chain, (uint64_t)(uintptr_t)&s.magazine[i].next);
}

static void taken(struct magazine *m) {
    int i = (int)(m - s.magazine);
    MODEL_CHECK(!s.taken[i], "magazine %d taken twice", i);
    s.taken[i] = true;
    uint64_t block = ng_data_read(&m->block);
    MODEL_CHECK(block == 100u + (unsigned)i, "magazine %d has block %u", i, (unsigned)block);
    ng_data_write(&m->block, 0);
}

static void pop(void) {
    struct magazine *m = at(ng_chain_begin(&s.chain));
    if (m == NULL)
        return;
    uint64_t rest = ng_load(&m->next, NG_RELAXED);
    ng_chain_end(&s.chain, rest);
    taken(m);
}

static void own(void) {
    push(0);
    push(1);
    pop();
    push(2);
    pop();
}

static void steal(void) {
    for (uint64_t first = ng_chain_steal(&s.chain), next; first != 0; first = next) {
        next = ng_load(&at(first)->next, NG_RELAXED);
        taken(at(first));
    }
}

static void thieve(void) {
    steal();
    steal();
}

static void finish(void) {
    steal();
    for (int i = 0; i < MAGAZINES; i++)
        MODEL_CHECK(s.taken[i], "magazine %d was lost", i);
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"chain: 3 pushes and 2 pops, taken away twice",
         &s,
         sizeof(s),
         setup,
         {{"owner", own}, {"key's holder", thieve}},
         finish},
        {.name = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios};
    return model_main(&suite, argc, argv);
}
