/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * explore.c: runs a scenario once for each execution that the memory model allows.
 *
 * Threads are coroutines.  Each stops before every atomic operation; the scheduler picks a thread and, of what the memory
 * model lets its operation do, one way (an option: which store a load returns, where in the modification order a store
 * goes).  The options taken so far are a path; the search is depth first over paths and runs each one from the start.
 *
 * Memory.  A place (an atomic) keeps all its stores in modification order (their rank).  A view says, for each place,
 * the store that one must not fall behind, and for each thread, how many of its steps are known (a vector clock).  A load
 * returns any store not older than its thread's view; a store goes anywhere after it, but not between a store and the
 * read-modify-write that read it.  A release store carries its thread's view, an acquire load joins it, a
 * read-modify-write passes on the view of what it read.  A fence is sequentially consistent: it joins a global view and
 * becomes it.  Plain data is not versioned: two accesses that clocks do not order are an error at once.
 *
 * Reduction.  An execution is its graph (each thread's operations, what each read, modification orders, the order of fences),
 * not the order in which it was run.
 *  1. Plain accesses are no step of their own: both orders show the same race.
 *  2. A store is run at once: whatever may read it or come before it in modification order can still do so.
 *  3. Where a thread is about to read, every execution either has it read a store that is there now, or one yet to come.
 *     The first kind is run now.  For the second the thread is held until a store comes that is new, and must read
 *     a new one.  So each graph is run once.  Fences: this one is the next of all, or held until another was.
 *  4. A thread is not held for a store that nobody will make: `last` knows the last step at which each thread ever came
 *     to an operation that may store to a place.  Where an execution shows a later one, the search starts again.
 *     docs/model.md argues why no such operation stays unknown.
 * MODEL_EVERY leaves out 2 to 4.
 *
 * One scenario at a time, all state is static; no threads of the system.
 */
#include "explore.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum {
    THREADS = 1 + MODEL_MAX_THREADS, /* 0: setup and finish */
    PLACES = 24,
    STORES = 48, /* to one place, in one execution */
    WORDS = 128, /* of plain data; a power of two */
    STEPS = 120, /* of one thread, plain accesses included: more is an endless loop */
    NAMES = 64,
    STACK = 32768,
    OPTIONS = 256,
    HOLD = 255, /* the option to hold a thread */
};
enum { FENCES = PLACES, BUCKET, ORDERED }; /* what is totally ordered, numbered on from the places */

struct view {
    uint8_t store[PLACES];
    uint16_t clock[THREADS];
};

struct store {
    uint64_t value;
    uint32_t serial; /* stores of this execution before it */
    uint16_t thread, step;
    uint8_t rank;
    bool extended; /* a read-modify-write comes right after it */
    struct view view;
};

struct place {
    const ng_atomic *address;
    uint64_t run; /* of the execution that its stores belong to */
    int count;
    struct store store[STORES];
};

struct word {
    const uint64_t *address;
    uint64_t run;
    uint16_t writer, write_clock;
    uint16_t read_clock[THREADS];
};

struct request {
    enum model_op op;
    int order, place;
    uint64_t value, expected;
    const struct model_site *site;
};

struct thread {
    enum { DONE, READY, ASLEEP } state;
    struct request request;
    uint64_t result;
    bool stored; /* the CAS did */
    bool held;
    uint32_t held_serial; /* stores below it are no longer open to it; for fences: fences */
    int steps, accesses;
    int slept_on;
    struct view cur, acquired, released;
    ucontext_t context;
    jmp_buf start, resume;
    bool started;
    char stack[STACK] __attribute__((aligned(64)));
};

struct event {
    uint16_t thread, step;
    struct request request;
    uint64_t got;
    uint16_t from_thread, from_step;
    int newer; /* stores of the place that were newer than what was read */
    const void *data;
    const char *function;
    bool stored;
};

struct option {
    uint8_t thread, way;
};

struct model_mutation model_mutation;
struct model_site *model_sites[MODEL_MAX_SITES];
int model_site_count;

static const struct model_scenario *scenario;
static enum model_mode mode;

static struct place place[PLACES];
static int places;
static struct word word[WORDS];
static struct thread thread[THREADS];
static int threads, self; /* thread[0 .. threads - 1]; the one that runs */
static struct view fence_view, bucket_view;
static uint32_t serial, fences, buckets;
static int bucket_owner;
static uint64_t run;
static jmp_buf scheduler, run_end;
static uint16_t last[ORDERED][THREADS];
static bool grew;

