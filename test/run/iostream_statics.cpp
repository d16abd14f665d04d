/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Static objects that allocate, use iostreams while they are made and while they are destroyed.
 */
#include "check.h"

#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

struct Noisy {
    std::map<std::string, std::vector<int>> table;
    Noisy() {
        std::ostringstream text;
        for (int i = 0; i < 1000; i++) {
            text << i << ' ';
            table[text.str().substr(0, 40) + std::to_string(i)].assign(static_cast<size_t>(i), i);
        }
        std::cout << "made " << table.size() << std::endl;
    }
    ~Noisy() {
        std::string all;
        for (auto &entry : table)
            all += entry.first;
        std::cout << "destroyed " << all.size() << std::endl;
        CHECK(table.size() == 1000);
    }
};

static Noisy first;
static std::string *leaked = new std::string(1000, 'x');
static Noisy second;

int main() {
    test_begin();
    std::cout << *leaked << std::endl;
    static Noisy third;
    return first.table.size() == second.table.size() ? 0 : 1;
}
