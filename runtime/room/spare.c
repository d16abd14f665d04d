/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * spare.c: see spare.h.
 */
#include "room/spare.h"

#include "os/os.h"

enum {
    GAP_NS = 500000, /* a turn without work takes less, unless something else ran */
    LOST_PART = 8,   /* of the window, at least 4 ms: so much lost is too much */
    LEAST_AWAKE_NS = 4000000,
    WINDOW_NS = 200000, /* awake for less says nothing about how much work there is */
    LONGEST_WINDOW_NS = 1000000,
    WORK_PART = 4,        /* of the window, to go on spinning */
    PERIOD_NS = 50000000, /* the kernel counts a running thread's time by ticks of up to 10 ms */
    FIRST_REST_NS = PERIOD_NS,
    LONGEST_REST_NS = 400000000,
    CPUS_NS = 1000000000, /* to ask means to read files */
};

static void rest_longer(struct ng_spare *s) {
    uint64_t twice = 2 * s->rest;
    s->rest = twice < FIRST_REST_NS ? FIRST_REST_NS : twice > LONGEST_REST_NS ? LONGEST_REST_NS : twice;
}

static void begin_window(struct ng_spare *s, uint64_t now) {
    s->since = s->seen = now;
    s->lost = s->worked = 0;
}

static void begin_period(struct ng_spare *s, uint64_t now) {
    s->period_at = now;
    s->period_cpu = ng_os_cpu_time();
    s->awake = 0;
}

void ng_spare_begin(struct ng_spare *s, uint64_t now) {
    begin_window(s, now);
    begin_period(s, now);
    s->rest = 0;
    s->cpus_at = now;
}

bool ng_spare_at_start(struct ng_spare *s, uint64_t now) {
    if (s->period_at == 0) {
        begin_period(s, now);
        s->rest = PERIOD_NS;
        return false;
    }
    return ng_spare_woken(s, now);
}

bool ng_spare_turn(struct ng_spare *s, uint64_t begin, uint64_t now, bool work) {
    uint64_t gap = (work ? begin : now) - s->seen;
    s->seen = now;
    if (work)
        s->worked += now - begin;
    if (gap >= GAP_NS)
        s->lost += gap;
    uint64_t awake = now - s->since;
    if (s->lost * LOST_PART >= (awake < LEAST_AWAKE_NS ? LEAST_AWAKE_NS : awake)) {
        rest_longer(s);
        return false;
    }
    if (awake >= LONGEST_WINDOW_NS && s->lost == 0) {
        s->awake += awake;
        begin_window(s, now);
    }
    return true;
}

bool ng_spare_is_busy(const struct ng_spare *s, uint64_t now) {
    uint64_t awake = now - s->since;
    return awake < WINDOW_NS || s->worked * WORK_PART >= awake;
}

bool ng_spare_too_few(struct ng_spare *s, uint64_t now) {
    if (now - s->cpus_at >= CPUS_NS) {
        s->cpus = ng_os_cpus(true);
        s->cpus_at = now;
        if (s->cpus < 2)
            s->rest = LONGEST_REST_NS;
    }
    return s->cpus < 2;
}

void ng_spare_sleep(struct ng_spare *s, uint64_t now) { s->awake += now - s->since; }

bool ng_spare_woken(struct ng_spare *s, uint64_t now) {
    begin_window(s, now);
    if (ng_spare_too_few(s, now))
        return false;
    uint64_t wall = now - s->period_at;
    if (wall < PERIOD_NS)
        return true;
    /* Three quarters of the last core are enough to say that it is needed.  While the room itself ran for most of the time
     * the sum says nothing: gaps do. */
    uint64_t used = ng_os_cpu_time() - s->period_cpu;
    bool spare = 2 * s->awake > wall || used + wall / 4 < s->cpus * wall;
    begin_period(s, now);
    if (spare)
        s->rest = 0;
    else
        rest_longer(s);
    return spare;
}
