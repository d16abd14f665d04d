/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The room leaves the core of the thread that wakes it, where there is another one: the thread goes to where the room last ran, the heap
 * grows, and when the room was woken it must have worked elsewhere.
 */
#include "heap.h"
#include "tasks.h"

#include "os/os.h"
#include "room/room.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

enum { BLOCK = 96, STEP = 256, LEAST_WAKES = 20, MOST_WAKES = 150, MOST_STEPS = 8000, BESIDE_PART = 4 };

/* The processor on which a thread ran last. */
static int processor_of(int task) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", task);
    CHECK(test_read_file(path, text, sizeof text) > 0, "%s", path);
    const char *at = strrchr(text, ')') + 1; /* field 2 ends; the processor is field 39 */
    for (int field = 2; field < 39 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    CHECK(at != NULL, "%s", text);
    return atoi(at);
}

/* To a processor, and to wherever the kernel likes from there on. */
static void go_to(int cpu, const cpu_set_t *own) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0 && sched_setaffinity(0, sizeof *own, own) == 0);
}

static void leaves_one_and_keeps_its_affinity(const cpu_set_t *own) {
    cpu_set_t after;
    int elsewhere = 0;
    for (int i = 0; i < 100; i++) {
        int cpu = sched_getcpu();
        ng_os_leave_cpu(cpu);
        elsewhere += sched_getcpu() != cpu;
    }
    CHECK(elsewhere > 20, "moved %d times of 100", elsewhere);
    CHECK(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(own, &after));
}

/* What the kernel remembers for some hundred milliseconds: all processors were busy. */
static void busy_processors(void) {
    pid_t spins[4];
    for (size_t i = 0; i < sizeof spins / sizeof spins[0]; i++)
        if ((spins[i] = fork()) == 0)
            for (;;)
                ;
    test_sleep_ms(300);
    for (size_t i = 0; i < sizeof spins / sizeof spins[0]; i++) {
        kill(spins[i], SIGKILL);
        waitpid(spins[i], NULL, 0);
    }
}

/* Out of line: the room is invited by the caller's address, and libc calls main. */
__attribute__((noinline)) static void grow(void) {
    for (int i = 0; i < STEP; i++)
        memset(heap_alloc(BLOCK), 1, BLOCK);
}

int main(void) {
    cpu_set_t own;
    test_begin();
    CHECK(sched_getaffinity(0, sizeof own, &own) == 0);
    if (CPU_COUNT(&own) < 2)
        test_skip("one processor: no other one to go to");
    leaves_one_and_keeps_its_affinity(&own);
    busy_processors();
    int room = 0;
    for (int step = 0; step < MOST_STEPS && (room = tasks_room(getpid())) == 0; step++)
        grow();
    CHECK(room != 0, "no room");
    go_to(processor_of(room), &own);
    struct ng_room_counts before = ng_room_counts(), now = before;
    unsigned busy = 0, steps = 0;
    for (int step = 0; step < MOST_STEPS && now.wakes < before.wakes + MOST_WAKES; step++) {
        while (ng_room_awake())
            ;
        busy += ng_os_running() >= (unsigned)CPU_COUNT(&own);
        grow();
        now = ng_room_counts();
        steps++;
    }
    if (busy * BESIDE_PART > steps)
        test_skip("other programs use the processors");
    uint64_t woken = now.wakes - before.wakes, beside = now.beside - before.beside;
    dprintf(1, "woken %llu times, worked %llu times on the program's core\n", (unsigned long long)woken,
            (unsigned long long)beside);
    CHECK(woken >= LEAST_WAKES);
    CHECK(beside * BESIDE_PART <= woken, "it has another core to work on");
    return 0;
}
