/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_inbox.c: two threads put magazines into a third one's inbox while it takes, or while it and the key's holder
 * both take.
 *
 * Holds: each magazine comes out exactly once, whole, with what was written before it was put; those of one thread in one
 * take come newest first.
 */
#include "explore.h"

#include "channel/inbox.h"

enum { PRODUCERS = 2, EACH = 2, MAGAZINES = PRODUCERS * EACH, TAKES = 3 };

struct magazine {
    ng_atomic next;
    uint64_t block;
};

static struct {
    struct ng_inbox inbox;
    struct magazine magazine[MAGAZINES];
    bool taken[MAGAZINES];
} s;

static void setup(void) {
    model_name(&s.inbox.first, "inbox");
    for (int i = 0; i < MAGAZINES; i++) {
        model_name(&s.magazine[i].next, "magazine %d", i);
        model_name(&s.magazine[i].block, "block %d", i);
    }
}

static void setup_without_second(void) {
    setup();
    for (int i = EACH; i < MAGAZINES; i++)
        s.taken[i] = true;
}

static void produce(int first) {
    for (int i = first; i < first + EACH; i++) {
        ng_data_write(&s.magazine[i].block, 100u + (unsigned)i);
        ng_inbox_put(&s.inbox, &s.magazine[i].next);
    }
}

static void produce_0(void) { produce(0); }
static void produce_1(void) { produce(EACH); }

static int number_of(const ng_atomic *next) { return (int)((const struct magazine *)next - s.magazine); }

static void take(void) {
    int newest[PRODUCERS] = {MAGAZINES, MAGAZINES};
    ng_atomic *next = ng_inbox_take(&s.inbox);
    while (next != NULL) {
        int i = number_of(next);
        MODEL_CHECK(!s.taken[i], "magazine %d taken twice", i);
        s.taken[i] = true;
        MODEL_CHECK(i < newest[i / EACH], "magazine %d after %d in one take", i, newest[i / EACH]);
        newest[i / EACH] = i;
        uint64_t block = ng_data_read(&s.magazine[i].block);
        MODEL_CHECK(block == 100u + (unsigned)i, "magazine %d has block %u", i, (unsigned)block);
        ng_data_write(&s.magazine[i].block, 0);
        ng_atomic *after = (ng_atomic *)(uintptr_t)ng_load(next, NG_RELAXED);
        ng_store(next, 0, NG_RELAXED); /* the taker's now: the magazine may go anywhere */
        next = after;
    }
}

static void own(void) {
    for (int i = 0; i < TAKES; i++)
        take();
}

static void finish(void) {
    take();
    for (int i = 0; i < MAGAZINES; i++)
        MODEL_CHECK(s.taken[i], "magazine %d was lost", i);
    MODEL_CHECK(ng_inbox_empty(&s.inbox) && ng_inbox_take(&s.inbox) == NULL, "an inbox just taken is not empty");
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"inbox: 2 producers, 2 magazines each, 3 takes",
         &s,
         sizeof(s),
         setup,
         {{"producer 1", produce_0}, {"producer 2", produce_1}, {"owner", own}},
         finish},
        {"inbox: 1 producer, 2 magazines, 2 takers with 3 takes each",
         &s,
         sizeof(s),
         setup_without_second,
         {{"producer 1", produce_0}, {"owner", own}, {"key's holder", own}},
         finish},
        {.name = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios};
    return model_main(&suite, argc, argv);
}
