/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Handlers of atexit, static destructors and destructor functions that allocate and free, while a detached thread still
 * does; exit() from the first thread, from another, and after the first has ended.
 * Usage: at_exit return|exit|other_thread|first_thread_gone|quick
 */
#include "check.h"

#include <pthread.h>
#include <string>
#include <vector>

static std::vector<void *> *survivors;
static const char *way;
static volatile int handlers;

static void use_heap() {
    std::vector<std::string> strings;
    for (int i = 0; i < 2000; i++)
        strings.push_back(std::string(static_cast<size_t>(i % 300), 'a'));
    for (void *p : *survivors)
        free(p);
    survivors->clear();
    for (int i = 0; i < 100; i++)
        survivors->push_back(malloc(static_cast<size_t>(i) * 100));
    handlers++;
}

struct Last {
    Last() { survivors = new std::vector<void *>; }
    ~Last() {
        use_heap();
        /* 77 is for a test that was skipped, 0 for handlers that did not run: this is the way out of a good run. */
        if (handlers >= 3)
            _exit(0);
        _exit(2);
    }
};
static Last last;

__attribute__((destructor)) static void destructor_function() { use_heap(); }

static void *churn(void *) {
    for (uint64_t random = 7;;) {
        void *p[50];
        for (auto &q : p)
            q = malloc(test_random_size(&random, 12));
        for (auto &q : p)
            free(q);
    }
}

static void *leave(void *first_thread) {
    if (first_thread != nullptr)
        pthread_join(*static_cast<pthread_t *>(first_thread), nullptr);
    exit(3);
}

int main(int argc, char **argv) {
    test_begin();
    CHECK(argc > 1);
    way = argv[1];
    atexit(use_heap);
    atexit(use_heap);
    at_quick_exit(use_heap);
    at_quick_exit([] { _exit(handlers == 1 ? 0 : 2); });
    std::string what = way;
    pthread_t thread;
    static pthread_t self = pthread_self();
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&thread, nullptr, churn, nullptr) == 0);
        pthread_detach(thread);
    }
    test_sleep_ms(20);
    if (what == "return")
        return 3;
    if (what == "exit")
        exit(3);
    if (what == "quick") {
        /* Handlers run last first: the one that ends the process would run before the one that it checks. */
        use_heap();
        quick_exit(3);
    }
    if (what == "other_thread") {
        CHECK(pthread_create(&thread, nullptr, leave, nullptr) == 0);
        pause();
    }
    CHECK(what == "first_thread_gone");
    CHECK(pthread_create(&thread, nullptr, leave, &self) == 0);
    pthread_exit(nullptr);
}
