# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""shapes.py: what a random program is made of: functions that allocate, each in its own way.

A shape is text in which $name stands for a value that is drawn when the program is made.  $f is the function's name; it
takes the sum and the random state of its thread and a small number.  C shapes are C++ too.  Whatever a shape does is
defined: no read of what was not written, no overflow, no use after free, and nothing that depends on an address, so that
every right compiler and allocator gives one sum.  (shape name, weight, text); `c` and `cxx` are the two lists.
"""

PRELUDE = r"""#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
struct ctx { uint64_t sum; uint32_t state; };
static __thread void *volatile hidden; /* what goes through here no compiler follows */
static __thread volatile size_t hidden_size;
#ifdef TAME /* a sanitizer: its frames are large, and it ends a program that asks for too much */
enum { tame = 1, STACK = 1 << 20 };
#else
enum { tame = 0, STACK = 160 << 10 };
#endif
static inline uint32_t rnd(struct ctx *c) { c->state ^= c->state << 13; c->state ^= c->state >> 17; c->state ^= c->state << 5; return c->state; }
static inline void mix(struct ctx *c, uint64_t v) { c->sum = (c->sum ^ v) * 1099511628211u + (c->sum >> 31); }
__attribute__((noinline, cold, noreturn)) static void die(const char *what) { printf("FAILED: %s\n", what); fflush(stdout); abort(); }
static inline void fill(void *p, size_t n, unsigned v) { unsigned char *b = (unsigned char *)p; for (size_t i = 0; i < n; ++i) b[i] = (unsigned char)(v + i * 7); }
static inline void want(const void *p, size_t n, unsigned v) { const unsigned char *b = (const unsigned char *)p; for (size_t i = 0; i < n; ++i) if (b[i] != (unsigned char)(v + i * 7)) die("contents"); }
__attribute__((noinline)) static uint64_t digest(const void *p, size_t n) { const unsigned char *b = (const unsigned char *)p; uint64_t h = n; for (size_t i = 0; i < n; ++i) h = h * 31 + b[i]; return h; }
__attribute__((noinline)) static void *keep(void *p) { hidden = p; return hidden; }
"""

C = [
    ("rounds", 4, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    unsigned char *p[$k];
    unsigned count = $count, i;
    for (i = 0; i < count; ++i) {
        p[i] = (unsigned char *)malloc($size);
        $check_pi
        fill(p[i], $size, i + n);
        $leave
    }
    count = i;
    $work
    for (i = 0; i < count; ++i) {
        unsigned at = $order;
        want(p[at], $size, at + n);
        mix(c, p[at][$size / 2]);
        free(p[at]);
    }
}
"""),
    ("list", 4, r"""
struct node_$f { struct node_$f *next; unsigned value; unsigned char rest[$small]; };
$attr static struct node_$f *build_$f(struct ctx *c, unsigned n) {
    struct node_$f *head = NULL;
    for (unsigned i = 0; i < n; ++i) {
        struct node_$f *x = (struct node_$f *)$alloc_node;
        if (x == NULL) $fail;
        x->next = head;
        x->value = rnd(c) & 255;
        x->rest[$small - 1] = (unsigned char)i;
        head = x;
    }
    return head;
}
static void $f(struct ctx *c, unsigned n) {
    struct node_$f *head = build_$f(c, n * $k % 97), **at = &head;
    while (*at != NULL) {
        struct node_$f *x = *at;
        mix(c, x->value + x->rest[$small - 1]);
        if (x->value % $few == 0) { *at = x->next; free(x); } else at = &x->next;
    }
    while (head != NULL) { struct node_$f *x = head; head = x->next; mix(c, x->value); free(x); }
}
"""),
    ("tree", 3, r"""
struct tree_$f { struct tree_$f *left, *right; uint32_t key; char *name; };
$attr static struct tree_$f *insert_$f(struct tree_$f *t, uint32_t key) {
    if (t == NULL) {
        t = (struct tree_$f *)$alloc_tree;
        $check_t
        t->left = t->right = NULL;
        t->key = key;
        t->name = NULL;
        if (key % $few == 0) { t->name = (char *)malloc($size); if (t->name == NULL) die("memory"); fill(t->name, $size, key); }
        return t;
    }
    if (key < t->key) t->left = insert_$f(t->left, key);
    else if (key > t->key) t->right = insert_$f(t->right, key);
    return t;
}
static void drop_$f(struct ctx *c, struct tree_$f *t) {
    if (t == NULL) return;
    drop_$f(c, t->left);
    mix(c, t->key);
    if (t->name != NULL) want(t->name, $size, t->key);
    free(t->name);
    drop_$f(c, t->right);
    free(t);
}
static void $f(struct ctx *c, unsigned n) {
    struct tree_$f *t = NULL;
    for (unsigned i = 0; i < n * $few; ++i) t = insert_$f(t, rnd(c) % 1000);
    drop_$f(c, t);
}
"""),
    ("growth", 4, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    size_t used = 0, room = $start;
    unsigned *v = $first_v;
    for (unsigned i = 0; i < n * $k; ++i) {
        if (used == room) {
            room = $grow;
            unsigned *more = (unsigned *)realloc(v, room * sizeof *v);
            if (more == NULL) { free(v); $fail_void; }
            v = more;
        }
        v[used++] = rnd(c);
        $leave
    }
    $shrink
    for (size_t i = 0; i < used; ++i) mix(c, v[i]);
    free(v);
}
"""),
    ("zeroed", 3, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
        size_t many = $many;
        unsigned char *p = (unsigned char *)calloc(many, $zsize);
        $check_p
        for (size_t j = 0; j < many * $zsize; ++j) if (p[j] != 0) die("not zeroed");
        $dirty
        mix(c, p[many * $zsize - 1]);
        free(p);
    }
}
"""),
    ("aligned", 2, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    void *kept[$k];
    for (unsigned i = 0; i < $k; ++i) {
        void *p = NULL;
        switch ((i + n) % 3) {
        case 0: p = aligned_alloc($align, $align * $few); break;
        case 1: p = memalign($align, $size); break;
        default: if (posix_memalign(&p, $align, $size) != 0) die("posix_memalign");
        }
        if (p == NULL) die("memory");
        if ((uintptr_t)keep(p) % $align != 0) die("alignment");
        fill(p, $align < $size ? $align : $size, i);
        kept[i] = p;
    }
    for (unsigned i = $k; i-- > 0;) { mix(c, digest(kept[i], $align < $size ? $align : $size)); free(kept[i]); }
}
"""),
    ("scratch", 5, r"""