static struct {
    uint8_t way, ways;
} path[THREADS * STEPS];
static int path_length, depth;

static struct event event[(THREADS + 1) * STEPS]; /* setup and finish count apart */
static int events;
static char error[256];

static struct {
    const volatile void *address;
    char text[32];
} name[NAMES];
static int names;

static _Noreturn void broken(const char *what) {
    fprintf(stderr, "model: %s; raise the limit in explore.c\n", what);
    exit(2);
}

/* ---- Names and errors ---- */

void model_name(const volatile void *address, const char *format, ...) {
    for (int i = 0; i < names; i++)
        if (name[i].address == address)
            return;
    if (names == NAMES)
        broken("too many names");
    va_list args;
    va_start(args, format);
    vsnprintf(name[names].text, sizeof(name[names].text), format, args);
    va_end(args);
    name[names++].address = address;
}

static const char *name_of(const volatile void *address) {
    for (int i = 0; i < names; i++)
        if (name[i].address == address)
            return name[i].text;
    return NULL;
}

static const char *thread_name(int t) { return t == 0 ? "setup/finish" : scenario->thread[t - 1].name; }

const char *model_error(void) { return error; }

_Noreturn void model_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = self == 0 ? 0 : snprintf(error, sizeof(error), "%s: ", thread_name(self));
    vsnprintf(error + n, sizeof(error) - (size_t)n, format, args);
    va_end(args);
    _longjmp(run_end, 1);
}

/* ---- Views and places ---- */

static struct place *place_at(int p) {
    struct place *at = &place[p];
    if (at->run != run) {
        at->run = run;
        at->count = 1;
        at->store[0] = (struct store){.value = at->address->value};
    }
    return at;
}

/* A mutant may follow a wild pointer. */
static void check_address(const void *address) {
    size_t at = (size_t)((const char *)address - (const char *)scenario->state);
    if (at >= scenario->state_bytes || at % sizeof(uint64_t) != 0)
        model_fail("an access to %p, where there is no data", address);
}

static int place_of(const ng_atomic *address) {
    int p = 0;
    check_address(address);
    while (p < places && place[p].address != address)
        p++;
    if (p == PLACES)
        broken("too many atomics");
    if (p == places)
        place[places++].address = address;
    place_at(p);
    return p;
}

static int rank_of(int p, int store) { return place[p].store[store].rank; }

static void join(struct view *to, const struct view *from) {
    for (int p = 0; p < places; p++)
        if (to->store[p] != from->store[p] && rank_of(p, from->store[p]) > rank_of(p, to->store[p]))
            to->store[p] = from->store[p];
    for (int t = 0; t < threads; t++)
        if (from->clock[t] > to->clock[t])
            to->clock[t] = from->clock[t];
}

/* ---- What an operation may do ---- */

static bool is_read(enum model_op op) {
    return op == MODEL_LOAD || op == MODEL_SWAP || op == MODEL_ADD || op == MODEL_CAS;
}

static bool way_is_open(const struct thread *th, int store) {
    const struct request *q = &th->request;
    const struct store *s = &place[q->place].store[store];
    if (s->rank < rank_of(q->place, th->cur.store[q->place]))
        return false;
    if (th->held && s->serial < th->held_serial)
        return false;
    bool extends = q->op != MODEL_LOAD && (q->op != MODEL_CAS || s->value == q->expected);
    return !(extends && s->extended);
}

/* The ways that thread t's operation may go now, appended to out. */
static int ways_of(int t, struct option *out) {
    const struct thread *th = &thread[t];
    const struct request *q = &th->request;
    if (th->state != READY)
        return 0;
    if (is_read(q->op) || q->op == MODEL_STORE) {
        int n = 0;
        for (int s = 0; s < place[q->place].count; s++)
            if (way_is_open(th, s))
                out[n++] = (struct option){(uint8_t)t, (uint8_t)s};
        return n;
    }
    bool open = true;
    if (q->op == MODEL_FENCE)
        open = !th->held || fences > th->held_serial;
    if (q->op == MODEL_LOCK)
        open = bucket_owner == 0 && (!th->held || buckets > th->held_serial);
    out[0] = (struct option){(uint8_t)t, 0};
    return open;
}

static int ordered_by(const struct request *q) {
    return q->op == MODEL_FENCE ? (int)FENCES : q->op == MODEL_LOCK ? (int)BUCKET : q->place;
}

