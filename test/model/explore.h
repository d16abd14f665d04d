/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * explore.h: the model checker of runtime/channel: what a scenario is, and what it may call.
 *
 * A scenario is a few threads, each a C function, that run the channel's own code on a small state.  The explorer runs
 * it again and again, once for each execution that the memory model allows, and stops at the first error: a check that
 * fails, two unordered accesses to plain data, or threads that sleep for ever.  docs/model.md says what the memory model is.
 */
#ifndef NG_MODEL_EXPLORE_H
#define NG_MODEL_EXPLORE_H

#include "channel/atomic.h"
#include <stddef.h>

enum { MODEL_MAX_THREADS = 4 };

/* All mutable memory of a scenario is `state`: the explorer zeroes it before each execution. */
struct model_scenario {
    const char *name;
    void *state;
    size_t state_bytes;
    void (*setup)(void); /* before the threads, ordered before all they do; may be NULL */
    struct {
        const char *name;
        void (*run)(void);
    } thread[MODEL_MAX_THREADS]; /* the first with run == NULL ends the list */
    void (*finish)(void);        /* after the threads, ordered after all they did; may be NULL */
};

/* A mutant that no scenario of the list can tell from the original, and why that is right. */
struct model_harmless {
    const char *mutant;
    const char *why;
};

/* Mutants that are no weakened site. */
#define MODEL_NO_VERSION (1u << 0) /* what a CAS stores loses its upper half: the stack's version */
#define MODEL_NO_COMPARE (1u << 1) /* the futex sleeps without looking at its word */

struct model_suite {
    const struct model_scenario *scenario; /* ends with name == NULL */
    const struct model_harmless *harmless; /* ends with mutant == NULL; may be NULL */
    unsigned extra;                        /* of MODEL_NO_... */
};

/* Explores every scenario, then every mutant until a scenario finds it; the exit status of the test. */
int model_main(const struct model_suite *suite, int argc, char **argv);

enum model_mode {
    MODEL_REDUCED, /* each execution once */
    MODEL_EVERY,   /* every interleaving: the reduction is checked against it */
};

struct model_result {
    uint64_t executions; /* complete ones */
    uint64_t distinct;   /* of them, where count_distinct was asked for */
    uint64_t digest;     /* of the set of distinct ones */
    uint64_t blind;      /* guesses of the reduction that came to nothing */
    double seconds;
    bool failed;
};

struct model_result model_explore(const struct model_scenario *scenario, enum model_mode mode, bool count_distinct);

/* One change to the code under test, in force while it is set. */
struct model_mutation {
    enum { MODEL_UNCHANGED, MODEL_WEAKEN, MODEL_DROP, MODEL_SPLIT, MODEL_EXTRA } kind;
    const struct model_site *site;
    int order;      /* MODEL_WEAKEN: the order that the site has instead */
    unsigned extra; /* MODEL_EXTRA: one of MODEL_NO_... */
};
extern struct model_mutation model_mutation;

/* The call sites met so far. */
enum { MODEL_MAX_SITES = 128 };
extern struct model_site *model_sites[MODEL_MAX_SITES];
extern int model_site_count;
const char *model_order_name(int order);
const char *model_op_name(enum model_op op);
const char *model_error(void);

/* The last error found and the execution that leads to it, on stdout. */
void model_print_error(void);

/* For setup: how traces call an atomic, a data word, or the address of one as a value. */
void model_name(const volatile void *address, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For threads and finish: an error of the code under test. */
_Noreturn void model_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define MODEL_CHECK(condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            model_fail(__VA_ARGS__);                                                                                   \
    } while (0)

/* The system calls of parking.  wait sleeps if the word holds `expected`; looking and falling asleep are one step under
 * the futex's lock.  wake ends the sleep of one waiter, under the same lock. */
void model_futex_wait(const ng_atomic *word, uint64_t expected);
void model_futex_wake(const ng_atomic *word);

#endif
