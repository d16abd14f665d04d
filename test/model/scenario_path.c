/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_path.c: the whole way of blocks of B that A frees: A's ring -> the key's holder -> B's inbox, or B's returned
 * magazine, which B empties itself when it holds the key -> B.  Magazines come from and go to the stack of empty ones.
 *
 * Holds: B gets each block exactly once, after everything that A wrote to it; nobody gets a magazine that another uses.
 * The parts between the channel's calls are the runtime's in small (room/serve.c).
 */
#define NG_RING_SLOTS 2u
#include "explore.h"

#include "channel/inbox.h"
#include "channel/key.h"
#include "channel/ring.h"
#include "channel/stack.h"

enum { BLOCKS = 3, MAGAZINES = 7, CAPACITY = 2 };

/* Like the runtime's: its link serves the stack of empty ones and the inbox. */
struct magazine {
    ng_atomic next;
    uint64_t count;
    uint64_t block[CAPACITY];
};

static struct {
    struct ng_ring ring; /* A's */
    struct ng_key key;
    struct ng_inbox inbox; /* B's */
    struct ng_stack empty;
    ng_atomic used; /* magazines that ever were */
    struct magazine magazine[MAGAZINES];
    uint64_t returned; /* B's returned magazine, by the key's holder; 0: none */
    uint64_t most;     /* blocks in it before it goes to the inbox */
    uint64_t payload[BLOCKS];
    bool freed[BLOCKS]; /* by A */
    bool got[BLOCKS];   /* by B, or at the end */
} s;

static ng_atomic *link_of(uint32_t number) { return &s.magazine[number - 1].next; }

static struct magazine *magazine_get(void) {
    uint32_t number = ng_stack_pop(&s.empty, link_of);
    if (number == 0)
        number = (uint32_t)ng_add(&s.used, 1, NG_RELAXED) + 1;
    MODEL_CHECK(number <= MAGAZINES, "magazine %u", (unsigned)number);
    struct magazine *m = &s.magazine[number - 1];
    ng_data_write(&m->count, 0);
    return m;
}

static void magazine_drop(struct magazine *m) {
    MODEL_CHECK(ng_data_read(&m->count) == 0, "a magazine with blocks is dropped");
    ng_stack_push(&s.empty, (uint32_t)(m - s.magazine) + 1, &m->next);
}

static void magazine_push(struct magazine *m, uint64_t block) {
    uint64_t count = ng_data_read(&m->count);
    MODEL_CHECK(count < CAPACITY, "a magazine runs over");
    ng_data_write(&m->block[count], block);
    ng_data_write(&m->count, count + 1);
}

static bool magazine_pop(struct magazine *m, uint64_t *block) {
    uint64_t count = ng_data_read(&m->count);
    if (count == 0)
        return false;
    *block = ng_data_read(&m->block[count - 1]);
    ng_data_write(&m->count, count - 1);
    return true;
}

/* A: the last user of a block writes to it and frees it; straight to its owner where the ring is full. */
static void free_foreign(uint64_t block) {
    s.freed[block] = true;
    ng_data_write(&s.payload[block], 10 + block);
    struct magazine *m = magazine_get();
    magazine_push(m, block);
    if (!ng_ring_put(&s.ring, (uint64_t)(uintptr_t)m))
        ng_inbox_put(&s.inbox, &m->next);
}

/* The key's holder. */
static void sort_block(uint64_t block) {
    struct magazine *m = (struct magazine *)(uintptr_t)ng_data_read(&s.returned);
    if (m == NULL)
        m = magazine_get();
    magazine_push(m, block);
    bool full = ng_data_read(&m->count) == ng_data_read(&s.most);
    ng_data_write(&s.returned, full ? 0 : (uint64_t)(uintptr_t)m);
    if (full)
        ng_inbox_put(&s.inbox, &m->next);
}

static void serve_ring(void) {
    uint64_t word, block;
    while (ng_ring_take(&s.ring, &word)) {
        struct magazine *m = (struct magazine *)(uintptr_t)word;
        while (magazine_pop(m, &block))
            sort_block(block);
        magazine_drop(m);
    }
}

/* B: a block comes back to its owner, who uses it again. */
static void reuse_all(struct magazine *m) {
    uint64_t block;
    while (magazine_pop(m, &block)) {
        MODEL_CHECK(block < BLOCKS && !s.got[block], "block %u came back twice", (unsigned)block);
        s.got[block] = true;
        uint64_t payload = ng_data_read(&s.payload[block]);
        MODEL_CHECK(payload == 10 + block, "block %u holds %u", (unsigned)block, (unsigned)payload);
        ng_data_write(&s.payload[block], 0);
    }
}

