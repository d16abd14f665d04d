/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The chunk of the first magazines and heaps becomes a huge page while threads use them: nothing in it changes, and what
 * threads need later follows behind it.
 */
#include "heap.h"

#include "os/os.h"
#include "room/arena.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 24, BLOCKS = 40, FILL = 30000 };

static pthread_barrier_t all;

/* Bytes of anonymous memory on huge pages in all the process. */
static size_t huge(void) {
    static char text[4096];
    CHECK(test_read_file("/proc/self/smaps_rollup", text, sizeof text) > 0);
    const char *line = strstr(text, "AnonHugePages:");
    return line == NULL ? 0 : strtoul(line + strlen("AnonHugePages:"), NULL, 10) << 10;
}

/* A magazine for each class, and all blocks kept until every thread has them. */
static void *use_every_class(void *argument) {
    static char *blocks[THREADS][NGRT_CLASSES][BLOCKS];
    uintptr_t me = (uintptr_t)argument;
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        for (size_t i = 0; i < BLOCKS; i++)
            memset(blocks[me][c][i] = heap_alloc(ngrt_class_size(c)), (int)(me + c), 16);
    pthread_barrier_wait(&all);
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            CHECK(blocks[me][c][i][15] == (char)(me + c));
            heap_free(blocks[me][c][i]);
        }
    }
    return NULL;
}

static void run_threads(void) {
    pthread_t thread[THREADS];
    pthread_barrier_init(&all, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, use_every_class, (void *)i) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&all);
}

int main(void) {
    static char *blocks[FILL];
    if (TEST_SANITIZED)
        test_skip("a sanitizer has shadows of its own");
    test_begin();
    for (size_t i = 0; i < FILL; i++)
        memset(blocks[i] = heap_alloc(16 + i % 2000), (int)i, 16);
    for (size_t i = 0; i < FILL; i += 2)
        heap_free(blocks[i]);
    size_t before = huge();
    char *chunk = ng_arena_metadata_chunk();
    CHECK(chunk != NULL && (uintptr_t)chunk % NG_CHUNK_BYTES == 0 && chunk == ng_arena_metadata_chunk());
    bool collapsed = ng_os_collapse(chunk, NG_CHUNK_BYTES);
    dprintf(1, "%s, %zu KiB on huge pages, %zu before\n", collapsed ? "collapsed" : "not collapsed", huge() >> 10,
            before >> 10);
    CHECK(!collapsed || huge() > before);
    for (size_t i = 0; i < FILL; i += 2)
        memset(blocks[i] = heap_alloc(16 + i % 2000), (int)i, 16);
    for (size_t i = 0; i < FILL; i++) {
        CHECK(blocks[i][0] == (char)i && blocks[i][15] == (char)i);
        heap_free(blocks[i]);
    }
    run_threads();
    CHECK(ng_load(&ng_magazine_region.used, NG_RELAXED) > NG_CHUNK_BYTES / 2,
          "the threads need more than the chunk has");
    return 0;
}
