/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_stack.c: threads that push, pop and push again, on a stack of a few numbered things.
 *
 * Holds: a thing is with one popper at a time, who sees what the last one wrote to it; none is lost; a link word may be
 * read while another thread uses it for its own ends, as a magazine's is by the inbox (ABA: the top is the same thing
 * again, with another one below it).
 */
#include "explore.h"

#include "channel/stack.h"

enum { THINGS = 4 };

static struct {
    struct ng_stack stack;
    struct thing {
        ng_atomic link;
        uint64_t payload; /* written by whoever holds the thing */
        bool held;
    } thing[THINGS + 1];
    uint64_t uses[4]; /* of things, by each thread */
} s;

static ng_atomic *link_of(uint32_t number) { return &s.thing[number].link; }

/* Nobody else may touch the thing: the race detector sees it if they do, in whatever order it happens. */
static void use(int me, uint32_t number) {
    struct thing *t = &s.thing[number];
    MODEL_CHECK(number <= THINGS, "popped %u", (unsigned)number);
    MODEL_CHECK(!t->held, "thing %u is held twice", (unsigned)number);
    t->held = true;
    ng_data_write(&t->payload, ng_data_read(&t->payload) + 1);
    s.uses[me]++;
}

static void push(uint32_t number) {
    s.thing[number].held = false;
    ng_stack_push(&s.stack, number, &s.thing[number].link);
}

static uint32_t pop(int me) {
    uint32_t number = ng_stack_pop(&s.stack, link_of);
    if (number != 0)
        use(me, number);
    return number;
}

static void setup(void) {
    model_name(&s.stack.top, "top");
    for (unsigned i = 1; i <= THINGS; i++) {
        model_name(&s.thing[i].link, "link %u", i);
        model_name(&s.thing[i].payload, "payload %u", i);
        s.thing[i].held = true;
    }
}

static void setup_two(void) {
    setup();
    push(2);
    push(1);
}

static void setup_one(void) {
    setup();
    push(1);
}

static void pop_push(int me) {
    uint32_t number = pop(me);
    if (number != 0)
        push(number);
}

/* The other half of ABA: the top comes back, what was below it does not. */
static void pop_pop_push(int me) {
    uint32_t top = pop(me), below = pop(me);
    if (top != 0)
        push(top);
    if (below != 0)
        ng_store(link_of(below), UINT64_MAX, NG_RELAXED); /* held: the link word may serve for anything */
}

static void push_own(int me, uint32_t number) {
    use(me, number);
    push(number);
}

static void pop_push_1(void) { pop_push(1); }
static void pop_push_2(void) { pop_push(2); }
static void pop_pop_push_2(void) { pop_pop_push(2); }
static void push_pop_1(void) {
    s.thing[3].held = false;
    push_own(1, 3);
    (void)pop(1);
}
static void push_pop_push_2(void) {
    s.thing[4].held = false;
    push_own(2, 4);
    pop_push(2);
}
static void pop_push_3(void) { pop_push(3); }
static void pop_3(void) { (void)pop(3); }
static void push_3(void) {
    s.thing[3].held = false;
    push_own(3, 3);
}

/* What is held and what is on the stack together are all things, and no use got lost. */
static void finish(void) {
    uint64_t uses = 0, counted = s.uses[0] + s.uses[1] + s.uses[2] + s.uses[3];
    while (pop(0) != 0)
        counted++;
    for (uint32_t i = 1; i <= THINGS; i++) {
        MODEL_CHECK(s.thing[i].held, "thing %u was lost", (unsigned)i);
        uses += ng_data_read(&s.thing[i].payload);
    }
    MODEL_CHECK(uses == counted, "%u uses of things, %u seen in them", (unsigned)counted, (unsigned)uses);
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"stack: pop push | pop pop push, 2 things",
         &s,
         sizeof(s),
         setup_two,
         {{"A", pop_push_1}, {"B", pop_pop_push_2}},
         finish},
        {"stack: pop push | pop push | push, 1 thing and 1 new",
         &s,
         sizeof(s),
         setup_one,
         {{"A", pop_push_1}, {"B", pop_push_2}, {"C", push_3}},
         finish},
        {"stack: push pop | push pop push | pop, 2 new things",
         &s,
         sizeof(s),
         setup,
         {{"A", push_pop_1}, {"B", push_pop_push_2}, {"C", pop_3}},
         finish},
        {"stack: pop push | pop pop push | pop push, 2 things",
         &s,
         sizeof(s),
         setup_two,
         {{"A", pop_push_1}, {"B", pop_pop_push_2}, {"C", pop_push_3}},
         finish},
        {.name = NULL},
    };
    static const struct model_harmless harmless[] = {
        {"ng_stack_pop: cas &s->top ACQUIRE -> RELAXED",
         "a CAS that succeeds reads the store that the load before it acquired: the version makes its value unique"},
        {.mutant = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios, .harmless = harmless, .extra = MODEL_NO_VERSION};
    return model_main(&suite, argc, argv);
}
