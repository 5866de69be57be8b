#pragma once

#include <rotary/base/line_pace.hpp>
#include <rotary/base/log.hpp>
#include <rotary/base/metrics.hpp>
#include <rotary/net/listener.hpp>
#include <rotary/net/reactor.hpp>
#include <rotary/net/session_set.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace rotary::server {

// Lets the clients of one worker in. At `limits.connections` the connection of all workers that has
// been idle for longest is closed, and the new one gets its place; where none is idle the new one
// is closed. Until its worker has answered, the new one waits and its listener takes no more in: so
// there are never more descriptors of clients than the limit, one more for each listener of each
// worker, and those that are closing in this very turn. Owned by the worker, on its thread.
class Admission {
public:
    using Serve = std::function<void(std::size_t at, int fd)>;  // by the listener's index
    // What it needs of its worker, and the limit that all workers share; that may be null.
    struct Parts {
        net::Reactor& reactor;
        net::SessionSet& sessions;
        metrics::Shard& metrics;
        Logger& log;
        net::ConnectionLimit* limit;
    };

    Admission(const Parts& parts, metrics::Registry& registry, Serve serve);
    ~Admission() { close(); }
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    void add(net::Listener& listener) { doors_.push_back({&listener}); }
    void accept(std::size_t at, int fd);
    void count_refused_by_descriptors() { parts_.metrics.add(refused_by_descriptors_); }
    // Nothing is closed to make room from here on: for the end, before the listeners stop.
    void close() noexcept;

private:
    struct Door {
        net::Listener* listener = nullptr;
        int waiting = -1;  // accepted, has no place yet
    };
    void ask(std::size_t at, int tries);
    void answered(std::size_t at, std::optional<SteadyTime::duration> idle, int tries);
    void let_in(std::size_t at);
    void refuse(int fd);
    void note_evicted(SteadyTime::duration idle);

    const Parts parts_;
    const Serve serve_;
    metrics::SeriesId evicted_;
    metrics::SeriesId refused_by_limit_;
    metrics::SeriesId refused_by_descriptors_;
    std::vector<Door> doors_;
    bool closed_ = false;
    LinePace evicted_lines_;
    LinePace refused_lines_;
};

}  // namespace rotary::server
