# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""objects.py: what python3 does in the benchmark: makes and drops objects of every common kind.

Run with PYTHONMALLOC=malloc, so that every object is a block of the allocator under test, and with PYTHONHASHSEED set, so
that sets keep one order.  Argument: how many rounds.  Prints one checksum.
"""

import json
import sys
import zlib


class Node:
    def __init__(self, key, left, right):
        self.key, self.left, self.right = key, left, right


def tree(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Node(middle, tree(low, middle), tree(middle + 1, high))


def depth_sum(node, depth=1):
    return depth + depth_sum(node.left, depth + 1) + depth_sum(node.right, depth + 1) if node else 0


def records(number):
    """A list of nested dicts, all of whose keys and values are new objects."""
    return [
        {"id": i, "name": f"name {i * 7919 % 10007}", "tags": [f"t{i * k % 97}" for k in range(i % 6)],
         "price": i * 31 % 1009 / 8, "place": {"x": i * 1.5, "y": -i, "label": f"{i:x}" * (i % 4)}}
        for i in range(number)
    ]


def words(number):
    """Counts words of a text that is split, lowered and joined again."""
    text = " ".join(f"W{i * 48271 % 4093}x" for i in range(number))
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return "\n".join(f"{w} {c}" for w, c in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def sets(number):
    """Sets of tuples and of strings, cut with each other."""
    pairs = {(i % 311, str(i)) for i in range(number)}
    halves = {(a, b) for a, b in pairs if a & 1}
    return len(pairs - halves), sum(len(b) for _, b in pairs & halves), len({b for _, b in halves} | set("0123456789"))


def main(rounds):
    check = 0
    kept = []
    for turn in range(rounds):
        rows = records(4000)
        text = json.dumps(rows)
        again = json.loads(text)
        again.sort(key=lambda row: (row["name"], row["id"]))
        kept.append([row["place"] for row in again[turn::7]])  # holes in what is dropped, as a cache leaves them
        if len(kept) > 5:
            kept.pop(0)
        answer = repr((again[:50], words(20000), sets(12000), depth_sum(tree(0, 12000)), len(kept)))
        check = zlib.crc32(answer.encode(), check)
    print(f"{check:08x}")


main(int(sys.argv[1]))
