/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Threads that allocate and free while they end: in C++ thread_local destructors, and in pthread_key destructors that run
 * after the allocator's own has (they set their key again, so that they run in every round that there is).  What they
 * leave is whole, and memory stays bounded.
 */
#include "check.h"

#include <climits>
#include <pthread.h>
#include <string>
#include <vector>

struct Owner {
    std::vector<std::string> strings;
    ~Owner() {
        CHECK(strings.size() == 100 && strings[99].size() == 99);
        std::string more(5000, 'z');
        strings.push_back(more);
        strings.clear();
    }
};
static thread_local Owner owner;

struct Bag {
    int rounds;
    size_t size;
    unsigned char *block;
};
static pthread_key_t keys[3];
static volatile unsigned ended;

static void destroy(void *value, pthread_key_t key) {
    Bag *bag = static_cast<Bag *>(value);
    test_intact(bag->block, bag->size, bag->size);
    free(bag->block);
    bag->size = bag->size * 3 / 2;
    bag->block = static_cast<unsigned char *>(malloc(bag->size));
    CHECK(bag->block != nullptr);
    test_fill(bag->block, bag->size, bag->size);
    if (++bag->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
        pthread_setspecific(key, bag); /* once more, after the destructors of this round */
    } else {
        free(bag->block);
        free(bag);
        __atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
    }
}
static void destroy_0(void *value) { destroy(value, keys[0]); }
static void destroy_1(void *value) { destroy(value, keys[1]); }
static void destroy_2(void *value) { destroy(value, keys[2]); }

static void *work(void *argument) {
    for (size_t i = 0; i < 100; i++)
        owner.strings.push_back(std::string(i, 'a'));
    for (pthread_key_t key : keys) {
        Bag *bag = static_cast<Bag *>(malloc(sizeof(Bag)));
        CHECK(bag != nullptr);
        bag->rounds = 0;
        bag->size = 100 + reinterpret_cast<uintptr_t>(argument) % 3000;
        bag->block = static_cast<unsigned char *>(malloc(bag->size));
        test_fill(bag->block, bag->size, bag->size);
        CHECK(pthread_setspecific(key, bag) == 0);
    }
    if (reinterpret_cast<uintptr_t>(argument) % 5 == 0)
        pthread_exit(nullptr);
    return nullptr;
}

static void run(size_t threads) {
    for (size_t i = 0; i < threads; i += 4) {
        pthread_t thread[4];
        for (size_t k = 0; k < 4; k++)
            CHECK(pthread_create(&thread[k], nullptr, work, reinterpret_cast<void *>(i + k)) == 0);
        for (pthread_t t : thread)
            pthread_join(t, nullptr);
    }
}

int main() {
    test_begin();
    CHECK(pthread_key_create(&keys[0], destroy_0) == 0);
    CHECK(pthread_key_create(&keys[1], destroy_1) == 0);
    CHECK(pthread_key_create(&keys[2], destroy_2) == 0);
    run(400);
    size_t early = test_rss();
    run(4000);
    size_t late = test_rss();
    CHECK(ended == 3 * 4400u, "%u of %u destructors ran to the end", ended, 3 * 4400u);
    CHECK(late <= early + (8u << 20), "resident %zu KiB, then %zu KiB", early >> 10, late >> 10);
    return 0;
}
