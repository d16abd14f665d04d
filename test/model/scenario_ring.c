/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_ring.c: one producer; two consumers that follow each other through the key.
 *
 * Holds: words come out once each and in order, with the payload that was written before they were put; a full ring says so
 * and loses nothing; indices go round a ring of two slots.
 */
#define NG_RING_SLOTS 2u
#include "explore.h"

#include "channel/key.h"
#include "channel/ring.h"

enum { WORDS = 4, TRIES = 2 };

static struct {
    struct ng_ring ring;
    struct ng_key key;
    uint64_t payload[WORDS + 1]; /* of word 1, 2, ... */
    uint64_t taken;              /* words, by the key's holders */
    uint64_t put;                /* words, by the producer */
} s;

static void setup(void) {
    model_name(&s.ring.head, "head");
    model_name(&s.ring.tail, "tail");
    model_name(&s.key.held, "key");
    model_name(&s.taken, "taken");
    for (unsigned i = 0; i < NG_RING_SLOTS; i++)
        model_name(&s.ring.slot[i], "slot[%u]", i);
    for (unsigned i = 1; i <= WORDS; i++)
        model_name(&s.payload[i], "payload[%u]", i);
}

static void produce(void) {
    for (int attempt = 0; attempt < WORDS && s.put < WORDS; attempt++) {
        uint64_t w = s.put + 1;
        ng_data_write(&s.payload[w], 10 * w);
        if (ng_ring_put(&s.ring, w))
            s.put = w;
        else
            MODEL_CHECK(s.put >= NG_RING_SLOTS, "the ring is full with %u words", (unsigned)s.put);
    }
}

static bool take_one(void) {
    uint64_t w, taken = ng_data_read(&s.taken);
    if (!ng_ring_take(&s.ring, &w))
        return false;
    MODEL_CHECK(w == taken + 1, "took word %u after word %u", (unsigned)w, (unsigned)taken);
    uint64_t payload = ng_data_read(&s.payload[w]);
    MODEL_CHECK(payload == 10 * w, "word %u has payload %u", (unsigned)w, (unsigned)payload);
    ng_data_write(&s.taken, w);
    return true;
}

static void consume(void) {
    for (int i = 0; i < TRIES; i++) {
        if (!ng_key_try(&s.key))
            continue;
        if (take_one())
            (void)take_one();
        ng_key_leave(&s.key);
    }
}

static void finish(void) {
    while (take_one())
        ;
    MODEL_CHECK(s.taken == s.put, "%u words put, %u taken", (unsigned)s.put, (unsigned)s.taken);
    MODEL_CHECK(!ng_ring_waiting(&s.ring), "an empty ring says that words wait");
    for (uint64_t i = 0; i < NG_RING_SLOTS; i++)
        MODEL_CHECK(ng_ring_put(&s.ring, i), "the ring is full with %u words", (unsigned)i);
    MODEL_CHECK(!ng_ring_put(&s.ring, 99), "the ring takes more words than it has slots");
    uint64_t w = 99;
    MODEL_CHECK(ng_ring_waiting(&s.ring) && ng_ring_take(&s.ring, &w) && w == 0, "after a put that failed: %u",
                (unsigned)w);
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"ring: 4 words, 2 slots, 2 consumers",
         &s,
         sizeof(s),
         setup,
         {{"producer", produce}, {"consumer 1", consume}, {"consumer 2", consume}},
         finish},
        {.name = NULL},
    };
    static const struct model_harmless harmless[] = {
        {"ng_ring_waiting: load &r->head ACQUIRE -> RELAXED",
         "who sees that a word waits must take it to read it, and take acquires head itself"},
        {.mutant = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios, .harmless = harmless};
    return model_main(&suite, argc, argv);
}
