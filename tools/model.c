/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * model.c: see model.h; docs/ng-model.md derives each line.
 */
#include "model.h"

enum { LEAST_THREADS = 2, MOST_THREADS = 256 };

static const double pages_of_huge = 512;

static double calls(const struct ng_model_inputs *in) { return in->mallocs + in->frees; }

static double known(double value) { return value >= 0 ? value : 0; }

struct ng_model_paper ng_model_paper(const struct ng_model_inputs *in) {
    struct ng_model_paper p = {.calls = calls(in), .cycles_per_call = in->atomics * in->atomic_cycles};
    p.overhead_cycles = p.calls * p.cycles_per_call;
    p.break_even_misses = p.cycles_per_call / in->miss_cycles;
    p.net_cycles = p.calls * in->misses_saved * in->miss_cycles - p.overhead_cycles;
    return p;
}

/* ---- what can be moved ---- */

static double miss_ns(const struct ng_model_inputs *in) { return in->miss_cycles / in->ghz; }

/* The allocator's own work, for each second of the run or for all of it. */
static double work_ns(const struct ng_model_inputs *in) { return calls(in) / 2 * in->work_cycles / in->ghz; }

/* What a page costs the room, which takes the cheaper kind. */
static double room_page_ns(const struct ng_model_inputs *in) {
    double huge = in->fault_huge_ns / pages_of_huge;
    return huge < in->fault_small_ns ? huge : in->fault_small_ns;
}

/* Faults that the room takes: not those before it starts, for blocks of at most a page only (so no more than there were
 * blocks in refills), and no more than it finds time for while the program works. */
static double moved_faults(const struct ng_model_inputs *in) {
    double faults = (known(in->faults) - in->room_start_pages) * in->room_lead;
    if (faults <= 0 || in->seconds <= 0)
        return 0;
    if (in->refills >= 0 && faults > in->refills * in->batch)
        faults = in->refills * in->batch;
    double rest_ns = in->seconds * 1e9 - known(in->faults) * in->fault_small_ns;
    double most = rest_ns > 0 && room_page_ns(in) > 0 ? rest_ns / room_page_ns(in) : 0;
    return faults < most ? faults : most;
}

/* Work of the room that is its own: refills that threads do not do.  Without a count, all of the work. */
static double moved_work_ns(const struct ng_model_inputs *in) {
    if (in->refills < 0)
        return work_ns(in);
    double most = in->refills * in->batch * in->work_cycles / in->ghz;
    return most < work_ns(in) ? most : work_ns(in);
}

static double messages(const struct ng_model_inputs *in) {
    return in->refills >= 0 ? in->refills : calls(in) / in->batch;
}

/* ---- ways ---- */

static struct ng_model_way finish(const struct ng_model_inputs *in, struct ng_model_way w) {
    double n = calls(in);
    w.saved_ns = moved_work_ns(in) + moved_faults(in) * in->fault_small_ns + n * in->misses_saved * miss_ns(in);
    w.net_ns = w.saved_ns - w.cost_ns;
    w.break_even_misses = n > 0 ? w.cost_ns / n / miss_ns(in) : 0;
    return w;
}

/* A message is one line that comes from the other core. */
struct ng_model_way ng_model_queue(const struct ng_model_inputs *in) {
    return finish(in, (struct ng_model_way){.cost_ns = messages(in) * in->round_trip_ns / 2});
}

/* A malloc waits for its answer, a free posts and goes on. */
struct ng_model_way ng_model_handshake(const struct ng_model_inputs *in) {
    double wait = in->round_trip_ns + in->work_cycles / 2 / in->ghz;
    double post = in->atomics / 2 * in->atomic_cycles / in->ghz;
    return finish(in, (struct ng_model_way){.cost_ns = in->mallocs * wait + in->frees * post});
}

/* ---- runs ---- */

double ng_model_elapsed(const struct ng_model_inputs *in) {
    if (in->threads + 1 > in->cpus)
        return in->seconds;
    double saved = ng_model_queue(in).net_ns / 1e9 / in->threads;
    /* A run that hardly allocates never starts the room. */
    if (known(in->faults) < in->room_start_pages && known(in->refills) * in->batch < 1e6)
        saved = 0;
    double floor = in->seconds / 10;
    return in->seconds - saved > floor ? in->seconds - saved : floor;
}

static double room_ns(const struct ng_model_inputs *in) {
    return moved_work_ns(in) + moved_faults(in) * room_page_ns(in);
}

struct ng_model_room ng_model_core(const struct ng_model_inputs *in, enum ng_model_core kind) {
    struct ng_model_inputs machine = *in;
    double speed = 1, slow = 0;
    struct ng_model_room r = {.cost = 1};
    machine.cpus = machine.threads + 1;
    if (kind == NG_MODEL_SMALL) {
        speed = 1 / ((1 - in->miss_share) / in->small_speed + in->miss_share * in->small_miss);
        r.cost = in->small_cost;
    } else if (kind == NG_MODEL_SMT) {
        speed = in->smt_speed;
        slow = in->smt_slowdown;
        machine.round_trip_ns = in->smt_round_trip_ns;
        r.cost = 0;
    }
    double seconds = ng_model_elapsed(&machine);
    r.load = room_ns(in) / speed / (seconds * 1e9);
    /* What a room does not find time for, the threads do. */
    double undone = r.load > 1 ? (1 - 1 / r.load) * (in->seconds - seconds) : 0;
    double busy = r.load < 1 ? r.load : 1;
    r.seconds = (seconds + undone) * (1 + slow * busy);
    return r;
}

/* Runs in a second for each core that is used: the program's and what the room takes the place of. */
static double worth(const struct ng_model_inputs *in, enum ng_model_core kind) {
    struct ng_model_room r = ng_model_core(in, kind);
    return 1 / r.seconds / (in->threads + r.cost);
}

enum ng_model_core ng_model_best_core(const struct ng_model_inputs *in) {
    enum ng_model_core best = NG_MODEL_BIG;
    for (int k = 1; k < NG_MODEL_CORES; ++k)
        if (worth(in, (enum ng_model_core)k) > worth(in, best))
            best = (enum ng_model_core)k;
    return best;
}

/* ---- threads ---- */

/* One thread's second, split: what it does itself, and what a room can do for it. */
struct second {
    double own, movable, room;
};

static struct second second_of(const struct ng_model_inputs *in) {
    double all = in->seconds * in->threads;
    double movable = (ng_model_queue(in).saved_ns) / 1e9;
    double cost = ng_model_queue(in).cost_ns / 1e9;
    movable = movable < all * 0.9 ? movable : all * 0.9;
    return (struct second){(all - movable + cost) / all, movable / all, room_ns(in) / 1e9 / all};
}

double ng_model_load(const struct ng_model_inputs *in, double threads) {
    struct second s = second_of(in);
    return threads * s.room / s.own;
}

double ng_model_throughput(const struct ng_model_inputs *in, double threads, double rooms) {
    struct second s = second_of(in);
    double load = ng_model_load(in, threads);
    double undone = load > rooms ? 1 - rooms / load : 0;
    return threads / (s.own + undone * s.movable);
}

int ng_model_second_room(const struct ng_model_inputs *in) {
    for (int n = LEAST_THREADS; n <= MOST_THREADS; ++n)
        if (ng_model_throughput(in, n, 2) > ng_model_throughput(in, n + 1, 1))
            return n;
    return 0;
}

int ng_model_most_threads(const struct ng_model_inputs *in) {
    int most = 0;
    for (int n = LEAST_THREADS; n <= MOST_THREADS && ng_model_load(in, n) <= 1; ++n)
        most = n;
    return most;
}
