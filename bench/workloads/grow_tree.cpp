// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// grow_tree.cpp: a parser that makes a document tree: elements with names, attributes and text, about 1 GB at scale 1;
// then the tree is walked and dropped.  Stresses small blocks of a few sizes that are made together and read together:
// where they lie, and fresh memory.  Takes a few seconds.

#include "workload.h"

#include <memory>
#include <string>
#include <vector>

namespace {

struct Attribute {
    std::string name, value;
    std::unique_ptr<Attribute> next;
};

struct Element {
    std::string name, text;
    Element *parent = nullptr;
    std::unique_ptr<Attribute> attributes;
    std::vector<std::unique_ptr<Element>> children;
};

constexpr unsigned DEPTH = 12;

std::string words(uint64_t r, size_t length) {
    std::string made(length, static_cast<char>('a' + r % 26));
    for (size_t at = 0; at + 8 <= length; at += 8)
        made[at] = static_cast<char>('a' + (r >> (at / 8 % 32)) % 26);
    return made;
}

std::unique_ptr<Element> make(uint64_t r, Element *parent) {
    static const char *const names[] = {"item", "order", "customer-address", "description-of-the-product"};
    auto element = std::make_unique<Element>();
    element->parent = parent;
    element->name = names[r & 3];
    for (unsigned i = 0; i < (r >> 2 & 3); i++) {
        auto attribute = std::make_unique<Attribute>();
        attribute->name = i ? "class" : "identifier-of-it";
        attribute->value = words(mixed(r + i), 4 + (r >> (8 + i)) % 40);
        attribute->next = std::move(element->attributes);
        element->attributes = std::move(attribute);
    }
    if (r >> 4 & 1)
        element->text = words(r, 10 + (r >> 16) % ((r >> 5 & 15) ? 150 : 2000));
    return element;
}

/// Elements come as a document's tags do: one opens below the open one, or some close first.
std::unique_ptr<Element> grow(size_t count) {
    auto root = make(1, nullptr);
    Element *open = root.get();
    unsigned depth = 0;
    uint64_t state = seed_of(6);
    for (size_t i = 1; i < count; i++) {
        const uint64_t r = next_random(&state);
        for (unsigned close = depth == DEPTH ? DEPTH / 2 : static_cast<unsigned>(r >> 60) % 3; close && depth > 1;
             close--) {
            open = open->parent;
            depth--;
        }
        open->children.push_back(make(r, open));
        open = open->children.back().get();
        depth++;
    }
    return root;
}

uint64_t hashOf(const std::string &s) { return hash_bytes(s.data(), s.size()); }

uint64_t walk(const Element &element, unsigned depth) {
    uint64_t sum = mixed(hashOf(element.name) ^ hashOf(element.text) ^ depth);
    for (const Attribute *a = element.attributes.get(); a; a = a->next.get())
        sum += mixed(hashOf(a->name) ^ hashOf(a->value));
    for (const auto &child : element.children) {
        if (child->parent != &element)
            workload_damaged(child.get(), sizeof(Element));
        sum = mixed(sum) + walk(*child, depth + 1);
    }
    return sum;
}

} // namespace

int main(int argc, char **argv) {
    const workload w = workload_begin(argc, argv, 1, 0);
    const size_t count = workload_scaled(&w, 2500000);
    const double start = workload_now();
    const auto root = grow(count);
    workload_figure("ns", (workload_now() - start) * 1e9 / static_cast<double>(count));
    workload_checksum(walk(*root, 0));
    return 0;
}
