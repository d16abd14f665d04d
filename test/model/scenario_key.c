/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_key.c: three threads that try the key, twice each.
 *
 * Holds: one holder at a time, each sees all metadata that the one before it wrote; where the key is free, somebody gets it.
 */
#include "explore.h"

#include "channel/key.h"

enum { CONTENDERS = 3, TRIES = 2 };

static struct {
    struct ng_key key;
    uint64_t metadata[2];      /* written by the key's holder alone; equal outside of the key */
    uint64_t held[CONTENDERS]; /* how often each thread had the key */
} s;

static void setup(void) {
    model_name(&s.key.held, "key");
    model_name(&s.metadata[0], "metadata[0]");
    model_name(&s.metadata[1], "metadata[1]");
}

static void contend(int me) {
    for (int i = 0; i < TRIES; i++) {
        if (!ng_key_try(&s.key))
            continue;
        uint64_t before = ng_data_read(&s.metadata[0]);
        MODEL_CHECK(ng_data_read(&s.metadata[1]) == before, "metadata is half written");
        ng_data_write(&s.metadata[0], before + 1);
        ng_data_write(&s.metadata[1], before + 1);
        s.held[me]++;
        ng_key_leave(&s.key);
    }
}

static void contend_0(void) { contend(0); }
static void contend_1(void) { contend(1); }
static void contend_2(void) { contend(2); }

static void finish(void) {
    uint64_t held = s.held[0] + s.held[1] + s.held[2];
    MODEL_CHECK(held > 0, "the key was free and nobody got it");
    MODEL_CHECK(ng_data_read(&s.metadata[0]) == held, "%u holders, %u changes", (unsigned)held,
                (unsigned)s.metadata[0]);
    MODEL_CHECK(ng_key_try(&s.key), "the key is not free after the last holder left");
    MODEL_CHECK(!ng_key_try(&s.key), "the key has two holders");
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"key: 3 threads, 2 tries each",
         &s,
         sizeof(s),
         setup,
         {{"A", contend_0}, {"B", contend_1}, {"C", contend_2}},
         finish},
        {.name = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios};
    return model_main(&suite, argc, argv);
}
