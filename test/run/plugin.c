/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A library that tests load: it allocates when it is loaded, while it works (in threads of its own too), and frees when
 * it is unloaded.  Built plain, linked with libngrt, and with the pass.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT char *plugin_copy(const char *text);
EXPORT void *plugin_malloc_address(void);
EXPORT void plugin_free(void *block);
EXPORT int plugin_work(void);

static void *at_load[100];
static __thread char *of_thread;

__attribute__((constructor)) static void load(void) {
    for (size_t i = 0; i < 100; i++) {
        at_load[i] = malloc(i * 37);
        if (at_load[i] == NULL)
            abort();
        memset(at_load[i], 1, i * 37);
    }
}

__attribute__((destructor)) static void unload(void) {
    for (size_t i = 0; i < 100; i++)
        free(at_load[i]);
}

/* By malloc, not strdup, which would call libc's own. */
char *plugin_copy(const char *text) {
    char *copy = (char *)malloc(strlen(text) + 1);
    return copy == NULL ? NULL : strcpy(copy, text);
}

void *plugin_malloc_address(void) { return (void *)malloc; }

void plugin_free(void *block) { free(block); }

static void *work(void *argument) {
    void *block[200];
    of_thread = plugin_copy("of the thread");
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 200; i++) {
            block[i] = malloc(16 + i * 11);
            if (block[i] == NULL)
                return argument;
            memset(block[i], (int)i, 16 + i * 11);
        }
        for (size_t i = 0; i < 200; i++) {
            if (((unsigned char *)block[i])[15] != (unsigned char)i)
                return argument;
            free(block[i]);
        }
    }
    free(of_thread);
    return NULL;
}

/* 0 where all went well. */
int plugin_work(void) {
    pthread_t thread;
    void *bad;
    if (work((void *)1) != NULL || pthread_create(&thread, NULL, work, (void *)1) != 0)
        return 1;
    pthread_join(thread, &bad);
    return bad != NULL;
}