/* Whether another thread may yet make what thread t could be held for. */
static bool worth_holding(int t) {
    const uint16_t *steps = last[ordered_by(&thread[t].request)];
    for (int u = 1; u < threads; u++)
        if (u != t && thread[u].state != DONE && thread[u].steps < steps[u])
            return true;
    return false;
}

/* ---- What an operation does ---- */

static void note_step(int what, int t) {
    if (t == 0 || last[what][t] >= thread[t].steps)
        return;
    last[what][t] = (uint16_t)thread[t].steps;
    grew = true;
}

static void read_store(struct thread *th, struct event *e, int p, int s) {
    struct store *from = &place[p].store[s];
    th->cur.store[p] = (uint8_t)s;
    join(&th->acquired, &from->view);
    if (th->request.order & NG_ACQUIRE)
        join(&th->cur, &from->view);
    th->result = e->got = from->value;
    e->from_thread = from->thread;
    e->from_step = from->step;
    e->newer = place[p].count - 1 - from->rank;
}

static void add_store(int t, int p, int after, uint64_t value, bool extends) {
    struct place *at = &place[p];
    struct thread *th = &thread[t];
    if (at->count == STORES)
        broken("too many stores");
    int rank = at->store[after].rank + 1;
    for (int s = 0; s < at->count; s++)
        if (at->store[s].rank >= rank)
            at->store[s].rank++;
    int id = at->count++;
    struct store *new = &at->store[id];
    *new = (struct store){value, serial++, (uint16_t)t, (uint16_t)th->steps, (uint8_t)rank, false, th->released};
    th->cur.store[p] = (uint8_t)id;
    if (th->request.order & NG_RELEASE)
        new->view = th->cur;
    new->view.store[p] = (uint8_t)id;
    if (extends) {
        at->store[after].extended = true;
        join(&new->view, &at->store[after].view);
    }
}

static void do_fence(int t) {
    struct thread *th = &thread[t];
    join(&th->cur, &th->acquired);
    join(&th->cur, &fence_view);
    fence_view = th->released = th->cur;
    fences++;
    note_step(FENCES, t);
}

static void do_lock(int t) {
    join(&thread[t].cur, &bucket_view);
    bucket_owner = t;
    buckets++;
    note_step(BUCKET, t);
}

static void unlock(void) {
    bucket_view = thread[self].cur;
    bucket_owner = 0;
}

static void perform(int t, int way) {
    struct thread *th = &thread[t];
    struct request *q = &th->request;
    th->held = false;
    if (q->op == MODEL_NOTHING)
        return;
    th->cur.clock[t] = (uint16_t)++th->steps;
    struct event *e = &event[events++];
    *e = (struct event){.thread = (uint16_t)t, .step = (uint16_t)th->steps, .request = *q};
    e->function = q->site != NULL ? q->site->function : "futex";
    if (is_read(q->op))
        read_store(th, e, q->place, way);
    if (q->op == MODEL_STORE || (is_read(q->op) && q->op != MODEL_LOAD))
        note_step(q->place, t);
    th->stored = q->op != MODEL_LOAD && !(q->op == MODEL_CAS && th->result != q->expected);
    e->stored = th->stored;
    if (q->op == MODEL_FENCE)
        do_fence(t);
    else if (q->op == MODEL_LOCK)
        do_lock(t);
    else if (th->stored)
        add_store(t, q->place, way, q->op == MODEL_ADD ? q->value + th->result : q->value, q->op != MODEL_STORE);
}

/* ---- Coroutines ---- */

static void enter(int t) {
    struct thread *th = &thread[t];
    self = t;
    if (_setjmp(scheduler) == 0) {
        if (th->started)
            _longjmp(th->resume, 1);
        th->started = true;
        setcontext(&th->context);
    }
    self = 0;
}

static void leave(void) {
    if (_setjmp(thread[self].resume) == 0)
        _longjmp(scheduler, 1);
}

/* Runs one execution after another; what an execution left unfinished is jumped over. */
static void coroutine(void) {
    _setjmp(thread[self].start);
    thread[self].request.op = MODEL_NOTHING;
    scenario->thread[self - 1].run();
    thread[self].state = DONE;
    _longjmp(scheduler, 1);
}

