/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * replaced_forms.cpp: a program that replaces only some forms of operator new and delete gets its own functions from the
 * other forms too, as the standard says which calls which.  REPLACED is the set that this program replaces; without any,
 * none of its functions may be called.  Runs on libstdc++ too, which must pass it.
 */
#include "expect.h"

#include <new>

#define REPLACE_NEW 1     /* operator new, operator delete */
#define REPLACE_ARRAY 2   /* operator new[], operator delete[] */
#define REPLACE_ALIGNED 4 /* operator new and delete with an alignment */

#ifndef REPLACED
#error "which forms?"
#endif

using std::align_val_t;
using std::nothrow;

namespace {
int news, deletes;
volatile bool exhausted;

/* The user's blocks have a header, so one that is released by another function does not get by. */
struct alignas(64) Header {
    uint64_t magic;
};
const uint64_t magic = 0xB10C;

[[maybe_unused]] void *take(size_t size) {
    news++;
    if (exhausted)
        throw 42;
    Header *h = static_cast<Header *>(aligned_alloc(64, (sizeof(Header) + size + 63) / 64 * 64));
    if (h == nullptr)
        throw std::bad_alloc();
    h->magic = magic;
    return h + 1;
}

[[maybe_unused]] void give(void *p) {
    deletes++;
    if (p == nullptr)
        return;
    Header *h = static_cast<Header *>(p) - 1;
    EXPECT(h->magic == magic, "a block that is not the user's");
    h->magic = 0;
    free(h);
}
} // namespace

#if REPLACED & REPLACE_NEW
void *operator new(size_t size) { return take(size); }
void operator delete(void *p) noexcept { give(p); }
#endif
#if REPLACED & REPLACE_ARRAY
void *operator new[](size_t size) { return take(size); }
void operator delete[](void *p) noexcept { give(p); }
#endif
#if REPLACED & REPLACE_ALIGNED
void *operator new(size_t size, align_val_t) { return take(size); }
void operator delete(void *p, align_val_t) noexcept { give(p); }
#endif
namespace {
struct Form {
    const char *name;
    int by; /* any of these forms replaced: the user's function is called */
    void (*pair)(size_t size);
};

const align_val_t a{64};
const Form forms[] = {
    {"new", REPLACE_NEW, [](size_t n) { ::operator delete(::operator new(n)); }},
    {"new, sized delete", REPLACE_NEW, [](size_t n) { ::operator delete(::operator new(n), n); }},
    {"nothrow new", REPLACE_NEW, [](size_t n) { ::operator delete(::operator new(n, nothrow), nothrow); }},
    {"new[]", REPLACE_NEW | REPLACE_ARRAY, [](size_t n) { ::operator delete[](::operator new[](n)); }},
    {"new[], sized delete", REPLACE_NEW | REPLACE_ARRAY, [](size_t n) { ::operator delete[](::operator new[](n), n); }},
    {"nothrow new[]", REPLACE_NEW | REPLACE_ARRAY,
     [](size_t n) { ::operator delete[](::operator new[](n, nothrow), nothrow); }},
    {"aligned new", REPLACE_ALIGNED, [](size_t n) { ::operator delete(::operator new(n, a), a); }},
    {"aligned new, sized delete", REPLACE_ALIGNED, [](size_t n) { ::operator delete(::operator new(n, a), n, a); }},
    {"aligned nothrow new", REPLACE_ALIGNED,
     [](size_t n) { ::operator delete(::operator new(n, a, nothrow), a, nothrow); }},
    {"aligned new[]", REPLACE_ALIGNED, [](size_t n) { ::operator delete[](::operator new[](n, a), a); }},
    {"aligned new[], sized delete", REPLACE_ALIGNED,
     [](size_t n) { ::operator delete[](::operator new[](n, a), n, a); }},
    {"aligned nothrow new[]", REPLACE_ALIGNED,
     [](size_t n) { ::operator delete[](::operator new[](n, a, nothrow), a, nothrow); }},
};

void each_form_reaches_the_users(const Form &form) {
    for (size_t n = 1; n < 100000; n = n * 3 + 1) {
        for (int again = 0; again < 3; again++) {
            news = deletes = 0;
            form.pair(n);
            int expected = (form.by & REPLACED) != 0;
            EXPECT(news == expected && deletes == expected, "%s: size %zu: %d news, %d deletes", form.name, n, news,
                   deletes);
        }
    }
}

/* What the user's operator throws comes through, and the nothrow forms stop it: 42, or 0 for NULL. */
template <typename New> int thrown(New call) {
    try {
        void *p = call();
        EXPECT(p == nullptr);
        return 0;
    } catch (int n) {
        return n;
    }
}

void exceptions_of_the_users() {
    const int plain = REPLACED & REPLACE_NEW, array = REPLACED & (REPLACE_NEW | REPLACE_ARRAY);
    exhausted = true;
    if (plain) {
        EXPECT(thrown([] { return ::operator new(10); }) == 42);
        EXPECT(thrown([] { return ::operator new(10, nothrow); }) == 0);
    }
    if (array) {
        EXPECT(thrown([] { return ::operator new[](10); }) == 42);
        EXPECT(thrown([] { return ::operator new[](10, nothrow); }) == 0);
    }
    if (REPLACED & REPLACE_ALIGNED) {
        EXPECT(thrown([] { return ::operator new(10, a); }) == 42);
        EXPECT(thrown([] { return ::operator new[](10, a); }) == 42);
        EXPECT(thrown([] { return ::operator new(10, a, nothrow); }) == 0);
        EXPECT(thrown([] { return ::operator new[](10, a, nothrow); }) == 0);
    }
    exhausted = false;
}
} // namespace

int main() {
    test_begin();
    /* Blocks of malloc in the magazines, which no form may take them from. */
    for (int round = 0; round < 2; round++)
        for (size_t n = 1; n < 100000; n = n * 3 + 1) {
            void *p = malloc(n), *q = malloc(n);
            free(test_launder(p));
            free(test_launder(q));
        }
    for (const Form &form : forms)
        each_form_reaches_the_users(form);
    exceptions_of_the_users();
    return expect_result();
}
