#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""generate.py SEED: a random C++ program that allocates in every form, over loops, branches, calls and exceptions.

Each live block is filled with a pattern of its own and checked before it is freed or resized, so that a block handed out
twice, a lost one or a wrong size shows; the sum that the program prints is the same for every correct allocator.
"""

import random
import sys

HEAD = """\
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <new>
#include <string>
#include <vector>
enum Kind { None, C, One, Array, Aligned };
template <int N> struct Fixed { unsigned char bytes[N]; };
template <int N, int A> struct alignas(A) FixedAligned { unsigned char bytes[N]; };
struct Slot { unsigned char *p; size_t size; unsigned char pattern; Kind kind; };
static Slot slot[64];
static long steps; /* an end for programs that call too much */
static uint64_t sum = 1, state = 88172645463325252ull;
static unsigned next_random() { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return unsigned(state >> 32); }
[[gnu::noinline]] static void fail(const char *what) { std::printf("FAILED: %s\\n", what); std::fflush(stdout); std::abort(); }
static void fill(Slot &s, void *p, size_t size, Kind kind) {
    if (p == nullptr) fail("no memory");
    if (uintptr_t(p) % (size < 16 ? 8 : 16) != 0) fail("alignment");
    s = {static_cast<unsigned char *>(p), size, static_cast<unsigned char>(next_random()), kind};
    std::memset(p, s.pattern, size);
    sum = sum * 31 + size;
}
static void check(const Slot &s, size_t upto) {
    for (size_t i = 0; i < upto; ++i) if (s.p[i] != s.pattern) fail("contents");
    sum = sum * 33 + s.pattern;
}
static void zeroed(const void *p, size_t n) {
    for (size_t i = 0; i < n; ++i) if (static_cast<const unsigned char *>(p)[i] != 0) fail("not zeroed");
}
"""


class Program:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = []

    def size(self):
        return self.r.choice([self.r.randint(1, 128), self.r.randint(1, 1024), self.r.randint(1, 40000)])

    def small(self):
        return self.r.randint(1, 600)

    def slots(self):
        return f"slot[next_random() % {self.r.choice([4, 16, 64])}]"

    def allocate(self):
        n, a = self.small(), self.r.choice([16, 32, 64, 128, 4096])
        return self.r.choice([
            f"fill(s, std::malloc({self.size()}), 0, C), s.size = 0;",
            f"fill(s, std::malloc({n}), {n}, C);",
            f"{{ size_t n = next_random() % {self.size()} + 1; fill(s, std::malloc(n), n, C); }}",
            f"{{ void *p = std::calloc({n % 9 + 1}, {n}); zeroed(p, {(n % 9 + 1) * n}); fill(s, p, {(n % 9 + 1) * n}, C); }}",
            f"{{ void *p = std::calloc(1, {n % 120 + 1}); zeroed(p, {n % 120 + 1}); fill(s, p, {n % 120 + 1}, C); }}",
            f"{{ size_t n = next_random() % 50; void *p = std::calloc(n + 1, 24); zeroed(p, 24 * n + 24); fill(s, p, 24 * n + 24, C); }}",
            f"fill(s, std::realloc(nullptr, {n}), {n}, C);",
            f"fill(s, std::aligned_alloc({a}, {a * 2}), {a * 2}, C);",
            f"{{ void *p = memalign({a}, {n}); if (uintptr_t(p) % {a}) fail(\"memalign\"); fill(s, p, {n}, C); }}",
            f"{{ void *p; if (posix_memalign(&p, {a}, {n}) || uintptr_t(p) % {a}) fail(\"posix_memalign\"); fill(s, p, {n}, C); }}",
            f"fill(s, new Fixed<{n}>, {n}, One), s.kind = Kind(Array + 10 + {n});",
            f"fill(s, new (std::nothrow) unsigned char[{n}], {n}, Array);",
            f"{{ size_t n = next_random() % {self.size()} + 1; fill(s, new unsigned char[n], n, Array); }}",
            f"{{ auto *p = new FixedAligned<{n}, 64>; if (uintptr_t(p) % 64) fail(\"aligned new\"); delete p; }}",
            f"{{ auto *p = new FixedAligned<{n}, 32>[3]; if (uintptr_t(p) % 32) fail(\"aligned new[]\"); delete[] p; }}",
            f"{{ auto *p = new Fixed<{n}>; std::memset(p, 7, sizeof *p); sum += p->bytes[{n} / 2]; delete p; }}",
            f"{{ std::string t({n}, 'x'); t += std::to_string(sum % 1000); sum += t.size(); }}",
            f"{{ std::vector<int> v; for (int k = 0; k < {n}; ++k) v.push_back(k); sum += unsigned(v.back()); }}",
        ])

    def release(self):
        return "release(s);"

    def resize(self):
        n = self.small()
        return self.r.choice([
            "if (s.kind == C) { check(s, s.size); std::free(std::realloc(nullptr, 1)); if (s.size % 2) std::free(s.p), s.kind = None, s.p = nullptr;"
            " else { void *volatile q = std::realloc(s.p, 0); if (q != nullptr) fail(\"realloc to 0\"); s.kind = None, s.p = nullptr; } }",
            f"if (s.kind == C) {{ size_t n = next_random() % 3000 + 1; check(s, s.size); unsigned char *q = static_cast<unsigned char *>(std::realloc(s.p, n));"
            f" s.p = q; check(s, s.size < n ? s.size : n); fill(s, q, n, C); }}",
            f"{{ void *q = s.kind == C ? s.p : nullptr; if (s.kind == C || s.kind == None) {{ if (q != nullptr) check(s, s.size);"
            f" fill(s, std::realloc(q, {n}), {n}, C); }} }}",
        ])

    def statement(self, depth, function):
        r = self.r
        pick = r.random()
        if pick < 0.45 or depth > 3:
            what = r.choices(["allocate", "release", "resize"], (5, 4, 3))[0]
            free_first = " if (s.kind != None) release(s);" if what == "allocate" else " if (s.kind == None) return;" if r.random() < 0.05 else ""
            return f"{{ Slot &s = {self.slots()};{free_first} {getattr(self, what)()} }}"
        if pick < 0.6:
            return f"if (next_random() % {r.randint(2, 9)} == 0) {{ {self.block(depth + 1, function)} }} else {{ {self.block(depth + 1, function)} }}"
        if pick < 0.75:
            count = r.choice([f"{r.randint(2, 40)}", f"int(next_random() % {r.randint(2, 60)})"])
            return f"for (int i{depth} = 0, n{depth} = {count}; i{depth} < n{depth}; ++i{depth}) {{ {self.block(depth + 1, function)} }}"
        if pick < 0.83:
            return f"try {{ {self.block(depth + 1, function)} if (next_random() % 3 == 0) throw int(next_random() % 100); }} catch (int e) {{ sum += unsigned(e); }}"
        if pick < 0.9:
            n = self.small()
            return (f"{{ unsigned char *many[{n % 60 + 1}]; for (auto *&p : many) {{ p = new unsigned char[{n}]; p[0] = 1; }}"
                    f" for (auto *p : many) {{ sum += p[0]; delete[] p; }} }}")
        if function > 0:
            return f"f{r.randrange(function)}();"
        return "sum += next_random() % 7;"

    def block(self, depth, function):
        return " ".join(self.statement(depth, function) for _ in range(self.r.randint(1, 3)))

    def text(self):
        out = [HEAD]
        # One case for each Fixed<n>: its delete must know the size.
        out.append("static void release(Slot &s);")
        functions = []
        for i in range(12):
            body = "\n    ".join(self.statement(0, i) for _ in range(self.r.randint(2, 6)))
            attribute = self.r.choice(["[[gnu::noinline]] ", "", "[[gnu::hot, gnu::noinline]] "])
            functions.append(f"{attribute}static void f{i}() {{\n    if (++steps > 3000) return;\n    {body}\n}}")
        body = "\n".join(functions)
        sizes = sorted({int(s.split(">")[0]) for s in body.split("new Fixed<")[1:]})
        out.append("static void release(Slot &s) {\n    if (s.kind == None) return;\n    check(s, s.size);\n    switch (int(s.kind)) {")
        out.append("    case C: std::free(s.p); break;\n    case Array: delete[] s.p; break;")
        out += [f"    case Array + 10 + {n}: delete reinterpret_cast<Fixed<{n}> *>(s.p); break;" for n in sizes]
        out.append("    default: fail(\"kind\");\n    }\n    s.kind = None;\n    s.p = nullptr;\n}")
        out.append(body)
        calls = " ".join(f"f{i}();" for i in range(12))
        out.append(f"int main() {{\n    for (int i = 0; i < 12; ++i) {{ {calls} }}\n    for (Slot &s : slot) release(s);\n"
                   "    std::printf(\"%llu\\n\", static_cast<unsigned long long>(sum));\n}")
        return "\n".join(out) + "\n"


print(Program(int(sys.argv[1])).text(), end="")