static void start_thread(int t) {
    struct thread *th = &thread[t];
    th->state = READY;
    th->held = false;
    th->steps = th->accesses = 0;
    th->request.op = MODEL_NOTHING;
    th->cur = th->acquired = th->released = thread[0].cur;
    if (th->started) {
        memcpy(&th->resume, &th->start, sizeof(jmp_buf));
        return;
    }
    getcontext(&th->context);
    th->context.uc_stack.ss_sp = th->stack;
    th->context.uc_stack.ss_size = STACK;
    th->context.uc_link = NULL;
    makecontext(&th->context, coroutine, 0);
}

/* ---- Called by the code under test ---- */

static void count_access(struct thread *th) {
    if (++th->accesses > STEPS)
        model_fail("more than %d accesses: an endless loop", STEPS);
}

static struct thread *ask(struct model_site *site, enum model_op op, const ng_atomic *a, int order, uint64_t value,
                          uint64_t expected) {
    struct thread *th = &thread[self];
    count_access(th);
    th->request = (struct request){op, order, a != NULL ? place_of(a) : 0, value, expected, site};
    if (self != 0) {
        leave();
        return th;
    }
    struct option only[OPTIONS];
    if (ways_of(0, only) != 1)
        broken("setup or finish has a choice");
    perform(0, only[0].way);
    return th;
}

/* The order that the site has in the code as mutated. */
static int order_at(struct model_site *site, int order) {
    if (!site->known) {
        if (model_site_count == MODEL_MAX_SITES)
            broken("too many call sites");
        site->known = true;
        site->order = order;
        model_sites[model_site_count++] = site;
    }
    return model_mutation.kind == MODEL_WEAKEN && model_mutation.site == site ? model_mutation.order : order;
}

static bool is_split(const struct model_site *site) {
    return model_mutation.kind == MODEL_SPLIT && model_mutation.site == site;
}

static bool has_extra(unsigned extra) { return model_mutation.kind == MODEL_EXTRA && model_mutation.extra == extra; }

uint64_t model_load(struct model_site *site, const ng_atomic *a, int order) {
    return ask(site, MODEL_LOAD, a, order_at(site, order), 0, 0)->result;
}

void model_store(struct model_site *site, ng_atomic *a, uint64_t v, int order) {
    (void)ask(site, MODEL_STORE, a, order_at(site, order), v, 0);
}

/* A read-modify-write that a mutant takes apart into a load and a store. */
static uint64_t modify(struct model_site *site, enum model_op op, const ng_atomic *a, uint64_t v, int order) {
    order = order_at(site, order);
    if (!is_split(site))
        return ask(site, op, a, order, v, 0)->result;
    uint64_t was = ask(site, MODEL_LOAD, a, order, 0, 0)->result;
    (void)ask(site, MODEL_STORE, a, order, op == MODEL_ADD ? was + v : v, 0);
    return was;
}

uint64_t model_swap(struct model_site *site, ng_atomic *a, uint64_t v, int order) {
    return modify(site, MODEL_SWAP, a, v, order);
}

uint64_t model_add(struct model_site *site, ng_atomic *a, uint64_t v, int order) {
    return modify(site, MODEL_ADD, a, v, order);
}

bool model_cas(struct model_site *site, ng_atomic *a, uint64_t *seen, uint64_t v, int order) {
    uint64_t expected = *seen;
    if (has_extra(MODEL_NO_VERSION))
        v &= UINT32_MAX;
    order = order_at(site, order);
    if (is_split(site)) {
        *seen = ask(site, MODEL_LOAD, a, order, 0, 0)->result;
        if (*seen == expected)
            (void)ask(site, MODEL_STORE, a, order, v, 0);
        return *seen == expected;
    }
    struct thread *th = ask(site, MODEL_CAS, a, order, v, expected);
    *seen = th->result;
    return th->stored;
}

void model_fence(struct model_site *site) {
    (void)order_at(site, NG_SEQ_CST);
    if (model_mutation.kind == MODEL_DROP && model_mutation.site == site)
        return;
    (void)ask(site, MODEL_FENCE, NULL, NG_SEQ_CST, 0, 0);
}

void model_futex_wait(const ng_atomic *a, uint64_t expected) {
    struct thread *th = ask(NULL, MODEL_LOCK, NULL, NG_RELAXED, 0, 0);
    uint64_t value = ask(NULL, MODEL_LOAD, a, NG_RELAXED, 0, 0)->result;
    unlock();
    if (value != expected && !has_extra(MODEL_NO_COMPARE))
        return;
    th->state = ASLEEP;
    th->slept_on = place_of(a);
    th->request.op = MODEL_NOTHING;
    leave();
}

