/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * catches.cpp: the C++ library that no_cxx.c loads.
 */
#include <cstddef>
#include <cstdint>
#include <new>

static int handler_calls;

static void takes_itself_away() {
    handler_calls++;
    std::set_new_handler(nullptr);
}

extern "C" __attribute__((visibility("default"))) int catches() {
    std::set_new_handler(takes_itself_away);
    try {
        ::operator delete(::operator new(PTRDIFF_MAX));
    } catch (const std::bad_alloc &) {
        return handler_calls == 1;
    }
    return 0;
}
