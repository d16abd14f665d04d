// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// app.cpp: a user's program in C++: strings and nodes on the heap.
#include <cstdio>
#include <map>
#include <string>

int main() {
    std::map<int, std::string> map;
    for (int i = 1; i <= 1000; i++)
        map[i] = std::string(static_cast<std::size_t>(i), 'x');
    long sum = 0;
    for (const auto &entry : map)
        sum += static_cast<long>(entry.second.size());
    std::printf("sum %ld\n", sum);
    return 0;
}
