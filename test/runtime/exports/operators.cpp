/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * operators.cpp: what C++ promises of operator new and delete in each form: blocks, alignment, std::bad_alloc, and the
 * new_handler that frees memory, throws, or takes itself away.  Runs on libstdc++ too, which must pass it.
 */
#include "expect.h"

#include <new>
#include <vector>

using std::align_val_t;
using std::nothrow;

extern "C" {
/* What clang's -optimize-hot-cold-new calls; libstdc++ has none of them. */
#define WEAK __attribute__((weak))
WEAK void *_Znwm12__hot_cold_t(size_t, uint8_t);
WEAK void *_Znam12__hot_cold_t(size_t, uint8_t);
WEAK void *_ZnwmRKSt9nothrow_t12__hot_cold_t(size_t, const std::nothrow_t &, uint8_t);
WEAK void *_ZnamRKSt9nothrow_t12__hot_cold_t(size_t, const std::nothrow_t &, uint8_t);
WEAK void *_ZnwmSt11align_val_t12__hot_cold_t(size_t, align_val_t, uint8_t);
WEAK void *_ZnamSt11align_val_t12__hot_cold_t(size_t, align_val_t, uint8_t);
WEAK void *_ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t(size_t, align_val_t, const std::nothrow_t &, uint8_t);
WEAK void *_ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t(size_t, align_val_t, const std::nothrow_t &, uint8_t);
/* What inlined code calls on a miss. */
WEAK void *ngrt_new_slow(size_t);
WEAK void *ngrt_new_array_slow(size_t);
WEAK void ngrt_delete_slow(void *);
WEAK void ngrt_delete_array_slow(void *);
}