$attr static unsigned inner_$f(struct ctx *c, unsigned n) {
    unsigned char *p = (unsigned char *)$alloc_scratch;
    $check_p0
    fill(p, $promote_n, n);
    unsigned r = p[$promote_n - 1];
    $reader
    if (r % $few == 1) { free(p); return r + 1; }
    $middle
    free(p);
    return r;
}
static void $f(struct ctx *c, unsigned n) { for (unsigned i = 0; i < n + 2; ++i) mix(c, inner_$f(c, i * $k)); }
"""),
    ("maybe_kept", 3, r"""
static unsigned char *left_$f[$k];
$attr static unsigned char *make_$f(unsigned n) {
    unsigned char *p = (unsigned char *)malloc($small + 8);
    if (p == NULL) $fail;
    fill(p, $small + 8, n);
    if (n % $few == 0) { free(p); return NULL; }
    return p;
}
static void $f(struct ctx *c, unsigned n) {
    unsigned char *kept[$k];
    for (unsigned i = 0; i < $k; ++i) kept[i] = make_$f(i + n);
    for (unsigned i = 0; i < $k; ++i) {
        unsigned char *other = (unsigned char *)malloc($small), *use = kept[i] != NULL ? kept[i] : other;
        if (other == NULL) die("memory");
        fill(use, $small, i);
        mix(c, digest(use, $small) + (kept[i] == other));
        free(kept[i]);
        free(other);
    }
}
"""),
    ("each_round", 4, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    uint64_t last = 0;
    for (unsigned i = 0; i < n * $few; ++i) {
        size_t size = $round_size;
        char *buffer = (char *)$alloc_round;
        $check_buffer
        $zero_check
        fill(buffer, size, i);
        if (i % $few == 0) { $skip }
        last = last * 31 + digest(buffer, size);
        free(buffer);
    }
    mix(c, last);
}
"""),
    ("many_rounds", 2, r"""
/* So many that what each leaves on the stack would be more than there is. */
$attr static void $f(struct ctx *c, unsigned n) {
    uint64_t s = 0;
    for (unsigned i = 0; i < 20000; ++i) {
        if (i % 64 == $few) continue;
        unsigned char *p = (unsigned char *)$alloc_many, *q = NULL;
        if (p == NULL) $fail;
        p[0] = (unsigned char)i;
        p[$frame - 1] = (unsigned char)n;
        if (i % 512 == 7) { q = (unsigned char *)keep(malloc($small)); if (q == NULL) $fail; q[0] = p[0]; s += q[0]; }
        s = s * 31 + p[0] + p[$frame - 1];
        free(q);
        free(p);
    }
    mix(c, s);
}
"""),
    ("jumping", 2, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    char *p = NULL;
    unsigned i = 0;
    if (n % 2) goto middle;
again:
    p = (char *)malloc($round_size_i);
    if (p == NULL) $fail_void;
    fill(p, $round_size_i, i);
middle:
    if (p != NULL) { mix(c, digest(p, $round_size_i)); free(p); p = NULL; }
    ++i;
    if (i < n * $few) goto again;
    free(p);
}
"""),
    ("together", 4, r"""
