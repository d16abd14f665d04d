/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Exceptions thrown through code that allocates: constructors that throw within new and new[], containers whose elements
 * throw while they are copied, bad_alloc from new itself (also inlined), new_handler, and threads that end by them.
 */
#include "check.h"

#include <malloc.h>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int alive;
static int throw_at = -1;

struct Fragile {
    std::unique_ptr<char[]> bytes;
    Fragile() : bytes(new char[100]) {
        if (alive == throw_at)
            throw std::runtime_error("constructor");
        alive++;
    }
    Fragile(const Fragile &other) : bytes(new char[200]) {
        memcpy(bytes.get(), other.bytes.get(), 100);
        if (alive == throw_at)
            throw std::runtime_error("copy");
        alive++;
    }
    ~Fragile() { alive--; }
};

static void constructors_that_throw() {
    for (throw_at = 0; throw_at < 200; throw_at++) {
        bool caught = false;
        try {
            Fragile *array = new Fragile[200];
            delete[] array;
        } catch (const std::runtime_error &e) {
            caught = std::string(e.what()) == "constructor";
        }
        CHECK(caught && alive == 0, "%d objects are left", alive);
    }
    throw_at = 30;
    bool caught = false;
    try {
        std::vector<Fragile> things;
        for (;;)
            things.emplace_back();
    } catch (const std::runtime_error &) {
        caught = true;
    }
    CHECK(caught && alive == 0);
    throw_at = -1;
}

template <typename Function> static bool throws_bad_alloc(Function function) {
    try {
        function();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

static int handler_calls;

static void new_that_fails() {
    volatile size_t huge = PTRDIFF_MAX / 2;
    CHECK(throws_bad_alloc([&] { test_launder(new char[huge]); }));
    CHECK(throws_bad_alloc([&] { test_launder(::operator new(huge)); }));
    CHECK(throws_bad_alloc([&] { test_launder(::operator new(huge, std::align_val_t(64))); }));
    CHECK(!throws_bad_alloc([&] { ::operator delete(::operator new(1000)); }));
    CHECK(test_launder(new (std::nothrow) char[huge]) == nullptr);
    CHECK(throws_bad_alloc([&] {
        std::vector<std::string> strings(10, std::string(1000, 'a'));
        strings.reserve(huge / 64);
    }));
    handler_calls = 0;
    std::set_new_handler([] {
        if (++handler_calls == 3)
            std::set_new_handler(nullptr);
    });
    CHECK(throws_bad_alloc([&] { test_launder(new char[huge]); }));
    CHECK(handler_calls == 3, "new_handler was called %d times", handler_calls);
    std::set_new_handler([] { throw std::bad_alloc(); });
    CHECK(throws_bad_alloc([&] { test_launder(new char[huge]); }));
    std::set_new_handler(nullptr);
}

/* Many live blocks across a throw: the landing pads free what they hold. */
static size_t throw_from_depth(unsigned depth) {
    std::string text(depth * 7 + 1, 'd');
    std::vector<int> numbers(depth, 3);
    if (depth == 0)
        throw std::out_of_range(text);
    return throw_from_depth(depth - 1) + text.size() + numbers.size();
}

static void many_throws() {
    for (unsigned i = 0; i < 2000; i++) {
        bool caught = false;
        try {
            throw_from_depth(i % 60);
        } catch (const std::out_of_range &e) {
            caught = strcmp(e.what(), "d") == 0;
        }
        CHECK(caught);
    }
}

int main() {
    test_begin();
    constructors_that_throw();
    new_that_fails();
    many_throws();
    size_t before = test_rss();
    for (int i = 0; i < 5; i++) {
        std::thread a(many_throws), b(many_throws);
        a.join();
        b.join();
    }
    std::exception_ptr carried;
    std::thread([&] {
        try {
            throw std::runtime_error(std::string(3000, 'e'));
        } catch (...) {
            carried = std::current_exception();
        }
    }).join();
    bool caught = false;
    try {
        std::rethrow_exception(carried);
    } catch (const std::runtime_error &e) {
        caught = strlen(e.what()) == 3000;
    }
    CHECK(caught, "the exception of a thread that is gone is gone too");
    size_t after = test_rss();
    CHECK(after < before + (16u << 20), "resident %zu KiB, then %zu KiB", before >> 10, after >> 10);
    return 0;
}
