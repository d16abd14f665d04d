/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Where memory is short bounds tighten: near a limit nothing is faulted in ahead, and when the kernel says that somebody
 * waits for memory what is free goes back at once, whatever the decay.  The limits are a folder of files here, which the
 * test writes.
 * Usage: memory_short limits|near|later|at_once|stalled
 */
#include "heap.h"

#include "os/os.h"
#include "room/pages.h"
#include "room/pressure.h"

#include <sys/stat.h>

#define MIB ((size_t)1 << 20)

static char folder[] = "/tmp/memory_short.XXXXXX";

static void tell(const char *file, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static void forget_all(void) {
    static const char *const names[] = {"memory.max",    "memory.high",     "memory.current", "memory.stat",
                                        "memory.events", "memory.pressure", "pressure"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void limits(void) {
    struct ng_os_memory m = ng_os_memory();
    CHECK(m.left == UINT64_MAX && !m.near && m.stalled_us == 0 && m.events == 0,
          "a folder without files limits something");
    tell("memory.max", "max\n");
    tell("memory.current", "900\n");
    CHECK(ng_os_memory().left == UINT64_MAX, "\"max\" is no limit");
    tell("memory.max", "1000\n");
    m = ng_os_memory();
    CHECK(m.left == 100 && m.near, "900 of 1000: %llu left", (unsigned long long)m.left);
    tell("memory.stat", "anon 500\nfile 400\nworkingset_inactive_file 390\ninactive_file 300\n");
    m = ng_os_memory();
    CHECK(m.left == 400 && !m.near, "files make way: %llu left", (unsigned long long)m.left);
    tell("memory.high", "650\n");
    m = ng_os_memory();
    CHECK(m.left == 50 && m.near, "memory.high counts: %llu left", (unsigned long long)m.left);
    tell("memory.events", "low 0\nhigh 3\nmax 2\noom 0\n");
    tell("memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.00 total=5\n");
    m = ng_os_memory();
    CHECK(m.events == 5 && m.stalled_us == 77, "%llu events, %llu us", (unsigned long long)m.events,
          (unsigned long long)m.stalled_us);
}

static void grow(size_t bytes) {
    for (size_t sum = 0; sum < bytes; sum += 512)
        memset(heap_alloc(512), 1, 512);
}

/* What the room faults in while the heap grows, in pages. */
static uint64_t ahead_while_growing(void) {
    grow(32 * MIB); /* the room starts */
    uint64_t before = ng_pages_faults();
    for (int i = 0; i < 40; i++) {
        grow(2 * MIB);
        test_sleep_ms(2);
    }
    return ng_pages_faults() - before;
}

static void near_a_limit(void) {
    tell("memory.max", "1000000000\n");
    tell("memory.current", "100000000\n");
    CHECK(ahead_while_growing() != 0, "far from the limit nothing is faulted in ahead: the test shows nothing");
    tell("memory.current", "990000000\n");
    grow(256 * MIB); /* more than a quarter of what was left: it looks again */
    test_sleep_ms(50);
    CHECK(ng_pressure_near(), "the limit is not seen");
    uint64_t faults = ahead_while_growing();
    CHECK(faults == 0, "%llu pages faulted in ahead near the limit", (unsigned long long)faults);
}

/* A thread without a room does not stop to read files when the program has just begun. */
static void later(void) {
    uint64_t now = ng_os_now(), ms = 1000000;
    void *large[3];
    for (int i = 0; i < 3; i++)
        memset(large[i] = heap_alloc(16 * MIB), 1, 16 * MIB);
    tell("memory.max", "1000000000\n");
    tell("memory.current", "990000000\n");
    for (int i = 0; i < 3; i++) {
        heap_free(large[i]); /* something to give back: else there is nothing to look for */
        (void)ng_pages_tick(now + (uint64_t)i * 600 * ms);
        CHECK(ng_pressure_near() == (i == 2), "%d ms after its start", i * 600);
    }
}

/* But a room does before it faults pages in, though a thread has put off its own look. */
static void at_once(void) {
    tell("memory.max", "1000000000\n");
    tell("memory.current", "990000000\n");
    uint64_t now = ng_os_now();
    ng_pressure_look_later(now);
    ng_pressure_look_later(now + 1000);
    CHECK(!ng_pressure_near(), "a thread looked");
    ng_pressure_look(now + 2000);
    CHECK(ng_pressure_near(), "the room did not look");
}

/* Not in line in main, which libc calls: the room would take the call for libc's. */
static __attribute__((noinline)) void stalled(void) {
    tell("pressure", "some avg10=0.00 total=1000\n");
    size_t count = 200 * MIB / 4096;
    void **block = heap_alloc(count * sizeof *block);
    for (size_t i = 0; i < count; i++)
        memset(block[i] = heap_alloc(4096), 1, 4096);
    for (size_t i = 0; i < count; i++)
        heap_free(block[i]);
    test_sleep_ms(1500); /* it has looked */
    size_t full = test_rss();
    CHECK(full > 150 * MIB, "with a decay of a minute %zu MiB are left after 1.5 s: the test shows nothing",
          full / MIB);
    tell("pressure", "some avg10=9.00 total=900000\n");
    size_t left = full;
    for (int i = 0; i < 40 && (left = test_rss()) > 60 * MIB; i++)
        test_sleep_ms(100);
    CHECK(left <= 60 * MIB, "4 s after somebody waited for memory %zu MiB are left", left / MIB);
    CHECK(ng_pressure_short(), "memory is not short");
}

int main(int argc, char **argv) {
    static char pressure[256];
    CHECK(argc == 2 && mkdtemp(folder) != NULL);
    atexit(forget_all);
    ng_os_cgroup_folder = folder;
    snprintf(pressure, sizeof pressure, "%s/pressure", folder);
    ng_os_pressure_file = pressure;
    if (TEST_SANITIZED && strcmp(argv[1], "stalled") == 0)
        test_skip("a sanitizer's own memory hides the allocator's");
    test_begin();
    if (strcmp(argv[1], "limits") == 0)
        limits();
    else if (strcmp(argv[1], "near") == 0)
        near_a_limit();
    else if (strcmp(argv[1], "later") == 0)
        later();
    else if (strcmp(argv[1], "at_once") == 0)
        at_once();
    else
        stalled();
    return 0;
}
