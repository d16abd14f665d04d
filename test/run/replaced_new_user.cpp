/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The user's operator new of replaced_new.cpp: a header of 32 bytes with a mark before each block, so that a delete of
 * a block that is not ours ends the program.
 */
#include "check.h"

#include <new>

unsigned long user_news, user_deletes;
bool user_owns(void *p);

static const uint64_t mark = 0x75736572206e6577;

bool user_owns(void *p) { return static_cast<uint64_t *>(p)[-1] == mark; }

void *operator new(size_t size) {
    char *p = static_cast<char *>(malloc(size + 32));
    if (p == nullptr)
        throw std::bad_alloc();
    uint64_t *end = reinterpret_cast<uint64_t *>(p + 32);
    end[-1] = mark;
    user_news++;
    return p + 32;
}
void operator delete(void *p) noexcept {
    if (p == nullptr)
        return;
    CHECK(user_owns(p), "a block that the user's new did not make");
    user_deletes++;
    static_cast<uint64_t *>(p)[-1] = 0;
    free(static_cast<char *>(p) - 32);
}
void operator delete(void *p, size_t) noexcept { operator delete(p); }
