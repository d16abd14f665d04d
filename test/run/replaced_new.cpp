/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program that replaces operator new and delete in one object (replaced_new_user.cpp), while this one is built by the
 * pass: every new and delete here must reach the user's functions, and no magazine behind their back.
 */
#include "check.h"

#include <memory>
#include <new>
#include <string>
#include <vector>

extern unsigned long user_news, user_deletes;
extern bool user_owns(void *p);

struct Thing {
    long values[5];
};

int main() {
    test_begin();
    unsigned long news = user_news, deletes = user_deletes;
    for (int i = 0; i < 1000; i++) {
        Thing *thing = new Thing;
        CHECK(user_owns(thing), "new went behind the user's back");
        test_launder(thing);
        delete thing;
        char *array = new char[static_cast<size_t>(i) + 1];
        CHECK(user_owns(array), "new[] went behind the user's back");
        test_launder(array);
        delete[] array;
        Thing *quiet = new (std::nothrow) Thing;
        CHECK(user_owns(quiet), "nothrow new went behind the user's back");
        test_launder(quiet);
        delete quiet;
    }
    CHECK(user_news - news == 3000, "%lu of 3000 news counted", user_news - news);
    CHECK(user_deletes - deletes == 3000, "%lu of 3000 deletes counted", user_deletes - deletes);
    std::vector<std::string> strings;
    for (int i = 0; i < 1000; i++)
        strings.push_back(std::string(static_cast<size_t>(i), 'x'));
    CHECK(user_owns(strings.data()));
    /* malloc is not theirs. */
    void *p = malloc(100);
    CHECK(p != nullptr && !user_owns(p));
    free(p);
    return 0;
}