void model_futex_wake(const ng_atomic *a) {
    (void)ask(NULL, MODEL_LOCK, NULL, NG_RELAXED, 0, 0);
    unlock();
    for (int t = 1; t < threads; t++)
        if (thread[t].state == ASLEEP && thread[t].slept_on == place_of(a)) {
            thread[t].state = READY;
            return;
        }
}

/* ---- Plain data ---- */

static struct word *word_of(const uint64_t *address) {
    size_t i = ((uintptr_t)address >> 3) % WORDS, tries = 0;
    check_address(address);
    while (word[i].address != address && word[i].address != NULL) {
        i = (i + 1) % WORDS;
        if (++tries == WORDS)
            broken("too many words of plain data");
    }
    word[i].address = address;
    if (word[i].run != run) {
        memset(&word[i], 0, sizeof(word[i]));
        word[i].address = address;
        word[i].run = run;
    }
    return &word[i];
}

static void note_access(const char *function, enum model_op op, const uint64_t *p, uint64_t v) {
    struct event *e = &event[events++];
    *e =
        (struct event){.thread = (uint16_t)self, .step = (uint16_t)thread[self].steps, .function = function, .data = p};
    e->request.op = op;
    e->got = v;
    count_access(&thread[self]);
}

static _Noreturn void race(const uint64_t *p, const char *what, int with, const char *theirs) {
    const char *known = name_of(p);
    model_fail("race: %s %s, which nothing orders after %s's %s", what, known != NULL ? known : "plain data",
               thread_name(with), theirs);
}

/* A step's number is taken before what it releases, so accesses after a step are not covered by its release. */
static uint16_t clock_now(const struct thread *th) { return (uint16_t)(th->steps + 1); }

uint64_t model_data_read(const char *function, const uint64_t *p) {
    struct thread *th = &thread[self];
    struct word *w = word_of(p);
    note_access(function, MODEL_READ, p, *p);
    if (w->writer != self && w->write_clock > th->cur.clock[w->writer])
        race(p, "reads", w->writer, "write");
    w->read_clock[self] = clock_now(th);
    return *p;
}

void model_data_write(const char *function, uint64_t *p, uint64_t v) {
    struct thread *th = &thread[self];
    struct word *w = word_of(p);
    note_access(function, MODEL_WRITE, p, v);
    if (w->writer != self && w->write_clock > th->cur.clock[w->writer])
        race(p, "writes", w->writer, "write");
    for (int t = 0; t < threads; t++)
        if (t != self && w->read_clock[t] > th->cur.clock[t])
            race(p, "writes", t, "read");
    w->writer = (uint16_t)self;
    w->write_clock = clock_now(th);
    *p = v;
}

/* ---- One execution ---- */

static bool runs_at_once(enum model_op op) {
    return op == MODEL_NOTHING || (op == MODEL_STORE && mode == MODEL_REDUCED);
}

/* The next options; 0 where no thread can go on. */
static int options_now(struct option *out) {
    int n = 0, chosen = 0;
    for (int t = 1; t < threads; t++)
        if (thread[t].state == READY && runs_at_once(thread[t].request.op))
            return ways_of(t, out);
    if (mode == MODEL_EVERY) {
        for (int t = 1; t < threads; t++)
            n += ways_of(t, out + n);
        return n;
    }
    for (int t = 1; t < threads; t++) {
        if (ways_of(t, out) == 0)
            continue;
        if (!worth_holding(t))
            return ways_of(t, out);
        if (chosen == 0)
            chosen = t;
    }
    if (chosen == 0)
        return 0;
    n = ways_of(chosen, out);
    out[n++] = (struct option){(uint8_t)chosen, HOLD};
    return n;
}

static void hold(int t) {
    enum model_op op = thread[t].request.op;
    thread[t].held = true;
    thread[t].held_serial = op == MODEL_FENCE ? fences : op == MODEL_LOCK ? buckets : serial;
}

/* A held thread that can never go on: what it was held for will not come. */
static bool guessed_wrong(void) {
    struct option out[OPTIONS];
    for (int t = 1; t < threads; t++)
        if (thread[t].state == READY && thread[t].held && ways_of(t, out) == 0 && !worth_holding(t))
            return true;
    return false;
}