struct trio_$f { unsigned *a; char *b; struct trio_$f *self; double d; };
$attr static int open_$f(struct ctx *c, struct trio_$f **out, unsigned n) {
    struct trio_$f *t = (struct trio_$f *)malloc(sizeof *t);
    unsigned *a = (unsigned *)malloc($small * sizeof *a);
    $between
    char *b = (char *)malloc($size);
    if (t == NULL || a == NULL || b == NULL) { free(t); free(a); free(b); return -1; }
    t->a = a; t->b = b; t->self = t; t->d = n;
    for (unsigned i = 0; i < $small; ++i) a[i] = n + i;
    fill(b, $size, n);
    *out = t;
    return 0;
}
static void $f(struct ctx *c, unsigned n) {
    struct trio_$f *all[$k];
    unsigned made = 0;
    while (made < $k && open_$f(c, &all[made], made + n) == 0) ++made;
    for (unsigned i = 0; i < made; ++i) {
        struct trio_$f *t = all[i];
        if (t->self != t) die("self");
        want(t->b, $size, i + n);
        mix(c, t->a[$small - 1] + (uint64_t)t->d);
        $free_three
    }
}
"""),
    ("cleanup", 3, r"""
$attr static int step_$f(struct ctx *c, unsigned n) {
    int rc = -1;
    char *a = NULL, *b = NULL, *d = NULL;
    a = (char *)malloc($small);
    if (a == NULL) goto out;
    fill(a, $small, n);
    if (rnd(c) % $few == 0) goto out;
    b = (char *)malloc($size);
    if (b == NULL) goto out;
    fill(b, $size, n + 1);
    if (rnd(c) % $few == 1) goto out;
    d = (char *)calloc(1, $small);
    if (d == NULL) goto out;
    memcpy(d, a, $small < $size ? $small : $size);
    rc = (int)(digest(d, $small) & 1023);
out:
    free(d);
    free(b);
    free(a);
    return rc;
}
static void $f(struct ctx *c, unsigned n) { for (unsigned i = 0; i < n * 2; ++i) mix(c, (unsigned)step_$f(c, i)); }
"""),
    ("large", 3, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    size_t size = $large_size;
    uint64_t head = 0;
    for (unsigned i = 0; i < $k * 10; ++i) head = head * 31 + rnd(c);
    $large_change
    if (head % $few != 0) {
        unsigned char *p = (unsigned char *)$alloc_large;
        if (p == NULL) $fail_void;
        $large_zero
        for (size_t i = 0; i < size; i += $stride) p[i] = (unsigned char)(i / $stride + n);
        p[size - 1] = 77;
        $large_more
        uint64_t s = p[size - 1];
        for (size_t i = 0; i + 1 < size; i += $stride) s = s * 31 + p[i];
        mix(c, s);
        free(p);
    }
    mix(c, head);
}
"""),
    ("callers", 4, r"""
struct pair_$f { struct pair_$f *next; uint64_t a; };
$attr static struct pair_$f *some_$f(unsigned n, struct pair_$f *l) {
    for (unsigned i = 0; i < n; ++i) {
        struct pair_$f *x = (struct pair_$f *)malloc(sizeof *x);
        if (x == NULL) $fail;
        x->next = l; x->a = i; l = x;
    }
    return l;
}
static char *text_$f(unsigned n) {
    char *s = (char *)malloc($small + 24);
    if (s == NULL) abort();
    snprintf(s, $small + 24, "%u-%u", n, n * 3);
    return s;
}
static struct pair_$f *more_$f(struct ctx *c, unsigned n, struct pair_$f *l) {
    if (rnd(c) % $few == 0) return l;
    l = some_$f($k, l);
    return n == 0 ? l : more_$f(c, n - 1, some_$f(n, l));
}
static void $f(struct ctx *c, unsigned n) {
    char *t = text_$f(n), *u = text_$f(n + 1);
    struct pair_$f *l = some_$f($k, NULL);
    l = $call_more;
    for (unsigned i = 0; i < $few; ++i) l = some_$f(n, l);
    while (l != NULL) { struct pair_$f *x = l; l = l->next; mix(c, x->a); free(x); }
    mix(c, digest(t, strlen(t)) + digest(u, strlen(u)));
    free(u);
    free(t);
}
"""),
    ("slots", 4, None),
    ("strings", 3, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    char *all[$k];
    for (unsigned i = 0; i < $k; ++i) {
        char text[64], *s = NULL;
        snprintf(text, sizeof text, "%u:%u", i, rnd(c) % 10000);
        switch (i % 4) {
        case 0: s = strdup(text); break;
        case 1: s = strndup(text, $few); break;
        case 2: { size_t l = strlen(text); s = (char *)malloc(l * 2 + 1); if (s == NULL) die("memory"); memcpy(s, text, l); memcpy(s + l, text, l + 1); break; }
        default: { size_t l; FILE *o = open_memstream(&s, &l); if (o == NULL) die("memory"); fprintf(o, "%s/%u", text, n); fclose(o); }
        }
        if (s == NULL) die("memory");
        all[i] = s;
    }
    for (unsigned i = 0; i < $k; ++i) {
        all[i] = (char *)realloc(all[i], strlen(all[i]) + $small);
        if (all[i] == NULL) die("memory");
        strcat(all[i], "!");
        mix(c, digest(all[i], strlen(all[i])));
    }
    for (unsigned i = 0; i < $k; ++i) free(all[i]);
}
"""),
    ("table", 2, r"""