static bool take_inbox(void) {
    ng_atomic *next = ng_inbox_take(&s.inbox);
    if (next == NULL)
        return false;
    while (next != NULL) {
        struct magazine *m = (struct magazine *)next;
        next = (ng_atomic *)(uintptr_t)ng_load(&m->next, NG_RELAXED);
        reuse_all(m);
        magazine_drop(m);
    }
    return true;
}

static void take_returned(void) {
    struct magazine *m = (struct magazine *)(uintptr_t)ng_data_read(&s.returned);
    if (m == NULL)
        return;
    reuse_all(m);
    ng_data_write(&s.returned, 0);
    magazine_drop(m);
}

static void serve_oneself(void) {
    if (!ng_key_try(&s.key))
        return;
    take_returned();
    ng_key_leave(&s.key);
}

static void setup(void) {
    model_name(&s.ring.head, "head");
    model_name(&s.ring.tail, "tail");
    model_name(&s.ring.slot[0], "slot[0]");
    model_name(&s.ring.slot[1], "slot[1]");
    model_name(&s.key.held, "key");
    model_name(&s.inbox.first, "inbox");
    model_name(&s.empty.top, "empty");
    model_name(&s.used, "used");
    model_name(&s.returned, "returned");
    for (int i = 0; i < MAGAZINES; i++) {
        model_name(&s.magazine[i].next, "magazine %d", i + 1);
        model_name(&s.magazine[i].count, "count %d", i + 1);
        for (int k = 0; k < CAPACITY; k++)
            model_name(&s.magazine[i].block[k], "magazine %d [%d]", i + 1, k);
    }
    for (int i = 0; i < BLOCKS; i++)
        model_name(&s.payload[i], "block %d", i);
    s.most = 1;
}

/* Two empty magazines are there and go round. */
static void setup_most_1(void) {
    setup();
    struct magazine *one = magazine_get(), *two = magazine_get();
    magazine_drop(two);
    magazine_drop(one);
}

static void setup_most_2(void) {
    setup();
    s.most = 2;
}

static void finish(void) {
    take_inbox();
    serve_ring();
    take_returned();
    take_inbox();
    for (int i = 0; i < BLOCKS; i++)
        MODEL_CHECK(s.got[i] == s.freed[i], "block %d was lost", i);
}

static void free_two(void) {
    free_foreign(0);
    free_foreign(1);
}

static void free_three(void) {
    free_two();
    free_foreign(2);
}

static void serve_once(void) {
    if (!ng_key_try(&s.key))
        return;
    serve_ring();
    ng_key_leave(&s.key);
}

static void serve_twice(void) {
    serve_once();
    serve_once();
}

static void own_inbox(void) {
    if (!take_inbox())
        (void)take_inbox();
}

/* A miss: the inbox, else under the key what came back and what lies on the ring. */
static void own_miss(void) {
    if (take_inbox() || !ng_key_try(&s.key))
        return;
    take_returned();
    serve_ring();
    ng_key_leave(&s.key);
    (void)take_inbox();
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"path: 2 blocks, the room sorts twice, B takes its inbox",
         &s,
         sizeof(s),
         setup_most_1,
         {{"A", free_two}, {"room", serve_twice}, {"B", own_inbox}},
         finish},
        {"path: 2 blocks, the room and B hold the key in turn",
         &s,
         sizeof(s),
         setup_most_1,
         {{"A", free_two}, {"room", serve_once}, {"B", own_miss}},
         finish},
        {"path: 2 blocks in a returned magazine, B serves itself",
         &s,
         sizeof(s),
         setup_most_2,
         {{"A", free_two}, {"room", serve_once}, {"B", serve_oneself}},
         finish},
        {"path: 3 blocks, the ring is full at times",
         &s,
         sizeof(s),
         setup_most_1,
         {{"A", free_three}, {"room", serve_once}},
         finish},
        {.name = NULL},
    };
    static const struct model_harmless harmless[] = {
        {"ng_stack_pop: cas &s->top ACQUIRE -> RELAXED",
         "a CAS that succeeds reads the store that the load before it acquired: the version makes its value unique"},
        {.mutant = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios, .harmless = harmless};
    return model_main(&suite, argc, argv);
}