namespace {

/* Every form of new as a function of size and alignment; those that take no alignment ignore it. */
struct New {
    const char *name;
    bool aligned, throws;
    void *(*call)(size_t size, align_val_t align);
    void (*release)(void *p, size_t size, align_val_t align);
};

void delete_one(void *p, size_t, align_val_t) { ::operator delete(p); }
void delete_sized(void *p, size_t n, align_val_t) { ::operator delete(p, n); }
void delete_nothrow(void *p, size_t, align_val_t) { ::operator delete(p, nothrow); }
void delete_array(void *p, size_t, align_val_t) { ::operator delete[](p); }
void delete_array_sized(void *p, size_t n, align_val_t) { ::operator delete[](p, n); }
void delete_array_nothrow(void *p, size_t, align_val_t) { ::operator delete[](p, nothrow); }
void delete_aligned(void *p, size_t, align_val_t a) { ::operator delete(p, a); }
void delete_sized_aligned(void *p, size_t n, align_val_t a) { ::operator delete(p, n, a); }
void delete_aligned_nothrow(void *p, size_t, align_val_t a) { ::operator delete(p, a, nothrow); }
void delete_array_aligned(void *p, size_t, align_val_t a) { ::operator delete[](p, a); }
void delete_array_sized_aligned(void *p, size_t n, align_val_t a) { ::operator delete[](p, n, a); }
void delete_array_aligned_nothrow(void *p, size_t, align_val_t a) { ::operator delete[](p, a, nothrow); }
void slow_delete(void *p, size_t, align_val_t) { ngrt_delete_slow(p); }
void slow_delete_array(void *p, size_t, align_val_t) { ngrt_delete_array_slow(p); }

const uint8_t cold = 1;

const New standard[] = {
    {"new", false, true, [](size_t n, align_val_t) { return ::operator new(n); }, delete_one},
    {"new, sized delete", false, true, [](size_t n, align_val_t) { return ::operator new(n); }, delete_sized},
    {"new nothrow", false, false, [](size_t n, align_val_t) { return ::operator new(n, nothrow); }, delete_nothrow},
    {"new[]", false, true, [](size_t n, align_val_t) { return ::operator new[](n); }, delete_array},
    {"new[], sized delete", false, true, [](size_t n, align_val_t) { return ::operator new[](n); }, delete_array_sized},
    {"new[] nothrow", false, false, [](size_t n, align_val_t) { return ::operator new[](n, nothrow); },
     delete_array_nothrow},
    {"aligned new", true, true, [](size_t n, align_val_t a) { return ::operator new(n, a); }, delete_aligned},
    {"aligned new, sized delete", true, true, [](size_t n, align_val_t a) { return ::operator new(n, a); },
     delete_sized_aligned},
    {"aligned new nothrow", true, false, [](size_t n, align_val_t a) { return ::operator new(n, a, nothrow); },
     delete_aligned_nothrow},
    {"aligned new[]", true, true, [](size_t n, align_val_t a) { return ::operator new[](n, a); }, delete_array_aligned},
    {"aligned new[], sized delete", true, true, [](size_t n, align_val_t a) { return ::operator new[](n, a); },
     delete_array_sized_aligned},
    {"aligned new[] nothrow", true, false, [](size_t n, align_val_t a) { return ::operator new[](n, a, nothrow); },
     delete_array_aligned_nothrow},
};

const New ours[] = {
    {"hinted new", false, true, [](size_t n, align_val_t) { return _Znwm12__hot_cold_t(n, cold); }, delete_one},
    {"hinted new[]", false, true, [](size_t n, align_val_t) { return _Znam12__hot_cold_t(n, cold); }, delete_array},
    {"hinted new nothrow", false, false,
     [](size_t n, align_val_t) { return _ZnwmRKSt9nothrow_t12__hot_cold_t(n, nothrow, cold); }, delete_one},
    {"hinted new[] nothrow", false, false,
     [](size_t n, align_val_t) { return _ZnamRKSt9nothrow_t12__hot_cold_t(n, nothrow, cold); }, delete_array},
    {"hinted aligned new", true, true,
     [](size_t n, align_val_t a) { return _ZnwmSt11align_val_t12__hot_cold_t(n, a, cold); }, delete_aligned},
    {"hinted aligned new[]", true, true,
     [](size_t n, align_val_t a) { return _ZnamSt11align_val_t12__hot_cold_t(n, a, cold); }, delete_array_aligned},
    {"hinted aligned new nothrow", true, false,
     [](size_t n, align_val_t a) { return _ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t(n, a, nothrow, cold); },
     delete_aligned},
    {"hinted aligned new[] nothrow", true, false,
     [](size_t n, align_val_t a) { return _ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t(n, a, nothrow, cold); },
     delete_array_aligned},
    {"inlined new's miss", false, true, [](size_t n, align_val_t) { return ngrt_new_slow(n); }, slow_delete},
    {"inlined new[]'s miss", false, true, [](size_t n, align_val_t) { return ngrt_new_array_slow(n); },
     slow_delete_array},
};

template <typename Test> void each_form(Test test) {
    for (const New &form : standard)
        test(form);
    EXPECT(!on_ngrt() || _Znwm12__hot_cold_t != nullptr);
    if (on_ngrt())
        for (const New &form : ours)
            test(form);
}

const size_t too_large[] = {SIZE_MAX, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX};

void gives_blocks(const New &form) {
    for (size_t align = 1; align <= (form.aligned ? (size_t)1 << 22 : 1); align *= 2) {
        for (size_t n : {0, 1, 8, 16, 24, 100, 1000, 4096, 32768, 32769, 1000000}) {
            size_t least = align < 16 ? 16 : align;
            void *a = form.call(n, align_val_t{least}), *b = form.call(n, align_val_t{least});
            EXPECT(is_block(a, n, least) && is_block(b, n, least) && a != b, "%s: size %zu, alignment %zu: %p, %p",
                   form.name, n, align, a, b);
            form.release(a, n, align_val_t{least});
            form.release(b, n, align_val_t{least});
        }
    }
    form.release(nullptr, 10, align_val_t{64});
}

/* What the call does: 'b' for a block, '0' for NULL, 'a' for std::bad_alloc, 'm' for our own exception. */
struct Mine : std::bad_alloc {};

char outcome(const New &form, size_t size) {
    try {
        void *p = form.call(size, align_val_t{64});
        if (p == nullptr)
            return '0';
        form.release(p, size, align_val_t{64});
        return 'b';
    } catch (const Mine &) {
        return 'm';
    } catch (const std::bad_alloc &) {
        return 'a';
    }
}

void fails(const New &form) {
    for (size_t n : too_large) {
        if (n == SIZE_MAX && form.aligned && !on_ngrt())
            continue; /* libstdc++ rounds it up to 0 */
        char got = outcome(form, n);
        EXPECT(got == (form.throws ? 'a' : '0'), "%s: size %zx: %c", form.name, n, got);
    }
}

int handler_calls;

void takes_itself_away() {
    if (++handler_calls == 3)
        std::set_new_handler(nullptr);
}

void throws_mine() {
    handler_calls++;
    throw Mine();
}

void throws_other() { throw 42; }

void handler_is_called(const New &form) {
    handler_calls = 0;
    std::set_new_handler(takes_itself_away);
    char got = outcome(form, PTRDIFF_MAX);
    EXPECT(got == (form.throws ? 'a' : '0') && handler_calls == 3, "%s: %c after %d calls", form.name, got,
           handler_calls);
    EXPECT(std::get_new_handler() == nullptr);

    handler_calls = 0;
    std::set_new_handler(throws_mine);
    got = outcome(form, PTRDIFF_MAX);
    EXPECT(got == (form.throws ? 'm' : '0') && handler_calls == 1, "%s: %c after %d calls", form.name, got,
           handler_calls);

    std::set_new_handler(throws_other);
    int caught = 0;
    void *p = &caught;
    try {
        p = form.call(PTRDIFF_MAX, align_val_t{64});
    } catch (int n) {
        caught = n;
    }
    EXPECT(form.throws ? caught == 42 : (caught == 0 && p == nullptr), "%s", form.name);
    std::set_new_handler(nullptr);
}

/* With memory used up, the handler gives some back and the call succeeds.  Needs a limit (NGRT_LIMIT). */
std::vector<void *> *reserve;

void frees_memory() {
    handler_calls++;
    if (reserve->empty()) {
        std::set_new_handler(nullptr);
        return;
    }
    for (void *p : *reserve)
        free(p);
    reserve->clear();
}

void handler_frees_memory(const New &form) {
    const size_t block = (size_t)2 << 20;
    while (void *p = malloc(block)) {
        if (reserve->size() == reserve->capacity()) {
            free(p);
            break;
        }
        reserve->push_back(p);
    }
    EXPECT(!reserve->empty() && reserve->size() < reserve->capacity(), "no limit on memory is set");
    handler_calls = 0;
    std::set_new_handler(frees_memory);
    char got = outcome(form, 2 * block);
    std::set_new_handler(nullptr);
    EXPECT(got == 'b' && handler_calls == 1, "%s: %c after %d calls", form.name, got, handler_calls);
}

/* The compiler's own uses: arrays with cookies, over-aligned types, constructors that throw. */
struct alignas(128) Wide {
    char bytes[200];
};

int alive;
struct Counted {
    int *value;
    explicit Counted(bool fail = false) : value(new int(7)) {
        if (fail) {
            delete value;
            throw 1;
        }
        alive++;
    }
    ~Counted() {
        alive--;
        delete value;
    }
};

void expressions() {
    for (int n = 0; n < 300; n += 7) {
        Wide *wide = new Wide[n];
        EXPECT((uintptr_t)wide % 128 == 0);
        delete[] wide;
        Counted *counted = new Counted[n];
        EXPECT(alive == n);
        delete[] counted;
        EXPECT(alive == 0);
    }
    try {
        (void)new Counted(true);
        EXPECT(false);
    } catch (int) {
        EXPECT(alive == 0);
    }
    volatile size_t many = SIZE_MAX / 8;
    try {
        delete[] new int[many];
        EXPECT(false);
    } catch (const std::bad_alloc &) {
        EXPECT(true);
    }
    Wide *none = new (nothrow) Wide[many / 64];
    EXPECT(none == nullptr);
}

} // namespace

int main(int argc, char **) {
    test_begin();
    if (argc > 1) {
        std::vector<void *> blocks;
        blocks.reserve(4096);
        reserve = &blocks;
        each_form(handler_frees_memory);
        return expect_result();
    }
    each_form(gives_blocks);
    each_form(fails);
    each_form(handler_is_called);
    expressions();
    return expect_result();
}