static bool all(int state) {
    for (int t = 1; t < threads; t++)
        if ((int)thread[t].state != state && thread[t].state != DONE)
            return false;
    return true;
}

static void begin(void) {
    run++;
    memset(scenario->state, 0, scenario->state_bytes);
    serial = 1; /* the first stores have 0 */
    fences = buckets = 0;
    bucket_owner = self = depth = events = 0;
    memset(&fence_view, 0, sizeof(fence_view));
    memset(&bucket_view, 0, sizeof(bucket_view));
    struct thread *th = &thread[0];
    memset(&th->cur, 0, sizeof(th->cur));
    th->acquired = th->released = th->cur;
    th->state = READY;
    th->steps = th->accesses = 0;
    th->held = false;
    if (scenario->setup != NULL)
        scenario->setup();
    th->cur.clock[0] = clock_now(th);
    for (int t = 1; t < threads; t++)
        start_thread(t);
}

static void end(void) {
    thread[0].accesses = 0;
    for (int t = 1; t < threads; t++) {
        thread[t].cur.clock[t] = clock_now(&thread[t]);
        join(&thread[0].cur, &thread[t].cur);
    }
    if (scenario->finish != NULL)
        scenario->finish();
}

static int choose(int ways) {
    if (depth == (int)(sizeof(path) / sizeof(path[0])))
        broken("too long a path");
    if (depth == path_length) {
        path[depth].way = 0;
        path[depth].ways = (uint8_t)ways;
        path_length++;
    }
    return path[depth++].way;
}

/* Runs the path, and on along first options to the end. */
static enum { COMPLETE, BLIND, WRONG } execute(void) {
    struct option options[OPTIONS];
    if (_setjmp(run_end) != 0)
        return WRONG;
    begin();
    for (;;) {
        if (mode == MODEL_REDUCED && guessed_wrong())
            return BLIND;
        int ways = options_now(options);
        if (ways == 0)
            break;
        struct option o = options[ways == 1 ? 0 : choose(ways)];
        if (o.way == HOLD) {
            hold(o.thread);
            continue;
        }
        perform(o.thread, o.way);
        enter(o.thread);
    }
    if (!all(ASLEEP))
        return BLIND;
    if (!all(DONE))
        model_fail("no thread can go on, and one sleeps: a wake-up was lost");
    end();
    return COMPLETE;
}

/* ---- Which execution it was ---- */

static uint64_t mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    return h ^ (h >> 29);
}

static uint64_t graph(void) {
    uint64_t sum = 0, nth[2] = {0, 0};
    for (int i = 0; i < events; i++) {
        const struct event *e = &event[i];
        enum model_op op = e->request.op;
        if (e->thread == 0 || e->data != NULL)
            continue;
        uint64_t h = mix(mix(1, e->thread), e->step);
        if (is_read(op))
            h = mix(mix(h, e->from_thread + 1u), e->from_step);
        if (op == MODEL_FENCE || op == MODEL_LOCK)
            h = mix(h, ++nth[op == MODEL_LOCK]);
        sum += mix(h, 7);
    }
    for (int p = 0; p < places; p++)
        for (int s = 0; place[p].run == run && s < place[p].count; s++) {
            const struct store *at = &place[p].store[s];
            sum += at->thread == 0 ? 0 : mix(mix(mix(2, at->rank), at->thread), at->step);
        }
    return sum;
}

static uint64_t *graphs;
static uint64_t graphs_size, graphs_used;

static bool graph_is_new(uint64_t g) {
    if (graphs == NULL)
        graphs = calloc(graphs_size = 1u << 20, sizeof(*graphs));
    if (graphs == NULL || graphs_used > graphs_size / 2)
        broken("too many executions to tell apart");
    uint64_t i = g % graphs_size;
    while (graphs[i] != 0 && graphs[i] != g)
        i = (i + 1) % graphs_size;
    bool fresh = graphs[i] == 0;
    graphs[i] = g;
    graphs_used += fresh;
    return fresh;
}

static void forget_graphs(void) {
    free(graphs);
    graphs = NULL;
    graphs_used = 0;
}

/* ---- The search ---- */