struct entry_$f { struct entry_$f *next; uint32_t key, value; };
struct table_$f { struct entry_$f **slot; size_t slots, used; };
$attr static void put_$f(struct table_$f *t, uint32_t key, uint32_t value) {
    if (t->used >= t->slots) {
        size_t slots = t->slots * 2 + $few;
        struct entry_$f **fresh = (struct entry_$f **)calloc(slots, sizeof *fresh);
        if (fresh == NULL) die("memory");
        for (size_t i = 0; i < t->slots; ++i)
            for (struct entry_$f *e = t->slot[i], *next; e != NULL; e = next) { next = e->next; e->next = fresh[e->key % slots]; fresh[e->key % slots] = e; }
        free(t->slot);
        t->slot = fresh;
        t->slots = slots;
    }
    for (struct entry_$f *e = t->slot[key % t->slots]; e != NULL; e = e->next) if (e->key == key) { e->value += value; return; }
    struct entry_$f *e = (struct entry_$f *)malloc(sizeof *e);
    if (e == NULL) die("memory");
    e->next = t->slot[key % t->slots]; e->key = key; e->value = value;
    t->slot[key % t->slots] = e;
    ++t->used;
}
static void $f(struct ctx *c, unsigned n) {
    struct table_$f t = {NULL, 0, 0};
    for (unsigned i = 0; i < n * $k; ++i) put_$f(&t, rnd(c) % 300, i);
    uint64_t s = 0;
    for (size_t i = 0; i < t.slots; ++i)
        for (struct entry_$f *e = t.slot[i], *next; e != NULL; e = next) { next = e->next; s += (uint64_t)e->key * 7919 + e->value; free(e); }
    free(t.slot);
    mix(c, s);
}
"""),
    ("deep", 3, r"""
$attr static unsigned down_$f(struct ctx *c, unsigned depth) {
    unsigned char *p = (unsigned char *)malloc($frame);
    $check_p0
    fill(p, $frame, depth);
    unsigned r = p[depth % $frame];
    if (depth > 0) r += down_$f(c, depth - 1);
    want(p, $frame, depth);
    free(p);
    return r;
}
static void *on_$f(void *argument) {
    struct ctx *c = (struct ctx *)argument;
    mix(c, down_$f(c, $depth));
    return NULL;
}
/* On a small stack: there is room for the recursion, and for no blocks in it. */
static void $f(struct ctx *c, unsigned n) {
    pthread_attr_t a;
    pthread_t t;
    if (pthread_attr_init(&a) != 0 || pthread_attr_setstacksize(&a, STACK) != 0) die("attributes");
    if (pthread_create(&t, &a, on_$f, c) != 0 || pthread_join(t, NULL) != 0) die("thread");
    pthread_attr_destroy(&a);
    mix(c, n);
}
"""),
    ("wrapped", 3, r"""
