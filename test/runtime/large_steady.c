/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program that allocates, fills and frees buffers of 1 to 30 MiB in a loop takes no page fault for them once it has been
 * through a few, whatever their sizes and their order; no_system_calls.large counts the calls.
 */
#include "heap.h"

#include <sys/resource.h>

enum { LIVE = 4, WARM_UP = 300, ROUNDS = 400, MOST_FAULTS = 64 };

static char *live[LIVE];
static size_t sizes[LIVE];

static void turn(uint64_t *random) {
    size_t at = test_random(random) % LIVE;
    for (size_t i = 0; i < sizes[at]; i += 4096)
        CHECK(live[at][i] == (char)sizes[at]);
    heap_free(live[at]);
    sizes[at] = ((size_t)1 << 20) + test_random(random) % ((size_t)29 << 20);
    live[at] = heap_alloc(sizes[at]);
    CHECK(live[at] != NULL);
    for (size_t i = 0; i < sizes[at]; i += 4096)
        live[at][i] = (char)sizes[at];
}

static long faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

int main(void) {
    uint64_t random = 77;
    if (TEST_SANITIZED)
        test_skip("a sanitizer takes page faults of its own");
    test_begin();
    for (size_t i = 0; i < WARM_UP; i++)
        turn(&random);
    long before = faults();
    for (size_t i = 0; i < ROUNDS; i++)
        turn(&random);
    long taken = faults() - before;
    dprintf(1, "%ld page faults for %d buffers\n", taken, ROUNDS);
    CHECK(taken <= MOST_FAULTS, "%ld page faults for %d buffers", taken, ROUNDS);
    return 0;
}
