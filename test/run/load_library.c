/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Libraries that allocate are loaded, used and unloaded, many times; blocks cross the border both ways.
 * Usage: load_library apart|exchange|namespace|namespace_once LIBRARY...
 * `apart`: no block crosses.  `namespace`: by dlmopen, with the libraries' own libc, and without threads there: glibc frees
 * a new thread's leftovers by the namespace's malloc that it took from the program's, so that no preload survives.  `_once`: libngrt stays where it was
 * loaded, and the static TLS that glibc keeps for such libraries is small.
 */
#include "check.h"

#include <malloc.h>

static void *find(void *library, const char *name) {
    void *p = dlsym(library, name);
    CHECK(p != NULL, "%s", name);
    return p;
}

static void use(const char *path, const char *how, int round) {
    bool apart = strncmp(how, "namespace", 9) == 0;
    void *library = apart ? dlmopen(LM_ID_NEWLM, path, RTLD_NOW) : dlopen(path, round % 2 ? RTLD_NOW : RTLD_LAZY);
    CHECK(library != NULL, "%s", dlerror());
    char *(*copy)(const char *) = (char *(*)(const char *))find(library, "plugin_copy");
    void (*give)(void *) = (void (*)(void *))find(library, "plugin_free");
    if (apart)
        for (int i = 0; i < 1000; i++)
            give(copy("there and back"));
    else
        CHECK(((int (*)(void))find(library, "plugin_work"))() == 0);
    if (strcmp(how, "exchange") == 0) {
        for (size_t i = 0; i < 300; i++) {
            char *p = copy("from the library");
            CHECK(p != NULL && strcmp(p, "from the library") == 0);
            if (i % 3 == 0)
                p = (char *)realloc(p, 1000);
            CHECK(malloc_usable_size(p) >= 17);
            free(p);
            give(malloc(i * 13));
        }
    }
    CHECK(dlclose(library) == 0);
}

int main(int argc, char **argv) {
    CHECK(argc > 2);
    test_begin();
    int rounds = strcmp(argv[1], "namespace_once") == 0 ? 1 : strcmp(argv[1], "namespace") == 0 ? 5 : 60;
    for (int round = 0; round < rounds; round++)
        for (int i = 2; i < argc; i++)
            use(argv[i], argv[1], round);
    return 0;
}