__attribute__((malloc, alloc_size(1))) $attr static void *get_$f(size_t n) { void *p = malloc(n); if (p == NULL) $fail; return p; }
$attr static void put_$f(void *p) { $free_guard free(p); }
static void $f(struct ctx *c, unsigned n) {
    void *(*volatile get)(size_t) = get_$f;
    void (*volatile put)(void *) = free;
    for (unsigned i = 0; i < n; ++i) {
        char *a = (char *)get_$f($small), *b = (char *)get(i % $small + 1), *d = (char *)get_$f(sizeof(long) * $few);
        fill(a, $small, i); fill(b, i % $small + 1, i); fill(d, sizeof(long) * $few, i);
        mix(c, digest(a, $small) ^ digest(b, i % $small + 1) ^ digest(d, sizeof(long) * $few));
        put_$f(a);
        put(b);
        if (i % 2) put_$f(d); else free(d);
        put_$f(NULL);
    }
}
"""),
    ("matrix", 2, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    unsigned rows = n + 1, columns = $k;
    uint32_t **m = (uint32_t **)malloc(rows * sizeof *m);
    if (m == NULL) die("memory");
    for (unsigned i = 0; i < rows; ++i) {
        m[i] = (uint32_t *)$alloc_row;
        if (m[i] == NULL) die("memory");
        for (unsigned j = 0; j < columns; ++j) m[i][j] = i * j + n;
    }
    uint64_t s = 0;
    for (unsigned j = 0; j < columns; ++j) for (unsigned i = 0; i < rows; ++i) s = s * 31 + m[i][j];
    mix(c, s);
    for (unsigned i = 0; i < rows; ++i) free(m[i]);
    free(m);
}
"""),
    ("nothing", 1, r"""
/* No bytes: a block of its own all the same, from malloc and calloc; a free, from realloc. */
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
        char *p = (char *)malloc(n / 100), *q = (char *)calloc(i % 2 == 0 ? n / 100 : 8, n / 100), *r = (char *)malloc($small);
        if (p == NULL || q == NULL || r == NULL || keep(p) == q) die("no bytes");
        fill(r, $small, i);
        mix(c, digest(r, $small));
        p = (char *)realloc(p, i % $few == 0 ? 0 : $small);
        if ((p == NULL) != (i % $few == 0)) die("realloc to no bytes");
        free(p);
        if (keep(realloc(r, 0)) != NULL) die("realloc to 0");
        free(q);
        free(NULL);
        q = (char *)realloc(NULL, n / 100);
        if (q == NULL) die("realloc of nothing");
        free(q);
    }
}
"""),
    ("refused", 1, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    hidden_size = SIZE_MAX / 2 - n;
    for (unsigned i = 0; i < $few; ++i) {
        if (tame) { mix(c, 7); continue; }
        void *p = keep(malloc(hidden_size)), *q = keep(calloc(hidden_size, 3));
        char *r = (char *)malloc($small);
        if (r == NULL) die("memory");
        fill(r, $small, i);
        char *s = (char *)keep(realloc(r, hidden_size));
        mix(c, (p == NULL) + 2 * (q == NULL) + 4 * (s == NULL));
        free(p);
        free(q);
        if (s != NULL) { free(s); continue; }
        want(r, $small, i);
        free(r);
    }
}
"""),
    ("jumps", 1, r"""
$attr static void throw_$f(jmp_buf *b, char *p, unsigned n) { fill(p, $small, n); if (n % $few == 0) longjmp(*b, 1); }
static void $f(struct ctx *c, unsigned n) {
    for (volatile unsigned i = 0; i < n; ++i) {
        jmp_buf b;
        char *volatile p = (char *)malloc($small);
        if (p == NULL) die("memory");
        fill(p, $small, 1);
        if (setjmp(b) == 0) throw_$f(&b, p, i); else mix(c, 99);
        mix(c, digest(p, $small));
        free(p);
    }
}
"""),
    ("errno", 1, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    char *p[$k];
    for (unsigned i = 0; i < $k; ++i) { p[i] = (char *)keep(malloc($size)); if (p[i] == NULL) die("memory"); p[i][0] = (char)i; }
    errno = (int)n + 1;
    for (unsigned i = 0; i < $k; ++i) { if (malloc_usable_size(p[i]) < $size) die("usable size"); free(p[i]); }
    mix(c, (unsigned)errno);
}
"""),
    ("handed_over", 2, r"""
struct work_$f { struct ctx c; void *block[$k]; };
static void *make_$f(void *argument) {
    struct work_$f *w = (struct work_$f *)argument;
    for (unsigned i = 0; i < $k; ++i) { void *p = malloc($size); if (p == NULL) die("memory"); fill(p, $size, rnd(&w->c) % 251); mix(&w->c, digest(p, $size)); w->block[i] = p; }
    return NULL;
}
static void *drop_$f(void *argument) {
    struct work_$f *w = (struct work_$f *)argument;
    for (unsigned i = 0; i < $k; ++i) { mix(&w->c, digest(w->block[i], $size)); free(w->block[i]); }
    return NULL;
}
/* Blocks of one thread, freed by another. */
$attr static void $f(struct ctx *c, unsigned n) {
    struct work_$f *w = (struct work_$f *)calloc(2, sizeof *w);
    pthread_t t[2];
    if (w == NULL) die("memory");
    for (unsigned i = 0; i < 2; ++i) { w[i].c.state = rnd(c); if (pthread_create(&t[i], NULL, make_$f, &w[i]) != 0) die("thread"); }
    for (unsigned i = 0; i < 2; ++i) pthread_join(t[i], NULL);
    for (unsigned i = 0; i < 2; ++i) if (pthread_create(&t[i], NULL, drop_$f, &w[i]) != 0) die("thread");
    for (unsigned i = 0; i < 2; ++i) { pthread_join(t[i], NULL); mix(c, w[i].c.sum + n); }
    free(w);
}
"""),
    ("queue", 1, r"""
struct message_$f { struct message_$f *next; unsigned length; unsigned char text[]; };
struct queue_$f { pthread_mutex_t lock; pthread_cond_t some; struct message_$f *first; int done; };
static void *consume_$f(void *argument) {
    struct queue_$f *q = (struct queue_$f *)argument;
    uint64_t *sum = (uint64_t *)calloc(1, sizeof *sum);
    if (sum == NULL) die("memory");
    for (;;) {
        pthread_mutex_lock(&q->lock);
        while (q->first == NULL && !q->done) pthread_cond_wait(&q->some, &q->lock);
        struct message_$f *m = q->first;
        if (m != NULL) q->first = m->next;
        pthread_mutex_unlock(&q->lock);
        if (m == NULL) return sum;
        *sum += digest(m->text, m->length); /* in any order */
        free(m);
    }
}
$attr static void $f(struct ctx *c, unsigned n) {
    struct queue_$f q = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0};
    pthread_t t;
    void *sum;
    if (pthread_create(&t, NULL, consume_$f, &q) != 0) die("thread");
    for (unsigned i = 0; i < n * $few; ++i) {
        unsigned length = rnd(c) % $small + 1;
        struct message_$f *m = (struct message_$f *)malloc(sizeof *m + length);
        if (m == NULL) die("memory");
        m->length = length;
        fill(m->text, length, i);
        pthread_mutex_lock(&q.lock);
        m->next = q.first;
        q.first = m;
        pthread_cond_signal(&q.some);
        pthread_mutex_unlock(&q.lock);
    }
    pthread_mutex_lock(&q.lock);
    q.done = 1;
    pthread_cond_signal(&q.some);
    pthread_mutex_unlock(&q.lock);
    pthread_join(t, &sum);
    mix(c, *(uint64_t *)sum);
    free(sum);
}
"""),
    ("child", 1, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    char *p = (char *)malloc($size);
    if (p == NULL) die("memory");
    fill(p, $size, n);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        char *q = (char *)malloc($size);
        if (q == NULL) _exit(99);
        memcpy(q, p, $size);
        free(p);
        _exit((int)(digest(q, $size) & 63));
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) die("wait");
    mix(c, (unsigned)status);
    free(p);
}
"""),
]

CXX_PRELUDE = r"""#include <new>
static inline void guard(bool ok) { if (!ok) die("guard"); }
"""

# Each C++ shape may name the headers that it needs, before a first line of ----.
CXX = [
    ("objects", 4, r"""
