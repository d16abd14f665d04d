// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: runtime
// A debugger shows the user's lines where an allocation is in line: at a breakpoint, at each step over it, in a backtrace,
// and in one taken in the slow path.  Nothing of the fast path's own source ever shows.
// RUN: ng++ -O2 -g -std=c++17 %s -o %t.out
// RUN: gdb -nx -batch -x %S/Inputs/debugger.gdb %t.out > %t.said 2>&1
// RUN: FileCheck %s --input-file=%t.said --implicit-check-not=abi.h --implicit-check-not=fastpath
// RUN: ng++ -O2 -g -std=c++17 -flto %s -o %t.lto
// RUN: gdb -nx -batch -x %S/Inputs/debugger.gdb %t.lto > %t.said 2>&1
// RUN: FileCheck %s --input-file=%t.said --implicit-check-not=abi.h --implicit-check-not=fastpath
// With every fast path missing, the slow path's caller is the line that allocates.
// RUN: gdb -nx -batch -ex 'set width 0' -ex 'set env NGRT_SLOW=1' -ex 'break make_node if value == 7' -ex run \
// RUN:   -ex 'break ngrt_new_slow' -ex continue -ex backtrace %t.out 2>&1 | FileCheck %s --check-prefix=SLOW
#include <cstdio>

struct node {
    node *next;
    long value;
};

// CHECK: Breakpoint 1, make_node (head={{.*}}, value={{.*}}7) at {{.*}}debugger.cpp:[[#MAKE:]]
// CHECK: #0 {{.*}}make_node ({{.*}}value={{.*}}7) at {{.*}}debugger.cpp:[[#MAKE]]
// CHECK-NEXT: #1 {{.*}}main ({{.*}}) at {{.*}}debugger.cpp:[[#CALL:]]
// A step stays in the user's function.
// CHECK-NEXT: {{^}}[[#MAKE+1]]{{.*}}n->next = head;
// CHECK: #0 {{.*}}make_node ({{.*}}) at {{.*}}debugger.cpp:[[#MAKE+1]]
// CHECK-NEXT: #1 {{.*}}main ({{.*}}) at {{.*}}debugger.cpp:[[#CALL]]
// CHECK: Breakpoint 2, drop_node ({{.*}}) at {{.*}}debugger.cpp:[[#DROP:]]
// CHECK: {{^}}[[#DROP+1]]{{.*}}delete n;
// CHECK: #0 {{.*}}drop_node ({{.*}}) at {{.*}}debugger.cpp:[[#DROP+1]]
// CHECK-NEXT: #1 {{.*}}main ({{.*}}) at {{.*}}debugger.cpp
// CHECK: {{^}}[[#DROP+2]]{{.*}}return value;
// SLOW: #0 {{.*}}ngrt_new_slow
// SLOW-NEXT: #1 {{.*}}make_node ({{.*}}value={{.*}}7) at {{.*}}debugger.cpp:[[@LINE+3]]
// SLOW-NEXT: #2 {{.*}}main ({{.*}}) at {{.*}}debugger.cpp
[[gnu::noinline, gnu::hot]] static node *make_node(node *head, long value) {
    node *n = new node;
    n->next = head;
    n->value = value;
    return n;
}

[[gnu::noinline, gnu::hot]] static long drop_node(node *n) {
    long value = n->value;
    delete n;
    return value;
}

int main(int argc, char **) {
    // So that the one with 7 is a hit.
    long sum = drop_node(make_node(nullptr, 1)) + drop_node(make_node(nullptr, 2));
    node *first = make_node(nullptr, 6 + argc);
    std::printf("%ld\n", first->value + sum);
    return drop_node(first) == 7 ? 0 : 1;
}
