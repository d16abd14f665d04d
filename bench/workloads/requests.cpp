// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// requests.cpp: a server's request loop.  The main thread reads messages and hands them to THREADS workers (1 to 16, 2
// without the argument).  A worker parses the message into strings, a vector and a map, looks into its cache (the least
// recently used entry goes), builds a response, and keeps a little for the session: objects for a request, for a session,
// and for as long as the cache holds them, side by side.  Messages are freed by another thread than made them.

#include "threads.h"

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

constexpr size_t MOST_WORKERS = 16, SESSIONS = 2000, CACHED = 4000, KEYS = 20000, HISTORY = 20;

/// The message of that number: a line of request, headers, parameters.
std::string message(uint64_t number) {
    uint64_t state = seed_of(number);
    const uint64_t r = next_random(&state);
    std::string made =
        "session=" + std::to_string(r % SESSIONS) + "\nkey=item-" + std::to_string((r >> 20) % KEYS) + "\n";
    for (uint64_t i = 0, headers = 4 + (r >> 40) % 8; i < headers; i++) {
        const uint64_t h = next_random(&state);
        made += "header-number-" + std::to_string(i) + "=" +
                std::string(8 + h % ((h >> 20 & 15) ? 56 : 600), static_cast<char>('a' + h % 26)) + "\n";
    }
    return made;
}

struct Request {
    std::vector<std::string> names;
    std::map<std::string, std::string> fields;
};

std::unique_ptr<Request> parse(std::string_view text) {
    auto request = std::make_unique<Request>();
    while (!text.empty()) {
        const size_t end = text.find('\n'), equals = text.find('=');
        std::string name(text.substr(0, equals));
        request->names.push_back(name);
        request->fields.emplace(std::move(name), text.substr(equals + 1, end - equals - 1));
        text.remove_prefix(end + 1);
    }
    return request;
}

/// Documents by key; the least recently used one goes.
class Cache {
  public:
    const std::string &get(const std::string &key) {
        if (const auto found = places.find(key); found != places.end()) {
            entries.splice(entries.begin(), entries, found->second);
            return entries.front().second;
        }
        if (places.size() == CACHED) {
            places.erase(entries.back().first);
            entries.pop_back();
        }
        const uint64_t r = hash_bytes(key.data(), key.size());
        entries.emplace_front(key, std::string(100 + r % 1900, static_cast<char>('a' + r % 26)));
        places.emplace(key, entries.begin());
        return entries.front().second;
    }

  private:
    std::list<std::pair<std::string, std::string>> entries;
    std::unordered_map<std::string, std::list<std::pair<std::string, std::string>>::iterator> places;
};

struct Session {
    std::list<std::string> history;
    std::map<std::string, size_t> seen;
};

struct Worker {
    ring queue;
    pthread_t thread;
    uint64_t sum;
};

std::string respond(const Request &request, Cache &cache, Session &session) {
    const std::string &key = request.fields.at("key");
    std::string response = "status=200\n";
    for (const std::string &name : request.names)
        response += name + ":" + std::to_string(request.fields.at(name).size()) + "\n";
    response += "visits=" + std::to_string(++session.seen[key]) + "\n" + cache.get(key);
    session.history.push_back("visited " + key);
    if (session.history.size() > HISTORY) {
        session.seen.erase(session.history.front().substr(8));
        session.history.pop_front();
    }
    return response;
}

void *serve(void *argument) {
    auto *mine = static_cast<Worker *>(argument);
    Cache cache;
    std::unordered_map<std::string, std::unique_ptr<Session>> sessions;
    uint64_t sum = 0;
    while (std::unique_ptr<std::string> text{static_cast<std::string *>(ring_take(&mine->queue))}) {
        const auto request = parse(*text);
        auto &session = sessions[request->fields.at("session")];
        // A session ends after some requests, all at once.
        if (!session || session->seen.size() + session->history.size() > 2 * HISTORY - 2)
            session = std::make_unique<Session>();
        const std::string response = respond(*request, cache, *session);
        sum += hash_bytes(response.data(), response.size()) ^ hash_bytes(text->data(), text->size());
    }
    mine->sum = sum;
    return nullptr;
}

Worker workers[MOST_WORKERS];

} // namespace

int main(int argc, char **argv) {
    const workload w = workload_begin(argc, argv, 2, MOST_WORKERS);
    const size_t count = workload_scaled(&w, 150000);
    const double start = workload_now();
    for (size_t t = 0; t < w.threads; t++)
        start_thread(&workers[t].thread, serve, &workers[t]);
    for (size_t i = 0, turn = 0; i < count; i++, turn = turn + 1 < w.threads ? turn + 1 : 0)
        ring_put(&workers[turn].queue, std::make_unique<std::string>(message(i)).release());
    uint64_t sum = 0;
    for (size_t t = 0; t < w.threads; t++) {
        ring_put(&workers[t].queue, nullptr);
        pthread_join(workers[t].thread, nullptr);
        sum += workers[t].sum;
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / static_cast<double>(count));
    workload_checksum(sum);
    return 0;
}