struct thing_$f {
    struct ctx *c; unsigned v; unsigned char rest[$small];
    thing_$f(struct ctx *c, unsigned v) : c(c), v(v) { if (v % $few == $odd) throw v; rest[$small - 1] = (unsigned char)v; }
    ~thing_$f() { mix(c, v + rest[$small - 1]); }
};
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n + $few; ++i) {
        try { thing_$f *t = new thing_$f(c, rnd(c) % 100); mix(c, t->v); $maybe_throw delete t; } catch (unsigned e) { mix(c, e); }
    }
}
"""),
    ("arrays", 3, r"""
struct part_$f { unsigned *v; part_$f() : v(new unsigned[$few]) { v[0] = 5; } ~part_$f() { guard(v[0] >= 5); delete[] v; } part_$f(const part_$f &) = delete; };
$attr static void $f(struct ctx *c, unsigned n) {
    part_$f *all = new part_$f[n % $k + 1];
    for (unsigned i = 0; i <= n % $k; ++i) all[i].v[0] += i;
    for (unsigned i = 0; i <= n % $k; ++i) mix(c, all[i].v[0]);
    delete[] all;
    auto *bytes = new (std::nothrow) unsigned char[$size]();
    guard(bytes != nullptr);
    for (unsigned i = 0; i < $size; ++i) guard(bytes[i] == 0);
    delete[] bytes;
}
"""),
    ("over_aligned", 2, r"""
struct alignas($align) wide_$f { unsigned char b[$small]; };
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n; ++i) {
        wide_$f *w = new wide_$f, *many = new wide_$f[$few];
        guard((uintptr_t)keep(w) % $align == 0 && (uintptr_t)keep(many) % $align == 0);
        fill(w->b, $small, i); fill(many[$few - 1].b, $small, i + 1);
        mix(c, digest(w->b, $small) + digest(many[$few - 1].b, $small));
        delete[] many;
        delete w;
    }
}
"""),
    ("virtuals", 3, r"""
struct shape_$f { virtual ~shape_$f() {} virtual unsigned area() const = 0; };
struct square_$f final : shape_$f { unsigned s; explicit square_$f(unsigned s) : s(s) {} unsigned area() const override { return s * s; } };
struct odd_$f : shape_$f { unsigned *v; explicit odd_$f(unsigned n) : v(new unsigned[n + 1]) { for (unsigned i = 0; i <= n; ++i) v[i] = i + n; } ~odd_$f() override { delete[] v; } unsigned area() const override { return v[0]; } };
$attr static shape_$f *make_$f(unsigned n) { if (n % $few == 0) return new square_$f(n); return new odd_$f(n % $k); }
static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n * 2; ++i) { shape_$f *s = make_$f(i + n); mix(c, s->area()); delete s; }
}
"""),
    ("own_operators", 2, r"""
