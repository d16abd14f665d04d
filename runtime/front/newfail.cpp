/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * newfail.cpp: operator new (nothrow) on its failing path.  See newfail.h.
 *
 * C++, and the runtime's only file that is: the program's new_handler, or its own operator new, may throw, and the
 * nothrow forms turn that into NULL, which takes a catch.  The library must load into C programs, where there is no C++
 * runtime, so what the compiler refers to is weak: where it is absent, nothing can throw either.
 */
#include "front/newfail.h"

__asm__(".weak __gxx_personality_v0\n\t"
        ".weak __cxa_begin_catch\n\t"
        ".weak __cxa_end_catch\n\t"
        ".weak __cxa_call_terminate\n\t"
        ".weak _ZSt9terminatev");

void *ng_new_catching(ng_new_function *allocate, size_t size, size_t align) {
    try {
        return allocate(size, align);
    } catch (...) {
        return nullptr;
    }
}
