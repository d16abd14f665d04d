// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// templates.cpp: what the compiler compiles in the benchmark: a handful of classes made of the standard library's templates, as
// much code as a middling file of a C++ program has after the headers.  Never linked or run.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

// A registry of values of one kind: each N is a class of its own to the compiler, with all its containers.
template <int N, typename Value> class Registry {
  public:
    void add(const std::string &name, Value value) {
        auto &slot = byName[name];
        slot.push_back(std::make_shared<Value>(std::move(value)));
        order.emplace_back(name, slot.size());
        waiting.insert({slot.size() % (N + 2), name});
    }

    std::vector<std::string> names(const std::regex &wanted) const {
        std::vector<std::string> found;
        for (const auto &[name, values] : byName)
            if (std::regex_search(name, wanted))
                found.push_back(name + ":" + std::to_string(values.size() * N));
        std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
            return std::make_pair(a.size(), b) < std::make_pair(b.size(), a);
        });
        return found;
    }

    template <typename Visitor> std::size_t each(Visitor visit) {
        for (auto &[name, count] : order)
            for (std::size_t i = 0; i < count && i < byName[name].size(); i++)
                visit(*byName[name][i], name);
        std::sort(order.begin(), order.end());
        order.erase(std::unique(order.begin(), order.end()), order.end());
        return std::accumulate(waiting.begin(), waiting.end(), std::size_t(N),
                               [](std::size_t sum, const auto &w) { return sum * 31 + w.first; });
    }

  private:
    std::unordered_map<std::string, std::vector<std::shared_ptr<Value>>> byName;
    std::deque<std::pair<std::string, std::size_t>> order;
    std::multimap<std::size_t, std::string> waiting;
};

template <int N> struct Point {
    double at[N + 1];
    std::string label;
};

template <int N> using Cell = std::variant<int, double, std::string, Point<N>, std::map<std::string, Point<N>>>;

template <int N> std::string shown(const Cell<N> &cell) {
    std::ostringstream out;
    std::visit(
        [&](const auto &value) {
            using Held = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Held, Point<N>>)
                out << value.label << '@' << std::accumulate(value.at, value.at + N + 1, 0.0);
            else if constexpr (std::is_same_v<Held, std::map<std::string, Point<N>>>)
                for (const auto &[name, point] : value)
                    out << name << '=' << point.label << ';';
            else
                out << value;
        },
        cell);
    return out.str();
}

template <int... Ns> std::string all(std::integer_sequence<int, Ns...>, const std::vector<std::string> &input) {
    std::tuple<Registry<Ns, Cell<Ns>>...> registries;
    std::string result;
    auto one = [&]<int N>(std::integral_constant<int, N>, Registry<N, Cell<N>> &registry) {
        std::set<std::string, std::greater<>> seen(input.begin(), input.end());
        for (const auto &line : seen)
            registry.add(line.substr(0, N + 1), line.size() % 3 ? Cell<N>(line) : Cell<N>(Point<N>{{}, line}));
        for (const auto &name : registry.names(std::regex("^[a-z]+" + std::to_string(N) + "(x|y)*$")))
            result += name;
        std::function<void(Cell<N> &, const std::string &)> visit = [&](Cell<N> &cell, const std::string &name) {
            result += name + shown<N>(cell);
        };
        result += std::to_string(registry.each(visit));
    };
    (one(std::integral_constant<int, Ns>(), std::get<Registry<Ns, Cell<Ns>>>(registries)), ...);
    return result;
}

} // namespace

std::string compiled(const std::vector<std::string> &input) { return all(std::make_integer_sequence<int, 1>(), input); }
