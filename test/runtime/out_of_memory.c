/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What cannot be served returns NULL with ENOMEM, what is live stays whole, and once memory is freed it serves again.
 * Usage: out_of_memory absurd|limit|fork|address_space
 * `limit` and `fork` expect to be started with NGRT_LIMIT of at most 256 MiB.
 */
#include "heap.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct link {
    struct link *next;
    size_t size;
    uint64_t seed;
    unsigned char bytes[];
};

static void must_fail(void *p) {
    int error = errno;
    CHECK(p == NULL && error == ENOMEM, "returned %p, errno %d", p, error);
    errno = 0;
}

static void absurd_requests(void) {
    volatile size_t sizes[] = {PTRDIFF_MAX,   (size_t)PTRDIFF_MAX + 1, SIZE_MAX,
                               SIZE_MAX - 15, SIZE_MAX - 4096,         (size_t)1 << 62};
    errno = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        must_fail(heap_alloc(sizes[i]));
        must_fail(heap_zeroed(sizes[i]));
        must_fail(heap_aligned(64, sizes[i]));
        must_fail(heap_aligned((size_t)1 << 30, sizes[i]));
        void *p = heap_alloc(500);
        CHECK(p != NULL);
        test_fill(p, 500, i);
        errno = 0;
        must_fail(heap_resize(p, sizes[i]));
        test_intact(p, 500, i);
        heap_free(p);
    }
    must_fail(heap_aligned((size_t)1 << 62, 1));
#ifdef TEST_PLAIN
    volatile size_t half = (size_t)1 << 33;
    must_fail(calloc(half, half));
    must_fail(reallocarray(NULL, half, half));
#endif
}

/* Allocates until nothing is left, then checks and frees everything; returns the bytes that it got. */
static size_t exhaust(size_t size, size_t at_most) {
    struct link *first = NULL;
    size_t bytes = 0;
    errno = 0;
    for (;;) {
        struct link *p = (struct link *)heap_alloc(size);
        if (p == NULL)
            break;
        p->next = first;
        p->size = size - sizeof *p;
        p->seed = bytes;
        test_fill(p->bytes, p->size < 4096 ? p->size : 4096, p->seed);
        first = p;
        bytes += size;
        CHECK(bytes <= at_most, "the limit is not kept: %zu MiB of blocks of %zu bytes", bytes >> 20, size);
    }
    CHECK(errno == ENOMEM);
    if (first != NULL) {
        errno = 0;
        must_fail(heap_resize(first, at_most));
        must_fail(heap_zeroed(at_most));
    }
    while (first != NULL) {
        struct link *p = first;
        test_intact(p->bytes, p->size < 4096 ? p->size : 4096, p->seed);
        first = p->next;
        heap_free(p);
    }
    return bytes;
}

static size_t limit_bytes;

static pthread_barrier_t step;

static void *exhaust_small(void *argument) {
    (void)argument;
    pthread_barrier_wait(&step);
    exhaust(200, limit_bytes);
    return NULL;
}

static void run_out(void) {
    static const size_t sizes[] = {48, 1000, 20000, 300000, 5000000, 64};
    size_t got[6];
    /* These exist from the start: a thread needs memory too. */
    pthread_t thread[4];
    pthread_barrier_init(&step, NULL, 5);
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, exhaust_small, NULL) == 0);
    for (size_t i = 0; i < 6; i++) {
        got[i] = exhaust(sizes[i], limit_bytes);
        dprintf(1, "%zu bytes: %zu MiB until ENOMEM\n", sizes[i], got[i] >> 20);
        CHECK(got[i] >= limit_bytes / 4, "only %zu MiB of %zu-byte blocks", got[i] >> 20, sizes[i]);
    }
    /* Several threads that run out at once. */
    pthread_barrier_wait(&step);
    for (size_t i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    CHECK(exhaust(1000, limit_bytes) >= limit_bytes / 4, "the heap did not recover");
}

static bool slow_purges; /* atomic: the room's thread reads it */

/* Instead of libc's where ngrt_core is linked in: pages that go are on their way for long enough to meet a fork. */
int madvise(void *p, size_t bytes, int advice) {
    int result = (int)syscall(SYS_madvise, p, bytes, advice);
    if (advice == MADV_DONTNEED && __atomic_load_n(&slow_purges, __ATOMIC_RELAXED))
        usleep(3000);
    return result;
}

static void *stay(void *argument) {
    CHECK(heap_alloc(100) != NULL);
    pthread_barrier_wait(&step);
    pause();
    return argument;
}

/* A child has the memory too that another thread was just giving back, and can give it back itself. */
static void fork_while_pages_go(void) {
    pthread_t other; /* so that the room stays through a fork */
    pthread_barrier_init(&step, NULL, 2);
    CHECK(pthread_create(&other, NULL, stay, NULL) == 0);
    pthread_barrier_wait(&step);
    __atomic_store_n(&slow_purges, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 5; i++) {
        size_t all = exhaust(1000, limit_bytes);
        usleep(500u * (unsigned)(i % 5));
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            __atomic_store_n(&slow_purges, false, __ATOMIC_RELAXED);
            size_t got = exhaust(1000, limit_bytes);
            CHECK(got + (2u << 20) >= all, "the child got %zu MiB of %zu", got >> 20, all >> 20);
            heap_trim();
            CHECK(TEST_SANITIZED || test_rss() < limit_bytes / 8, "%zu MiB stay in the child", test_rss() >> 20);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %#x", status);
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1, "absurd, limit, fork or address_space?");
    test_begin();
    if (strcmp(argv[1], "absurd") == 0) {
        absurd_requests();
    } else if (strcmp(argv[1], "limit") == 0) {
        limit_bytes = 256u << 20;
        run_out();
    } else if (strcmp(argv[1], "fork") == 0) {
        limit_bytes = 256u << 20;
        fork_while_pages_go();
    } else {
        if (TEST_SANITIZED)
            test_skip("a sanitizer's shadow memory does not fit under a limit");
        /* From the start of a process, so that the arena is reserved under the limit too; then for what is left. */
        limit_bytes = 512u << 20;
        struct rlimit limit = {limit_bytes, limit_bytes};
        if (argc > 2) {
            run_out();
        } else {
            CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
            execl("/proc/self/exe", argv[0], argv[1], "child", (char *)NULL);
            CHECK(false, "exec failed");
        }
    }
    return 0;
}
