// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// grow_strings.cpp: a program that reads a large text into tables: a dictionary by hash and a sorted index of lists of
// strings, about 1 GB at scale 1; then it looks things up and drops all.  Stresses operator new for strings and nodes of
// many sizes that live together, and fresh memory.  Takes a few seconds.

#include "workload.h"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

/// Letters from a to p, eight at a time.
std::string text(uint64_t number, size_t length) {
    std::string made(length, ' ');
    uint64_t state = seed_of(number);
    for (size_t at = 0; at < length; at += 8) {
        const uint64_t letters = (next_random(&state) & 0x0f0f0f0f0f0f0f0fu) + 0x6161616161616161u;
        memcpy(&made[at], &letters, length - at < 8 ? length - at : 8);
    }
    return made;
}

/// Mostly words and names, now and then a paragraph.
size_t lengthOf(uint64_t r) { return r % 8 ? 20 + (r >> 4) % 300 : 400 + (r >> 4) % 3000; }

uint64_t hashOf(const std::string &s) { return hash_bytes(s.data(), s.size()); }

using Dictionary = std::unordered_map<std::string, std::string>;
using Index = std::map<std::string, std::vector<std::string>>;

void grow(Dictionary &dictionary, Index &index, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint64_t r = mixed(i);
        std::string key = text(i, 12 + r % 30);
        index[text(r % (count / 64 + 1), 18)].push_back(key);
        dictionary.emplace(std::move(key), text(r, lengthOf(r >> 8)));
    }
}

/// Reads all once, and looks up one key of each list.
uint64_t lookUp(const Dictionary &dictionary, const Index &index) {
    uint64_t sum = 0;
    for (const auto &[key, value] : dictionary)
        sum += mixed(hashOf(key) ^ mixed(hashOf(value)));
    for (const auto &[word, keys] : index) {
        sum += hashOf(dictionary.at(keys.front()));
        for (const std::string &key : keys)
            sum += mixed(hashOf(key) ^ mixed(hashOf(word)));
    }
    return sum;
}

} // namespace

int main(int argc, char **argv) {
    const workload w = workload_begin(argc, argv, 1, 0);
    const size_t count = workload_scaled(&w, 1600000);
    Dictionary dictionary;
    Index index;
    const double start = workload_now();
    grow(dictionary, index, count);
    workload_figure("ns", (workload_now() - start) * 1e9 / static_cast<double>(count));
    workload_checksum(lookUp(dictionary, index));
    return 0;
}
