// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program of ordinary C++ for tests: strings, containers, virtual destructors, exceptions, every form of new.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
    std::string name;
};
struct Square : Shape {
    explicit Square(double a) : side(a) {
        if (a < 0)
            throw std::invalid_argument("negative side");
    }
    double area() const override { return side * side; }
    double side;
};
struct Circle : Shape {
    explicit Circle(double r) : radius(r) {}
    double area() const override { return 3 * radius * radius; }
    double radius;
};
struct alignas(64) Line {
    double from[4], to[4];
};

static std::unique_ptr<Shape> make(int i) {
    std::unique_ptr<Shape> s;
    if (i % 3 == 0)
        s = std::make_unique<Circle>(i);
    else
        s = std::make_unique<Square>(i % 7 == 6 ? -1 : i);
    s->name = "shape number " + std::to_string(i) + " of a long name";
    return s;
}

static double all(int n) {
    std::vector<std::unique_ptr<Shape>> shapes;
    std::unordered_map<std::string, double> areas;
    std::map<double, std::string> sorted;
    for (int i = 0; i < n; ++i) {
        try {
            shapes.push_back(make(i));
            areas[shapes.back()->name] += shapes.back()->area();
            sorted.emplace(shapes.back()->area(), shapes.back()->name);
        } catch (const std::invalid_argument &e) {
            areas[e.what()] += 1;
        }
    }
    double sum = 0;
    for (const auto &[name, area] : areas)
        sum += area + double(name.size());
    for (const auto &[area, name] : sorted)
        sum += area / 2 + double(name.size());
    return sum;
}

static long forms(long n) {
    long ok = 0;
    for (long i = 0; i < n; ++i) {
        std::unique_ptr<Line> line(new Line);
        ok += reinterpret_cast<std::uintptr_t>(line.get()) % 64 == 0;
        auto *many = new (std::nothrow) Line[3];
        ok += reinterpret_cast<std::uintptr_t>(many) % 64 == 0;
        delete[] many;
        auto *bytes = new (std::nothrow) char[size_t(i) % 1000 + 1];
        ok += bytes != nullptr;
        delete[] bytes;
        auto *zeroed = static_cast<long *>(std::calloc(4, sizeof(long)));
        ok += zeroed != nullptr && (zeroed[0] | zeroed[1] | zeroed[2] | zeroed[3]) == 0;
        zeroed[i & 3] = -1;
        zeroed = static_cast<long *>(std::realloc(zeroed, 400));
        ok += zeroed != nullptr && zeroed[i & 3] == -1;
        std::free(zeroed);
        void *page = nullptr;
        ok += posix_memalign(&page, 256, 1000) == 0 && reinterpret_cast<std::uintptr_t>(page) % 256 == 0;
        std::free(page);
    }
    return ok;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? std::atoi(argv[1]) : 2000;
    std::printf("%.0f %ld\n", all(n), forms(n));
}
