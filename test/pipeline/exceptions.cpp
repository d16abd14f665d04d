// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: runtime
// bad_alloc comes out of an inlined new, at each level; destructors on the way run with the values that they had.
// RUN: ng++ -O1 %s -o %t.o1 && env NGRT_LIMIT=64M %t.o1
// RUN: ng++ -O2 %s -o %t.o2 && env NGRT_LIMIT=64M %t.o2
// RUN: ng++ -O3 -flto %s -o %t.lto && env NGRT_LIMIT=64M %t.lto
// RUN: ng++ -O2 -static %s -o %t.static && env NGRT_LIMIT=64M %t.static
// RUN: ng++ -O2 -S -o - %s | FileCheck %s
// CHECK: ngrt_new_slow@GOTPCREL
#include <cstdio>
#include <new>

struct Node {
    Node *next;
    long value[50];
};
static int destroyed;
struct Guard {
    long a, b, c, d;
    ~Guard() { destroyed += a + b == c - d; }
};
__attribute__((noinline)) static long chain(Node **head, long a, long b, long c, long d) {
    Guard guard{a, b, c, d};
    long n = 0;
    for (;; ++n) {
        Node *node = new Node;
        node->next = *head;
        node->value[0] = n;
        *head = node;
    }
}
int main(int argc, char **) {
    Node *head = nullptr;
    int caught = 0;
    for (int round = 0; round < 2; ++round) {
        try {
            chain(&head, argc, argc + 1, argc * 7, 4 * argc);
        } catch (const std::bad_alloc &) {
            ++caught;
        }
        long n = 0;
        for (; head != nullptr; ++n) {
            Node *next = head->next;
            delete head;
            head = next;
        }
        if (n < 10000) {
            std::printf("only %ld blocks of 408 bytes in 64 MiB\n", n);
            return 1;
        }
    }
    return caught == 2 && destroyed == 2 ? 0 : 2;
}
