/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * no_cxx.c: the library in a program without C++.  It loads and binds (LD_BIND_NOW=1), and an operator new that fails
 * has nothing to throw: it says so and aborts.  With a C++ library that comes later by dlopen (the argument), the same
 * failure throws, and that library catches it.
 */
#include "expect.h"

#include <signal.h>
#include <sys/wait.h>

static void fails_in_child(void *(*operator_new)(size_t)) {
    int pipes[2], status;
    EXPECT(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], 2);
        operator_new(PTRDIFF_MAX);
        _exit(0);
    }
    close(pipes[1]);
    char text[256] = {0};
    EXPECT(read(pipes[0], text, sizeof text - 1) > 0);
    EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    EXPECT(strcmp(text, "ngrt: operator new found no memory, and no C++ library to throw std::bad_alloc with\n") == 0,
           "it wrote: %s", text);
    close(pipes[0]);
}

int main(int argc, char **argv) {
    test_begin();
    EXPECT(dlsym(RTLD_DEFAULT, "__cxa_throw") == NULL, "this test is to run without a C++ library");
    void *(*operator_new)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "_Znwm");
    void *(*nothrow_new)(size_t, const void *) =
        (void *(*)(size_t, const void *))dlsym(RTLD_DEFAULT, "_ZnwmRKSt9nothrow_t");
    void (*operator_delete)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "_ZdlPv");
    EXPECT(operator_new != NULL && nothrow_new != NULL && operator_delete != NULL);
    for (size_t n = 0; n < 100000; n = n * 2 + 1) {
        void *p = operator_new(n), *q = nothrow_new(n, NULL);
        EXPECT(is_block(p, n, 16) && is_block(q, n, 16));
        operator_delete(p);
        operator_delete(q);
    }
    EXPECT(nothrow_new(PTRDIFF_MAX, NULL) == NULL);
    fails_in_child(operator_new);

    EXPECT(argc == 2, "usage: no_cxx LIBRARY");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    EXPECT(library != NULL, "%s", dlerror());
    int (*catches)(void) = (int (*)(void))dlsym(library, "catches");
    EXPECT(catches != NULL && catches() == 1);
    return expect_result();
}