struct pooled_$f {
    uint64_t v;
    static void *operator new(size_t n) { uint64_t *p = (uint64_t *)malloc(n + 16); if (p == nullptr) throw std::bad_alloc(); p[0] = 0x5eed; return p + 2; }
    static void operator delete(void *p) { if (p == nullptr) return; uint64_t *q = (uint64_t *)p - 2; guard(q[0] == 0x5eed); q[0] = 0; free(q); }
};
$attr static void $f(struct ctx *c, unsigned n) {
    pooled_$f *a[$k];
    for (unsigned i = 0; i < $k; ++i) { a[i] = new pooled_$f; a[i]->v = i * n; }
    for (unsigned i = $k; i-- > 0;) { mix(c, a[i]->v); delete a[i]; }
    void *raw = malloc(sizeof(pooled_$f) + $small);
    if (raw == nullptr) die("memory");
    pooled_$f *in = ::new (raw) pooled_$f{n};
    mix(c, in->v);
    free(raw);
}
"""),
    ("too_much", 1, r"""
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < $few; ++i) {
        if (tame) { mix(c, 2 + i); mix(c, 1); continue; }
        char *before = new char[$small];
        before[0] = (char)i;
        try { hidden_size = SIZE_MAX / 2 - n; hidden = ::operator new(hidden_size); mix(c, 1); ::operator delete(hidden); } catch (const std::bad_alloc &) { mix(c, 2 + (unsigned char)before[0]); }
        hidden = new (std::nothrow) char[hidden_size]; mix(c, hidden == nullptr); delete[] (char *)hidden;
        delete[] before;
    }
}
"""),
    ("unwound", 3, r"""
struct holder_$f { char *p; explicit holder_$f(unsigned n) : p(new char[$promote_n]) { fill(p, $promote_n, n); } ~holder_$f() { delete[] p; } holder_$f(const holder_$f &) = delete; };
$attr static unsigned down_$f(struct ctx *c, unsigned n) {
    holder_$f h(n);
    if (n == 0) return (unsigned char)h.p[$promote_n - 1];
    if (rnd(c) % 7 == 0) throw n;
    holder_$f g(n + 1);
    unsigned r = down_$f(c, n - 1) + (unsigned char)g.p[0];
    want(h.p, $promote_n, n);
    return r;
}
static void $f(struct ctx *c, unsigned n) { for (unsigned i = 0; i < n; ++i) try { mix(c, down_$f(c, i % 9)); } catch (unsigned e) { mix(c, e + 1000); } }
"""),
    ("round_throws", 3, r"""
$attr static unsigned look_$f(const char *p, unsigned i) { if (i % $few == $odd) throw i; return (unsigned char)p[$small - 1]; }
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n * 2; ++i) {
        char *p = new char[$small], *q = (char *)malloc($promote_in_round);
        if (q == nullptr) { delete[] p; return; }
        fill(p, $small, i);
        q[0] = (char)i;
        try { mix(c, look_$f(p, i)); if (i % 11 == 3) throw 99u; } catch (unsigned e) { mix(c, e + (unsigned char)q[0]); }
        free(q);
        delete[] p;
    }
}
"""),
    ("round_containers", 3, r"""#include <memory>
#include <string>
#include <vector>
----
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n * 2; ++i) {
        std::vector<unsigned> v($k, i), w(i % 9 + 1);
        std::unique_ptr<unsigned char[]> b(new unsigned char[$small]);
        std::string s($few * 7, (char)('a' + i % 26));
        fill(b.get(), $small, i);
        for (unsigned x : v) w[x % w.size()] += x;
        if (i % 5 == 4) v.resize($k * 2, 1);
        if (i % 7 == 6) continue;
        mix(c, v[i % v.size()] + w[0] + digest(b.get(), $small) + digest(s.data(), s.size()));
    }
}
"""),
    ("pairs", 3, r"""
struct point_$f { unsigned x, y; };
$attr static unsigned length_$f(const point_$f *p) { return p->x * p->x + p->y * p->y; }
$attr static void $f(struct ctx *c, unsigned n) {
    for (unsigned i = 0; i < n * 2; ++i) {
        point_$f *p = new point_$f{i, n};
        unsigned *u = new unsigned(i % 100), *z = new (std::nothrow) unsigned();
        if (z == nullptr) { delete u; delete p; return; }
        *z += *u;
        if (*u % $few == 0) hidden = p;
        unsigned r = length_$f(p) + *z;
        delete u;
        delete z;
        delete p;
        mix(c, r);
    }
}
"""),
    ("vectors", 4, r"""#include <vector>
#include <algorithm>
----
$attr static std::vector<unsigned> numbers_$f(struct ctx *c, unsigned n) { std::vector<unsigned> v; $reserve for (unsigned i = 0; i < n; ++i) v.push_back(rnd(c) % 1000); return v; }
static void $f(struct ctx *c, unsigned n) {
    std::vector<std::vector<unsigned>> all;
    for (unsigned i = 0; i < n % 12 + 1; ++i) all.push_back(numbers_$f(c, i * $few));
    for (auto &v : all) { std::sort(v.begin(), v.end()); v.erase(v.begin() + (long)(v.size() / 2), v.end()); v.shrink_to_fit(); for (unsigned x : v) mix(c, x); }
    std::vector<unsigned> small(n % 5 + 1, n);
    unsigned s = 0;
    for (unsigned x : small) s += x;
    mix(c, s);
}
"""),
    ("strings_cxx", 3, r"""#include <string>
