#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make.py: the input documents of the demo and of the other programs, one generator each.

A shop's orders, with names, addresses, prices, notes and nested items: the shape that documents of web services have.
Three kinds are no orders: cnf and smt2, a random formula of so many variables for a solver, and git, a repository of so
many commits.
The same seed gives the same bytes on every machine (only random() of Python's Mersenne Twister is used, whose sequence
is documented to be stable).  Used by programs.py; alone:  bench/inputs/make.py KIND ORDERS FILE
"""

import json
import random
import shutil
import subprocess
import sys

SYLLABLES = "ka ro mi ten sul ve dor na pri lo gan eth ar bel cor din fal gor hel".split()
STREETS = "High Mill Station Church Park Bridge Garden King Lake Forest".split()
CITIES = [a + b for a in ("North", "South", "New ", "Old ", "Upper ") for b in ("ford", "ham", "wick", "ton", "bury")]


class Shop:
    """Records one at a time, so that no document is ever held in memory whole."""

    def __init__(self, orders, seed=1):
        self.rand = random.Random(seed).random
        self.orders = orders
        self.customers = max(1, orders // 8)

    def pick(self, values):
        return values[int(self.rand() * len(values))]

    def number(self, low, high):
        return low + int(self.rand() * (high - low + 1))

    def word(self):
        return "".join(self.pick(SYLLABLES) for _ in range(self.number(1, 4)))

    def words(self, low, high):
        return " ".join(self.word() for _ in range(self.number(low, high)))

    def customer(self, number):
        return {
            "id": f"c{number}",
            "name": f"{self.word().title()} {self.word().title()}",
            "mail": f"{self.word()}@{self.word()}.example",
            "since": self.number(1998, 2025),
            "tags": [self.word() for _ in range(self.number(0, 4))],
        }

    def item(self):
        return {
            "sku": f"{self.word().upper()}-{self.number(100, 999)}",
            "title": self.words(2, 7),
            "price": self.number(99, 99999) / 100,
            "count": self.number(1, 5),
        }

    def order(self, number):
        return {
            "id": number,
            "customer": f"c{self.number(0, self.customers - 1)}",
            "date": f"{self.number(2019, 2025)}-{self.number(1, 12):02}-{self.number(1, 28):02}",
            "paid": self.rand() < 0.9,
            "ship": {
                "street": f"{self.pick(STREETS)} Street {self.number(1, 199)}",
                "zip": f"{self.number(10000, 99999)}",
                "city": self.pick(CITIES),
            },
            "items": [self.item() for _ in range(self.number(1, 8))],
            "note": None if self.rand() < 0.5 else self.words(5, 30),
        }

    def all_customers(self):
        return (self.customer(n) for n in range(self.customers))

    def all_orders(self):
        return (self.order(n) for n in range(self.orders))


def write_json(shop, out):
    def rows(values):
        for index, value in enumerate(values):
            out.write(("," if index else "") + "\n" + json.dumps(value))

    out.write('{"customers": [')
    rows(shop.all_customers())
    out.write('],\n"orders": [')
    rows(shop.all_orders())
    out.write("]}\n")


def write_xml(shop, out):
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<shop>\n <customers>\n')
    for c in shop.all_customers():
        tags = "".join(f"<tag>{t}</tag>" for t in c["tags"])
        out.write(f'  <customer id="{c["id"]}" since="{c["since"]}"><name>{c["name"]}</name>{tags}</customer>\n')
    out.write(" </customers>\n <orders>\n")
    for o in shop.all_orders():
        s = o["ship"]
        out.write(f'  <order id="{o["id"]}" customer="{o["customer"]}" date="{o["date"]}">\n')
        out.write(f'   <ship><street>{s["street"]}</street><zip>{s["zip"]}</zip><city>{s["city"]}</city></ship>\n')
        for i in o["items"]:
            out.write(f'   <item sku="{i["sku"]}" price="{i["price"]}" count="{i["count"]}">')
            out.write(f'<title>{i["title"]}</title></item>\n')
        if o["note"]:
            first, _, rest = o["note"].partition(" ")
            out.write(f"   <note><em>{first}</em> {rest}</note>\n")
        out.write("  </order>\n")
    out.write(" </orders>\n</shop>\n")


def write_yaml(shop, out):
    def entry(value, indent):
        pad = " " * indent
        lead = pad[:-2] + "- "
        for key, inner in value.items():
            if isinstance(inner, dict):
                out.write(f"{lead}{key}:\n")
                for k, v in inner.items():
                    out.write(f"{pad}  {k}: {json.dumps(v)}\n")
            elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
                out.write(f"{lead}{key}:\n")
                for v in inner:
                    entry(v, indent + 4)
            elif isinstance(inner, list):
                out.write(f"{lead}{key}: [{', '.join(inner)}]\n")
            else:
                out.write(f"{lead}{key}: {json.dumps(inner)}\n")
            lead = pad

    out.write("customers:\n")
    for customer in shop.all_customers():
        entry(customer, 4)
    out.write("orders:\n")
    for order in shop.all_orders():
        entry(order, 4)


def write_cnf(shop, out):
    """Clauses of three variables; with 3.1 clauses for each variable a solver finds values soon: most work is on clauses."""
    variables = shop.orders
    clauses = variables * 31 // 10
    out.write(f"p cnf {variables} {clauses}\n")
    for _ in range(clauses):
        chosen = set()
        while len(chosen) < 3:
            chosen.add(shop.number(1, variables))
        out.write("".join(f"{v if shop.rand() < 0.5 else -v} " for v in sorted(chosen)) + "0\n")


def write_smt2(shop, out):
    """Twice as many relations as numbers of eight bits."""
    variables = shop.orders
    out.write("(set-logic QF_BV)\n")
    for number in range(variables):
        out.write(f"(declare-const v{number} (_ BitVec 8))\n")
    for _ in range(2 * variables):
        a, b, c = (shop.number(0, variables - 1) for _ in range(3))
        operation = shop.pick(("bvadd", "bvxor", "bvand", "bvor", "bvmul"))
        relation = shop.pick(("bvult", "bvule", "distinct"))
        out.write(f"(assert ({relation} ({operation} v{a} v{b}) (bvadd v{c} (_ bv{shop.number(1, 200)} 8))))\n")
    out.write("(check-sat)\n(get-model)\n")


def write_history(shop, out):
    """A stream for git fast-import: commits that each change a few lines of a few files out of hundreds."""
    files = {}
    for number in range(400):
        lines = [shop.words(3, 9) for _ in range(shop.number(20, 400))]
        files[f"{shop.pick(CITIES).strip().lower()}/{shop.word()}-{number}.txt"] = lines
    names = sorted(files)
    changed = names
    for commit in range(shop.orders):
        message = shop.words(4, 12)
        out.write("commit refs/heads/main\n")
        out.write(f"committer {shop.word()} <shop@shop.example> {1600000000 + commit * 3600} +0000\n")
        out.write(f"data {len(message)}\n{message}\n")
        for name in changed:
            text = "\n".join(files[name]) + "\n"
            out.write(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")
        changed = sorted({shop.pick(names) for _ in range(shop.number(1, 6))})
        for name in changed:
            lines = files[name]
            for _ in range(shop.number(1, 8)):
                lines[shop.number(0, len(lines) - 1)] = shop.words(3, 9)
            lines.insert(shop.number(0, len(lines)), shop.words(3, 9))


def write_repository(shop, path):
    """A bare repository with that history."""
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run(["git", "init", "-q", "--bare", "--template=", "--initial-branch=main", path], check=True)
    importer = ["git", f"--git-dir={path}", "fast-import", "--quiet"]
    with subprocess.Popen(importer, stdin=subprocess.PIPE, encoding="utf-8") as process:
        write_history(shop, process.stdin)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, importer)


WRITERS = {"json": write_json, "xml": write_xml, "yaml": write_yaml, "cnf": write_cnf, "smt2": write_smt2}


def make(kind, orders, path):
    if kind == "git":
        write_repository(Shop(orders), path)
        return
    with open(path, "w", encoding="utf-8") as out:
        WRITERS[kind](Shop(orders), out)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in (*WRITERS, "git") or not sys.argv[2].isdigit():
        sys.exit(f"usage: make.py {'|'.join(WRITERS)}|git ORDERS FILE")
    make(sys.argv[1], int(sys.argv[2]), sys.argv[3])
