// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// operators.cpp: C++'s own way to the heap: new, and delete that knows the size when it is compiled.

#include "micro.h"

#include <memory>
#include <string>

namespace {

struct Node {
    Node *next;
    uint64_t values[5];
};

/// new and sized delete of one 48-byte object, at once.
void newDelete(size_t n) {
    for (size_t i = 0; i < n; i++)
        delete static_cast<Node *>(escape(new Node));
}

/// A list of 1000 nodes is built and taken apart.
void list(size_t n) {
    for (size_t i = 0; i < n; i += 1000) {
        Node *head = nullptr;
        for (int k = 0; k < 1000; k++) {
            Node *node = static_cast<Node *>(escape(new Node));
            node->next = head;
            head = node;
        }
        while (head) {
            Node *next = head->next;
            delete head;
            head = next;
        }
    }
}

/// Strings too long for their own buffer, made and dropped; libstdc++ allocates for them through operator new.
void strings(size_t n) {
    size_t length = 40;
    for (size_t i = 0; i < n; i++) {
        __asm__ volatile("" : "+r"(length));
        std::string text(length, 'x');
        escape(text.data());
    }
}

} // namespace

extern "C" const micro micro_operators[] = {
    {"new-delete", newDelete, 4000000, "new and sized delete of 48 bytes, at once"},
    {"list", list, 2000000, "1000 nodes of 48 bytes linked by new, then deleted one by one"},
    {"strings", strings, 1000000, "std::string of 40 characters, made and dropped"},
    {},
};
