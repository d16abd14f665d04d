// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// standing_heap.cpp: an index in memory, a database's or a cache server's, that stays at 300 MB: records are inserted,
// erased and updated (their text gets another length) in turn.  Stresses random lifetimes over a heap far larger than
// the processor's caches; memory that is not used again shows as growth.  Takes a few seconds.

#include "workload.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

struct Record {
    uint64_t key;
    std::string text;
    std::vector<uint64_t> tags;
};

using Index = std::map<uint64_t, std::unique_ptr<Record>>;

/// Most texts are short.
std::string text(uint64_t r) {
    return std::string((r & 15) ? 24 + (r >> 4) % 200 : 300 + (r >> 4) % 2000, static_cast<char>('a' + r % 26));
}

void insert(Index &index, uint64_t key, uint64_t r) {
    auto record = std::make_unique<Record>();
    record->key = key;
    record->text = text(r);
    record->tags.assign(1 + (r >> 50) % 12, r);
    index[key] = std::move(record);
}

uint64_t sumOf(const Record &record) {
    return mixed(record.key ^ hash_bytes(record.text.data(), record.text.size()) ^ record.tags.back() ^
                 record.tags.size());
}

} // namespace

int main(int argc, char **argv) {
    const workload w = workload_begin(argc, argv, 1, 0);
    const size_t count = workload_scaled(&w, 700000), turns = workload_scaled(&w, 400000);
    Index index;
    std::vector<uint64_t> keys(count);
    uint64_t state = seed_of(7), sum = 0;
    for (uint64_t &key : keys) {
        key = next_random(&state);
        insert(index, key, mixed(key));
    }
    const double start = workload_now();
    for (size_t i = 0; i < turns; i++) {
        const uint64_t r = next_random(&state);
        uint64_t &key = keys[(r >> 20) % count];
        const auto found = index.find(key);
        sum += sumOf(*found->second);
        if (r & 1) {
            found->second->text = text(r >> 1);
            found->second->tags.push_back(r);
            continue;
        }
        index.erase(found);
        key = next_random(&state);
        insert(index, key, r >> 1);
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / static_cast<double>(turns));
    for (const auto &[key, record] : index)
        sum += sumOf(*record);
    workload_checksum(sum);
    return 0;
}