----
$attr static std::string join_$f(unsigned n) { std::string s; for (unsigned i = 0; i < n; ++i) { s += std::to_string(i * $k); s += ','; } return s; }
static void $f(struct ctx *c, unsigned n) {
    std::string a = join_$f(n), b = a + "+" + join_$f(n / 2 + 1), d = b.substr(b.size() / 3);
    std::string *p = new std::string(d);
    if (n % $few == 0) p->append($small, 'x');
    try { if (n % 5 == 1) throw std::string(*p); mix(c, digest(p->data(), p->size())); } catch (const std::string &e) { mix(c, digest(e.data(), e.size()) + 1); }
    delete p;
}
"""),
    ("maps", 2, r"""#include <map>
#include <unordered_map>
#include <string>
----
$attr static void $f(struct ctx *c, unsigned n) {
    std::map<unsigned, std::string> m;
    std::unordered_map<unsigned, unsigned> u;
    for (unsigned i = 0; i < n * $few; ++i) { unsigned k = rnd(c) % 50; m[k] += (char)('a' + i % 26); u[k * 7] += i; if (i % 9 == 0) m.erase(rnd(c) % 50); }
    for (auto &e : m) mix(c, e.first + digest(e.second.data(), e.second.size()));
    uint64_t s = 0;
    for (auto &e : u) s += (uint64_t)e.first * e.second;
    mix(c, s);
}
"""),
    ("owners", 3, r"""#include <memory>
----
struct leaf_$f { std::unique_ptr<leaf_$f> left, right; std::shared_ptr<unsigned> v; };
$attr static std::unique_ptr<leaf_$f> grow_$f(struct ctx *c, unsigned n, std::shared_ptr<unsigned> v) {
    auto l = std::make_unique<leaf_$f>();
    l->v = n % 2 ? v : std::make_shared<unsigned>(n);
    if (n > 0) { l->left = grow_$f(c, n - 1, v); if (rnd(c) % 2) l->right = grow_$f(c, n / 2, l->v); }
    return l;
}
static uint64_t walk_$f(const leaf_$f *l) { return l == nullptr ? 1 : *l->v + 3 * walk_$f(l->left.get()) + 5 * walk_$f(l->right.get()); }
static void $f(struct ctx *c, unsigned n) {
    auto v = std::make_shared<unsigned>(n);
    { auto t = grow_$f(c, n % 9, v); mix(c, walk_$f(t.get())); }
    mix(c, (uint64_t)v.use_count());
}
"""),
    ("sequences", 2, r"""#include <deque>
#include <list>
----
$attr static void $f(struct ctx *c, unsigned n) {
    std::list<unsigned> l;
    std::deque<uint64_t> d;
    for (unsigned i = 0; i < n * $few; ++i) { l.push_front(rnd(c) % 100); d.push_back(i); if (i % 3 == 0) { l.pop_back(); d.pop_front(); } }
    l.remove_if([](unsigned x) { return x % $few == 0; });
    for (unsigned x : l) mix(c, x);
    for (uint64_t x : d) mix(c, x);
}
"""),
    ("functions", 2, r"""#include <functional>
#include <vector>
----
$attr static void $f(struct ctx *c, unsigned n) {
    std::vector<std::function<unsigned(unsigned)>> all;
    unsigned char big[$small];
    fill(big, $small, n);
    struct box { unsigned char b[$small]; } copy;
    memcpy(copy.b, big, $small);
    for (unsigned i = 0; i < $k; ++i) {
        if (i % 2) all.emplace_back([i](unsigned x) { return x + i; });
        else all.emplace_back([copy, i](unsigned x) { return x * copy.b[i % $small]; });
    }
    unsigned r = n;
    for (auto &g : all) r = g(r);
    mix(c, r);
}
"""),
]

# A program's own operator new: a block that goes round it has no mark.  Not in line, as if in another file: LLVM takes what
# a nothrow new returns for a block of that size even where the operator that made it is the program's, and would take the
# mark before it for out of bounds.
REPLACED = r"""
__attribute__((noinline)) void *operator new(size_t n) { uint64_t *p = (uint64_t *)malloc(n + 16); if (p == nullptr) throw std::bad_alloc(); p[0] = 0xfeed; return p + 2; }
__attribute__((noinline)) void operator delete(void *p) noexcept { if (p == nullptr) return; uint64_t *q = (uint64_t *)p - 2; if (q[0] != 0xfeed) die("mark"); q[0] = 0; free(q); }
__attribute__((noinline)) void operator delete(void *p, size_t) noexcept { operator delete(p); }
"""
