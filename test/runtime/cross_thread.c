/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Blocks that one thread allocates and another frees: along a chain, from many to one, from one to many, and at random.
 * They arrive as they were sent, and memory stays bounded by what is on the way.
 * Usage: cross_thread chain|fan_in|fan_out|exchange [blocks]
 */
#include "heap.h"

#include <pthread.h>

#define QUEUE 1024
#define THREADS 4

/* What is sent: a block that says itself what it must hold. */
struct parcel {
    size_t size;
    uint64_t seed;
    struct parcel *self;
    unsigned char bytes[];
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct parcel *slot[QUEUE];
    size_t head, tail;
};

static struct queue queues[THREADS];
static size_t blocks;
static uint64_t seeds = 1;

static void send(struct queue *q, struct parcel *p) {
    pthread_mutex_lock(&q->lock);
    while (q->tail - q->head == QUEUE)
        pthread_cond_wait(&q->changed, &q->lock);
    q->slot[q->tail++ % QUEUE] = p;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static struct parcel *receive(struct queue *q) {
    pthread_mutex_lock(&q->lock);
    while (q->tail == q->head)
        pthread_cond_wait(&q->changed, &q->lock);
    struct parcel *p = q->slot[q->head++ % QUEUE];
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return p;
}

static struct parcel *make(uint64_t *random) {
    size_t size = test_random_size(random, (test_random(random) & 255) == 0 ? 18 : 9);
    struct parcel *p = (struct parcel *)heap_alloc(sizeof(struct parcel) + size);
    CHECK(p != NULL);
    p->size = size;
    p->seed = test_random(random);
    p->self = p;
    test_fill(p->bytes, size, p->seed);
    return p;
}

static void check(const struct parcel *p) {
    CHECK(p->self == p);
    test_intact(p->bytes, p->size, p->seed);
}

static void open_parcel(struct parcel *p) {
    check(p);
    heap_free(p);
}

static uint64_t new_seed(void) { return __atomic_fetch_add(&seeds, 1, __ATOMIC_RELAXED) * 7919; }

/* A stage takes from its queue (the first one makes), checks, and passes on (the last one frees). */
static void *stage(void *argument) {
    size_t me = (uintptr_t)argument;
    uint64_t random = new_seed();
    for (size_t i = 0; i < blocks; i++) {
        struct parcel *p = me == 0 ? make(&random) : receive(&queues[me]);
        if (me == THREADS - 1) {
            open_parcel(p);
        } else {
            check(p);
            send(&queues[me + 1], p);
        }
    }
    return NULL;
}

static void *make_for_one(void *argument) {
    uint64_t random = new_seed();
    (void)argument;
    for (size_t i = 0; i < blocks; i++)
        send(&queues[0], make(&random));
    return NULL;
}

static void *open_own(void *argument) {
    for (size_t i = 0; i < blocks; i++)
        open_parcel(receive(&queues[(uintptr_t)argument]));
    return NULL;
}

static struct parcel *shared[4096];

static void *exchange(void *argument) {
    uint64_t random = new_seed();
    (void)argument;
    for (size_t i = 0; i < blocks; i++) {
        struct parcel *p = make(&random);
        p = __atomic_exchange_n(&shared[test_random(&random) % 4096], p, __ATOMIC_ACQ_REL);
        if (p != NULL)
            open_parcel(p);
    }
    return NULL;
}

static void run(size_t threads, void *(*body)(void *), void (*here)(void)) {
    pthread_t thread[THREADS];
    for (size_t i = 0; i < threads; i++)
        CHECK(pthread_create(&thread[i], NULL, body, (void *)i) == 0);
    if (here != NULL)
        here();
    for (size_t i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
}

static void open_all(void) {
    for (size_t i = 0; i < blocks * THREADS; i++)
        open_parcel(receive(&queues[0]));
}

static void make_for_all(void) {
    uint64_t random = new_seed();
    for (size_t i = 0; i < blocks * THREADS; i++)
        send(&queues[i % THREADS], make(&random));
}

static void round_of(const char *pattern) {
    if (strcmp(pattern, "chain") == 0)
        run(THREADS, stage, NULL);
    else if (strcmp(pattern, "fan_in") == 0)
        run(THREADS, make_for_one, open_all);
    else if (strcmp(pattern, "fan_out") == 0)
        run(THREADS, open_own, make_for_all);
    else if (strcmp(pattern, "exchange") == 0)
        run(THREADS, exchange, NULL);
    else
        CHECK(false, "unknown pattern %s", pattern);
}

int main(int argc, char **argv) {
    CHECK(argc > 1, "which pattern?");
    blocks = argc > 2 ? strtoul(argv[2], NULL, 10) : test_rounds(100000);
    test_begin();
    for (size_t i = 0; i < THREADS; i++) {
        pthread_mutex_init(&queues[i].lock, NULL);
        pthread_cond_init(&queues[i].changed, NULL);
    }
    /* New threads each round: what the dead ones left must be used again. */
    round_of(argv[1]);
    size_t after_one = test_rss();
    for (int i = 0; i < 3; i++)
        round_of(argv[1]);
    size_t after_four = test_rss();
    CHECK(TEST_SANITIZED || after_four <= after_one + (24u << 20), "resident %zu KiB after one round, %zu after four",
          after_one >> 10, after_four >> 10);
    for (size_t i = 0; i < 4096; i++)
        if (shared[i] != NULL)
            open_parcel(shared[i]);
    return 0;
}
