/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * model.h: what offloading an allocator costs and saves, as arithmetic: section 4.1 of the paper, and what follows for a
 * queue, for a handshake, for kinds of cores and for numbers of threads.  No state; any thread.
 */
#ifndef NG_MODEL_H
#define NG_MODEL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Every input: name, default (NEEDED: none, ABSENT: the part of the report that needs it is left out), least, most, unit, meaning.
 * The one list for the parser, the help, and the structure.
 */
#define NG_MODEL_NEEDED (-1.0)
#define NG_MODEL_ABSENT (-2.0)
#define NG_MODEL_INPUTS(I)                                                                                             \
    I(mallocs, NG_MODEL_NEEDED, 0, 1e18, "calls", "of malloc and its like in the run")                                 \
    I(frees, NG_MODEL_NEEDED, 0, 1e18, "calls", "of free")                                                             \
    I(instructions, NG_MODEL_ABSENT, 1, 1e18, "", "of the run; more than calls")                                       \
    I(seconds, NG_MODEL_ABSENT, 1e-6, 1e9, "s", "that the run took, its threads serving themselves")                   \
    I(faults, NG_MODEL_ABSENT, 0, 1e15, "", "page faults of the program's threads in it")                              \
    I(refills, NG_MODEL_ABSENT, 0, 1e18, "", "times that a thread's cache was empty in it")                            \
    I(threads, 1, 1, 4096, "", "that the program keeps busy")                                                          \
    I(cpus, 2, 1, 4096, "", "that it may use")                                                                         \
    I(misses_saved, 0, 0, 1e6, "a call", "misses that the program does not take for each call that is moved")          \
    I(atomics, 4, 0, 1000, "a call", "atomic operations of a question and its answer")                                 \
    I(atomic_cycles, 67, 0, 1e6, "cycles", "one of them takes")                                                        \
    I(miss_cycles, 214, 1, 1e6, "cycles", "a miss of the last level takes")                                            \
    I(ghz, 3, 0.01, 20, "GHz", "cycles in a nanosecond")                                                               \
    I(round_trip_ns, 100, 0, 1e7, "ns", "a line takes to another core and back")                                       \
    I(fault_small_ns, 500, 0, 1e7, "ns", "a page fault takes")                                                         \
    I(fault_huge_ns, 100000, 0, 1e9, "ns", "a page fault of 2 MiB takes")                                              \
    I(hit_cycles, 6, 0, 1e6, "cycles", "a call takes where blocks are ready")                                          \
    I(work_cycles, 40, 0, 1e6, "cycles", "of the allocator's work for each pair of calls, which can be moved")         \
    I(batch, 64, 1, 1e6, "blocks", "that go with one message")                                                         \
    I(room_start_pages, 2048, 0, 1e9, "pages", "of the heap before the room's thread starts")                          \
    I(room_lead, 0.65, 0, 1, "", "of the later page faults that the room takes before the program does")               \
    I(small_speed, 0.4, 0.01, 1, "", "of a small in-order core, against the program's")                                \
    I(small_miss, 0.5, 0.01, 10, "", "what a miss costs a small core that sits near memory, against the program's")    \
    I(small_cost, 0.25, 0, 1, "cores", "that a small core takes the place of")                                         \
    I(smt_speed, 0.6, 0.01, 1, "", "of an SMT sibling, against a core of its own")                                     \
    I(smt_slowdown, 0.25, 0, 1, "", "of the program while its sibling works")                                          \
    I(smt_round_trip_ns, 10, 0, 1e7, "ns", "a line takes to the sibling and back")                                     \
    I(miss_share, 0.3, 0, 1, "", "of the allocator's work that is waiting for memory")

struct ng_model_inputs {
#define NG_MODEL_FIELD(name, value, least, most, unit, text) double name;
    NG_MODEL_INPUTS(NG_MODEL_FIELD)
#undef NG_MODEL_FIELD
};

/* The paper's sum. */
struct ng_model_paper {
    double calls, overhead_cycles, cycles_per_call, break_even_misses;
    double net_cycles; /* what misses_saved saves, less the overhead; above 0: it pays */
};

/* One way to work together, for one run: what each call costs the program, what the room does. */
struct ng_model_way {
    double cost_ns;  /* of all hand-overs, on the program's core */
    double saved_ns; /* work, faults and misses that the program does not do */
    double net_ns;
    double break_even_misses; /* saved a call, for it to pay by misses alone */
};

enum ng_model_core { NG_MODEL_BIG, NG_MODEL_SMALL, NG_MODEL_SMT, NG_MODEL_CORES };

struct ng_model_room {
    double load;    /* share of its time that the room works; more than 1: it is too slow */
    double seconds; /* the run's, with it */
    double cost;    /* cores that it takes the place of */
};

struct ng_model_paper ng_model_paper(const struct ng_model_inputs *in);
struct ng_model_way ng_model_queue(const struct ng_model_inputs *in);
struct ng_model_way ng_model_handshake(const struct ng_model_inputs *in);

/* The rest needs `seconds` and `faults`. */
/* Elapsed seconds with the room on a core of its own, by queue; those of the run where there is none to spare. */
double ng_model_elapsed(const struct ng_model_inputs *in);
struct ng_model_room ng_model_core(const struct ng_model_inputs *in, enum ng_model_core kind);
/* The kind that gives most for the cores that it takes the place of. */
enum ng_model_core ng_model_best_core(const struct ng_model_inputs *in);
/* The load of one room by so many threads like the run's. */
double ng_model_load(const struct ng_model_inputs *in, double threads);
/* Work done in a second by so many threads and rooms, against one thread that serves itself. */
double ng_model_throughput(const struct ng_model_inputs *in, double threads, double rooms);
/* The least number of threads from 2 to 256 at which a core gives more as a second room than as one more thread; 0: none. */
int ng_model_second_room(const struct ng_model_inputs *in);
/* The most threads from 2 to 256 that one room keeps up with; 0: not 2. */
int ng_model_most_threads(const struct ng_model_inputs *in);

#endif
