/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program that brings its own malloc (own_malloc_user.c), with libngrt preloaded or linked all the same: its calls,
 * and those that libc makes for it, reach its own functions, and libngrt does no harm.
 */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>

extern unsigned long user_allocations;
extern bool user_owns(const void *p);

static void *thread(void *argument) {
    char *p = strdup("in a thread");
    CHECK(p != NULL && user_owns(p));
    free(p);
    return argument;
}

static void in_a_child(void) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(30);
        void *p = malloc(10);
        CHECK(user_owns(p), "malloc went behind the child's back");
        free(p);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child's status 0x%x", status);
}

int main(void) {
    unsigned long before = user_allocations;
    void *block[100];
    for (size_t i = 0; i < 100; i++) {
        block[i] = malloc(i * 50);
        CHECK(user_owns(block[i]), "malloc went behind the program's back");
        memset(block[i], 1, i * 50);
    }
    for (size_t i = 0; i < 100; i++) {
        block[i] = realloc(block[i], i * 60);
        CHECK(user_owns(block[i]));
        free(block[i]);
    }
    CHECK(user_allocations >= before + 200);
    char *line = strdup("by libc");
    CHECK(user_owns(line), "libc's strdup does not use the program's malloc");
    free(line);
    for (int i = 0; i < 10; i++) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, thread, NULL) == 0);
        pthread_join(t, NULL);
    }
    in_a_child();
    return 0;
}
