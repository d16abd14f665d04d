#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""generate.py SEED [--parts N,N]: a random program that allocates, made of shapes (shapes.py).

The same seed gives the same program, always.  Its first line says the language.  The program prints one sum.
"""

import argparse
import random
import string

import shapes

# What a shape's names may stand for, beside numbers.
FAIL = ["die(\"memory\")", "abort()", "exit(9)"]
ATTRIBUTES = ["", "", "__attribute__((noinline))", "__attribute__((noinline))", "__attribute__((hot))",
              "__attribute__((hot, noinline))", "__attribute__((always_inline)) inline", "__attribute__((cold))"]
# A recursive function cannot be always_inline, nor a cold one be part of what is measured hot.
PLAIN_ATTRIBUTES = ATTRIBUTES[:-2]
RECURSIVE = {"tree", "deep", "callers", "unwound", "owners"}
CONTAINERS = 0.5  # of the C++ programs: the others compile five times as fast


class Program:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.seed = seed
        self.language = self.r.choices(["c", "c++"], (11, 9))[0]
        containers = self.language == "c++" and self.r.random() < CONTAINERS
        self.replaces = self.language == "c++" and self.r.random() < 0.1
        pool = list(shapes.C)
        if self.language == "c++":
            pool += [s for s in shapes.CXX for _ in (0, 1) if containers or "----" not in s[2]]
        self.includes = []
        drawn = self.r.choices(pool, [s[1] for s in pool], k=self.r.randint(4, 8))
        self.parts = [self.part(number, *shape) for number, shape in enumerate(drawn)]
        # What main does with each part is drawn here, so that leaving parts out changes nothing else.
        self.calls = [(number, self.r.randint(1, 14), self.r.choice([1, 1, 1, 3])) for number in range(len(drawn))
                      for _ in range(self.r.choice([1, 1, 2]))]
        self.r.shuffle(self.calls)
        self.threads = self.r.choice([0, 0, 0, 2, 3])

    # ---- what the names in shapes stand for ----

    def size(self):
        r = self.r
        return r.choices([r.randint(1, 128), r.randint(1, 1024), r.randint(1, 40000)], (12, 5, 1))[0]

    def grown(self):
        """How a buffer grows."""
        start = self.r.choice([0, 1, 4, 16, 100])
        grow = self.r.choice(["room * 2 + 1", "room + room / 2 + 8", f"room + {self.r.randint(1, 50)}", "(room + 1) * 2"])
        first = "NULL" if start == 0 else f"(unsigned *)malloc({start} * sizeof *v);\n    if (v == NULL) die(\"memory\")"
        return start, grow, first

    def promoted(self):
        """A small size, as the program writes it and what it is at most; the blocks' users see the bound."""
        n = self.r.choice([8, 16, 24, 40, 64, 100, 128, 200, 256, 500, 1000, 2000])
        return self.r.choice([(f"{n}", f"{n}"), (f"{n}", f"{n}"), (f"(n % {n} + 1)", f"(n % {n} + 1)"),
                              (f"((n & 7) * {n} + 1)", f"((n & 7) * {n} + 1)")])

    def names(self, number, recursive):
        r = self.r
        k, few, small, size = r.choice([2, 3, 5, 8, 16, 20, 33, 64]), r.randint(2, 6), r.randint(1, 96), self.size()
        start, grow, first = self.grown()
        promote, promote_n = self.promoted()
        fail = r.choice(FAIL)
        large = r.choice([40000, 65536, 100000, 300000, 1 << 20, (1 << 20) + 1, 3 << 20])
        zeroed = r.random() < 0.3
        frame = r.choice([64, 200, 512, 1024])

        def check(name, otherwise="return"):
            how = r.choice(["", f"{fail};", f"{fail};", f"{otherwise};"])
            return f"if ({name} == NULL) {how}" if how else f"if (__builtin_expect({name} == NULL, 0)) die(\"memory\");"

        return {
            "f": f"p{number}", "k": k, "few": few, "small": small, "size": size, "odd": r.randrange(few),
            "attr": r.choice(PLAIN_ATTRIBUTES if recursive else ATTRIBUTES), "fail": fail,
            "fail_void": r.choice([*FAIL, "return"]),
            "count": r.choice([str(k), str(k), f"n % {k} + 1", f"rnd(c) % {k}"]),
            "check_pi": check("p[i]", "die(\"memory\")"), "check_p": check("p"), "check_p0": check("p", "return 0"),
            "check_t": check("t", "die(\"memory\")"), "check_buffer": check("buffer", "break"),
            "leave": r.choice(["", "", f"if (rnd(c) % {r.randint(20, 60)} == 0) break;"]),
            "work": r.choice(["", "mix(c, count);", "for (i = 0; i < count; ++i) mix(c, p[i][0]);"]),
            "order": r.choice(["i", "count - 1 - i", "(i + n) % count"]),
            "alloc_node": r.choice(["malloc(sizeof *x)", "malloc(sizeof *x)", "calloc(1, sizeof *x)", "realloc(NULL, sizeof *x)"]),
            "alloc_tree": r.choice(["malloc(sizeof *t)", "calloc(1, sizeof *t)"]),
            "start": start, "grow": grow, "first_v": first,
            "shrink": r.choice(["", "if (used > 0) { unsigned *less = (unsigned *)realloc(v, used * sizeof *v); if (less != NULL) v = less; }"]),
            "many": r.choice(["1", str(k), f"n % {k} + 1", f"rnd(c) % {k} + 1"]), "zsize": r.choice([1, 8, 24, 32, 100, small]),
            "dirty": r.choice(["memset(p, 0xff, many * sizeof(char));", "p[0] = 1;", "fill(p, many, i);"]),
            "align": r.choice([16, 32, 64, 128, 256, 4096]),
            "promote": promote, "promote_n": promote_n,
            "alloc_scratch": r.choice([f"malloc({promote})", f"malloc({promote})", f"malloc({promote})", f"calloc(1, {promote})", f"realloc(NULL, {promote})"]),
            "alloc_many": r.choice([f"malloc({frame})", f"malloc({frame})", f"calloc(1, {frame})", f"malloc({frame} + (i & 3) * 40)"]),
            "round_size_i": r.choice([str(small), f"({small} + i % 3)"]), "promote_in_round": r.choice([str(small), f"(i & 31) + {small}"]),
            "reader": r.choice(["", "if (((uintptr_t)p & 7) != 0) die(\"alignment\");", f"r += (unsigned)digest(p, {promote_n});", "hidden = p;", "r += malloc_usable_size(p) < 1;",
                                f"r += (unsigned)digest(p, {promote_n}); p[0] = 3; r += p[0];"]),
            "middle": r.choice(["", f"{{ unsigned char *q = (unsigned char *)realloc(p, {promote_n} + 10); if (q == NULL) {{ free(p); return 1; }} p = q; want(p, 1, p[0]); }}",
                                "if (rnd(c) % 3 == 0) r = r * 2 + p[0];", f"for (unsigned i = 0; i < {k}; ++i) r += p[i % {promote_n}];",
                                f"{{ unsigned char *q = (unsigned char *)malloc({promote_n}); if (q == NULL) abort(); memcpy(q, p, {promote_n}); r += (unsigned)digest(q, {promote_n}); free(p); p = q; }}"]),
            "round_size": r.choice([str(small), str(size), f"{small} + i % 5", f"n * {few} + 1", f"rnd(c) % {small} + 1"]),
            "alloc_round": "calloc(1, size)" if zeroed else "malloc(size)",
            "zero_check": "for (size_t j = 0; j < size; ++j) if (buffer[j] != 0) die(\"not zeroed\");" if zeroed else "",
            "skip": r.choice(["free(buffer); continue;", "buffer[0] = 2;", "last += 1;", "free(buffer); break;", "hidden = buffer;",
                              "{ char *q = (char *)realloc(buffer, size + 9); if (q == NULL) die(\"memory\"); buffer = q; }",
                              "{ char *q = (char *)malloc(size); if (q == NULL) die(\"memory\"); memcpy(q, buffer, size); free(buffer); buffer = q; }"]),
            "between": r.choice(["", "", "mix(c, n);", f"free(malloc({small}));", "char *other = strdup(\"other\"); mix(c, other != NULL); free(other);"]),
            "free_three": r.choice(["free(t->a); free(t->b); free(t);", "char *b = t->b; free(t->a); free(t); free(b);"]),
            "large_size": r.choice([str(large), f"{large} + n * 4096", f"({large} / 8) * (rnd(c) % 7 + 1)"]),
            "large_change": r.choice(["", "", "if (head % 3 == 0) size += 4096;", "for (unsigned i = 0; i < n; ++i) size += 64;"]),
            "alloc_large": r.choice(["malloc(size)", "malloc(size)", "calloc(1, size)", "calloc(size / 8 + 1, 8)", "aligned_alloc(64, (size + 63) / 64 * 64)"]),
            "large_zero": "", "stride": r.choice([1, 64, 509, 4096]) if large < 1 << 20 else r.choice([509, 4096]),
            "large_more": r.choice(["", "", "{ unsigned char *q = (unsigned char *)realloc(p, size * 2); if (q == NULL) { free(p); return; } p = q; p[size] = 1; }"]),
            "call_more": r.choice([f"more_p{number}(c, n % 6, l)", f"n % 3 == 0 ? more_p{number}(c, 3, l) : l"]),
            "frame": frame, "depth": r.randint(200, 500),
            "free_guard": r.choice(["", "if (p != NULL)"]),
            "alloc_row": r.choice(["malloc(columns * sizeof **m)", "calloc(columns, sizeof **m)"]),
            "maybe_throw": r.choice(["", f"if (t->v % {few + 3} == 0) {{ delete t; throw 7u; }}"]),
            "reserve": r.choice(["", "v.reserve(n);"]),
        }

    def part(self, number, name, _weight, text):
        values = self.names(number, name in RECURSIVE)
        if text is None:
            text = self.slots(values)
        if "----" in text:
            head, text = text.split("----\n")
            self.includes += [line for line in head.splitlines() if line not in self.includes]
        if values["alloc_large"].startswith("calloc") and name == "large":
            values["large_zero"] = "for (size_t i = 0; i < size; i += 997) if (p[i] != 0) die(\"not zeroed\");"
        return f"/* {name} */" + string.Template(text).substitute(values)

    # ---- a table of blocks, and random statements on it ----

    def slots(self, values):
        count = self.r.choice([4, 16, 48])
        body = "\n    ".join(self.statement(0, count) for _ in range(self.r.randint(3, 6)))
        return (f"struct slot_$f {{ unsigned char *p; size_t size; unsigned v; }};\n"
                f"static void step_$f(struct ctx *c, struct slot_$f *slot, unsigned n) {{\n    {body}\n    mix(c, n);\n}}\n"
                f"static void $f(struct ctx *c, unsigned n) {{\n"
                f"    struct slot_$f *slot = (struct slot_$f *)calloc({count}, sizeof *slot);\n"
                f"    if (slot == NULL) die(\"memory\");\n"
                f"    for (unsigned i = 0; i < n; ++i) step_$f(c, slot, i);\n"
                f"    for (unsigned i = 0; i < {count}; ++i) {{ want(slot[i].p, slot[i].size, slot[i].v); free(slot[i].p); }}\n"
                f"    free(slot);\n}}\n")

    def change(self):
        n = self.size()
        size = self.r.choice([str(n), str(n), f"rnd(c) % {n} + 1"])
        fresh = self.r.choice(["malloc(size)", "malloc(size)", "calloc(1, size)", "aligned_alloc(32, (size + 31) / 32 * 32)", "realloc(NULL, size)"])
        after = "s->v = rnd(c); s->size = size; fill(s->p, size, s->v); mix(c, size);"
        return self.r.choice([
            f"size_t size = {size}; free(s->p); s->p = (unsigned char *){fresh}; if (s->p == NULL) die(\"memory\"); {after}",
            f"size_t size = {size}; void *q = {fresh}; if (q == NULL) die(\"memory\"); free(s->p); s->p = (unsigned char *)q; {after}",
            "free(s->p); s->p = NULL; s->size = 0;",
            f"size_t size = {size}; s->p = (unsigned char *)realloc(s->p, size); if (s->p == NULL) die(\"memory\");"
            f" want(s->p, s->size < size ? s->size : size, s->v); {after}",
            "free(malloc(rnd(c) % 300)); if (s->p == NULL) return;",
        ])

    def statement(self, depth, count):
        r, pick = self.r, self.r.random()
        if pick < 0.5 or depth > 2:
            return f"{{ struct slot_$f *s = &slot[rnd(c) % {count}]; want(s->p, s->size, s->v); {self.change()} }}"
        inner = " ".join(self.statement(depth + 1, count) for _ in range(r.randint(1, 3)))
        if pick < 0.65:
            other = self.statement(depth + 1, count)
            return f"if (rnd(c) % {r.randint(2, 9)} == 0) {{ {inner} }} else {{ {other} }}"
        if pick < 0.85:
            rounds = r.choice([str(r.randint(2, 12)), f"rnd(c) % {r.randint(2, 15)}"])
            return f"for (unsigned i{depth} = 0, e{depth} = {rounds}; i{depth} < e{depth}; ++i{depth}) {{ {inner} }}"
        if pick < 0.93:
            return f"switch (rnd(c) % 4) {{ case 0: {{ {inner} }} break; case 1: mix(c, 5); /* fall through */ case 2: {{ {self.statement(depth + 1, count)} }} default: break; }}"
        return f"do {{ {inner} }} while (rnd(c) % 4 == 0);"

    # ---- the whole ----

    def main(self, parts):
        calls = [call for call in self.calls if call[0] in parts]

        def text(c, indent):
            return "".join(f"{indent}{f'for (unsigned r = 0; r < {times}; ++r) ' if times > 1 else ''}p{p}({c}, {n});\n"
                           for p, n, times in calls)
        out = ""
        if self.threads:
            out += f"static void *thread(void *argument) {{\n    struct ctx *c = (struct ctx *)argument;\n{text('c', '    ')}    return NULL;\n}}\n"
        out += f"int main(void) {{\n    struct ctx c = {{{self.seed}u * 2654435761u + 1, {self.seed}u * 7919u + 12345u}};\n{text('&c', '    ')}"
        if self.threads:
            out += f"""    pthread_t t[{self.threads}];
    struct ctx d[{self.threads}];
    for (unsigned i = 0; i < {self.threads}; ++i) {{ d[i].sum = i; d[i].state = rnd(&c); if (pthread_create(&t[i], NULL, thread, &d[i]) != 0) die("thread"); }}
    for (unsigned i = 0; i < {self.threads}; ++i) {{ pthread_join(t[i], NULL); mix(&c, d[i].sum); }}
"""
        # The runner's own test builds with WRONG, and wants to hear of it.
        return out + "#ifdef WRONG\n    ++c.sum;\n#endif\n    printf(\"%016llx\\n\", (unsigned long long)c.sum);\n    return (int)(c.sum & 15);\n}\n"

    def text(self, parts=None):
        parts = range(len(self.parts)) if parts is None else parts
        out = f"/* {self.language}: seed {self.seed} */\n"
        if self.language == "c":
            out += "#define _GNU_SOURCE\n"
        out += shapes.PRELUDE
        if self.language == "c++":
            out += "".join(line + "\n" for line in self.includes) + shapes.CXX_PRELUDE
            out += shapes.REPLACED if self.replaces else ""
        return out + "".join(self.parts[p] for p in parts) + self.main(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--parts", type=lambda text: [int(n) for n in text.split(",")], help="only these functions, from 0")
    options = parser.parse_args()
    print(Program(options.seed).text(options.parts), end="")


if __name__ == "__main__":
    main()