static bool next_path(void) {
    path_length = depth;
    while (path_length > 0 && path[path_length - 1].way + 1 == path[path_length - 1].ways)
        path_length--;
    if (path_length == 0)
        return false;
    path[path_length - 1].way++;
    return true;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void choose_scenario(const struct model_scenario *s) {
    if (scenario != s) {
        names = 0;
        for (int t = 0; t < THREADS; t++)
            thread[t].started = false;
    }
    scenario = s;
    threads = 1;
    while (threads < THREADS && s->thread[threads - 1].run != NULL)
        threads++;
    places = path_length = 0;
    memset(word, 0, sizeof(word));
    memset(place, 0, sizeof(place));
    memset(last, 0, sizeof(last));
    error[0] = 0;
}

struct model_result model_explore(const struct model_scenario *s, enum model_mode m, bool count_distinct) {
    struct model_result result = {0};
    double from = seconds_now();
    choose_scenario(s);
    mode = m;
    do {
        grew = false;
        int end_of_run = execute();
        result.failed = end_of_run == WRONG;
        if (grew && mode == MODEL_REDUCED && !result.failed) {
            path_length = depth = 0;
            result = (struct model_result){0};
            forget_graphs();
            continue;
        }
        result.executions += end_of_run == COMPLETE;
        result.blind += end_of_run == BLIND;
        if (count_distinct && end_of_run == COMPLETE) {
            uint64_t g = graph();
            if (graph_is_new(g)) {
                result.distinct++;
                result.digest += mix(g, 3);
            }
        }
    } while (!result.failed && (grew || next_path()));
    forget_graphs();
    result.seconds = seconds_now() - from;
    return result;
}

/* ---- Traces ---- */

const char *model_order_name(int order) {
    switch (order) {
    case NG_RELAXED:
        return "RELAXED";
    case NG_ACQUIRE:
        return "ACQUIRE";
    case NG_RELEASE:
        return "RELEASE";
    case NG_ACQ_REL:
        return "ACQ_REL";
    default:
        return "SEQ_CST";
    }
}

const char *model_op_name(enum model_op op) {
    static const char *const text[] = {"",    "load",  "store",        "swap", "add",
                                       "cas", "fence", "futex's lock", "read", "write"};
    return text[op];
}

static const char *value_text(uint64_t v) {
    static char text[4][32];
    static unsigned next;
    char *t = text[next++ % 4];
    const char *known = v > 4096 ? name_of((const void *)(uintptr_t)v) : NULL;
    if (known != NULL)
        snprintf(t, sizeof(text[0]), "&%s", known);
    else if (v >> 32 != 0 && v >> 32 < 4096)
        snprintf(t, sizeof(text[0]), "%u:%u", (unsigned)(v >> 32), (unsigned)v);
    else
        snprintf(t, sizeof(text[0]), "%llu", (unsigned long long)v);
    return t;
}

static void print_operation(const struct event *e) {
    const struct request *q = &e->request;
    const void *address = e->data != NULL ? e->data : q->op < MODEL_FENCE ? place[q->place].address : NULL;
    const char *what = address != NULL ? name_of(address) : NULL;
    printf("%-5s %s", model_op_name(q->op), what != NULL ? what : q->site != NULL ? q->site->operand : "");
    if (is_read(q->op) || q->op == MODEL_READ)
        printf(" is %s", value_text(e->got));
    if (q->op == MODEL_WRITE)
        printf(" becomes %s", value_text(e->got));
    if (q->op < MODEL_FENCE && e->stored)
        printf(" becomes %s", value_text(q->op == MODEL_ADD ? q->value + e->got : q->value));
    if (q->op == MODEL_CAS && !e->stored)
        printf(" (not %s: fails)", value_text(q->expected));
    if (q->op < MODEL_FENCE)
        printf(" %s", model_order_name(q->order));
    if (is_read(q->op) && (e->from_thread != 0 || e->from_step != 0))
        printf(", from %s #%d", thread_name(e->from_thread), e->from_step);
    if (e->newer > 0)
        printf(", %d newer unseen", e->newer);
}

void model_print_error(void) {
    printf("  %s\n    (a thread's atomic operations are numbered #1, #2, ...)\n", error);
    for (int i = 0; i < events; i++) {
        const struct event *e = &event[i];
        char step[16] = "";
        if (e->data == NULL)
            snprintf(step, sizeof(step), "#%d", e->step);
        printf("    %-12s %-4s", thread_name(e->thread), step);
        print_operation(e);
        printf("   [%s]\n", e->function);
    }
    for (int t = 1; t < threads; t++)
        if (thread[t].state == ASLEEP)
            printf("    %-12s sleeps on %s\n", thread_name(t), name_of(place[thread[t].slept_on].address));
}
